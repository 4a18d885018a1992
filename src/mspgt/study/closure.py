"""All source that a function can reach, found by walking imports, and its hash. Nothing is imported by the walk.

A module of `study` serves many stages: it is walked name by name, and of a class only those members count whose names
are used somewhere on the way. Of any other module all counts, with all that it imports. A type that only annotates
counts with its members, because a function may call the methods of what it is given. Docstrings and comments count
nowhere; a table counts where its name stands in reached code. What is outside the package enters by the version of
the libraries in `LIBRARIES`.
"""

from __future__ import annotations

import ast
import gc
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

PACKAGE = "mspgt"
PARTED = "mspgt.study."  # a class counts member by member
BY_NAME = (PARTED, "mspgt.results", "mspgt.errors", "mspgt.vocabulary")  # walked name by name
CONTRACT = "mspgt.results"  # as a type alone it holds numbers, and runs nothing
# Settings enter keys by value, results by the keys of what they were made of; the store keeps bytes, and proves it.
APART = ("mspgt.study.config", "mspgt.study.store")
# Who holds something of this module got it from that function, which therefore counts.
HANDED = {"mspgt.lm.model": "mspgt.study.jobs:load_trained"}
LIBRARIES = (
    "numpy",
    "scipy",
    "tokenizers",
    "torch",
    "transformers",
)  # those whose release can change a number
BROUGHT = {"transformers": ("tokenizers",)}  # used through another

_SKIPPED = frozenset({"type_comment", "kind", "ctx"})
_NAMED = re.compile(r"[\w./-]+\.\w+")  # could be a file
_HINTS = frozenset({"annotation", "returns"})


@dataclass(frozen=True)
class Unit:
    """A module ("" and ""), a name at its top, or a member of a class at its top."""

    module: str
    name: str = ""
    member: str = ""

    def __str__(self) -> str:
        return ".".join(part for part in (self.module, self.name, self.member) if part)


@dataclass(frozen=True)
class Closure:
    """What a function can reach."""

    units: dict[str, str]  # module or name → SHA-256 of its source without words
    tables: dict[str, str]  # data file below the package → SHA-256
    libraries: tuple[str, ...]

    @property
    def modules(self) -> set[str]:
        """Names of the modules of which something is reached."""
        parts = (unit.split(".") for unit in self.units)
        return {".".join(part[:cut]) for part in parts for cut in range(2, len(part) + 1)}

    @property
    def sha256(self) -> str:
        text = "\n".join(f"{name} {sha}" for name, sha in sorted({**self.units, **self.tables}.items()))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Node:
    """A piece of source: the names it uses, what it imports, and its hash."""

    sha256: str
    names: frozenset[str]  # read as plain names
    hinted: frozenset[str]  # read in annotations
    attributes: frozenset[str]  # read of anything, or standing there as text
    dotted: frozenset[tuple[str, str]]  # attribute read of a plain name
    imports: tuple[tuple[str, str, str], ...]  # bound name, module, name there ("" for the module)
    texts: frozenset[str]
    members: tuple[tuple[str, Node], ...] = ()  # of a class


@dataclass(frozen=True)
class Source:
    """A module, whole or taken apart: what each name at its top is bound by, and what else runs on import."""

    whole: Node | None
    tops: dict[str, tuple[Node, ...]]
    always: tuple[Node, ...]
    imports: dict[str, tuple[str, str]]


@lru_cache(maxsize=2048)
def read_source(text: bytes, by_name: bool) -> Source:
    """A module from its bytes, whole or taken apart."""
    tree = _parsed(text)
    if not by_name:
        return Source(_node(tree), {}, (), {})
    tops: dict[str, list[Node]] = {}
    always: list[Node] = []
    imports: dict[str, tuple[str, str]] = {}
    for line in _without_words(tree.body):
        node = _node(line)
        if node.imports and not isinstance(line, ast.FunctionDef | ast.ClassDef):
            imports |= {bound: (module, name) for bound, module, name in node.imports}
        bound = _bound(line)
        for name in bound:
            tops.setdefault(name, []).append(node)
        if not bound and not node.imports:
            always.append(node)
    return Source(None, {name: tuple(nodes) for name, nodes in tops.items()}, tuple(always), imports)


@lru_cache(maxsize=512)
def _parsed(text: bytes) -> ast.Module:
    return ast.parse(text)


def _bound(line: ast.stmt) -> set[str]:
    if isinstance(line, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return {line.name}
    found = {n.id for n in ast.walk(line) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found | {n.name for n in ast.walk(line) if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def _node(tree: ast.AST) -> Node:
    members: list[tuple[str, Node]] = []
    left: ast.AST = tree
    if isinstance(tree, ast.ClassDef):
        named = [(_member(line), line) for line in _without_words(tree.body)]
        members = [(name, _node(line)) for name, line in named if name]
        kept = [line for name, line in named if not name]
        left = ast.ClassDef(tree.name, tree.bases, tree.keywords, kept, tree.decorator_list)
    found = _Reading()
    found.read(left, False)
    text = "\0".join(found.plain).encode("utf-8", "surrogatepass")
    return Node(
        hashlib.sha256(text).hexdigest(),
        frozenset(found.names),
        frozenset(found.hinted),
        frozenset(found.attributes | found.texts),
        frozenset(found.dotted),
        tuple(found.imports),
        frozenset(found.texts),
        tuple(members),
    )


class _Reading:
    """One pass over a tree: what it uses, and itself as text that is the same wherever it parses alike.

    The text leaves out places, empty fields and docstrings.
    """

    def __init__(self) -> None:
        self.plain: list[str] = []
        self.names: set[str] = set()
        self.hinted: set[str] = set()
        self.attributes: set[str] = set()
        self.dotted: set[tuple[str, str]] = set()
        self.imports: list[tuple[str, str, str]] = []
        self.texts: set[str] = set()

    def read(self, node: ast.AST, hint: bool) -> None:
        kind = type(node)
        plain = self.plain
        plain.append(kind.__name__)
        if kind is ast.Name:
            (self.hinted if hint else self.names).add(node.id)  # type: ignore[attr-defined]
        elif kind is ast.Constant:
            if isinstance(node.value, str):  # type: ignore[attr-defined]
                self.texts.add(node.value)  # type: ignore[attr-defined]
        elif isinstance(node, ast.Attribute):
            self.attributes.add(node.attr)
            if isinstance(node.value, ast.Name):
                self.dotted.add((node.value.id, node.attr))
        elif isinstance(node, ast.ImportFrom):
            self.imports += [(one.asname or one.name, node.module or "", one.name) for one in node.names]
        elif isinstance(node, ast.Import):
            self.imports += [(one.asname or one.name.partition(".")[0], one.name, "") for one in node.names]
        for name in node._fields:
            value = getattr(node, name, None)
            if value is None or name in _SKIPPED:
                continue
            if isinstance(value, ast.AST):
                plain.append(name)
                self.read(value, hint or name in _HINTS)
            elif not isinstance(value, list):
                plain += (name, repr(value))
            elif value:
                plain += (name, "[")
                inner = hint or name in _HINTS
                for child in _without_words(value) if name == "body" else value:
                    if isinstance(child, ast.AST):
                        self.read(child, inner)
                    else:
                        plain.append(repr(child))
                plain.append("]")
        plain.append(".")


def _member(line: ast.stmt) -> str:
    """The name under which a line of a class is asked for; "" for what always counts."""
    if isinstance(line, ast.FunctionDef) and not (line.name.startswith("__") and line.name.endswith("__")):
        return line.name
    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
        return line.target.id
    return ""


def _without_words(body: list[ast.stmt]) -> list[ast.stmt]:
    """A body without strings that stand alone: docstrings, and notes under attributes."""
    return [
        line
        for line in body
        if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        or not isinstance(line.value.value, str)
    ]


class Package:
    """The source of the package below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root  # the folder `mspgt`
        self._sources: dict[tuple[str, bool], Source | None] = {}
        self._paths: dict[str, Path | None] = {}

    def path(self, module: str) -> Path | None:
        """File of a module of the package; None for anything else."""
        if module not in self._paths:
            first, *rest = module.split(".")
            place = self.root.joinpath(*rest)
            paths = (place / "__init__.py", place.with_suffix(".py")) if first == PACKAGE else ()
            self._paths[module] = next((path for path in paths if path.is_file()), None)
        return self._paths[module]

    @property
    def read(self) -> set[str]:
        """Modules that were looked at so far."""
        return {module for module, _ in self._sources}

    def source(self, module: str, by_name: bool) -> Source | None:
        if (module, by_name) not in self._sources:
            path = self.path(module)
            found = None if path is None else read_source(path.read_bytes(), by_name)
            self._sources[module, by_name] = found
        return self._sources[module, by_name]

    def closure(self, *functions: str) -> Closure:
        """What functions, and whoever hands them what they work on, can reach; each named "module:name"."""
        found = self._closure(*functions)
        handed = tuple(by for module, by in HANDED.items() if module in found.modules)
        return self._closure(*functions, *handed) if handed else found

    def _closure(self, *functions: str) -> Closure:
        walk = _Walk(self)
        for function in functions:
            module, _, name = function.partition(":")
            walk.need(module, name.partition(".")[0])
        return walk.run()


class _Walk:
    def __init__(self, package: Package) -> None:
        self.package = package
        self.todo: list[tuple[Unit, Node]] = []
        self.units: dict[Unit, str] = {}
        self.waiting: list[tuple[Unit, Node]] = []  # members that nobody asked for yet
        self.attributes: set[str] = set()
        self.texts: dict[str, set[str]] = {}  # module → texts in it
        self.libraries: set[str] = set()

    def run(self) -> Closure:
        while self.todo:
            unit, node = self.todo.pop()
            self.read(unit, node)
            if not self.todo:
                asked = [one for one in self.waiting if one[0].member in self.attributes]
                self.waiting = [one for one in self.waiting if one[0].member not in self.attributes]
                for one in asked:
                    self.add(*one)
        brought = {more for name in self.libraries for more in BROUGHT.get(name, ())}
        libraries = tuple(name for name in LIBRARIES if name in self.libraries | brought)
        return Closure({str(unit): sha for unit, sha in self.units.items()}, self.tables(), libraries)

    def add(self, unit: Unit, node: Node) -> None:
        known = self.units.get(unit)
        if known is None or node.sha256 not in known:
            self.units[unit] = node.sha256 if known is None else f"{known} {node.sha256}"
            self.todo.append((unit, node))

    def need(self, module: str, name: str, asked: tuple[str, ...] | None = None, hint: bool = False) -> None:
        """Reach a name of a module, or (name "") a module; of one walked by name what is `asked` of it, or all.

        hint: it is named as a type alone, so that only its own members can be called.
        """
        inner = f"{module}.{name}" if name else module
        if name and self.package.path(inner) is not None:
            self.need(inner, "", asked, hint)
            return
        if module.partition(".")[0] != PACKAGE:
            self.libraries.add(module.partition(".")[0])
            return
        by_name = module.startswith(BY_NAME) or (hint and name != "")
        source = self.package.source(module, by_name)
        if source is None or module in APART or (hint and module.startswith(CONTRACT)):
            return
        if source.whole is not None:
            self.add(Unit(module), source.whole)
            return
        for one in [name] if name else list(asked) if asked is not None else [*source.tops]:
            if one not in source.tops and one in source.imports:
                self.need(*source.imports[one], hint=hint)
            for node in source.tops.get(one, ()):
                self.add(Unit(module, one), node)
                for member, inside in node.members:
                    found = (Unit(module, one, member), inside)
                    if module.startswith(PARTED):
                        self.waiting.append(found)
                    else:
                        self.add(*found)
        for node in source.always:
            self.add(Unit(module, "(on import)"), node)

    def read(self, unit: Unit, node: Node) -> None:
        """Follow what a piece of source uses."""
        self.texts.setdefault(unit.module, set()).update(node.texts)
        if not unit.name:  # a whole module uses whatever it imports
            for bound, module, name in node.imports:
                self.need(module, name, hint=bound in node.hinted - node.names)
            return
        self.attributes |= node.attributes
        source = self.package.source(unit.module, True)
        assert source is not None
        known = dict(source.imports) | {bound: (module, name) for bound, module, name in node.imports}
        for name in node.names | node.hinted | {bound for bound, _, _ in node.imports}:
            if name in known:
                asked = {attribute for base, attribute in node.dotted if base == name}
                hint = name in node.hinted and name not in node.names
                self.need(*known[name], tuple(asked) or None, hint)
            elif name in source.tops:
                self.need(unit.module, name, hint=not unit.module.startswith(BY_NAME))

    def tables(self) -> dict[str, str]:
        """Files of data whose names stand in what was reached, in a room that is named there or is its own."""
        found = {}
        for module, texts in self.texts.items():
            rooms = {module.split(".")[1], *(t.split(".")[1] for t in texts if t.startswith(f"{PACKAGE}."))}
            for name in {text.rpartition("/")[2] for text in texts if _NAMED.fullmatch(text)}:
                for path in (self.package.root / room / "data" / name for room in rooms):
                    if path.is_file():
                        place = path.relative_to(self.package.root).as_posix()
                        found[place] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found


@cache
def installed() -> Package:
    """The package as it is installed."""
    return Package(Path(str(files(PACKAGE))))


@cache
def closure_of(*functions: str) -> Closure:
    """What functions of the installed package can reach; found once a process."""
    with _collector_off():
        return installed().closure(*functions)


@contextmanager
def _collector_off() -> Iterator[None]:
    """Trees of source are many small objects that stay; looking through them for garbage doubles the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@cache
def release(library: str) -> str:
    """Major and minor version of a library: "2.13"."""
    try:
        return ".".join(version(library).split(".")[:2])
    except PackageNotFoundError:
        return "absent"

"""Promises of the package: one direction of imports, a light front door, nothing hidden, nothing left behind."""

import ast
import shutil
import statistics
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import mspgt

SRC = Path(mspgt.__file__).parent
# A room uses what stands above it. `study` is the only place that knows everything; `cli` may know all.
ORDER = [
    *(
        "errors",
        "vocabulary",
        "results",
        "text",
        "synthetic",
        "lm",
        "stats",
        "signals",
        "scales",
        "boundaries",
    ),
    *(
        "interventions",
        "planted",
        "families",
        "theory",
        "predictions",
        "report",
        "zoo",
        "study",
        "atlas",
        "cli",
        "__main__",
    ),
]
MODULES = sorted(SRC.rglob("*.py"))
# How each shared word is written out → its name. Bare numbers may be alike by chance.
SHARED = {
    ast.unparse(node.value): ast.unparse(node.targets[0])
    for node in ast.parse((SRC / "vocabulary.py").read_text("utf-8")).body
    if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Constant)
}


FUNCTION, FILE, MEDIAN = 60, 400, 120  # lines at most, of a function beside its docstring
# Functions that are longer, and why: the rest can be cut at a seam, these cannot without hiding it.
LONG = {
    "boundaries/find.py find_boundaries": "the order of its steps is the protocol; hashed with the detector's tables",
    "lm/gguf_file.py read_gguf": "checks of one header, in the order in which they can be made",
    "lm/observe.py observe": "hooks of one pass that share what it has seen so far",
    "signals/measure.py measure_shard": "one pass that fills drift, tokens and ratios side by side",
}


def room(path: Path) -> str:
    first = path.relative_to(SRC).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = (
                [f"{node.module}.{a.name}" for a in node.names] if node.module == "mspgt" else [node.module]
            )
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        else:
            continue
        rooms |= {name.split(".")[1] for name in names if name and name.startswith("mspgt.")}
    return rooms


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SRC)))
def test_imports_point_one_way(path):
    own = room(path)
    if own == "__init__":
        return
    assert own in ORDER, f"{own} is no known room"
    allowed = set(ORDER[: ORDER.index(own) + 1])
    assert imported_rooms(path) <= allowed, f"{path} looks down the list"


def test_text_and_stats_know_nothing_else():
    for name in ("text", "stats"):
        for path in (SRC / name).rglob("*.py"):
            assert imported_rooms(path) <= {name, "errors", "results", "vocabulary"}, path


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SRC)))
def test_words_that_rooms_share_are_named_once(path):
    """No module but `vocabulary` writes out signals, kinds, modes, scales or boundaries, or how progress is told."""
    if path == SRC / "vocabulary.py":
        return
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            named = ast.unparse(node.value)
            assert named not in SHARED, f"{path}:{node.lineno}: import {SHARED[named]} from mspgt.vocabulary"


def import_circle(package: Path) -> list[str]:
    """The modules of one circle of imports, those inside functions and for types alone included; [] without one."""
    names = {}
    for path in package.rglob("*.py"):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        names[".".join(parts).removesuffix(".__init__")] = path
    graph = {name: set(imported_modules(path, names)) - {package.name} for name, path in names.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def imported_modules(path: Path, known: dict[str, Path]):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                # `from package import module` means the module, `from module import name` the module it stands in.
                whole = f"{node.module}.{alias.name}"
                yield from (name for name in (whole if whole in known else node.module,) if name in known)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)


def test_no_module_imports_itself_in_a_circle():
    # The front door is left out: it looks names up when they are asked for, and nothing inside reads them from it.
    assert import_circle(SRC) == []


@pytest.mark.parametrize(
    "planted",
    [
        "from mspgt.lm.load import load",
        "from mspgt.lm import load",
        "import mspgt.lm.load",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mspgt.lm.load import load",
        "def later():\n    from mspgt.lm.load import load",
    ],
)
def test_a_planted_circle_is_seen(planted, tmp_path):
    package = shutil.copytree(
        SRC, tmp_path / "mspgt", ignore=lambda _, names: {n for n in names if n == "weights"}
    )
    planted_in = package / "lm" / "tokenize.py"
    planted_in.write_text(f"{planted_in.read_text('utf-8')}\n{planted}\n", encoding="utf-8")
    assert {"mspgt.lm.load", "mspgt.lm.tokenize"} <= set(import_circle(package))


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_the_front_door_is_small_and_light():
    assert len(mspgt.__all__) <= 15
    loaded = run(
        "import sys, mspgt; print([m for m in ('torch', 'transformers', 'numpy') if m in sys.modules])"
    )
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("name", mspgt.__all__)
def test_every_public_name_exists_and_is_documented(name):
    assert getattr(mspgt, name).__doc__


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["boundaries", "--help"], ["compare", "--help"]],
)
def test_help_loads_no_torch(arguments):
    code = f"""
import sys
sys.argv = ["mspgt", *{arguments!r}]
from mspgt.cli import main
try:
    main()
except SystemExit as stop:
    assert stop.code == 0, stop.code
heavy = {{"torch", "transformers", "matplotlib", "pandas"}} & set(sys.modules)
assert not heavy, heavy
"""
    assert "Usage" in run(code)


def test_the_package_is_typed():
    assert (SRC / "py.typed").exists()


def test_functions_and_files_are_short():
    lengths = {}
    for path in MODULES:
        text = path.read_text("utf-8")
        lengths[path] = len(text.splitlines())
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{path.relative_to(SRC)} {node.name}"
                lines = node.end_lineno - node.lineno + 1
                if ast.get_docstring(node) is not None:
                    lines -= node.body[0].end_lineno - node.body[0].lineno + 1
                assert (lines > FUNCTION) == (name in LONG), f"{name}: {lines} lines"
    assert max(lengths.values()) <= FILE, max(lengths, key=lengths.get)
    assert statistics.median(lengths.values()) < MEDIAN

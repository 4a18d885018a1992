"""The code that decides a stage of the theory stands in its key: an edit anywhere there computes the stage again."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mspgt
from mspgt.study.theorizing import SOURCES

ROOT = Path(mspgt.__file__).parent
STAGES = "mspgt.study.theory_stages"
# Words, types and the store, none of which changes a number; settings stand in the keys by value.
PLUMBING = {"errors.py", "results.py", "study/config.py", "study/store.py", "study/parts.py"}
# Signals that widths resamples carry the code that reads models and texts in keys of their own.
IN_OTHER_KEYS = {"widths": ("lm", "text")}


def path_of(module: str) -> Path | None:
    """File of a module of mspgt; None for anything else."""
    place = ROOT.parent / Path(*module.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_relative_to(ROOT) and path.exists():
            return path
    return None


def imported(node: ast.AST) -> dict[str, tuple[str, str]]:
    """Name → (module of mspgt, symbol there; "" for the module itself) of every import that runs within a node."""
    found = {}
    for each in run_time(node):
        if isinstance(each, ast.ImportFrom) and (each.module or "").startswith("mspgt"):
            for alias in each.names:
                inner = f"{each.module}.{alias.name}"
                target = (inner, "") if path_of(inner) else (str(each.module), alias.name)
                found[alias.asname or alias.name] = target
        elif isinstance(each, ast.Import):
            found |= {alias.name: (alias.name, "") for alias in each.names if path_of(alias.name)}
    return found


def run_time(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those of annotations and of `if TYPE_CHECKING`."""
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.AST):
                yield from run_time(child)


def definitions(tree: ast.Module) -> dict[str, ast.AST]:
    """Name → node of what a module defines at its top."""
    found: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return found


def members(tree: ast.Module) -> dict[str, ast.AST]:
    """Attribute → node that gives it, of what the stages share: its properties, and what it is made with."""
    shared = definitions(tree).get("Shared")
    found: dict[str, ast.AST] = {}
    for node in shared.body if isinstance(shared, ast.ClassDef) else []:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            for line in node.body:
                parts = [part for part in ast.walk(line) if isinstance(part, ast.Attribute)]
                found |= {part.attr: line for part in parts if isinstance(part.ctx, ast.Store)}
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = node
    return found


def deciding(stage: str) -> set[str]:
    """Files under mspgt that the function of a stage runs through.

    Modules of `study` are walked name by name, as they serve many parts; of any other module all counts.
    """
    seen: set[tuple[str, str]] = set()
    todo = [(STAGES, stage)]
    while todo:
        module, symbol = todo.pop()
        path = path_of(module)
        if (module, symbol) in seen or path is None:
            continue
        seen.add((module, symbol))
        tree = ast.parse(path.read_text("utf-8"))
        if not module.startswith("mspgt.study."):
            todo += [(target, "") for target, _ in imported(tree).values()]
            continue
        top, own, attributes = imported_at_top(tree), definitions(tree), members(tree)
        node = own.get(symbol) or attributes.get(symbol)
        if node is None:
            continue
        used = {each.id for each in run_time(node) if isinstance(each, ast.Name)}
        read = {each.attr for each in run_time(node) if isinstance(each, ast.Attribute)}
        todo += [(module, name) for name in (used & own.keys()) | (read & attributes.keys())]
        todo += [top[name] for name in used & top.keys()]
        todo += list(imported(node).values())
    return {str(path_of(module).relative_to(ROOT)) for module, _ in seen}


def imported_at_top(tree: ast.Module) -> dict[str, tuple[str, str]]:
    return imported(
        ast.Module([line for line in tree.body if not isinstance(line, ast.FunctionDef | ast.ClassDef)], [])
    )


def covered(file: str, sources: tuple[str, ...]) -> bool:
    return any(file == source or file.startswith(f"{source}/") for source in sources)


@pytest.mark.parametrize("stage", SOURCES)
def test_the_key_of_a_stage_holds_the_code_that_decides_it(stage):
    known = (*SOURCES[stage], *PLUMBING, *IN_OTHER_KEYS.get(stage, ()))
    assert {file for file in deciding(stage) if not covered(file, known)} == set()


def test_the_walk_finds_what_a_stage_reaches_only_through_others():
    assert {"boundaries/fuse.py", "boundaries/peaks.py", "study/decide.py"} <= deciding("widths")
    assert {"stats/bootstrap.py", "study/stages.py"} <= deciding("information") & deciding("bottleneck")
    assert {"signals/measure.py", "theory/fisher.py", "text/limits.py"} <= deciding("sensitivity")
    assert "theory/fisher.py" not in deciding("widths")


@pytest.mark.parametrize("stage", SOURCES)
def test_what_a_key_names_exists(stage):
    assert [source for source in SOURCES[stage] if not (ROOT / source).exists()] == []

"""Promises of the package: one direction of imports, a light front door, nothing hidden, nothing left behind."""

import ast
import subprocess
import sys
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
    [["--help"], ["run", "--help"], ["boundaries", "--help"], ["compare", "--help"], ["worlds", "--help"]],
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

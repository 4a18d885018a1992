"""The page of the architecture shows every room, with as many lines as it has."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "mspgt"
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def lines_of(room: str) -> int:
    files = [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").is_file() else (PACKAGE / room).rglob("*.py")
    return sum(len(file.read_text("utf-8").splitlines()) for file in files)


def test_every_room_stands_there_with_about_its_lines() -> None:
    told = {
        name: int(n.replace(",", "")) for name, n in re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", PAGE, re.M)
    }
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= set(told)
    for room, count in told.items():
        true = lines_of(room)
        # Rounded, with room for everyday changes; beyond it the page tells an old house.
        assert abs(true - count) <= max(100, 0.15 * true), f"{room}: {true} lines, the page says {count}"


def test_files_that_a_thing_to_add_touches_are_there() -> None:
    table = PAGE[
        PAGE.index("## What it takes to add one thing") : PAGE.index("## A chart is a list of marks")
    ]
    for name in re.findall(r"`([a-z_]+/[a-z_0-9]+\.py)`", table):
        assert any((base / name).is_file() for base in (PACKAGE, ROOT / "docs")), name

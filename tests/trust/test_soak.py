"""The table of docs/promises.md is the one that the stored figures of the soak give, and no row failed.

And no test against a reference may be left out: what it needs is among what every test needs.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from soak import table
from soak.record import RESULTS, ROWS

ROOT = Path(__file__).parents[2]
STORED = sorted(RESULTS.glob("*.json"))


def test_the_page_shows_what_is_stored() -> None:
    text = table.PAGE.read_text("utf-8")
    assert table.page(text) == text
    assert {path.stem for path in STORED} <= set(ROWS)
    assert all((ROOT / "soak" / f"{row}.py").exists() for row in ROWS)


def test_a_figure_that_was_changed_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: one more kill in the store of figures than on the page."""
    for path in STORED:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    kills = json.loads((RESULTS / "kills.json").read_text("utf-8"))
    kills["found"][0]["count"] += 1
    (tmp_path / "kills.json").write_text(json.dumps(kills), "utf-8")
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    text = table.PAGE.read_text("utf-8")
    assert table.page(text) != text


REFERENCES = ("stats", "signals", "theory", "synthetic", "boundaries", "trust")


def left_out(text: str) -> list[str]:
    """Lines by which a test may be skipped, or may fail."""
    ways = ("pytest." + "skip", "import" + "orskip", "skip" + "if", "x" + "fail")
    return [line.strip() for line in text.splitlines() if any(way in line for way in ways)]


def test_no_test_against_a_reference_is_left_out() -> None:
    for room in REFERENCES:
        files = list((ROOT / "tests" / room).glob("*.py"))
        assert files
        assert [(file.name, line) for file in files for line in left_out(file.read_text("utf-8"))] == []
    assert left_out("mpmath = pytest.import" + 'orskip("mpmath")')  # planted

"""The page of speed says what was measured."""

import re
from pathlib import Path

import pytest

from tests.docs.tools import tool

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def speed():
    return tool("speed")


def test_the_page_and_its_picture_are_written_from_the_results(speed):
    page = (DOCS / "speed.md").read_text("utf-8")
    assert speed.written(page) == page, "run python docs/tools/speed.py"
    assert speed.picture() == (DOCS / "images" / "speed.svg").read_text("utf-8"), (
        "run python docs/tools/speed.py"
    )


def test_a_bar_that_is_missed_stands_right_of_the_line_and_is_told(speed):
    at = {
        float(tick): float(x)
        for x, tick in re.findall(r'x="([\d.]+)" y="\d+" text-anchor="middle">([\d.]+)<', speed.picture())
    }
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', speed.picture())]
    rows = [line for line in speed.tables() if "| yes |" in line or "| **no** |" in line]
    assert len(dots) == len(rows) == len(speed.BARS)
    assert [dot <= at[1.0] for dot in dots] == ["| yes |" in row for row in rows]


def test_measuring_takes_no_memory_by_the_sentence(speed):
    """From the largest corpora: 90,000 sentences more may not add a fifth to the peak of the pass."""
    points = speed.figures("growth")["figures"]["sentences"]["points"]
    by_size = {point["sentences"]: point["measuring_mib"] for point in points}
    assert by_size[100_000] < 1.2 * by_size[10_000], by_size

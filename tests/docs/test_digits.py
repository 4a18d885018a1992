"""The page of digits says what was measured, and flags whatever lost three."""

import re
from pathlib import Path

import pytest

from tests.docs.tools import tool

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def digits():
    return tool("digits")


def test_the_page_is_written_from_the_results(digits):
    assert digits.written() == (DOCS / "reference" / "digits.md").read_text("utf-8"), (
        "run python docs/tools/digits.py"
    )


def test_every_quantity_that_lost_three_digits_is_flagged(digits):
    for pair in digits.PAIRS:
        rows = [line for line in digits.part(pair) if line.startswith("| `")]
        quantities = pair.figures[pair.rounded]["quantities"]
        found = {row.split("`")[1] for row in rows}
        assert found == {name for name, one in quantities.items() if one["numbers"]}
        flagged = {row.split("`")[1] for row in rows if "below three" in row}
        assert flagged == {
            name for name, one in quantities.items()
            if one["numbers"] and (one["largest_relative"] is None or one["largest_relative"] >= 1e-3 or one["lost"])
        }  # fmt: skip


def test_digits_are_of_the_median_and_held_between_none_and_seven(digits):
    for relative, told in ((1e-3, "3.0"), (0.0, "7.0"), (1e-12, "7.0"), (5.0, "0.0"), (None, "0.0")):
        assert digits.digits({"median_relative": relative}) == told


# What the words of the page say: quantities, and the digits that all of them keep.
SAID = {
    "float32": {
        r"(signals|controls\.with_sinks)\.S[13].*|metrics\.\w+\.S1|phases\.(\w+|checks\.\w+\.score)": (5, 7),
    },
    "bfloat16": {
        r"signals\.S[13]\.calibrated": (2.8, 3.2),
        r"phases\.similarity": (1.8, 2.2),
        r"phases\.score": (0.8, 1.2),
        r"signals\.S2\.\w+": (0, 0.5),
    },
}


def test_what_the_words_say_of_signals_and_phases_holds(digits):
    for pair in digits.PAIRS:
        every = pair.figures[pair.rounded]["quantities"]
        for named, (least, most) in SAID[pair.rounded].items():
            found = [
                float(digits.digits(one))
                for name, one in every.items()
                if one["numbers"] and re.fullmatch(named, name)
            ]
            assert found, named
            assert least <= min(found) <= max(found) <= most, named

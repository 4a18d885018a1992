"""Rates on the page of verdicts are those that are shipped with them."""

import re
from pathlib import Path

from mspgt.predictions.judging import null_rates
from tests.docs.tools import tool

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "howto" / "verdicts.md").read_text("utf-8")


def test_the_page_is_written_from_the_shipped_rates():
    rates = tool("rates")
    assert rates.written(PAGE) == PAGE, "run python docs/tools/rates.py"


def test_every_rate_and_every_power_is_on_the_page():
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in PAGE.splitlines() if "|" in row]
    for name, cells in null_rates()["rates"].items():
        for cell, rate in cells.items():
            (row,) = [row for row in rows if row[:2] == [name, cell]]
            assert row[2] == str(rate["worlds"])
            said = re.match(r"[\d.]+", row[4])
            assert (said is None) == (rate["ours"] is None)
            if said:
                assert abs(float(said[0]) - 100 * rate["ours"]["supported"]) <= 0.051
    columns = {1: 3, 3: 4, 5: 5, 10: 6}
    for name, cells in null_rates()["power"].items():
        for cell, rate in cells.items():
            kind, families, runs = re.fullmatch(r"(.*), (\d+) families of (\d+)", cell).groups()
            told = kind if int(families) <= 2 else f"{kind}, {families} architectures"
            (row,) = [row for row in rows if row[:2] == [name, told]]
            told = float(row[columns[int(runs)]].removesuffix(" %"))
            assert abs(told - 100 * rate["ours"]["supported"]) <= 0.051

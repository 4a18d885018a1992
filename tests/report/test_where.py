"""The question "where?": accounts side by side, and what their pictures hold."""

import json
import re
from typing import Any

import numpy as np
import pytest

from mspgt.boundaries.phase_results import phases_of
from mspgt.planted.updates import measured, tokens_of
from mspgt.report.accounts import accounts, disagreement, where_lines
from mspgt.report.heat import heat_chart
from mspgt.report.svg import SHADES, shades_of, svg
from mspgt.report.where_section import accounts_table, checks_table, where_section
from mspgt.results import FunctionalBoundary, FunctionalScale, FunctionalScales, Located, to_jsonable
from tests.whole import typed

NAME = "acme/llama-deep"
LAYERS, PLACE = 24, 10


NOTHING = Located(None, None)


def functional(li: int | None, ig: int | None) -> dict[str, Any]:
    """Functional scales as a run stores them, with the given boundaries."""

    def boundary(layer: int | None) -> FunctionalBoundary:
        return FunctionalBoundary(
            layer=layer,
            layer_zero_based=None if layer is None else layer - 1,
            relative=None if layer is None else layer / LAYERS,
            set=[] if layer is None else [layer, layer + 1],
            soft=Located(layer, None),
            ahead=NOTHING,
            behind=NOTHING,
            reason="" if layer is not None else "the order of the two is not supported",
        )

    def scale(tasks: list[str], reason: str = "") -> FunctionalScale:
        rise = (np.arange(LAYERS + 1) / LAYERS).tolist()
        return FunctionalScale(tasks, not reason, reason, None if reason else rise, NOTHING, NOTHING, NOTHING)

    found = FunctionalScales(
        unit="document", documents=60, seeds=5, draws=200, declared=[], tasks={},
        scales={"L": scale(["a"]), "I": scale(["a"]), "G": scale([], "not beyond the twin")},
        order={}, verdict="L before I: supported", LI=boundary(li), IG=boundary(ig), block_share=NOTHING,
        without={}, twin=None, off={}, about={}, notes=[],
    )  # fmt: skip
    return dict(json.loads(json.dumps(to_jsonable(found))))


@pytest.fixture(scope="module")
def phases() -> dict[str, Any]:
    """Of a stack with one planted boundary, beside a stack without as its twin."""
    rng = np.random.default_rng(0)
    even = np.full(LAYERS - 1, 1 / LAYERS)
    steps = even.copy()
    steps[PLACE - 1] += 0.7
    seen, twin = (measured(tokens_of(one, documents=30, tokens=400, rng=rng), rng) for one in (steps, even))
    return json.loads(json.dumps(to_jsonable(phases_of(seen, [twin]))))


@pytest.fixture
def where(results, phases):
    results["models"][NAME]["phases"] = phases
    results["models"][NAME]["scales"] = functional(7, None)
    return results


def test_phases_of_tokens_reach_the_results(phases):
    assert [one["layer"] for one in phases["boundaries"]] == [PLACE]
    assert phases["boundaries"][0]["kind"] == "phase"
    assert phases["boundaries"][0]["support"] == len(phases["checks"]) == 5
    assert phases["random_init"][0]["boundaries"] == []
    assert np.shape(phases["similarity"]) == (LAYERS, LAYERS)
    assert len(phases["step"]) == LAYERS - 1
    assert "80 %" in phases["statement"]


def test_no_section_without_an_account_beyond_the_modes(results):
    assert where_section(typed(results)) is None


def test_every_account_has_a_strip_and_says_what_it_found(where):
    every = accounts(typed(where), NAME)
    assert [one.key for one in every] == ["functional", "phases", "shocks", "paper"]
    assert all(len(one.row.scales) == LAYERS for one in every)
    assert "L–I at layer 7" in every[0].words
    assert "not supported" in every[0].words
    assert [mark.layer for mark in every[1].row.marks] == [PLACE]
    assert "roughness SDs" in every[2].words


def test_a_model_without_an_account_says_why(where):
    other = accounts(typed(where), "stories")
    assert [one.measured for one in other] == [False, False, True, True]
    assert other[1].words.startswith("not measured")


@pytest.mark.parametrize(("li", "apart"), [(7, False), (8, False), (14, True)])
def test_accounts_disagree_where_sets_do_not_meet(where, li, apart):
    """The paper's L–I of this model is at 7, its interval 5.5 to 8.5."""
    where["models"][NAME]["scales"] = functional(li, None)
    assert ("disagree" in disagreement(accounts(typed(where), NAME))) is apart


def test_disagreements_come_first(where):
    where["models"]["stories"]["phases"] = None
    where["models"][NAME]["scales"] = functional(14, None)
    section = where_section(typed(where))
    assert section.html.index(NAME) < section.html.index("stories")
    assert section.lead == "accounts disagree on 2 of 6"  # the other is in the planted study already


def test_the_section_holds_curves_matrix_and_the_order(where):
    section = where_section(typed(where))
    assert "not beyond the twin" in section.html
    assert "L before I: supported" in section.html
    assert section.html.count('class="chart heat"') == 1
    drawn = section.figures["acme__llama-deep-where"].draw("neurips")
    assert drawn["svg"].startswith(b"<?xml")
    assert drawn["pdf"].startswith(b"%PDF")


def test_tables_hold_places_and_checks(where):
    rows = [row for row in accounts_table(typed(where)).rows if row[0] == NAME]
    assert ("functional", "L–I", 7) in [row[1:4] for row in rows]
    checks = checks_table(typed(where), where["models"]).rows
    assert [row[2] for row in checks[:6]] == [PLACE] * 6
    assert checks[6][1] == "random twin 1"


def test_a_matrix_is_drawn_cell_by_cell():
    rng = np.random.default_rng(1)
    values = rng.random((9, 9))
    chart = heat_chart("t", values.tolist(), (4,), 6)
    drawing = str(svg(chart, "here"))
    cells = np.zeros((9, 9), dtype=int)
    shades = re.findall(r'<path d="([^"]*)" opacity="([0-9.]+)"/>', drawing)
    for path, shade in shades:
        for start, row, length in re.findall(r"M(\d+) (\d+)h(\d+)", path):
            cells[int(row), int(start) : int(start) + int(length)] = round(SHADES * float(shade))
    np.testing.assert_array_equal(cells, shades_of(chart.marks[0]))
    (cut,) = re.findall(r'class="cut" d="([^"]*)"', drawing)
    # After the fourth block of nine, in a square of 230 pixels that begins at 26.
    across, down = (float(at) for at in re.fullmatch(r"M([\d.]+) 0V230M26 ([\d.]+)H256", cut).groups())
    assert (across - 26) / 230 == pytest.approx(4 / 9, abs=0.001)
    assert down / 230 == pytest.approx(4 / 9, abs=0.001)
    assert "boundary after block 4" in drawing


def test_what_was_not_measured_has_no_shade():
    rows = [[1.0, None, 0.5], [None, 1.0, 0.2], [0.5, 0.2, 1.0]]
    cells = heat_chart("t", rows).marks[0]
    assert shades_of(cells)[0] == [SHADES, 0, SHADES]
    assert (cells.low, cells.high) == (0.2, 0.5)


def test_the_terminal_tells_phases_and_whether_accounts_agree(where):
    lines = list(where_lines(typed(where)))
    assert lines[0].startswith(f"{NAME}, phases: what blocks write changes for good at layer {PLACE}")
    assert len(lines) == 2

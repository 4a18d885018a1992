"""The folded table of what a study cost."""

import pytest

from mspgt.report.facts import cost_html
from tests.report.planted_results import planted
from tests.whole import typed


@pytest.fixture
def found():
    return planted()


def told(found, **made):
    found["provenance"] |= made
    return cost_html(typed(found).provenance)


def test_every_stage_has_its_share_and_the_longest_stands_first(found):
    cost = {"geometry": {"times": 2, "seconds": 500.0}, "measuring": {"times": 2, "seconds": 1500.0}}
    html = told(found, cost=cost, peak_bytes=3 * 2**29)
    assert html.index("measuring") < html.index("geometry")
    for figure in ("1,500.0", "75 %", "25 %", "2,000 s", "1.5 GiB"):
        assert figure in html.replace("\u202f", " ").replace("\xa0", " "), figure


def test_a_run_that_wrote_nothing_down_shows_nothing_and_an_unknown_peak_is_said(found):
    assert not told(found)
    assert not told(found, cost={}, peak_bytes=None)
    assert "not known" in told(found, cost={"probes": {"times": 1, "seconds": 1.0}}, peak_bytes=None)

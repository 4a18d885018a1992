"""Curves of several models over one relative depth: where points stand, what marks them, what is missing."""

import csv
import io
import json
import re

import pytest

from mspgt.report.compare import build_comparison
from mspgt.report.overlay import legend, overlay_section, overlays
from mspgt.report.predictions import verdict_lines
from mspgt.report.svg import legend_html, svg
from mspgt.results.comparison import Comparison
from mspgt.study.comparing import compare_runs
from tests.report.planted_results import HOSTILE
from tests.study.test_comparing import run
from tests.whole import record, typed

NOTHING = {"S2": None, "S3": None, "L": None, "I": None, "G": None}


def own(layers, s1, rise=None, marks=()):
    reasons = dict.fromkeys(NOTHING, "not measured here")
    found = {**NOTHING, "S1": s1, "L": rise}
    return {"layers": layers, **found, "reasons": reasons, "marks": list(marks)}


def comparison(**given):
    return record(Comparison, {"account": "", **given})


FOUND = comparison(
    curves={
        "deep": own(8, [1.0, None, 3.0, 4.0, 5.0, 6.0, 7.0], rise=[0, 0, 0.5, 1, 1, 1, 1, 1, 1]),
        HOSTILE: own(4, [1.0, 2.0, 7.0], marks=["cut short"]),
    }
)


def test_layers_stand_at_their_share_of_the_depth_whatever_the_depth():
    s1, local = overlays(FOUND)
    assert [depths for _, depths in s1.curves] == [
        (1 / 8, 2 / 8, 3 / 8, 4 / 8, 5 / 8, 6 / 8, 7 / 8),
        (1 / 4, 2 / 4, 3 / 4),
    ]
    ((_, depths),) = local.curves
    assert (depths[0], depths[4], depths[-1]) == (0, 0.5, 1)
    assert local.missing == (f"{HOSTILE}: not measured here",)


def test_equal_depths_are_drawn_below_one_another_and_gaps_break_a_curve():
    s1, _ = overlays(FOUND)
    drawing = str(svg(s1.chart))
    (steps,) = re.findall(r'class="line m0" d="([^"]*)"', drawing)
    starts = [float(x) for x in re.findall(r"M([\d.]+)", steps)]
    assert len(starts) == 2  # before and behind what was not measured
    (other,) = [float(x) for x in re.findall(r'class="line m1" d="M([\d.]+)', drawing)]
    # 1/8, 3/8 and 1/4 of one width.
    assert other == pytest.approx(sum(starts) / 2, abs=0.2)
    assert HOSTILE not in drawing


def test_what_marks_a_run_stands_beside_its_name_and_names_are_escaped():
    told = str(legend_html(legend({name: one.marks for name, one in FOUND.curves.items()})))
    assert HOSTILE not in told
    assert told.count("(cut short)") == 1
    section = overlay_section(FOUND)
    rows = list(csv.DictReader(io.StringIO(section.tables[0].csv())))
    assert [float(r["relative"]) for r in rows if r["model"] == HOSTILE] == [0.25, 0.5, 0.75]
    assert set(section.figures["curves"].draw("neurips")) == {"svg", "pdf"}
    assert "Functional scale: Global: no model has such a curve" in section.html
    assert overlay_section(comparison()) is None  # made by a version without them


def test_runs_that_differ_are_laid_over_one_another_only_when_asked_and_judge_nothing(tmp_path):
    one, other = run(tmp_path / "one", ["a"]), run(tmp_path / "other", ["b"], data="another text", seed=3)
    found = compare_runs([one, other], tmp_path / "out", curves_only=True)
    assert found["predictions"] == found["families"] == {}
    assert set(found["curves"]) == {"a", "b"}
    assert (
        found["curves"]["a"]["S1"]
        == json.loads((one / "results.json").read_text())["models"]["a"]["signals"]["S1"]["calibrated"]
    )
    assert any("did not measure alike" in line for line in found["sketches"])
    assert any(notice["where"] == "runs.corpus" for notice in found["warnings"])
    page = build_comparison(tmp_path / "out").read_text("utf-8")
    assert "nothing was judged" in page
    assert 'class="limited"' in page


def test_a_verdict_on_few_texts_and_thirds_is_marked_on_the_terminal_and_in_a_comparison():
    about = {"samples": 6, "scales": {"source": "thirds"}}
    judged = {"verdict": "refuted", "statistic": 1.0, "evidence": ["models.a.interventions.I"]}
    given = {"models": {"a": {"interventions_about": about}}, "predictions": {"P2.1": judged}}
    told = "rests on: 6 texts an arm; on thirds of the depth"
    for results in (typed(given), comparison(**given)):
        assert any(told in line for line in verdict_lines(results))
    short = comparison(**given, runs=[{"limits": ["20 of 60 documents"]}])
    assert any("rests on: run cut short by limits; 6 texts" in line for line in verdict_lines(short))
    judged["verdict"] = "not testable"
    assert not any("rests on" in line for line in verdict_lines(typed(given)))
    assert verdict_lines(typed(given), untested=False) == []

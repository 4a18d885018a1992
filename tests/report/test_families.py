"""Families on the page: Table 3 with the paper's own digits, and boundaries along a training run."""

import re

from mspgt.report.families import (
    drifts,
    family_section,
    runs_of,
    table3,
    table3_for_reading,
    trajectories,
    trajectory_table,
)
from mspgt.study.verdicts import families_of
from tests.predictions.planted import model
from tests.report.planted_results import HOSTILE
from tests.whole import measured, typed


def paper_models():
    return {
        "Llama-2-7B": model("Llama", 32, 13, 16, paper=(13, 16)),
        "Llama-3-8B": model("Llama", 32, 13, 16, paper=(13, 16)),
        "Qwen1.5-7B": model("Qwen", 32, 2, 8, paper=(2, 8)),
        "Qwen2.5-7B": model("Qwen", 28, 2, 20, paper=(2, 20)),
    }


def study(models):
    for one in models.values():
        calibrated = one["boundaries"]["calibrated"]
        calibrated |= {kind: [] for kind in ("spike", "bump", "step", "kink")}
        calibrated["spike"] = [claim for claim in calibrated["chosen"].values() if claim]
    found = {"models": models, "warnings": []}
    return typed(found | {"families": families_of(measured(found))})


def test_the_papers_positions_give_every_digit_of_its_table_3():
    table = table3(study(paper_models()))
    at = list(table.columns).index
    own = {}
    for row in table.rows:
        if row[at("mode")] == "as printed":
            own[row[at("family")], row[at("boundary")]] = (row[at("mean_paper")], row[at("cv_paper")])
    assert len(own) == 4
    for row in table.rows:
        if row[at("mode")] == "paper":
            mean, cv = own[row[at("family")], row[at("boundary")]]
            assert f"{row[at('mean_paper')]:.1f}" == f"{mean:.1f}"
            assert f"{row[at('cv_paper')]:.2f}" == f"{cv:.2f}"


def test_for_reading_a_drift_between_architectures_is_called_so():
    rows = table3_for_reading(study(paper_models())).rows
    qwen = next(row for row in rows if row[0] == "Qwen" and row[1] == "calibrated")
    assert "0.46 (two architectures: no test of drift)" in qwen
    assert any("underpowered" in str(cell) for cell in qwen)
    assert {row[6] for row in drifts(study(paper_models())).rows if row[0] == "Qwen"} == {False}


def test_a_family_without_boundaries_is_told_as_such():
    rows = table3_for_reading(study({"a": model("f", 24)})).rows
    assert "no boundary in 1" in rows[0]


def test_the_section_escapes_names():
    section = family_section(study({HOSTILE: model(HOSTILE, 24, 8, 16), "b": model(HOSTILE, 24, 9, 16)}))
    assert HOSTILE not in section.html
    assert "&lt;script&gt;" in section.html
    assert section.figures["families"].draw("neurips")["svg"].startswith(b"<?xml")


def test_no_family_no_section():
    assert family_section(typed({})) is None


def test_a_run_that_learns():
    models = {
        f"m@{step}": model("f", 24, *places, paper=(6, 12), run="m", step=step)
        for step, places in ((100, (8, 16)), (20, (None, None)), (500, (9, 16)))
    }
    found = study({**models, "alone": model("f", 24, 8, 16, run="n", step=1)})
    assert {run: [step for step, _ in states] for run, states in runs_of(found).items()} == {
        "m": [20, 100, 500]
    }
    (forest,) = trajectories(found)
    assert [row.label for row in forest.rows] == ["step 20", "step 100", "step 500"]
    assert [dot.value for dot in forest.rows[2].dots if dot.role == "calibrated"] == [9 / 24, 16 / 24]
    table = trajectory_table(found)
    assert len(table.rows) == 3 * 2 * 2
    section = family_section(found)
    assert "trajectories" in section.figures
    for one in section.tables:
        for name, *cells in zip(one.columns, *one.rows, strict=True):
            assert not one.rows or any(cell is not None for cell in cells), (one.name, name)
    assert section.figures["trajectories"].draw("acl-column")["pdf"].startswith(b"%PDF")
    # Only the last state joins the family.
    assert set(found.families["f"]["LI"].members) == {"m@500", "alone"}
    anchors = re.findall(r' id="([^"]+)"', section.html)
    assert all(anchor.startswith("families") for anchor in anchors)

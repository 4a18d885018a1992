"""What a verdict rests on stands wherever the verdict does: little text, a run cut short, scales nobody found."""

from typing import Any

import pytest

from mspgt.report.facts import check_table
from mspgt.report.notices import model_notices, study_notices
from mspgt.report.verdicts import condensed, verdict_section, verdicts
from mspgt.report.views import model_view
from tests.report.planted_results import planted
from tests.report.test_effect_section import with_interventions
from tests.whole import typed


@pytest.fixture
def results() -> dict[str, Any]:
    found = with_interventions()
    tested = next(one for one in found["predictions"].values() if one["verdict"] == "refuted")
    tested["evidence"] = ["models.stories.interventions"]
    return found


def refuted(results: dict[str, Any]) -> Any:
    return next(one for one in verdicts(typed(results)) if one.word == "refuted")


def test_a_verdict_on_few_texts_and_on_given_scales_says_so(results: dict[str, Any]) -> None:
    about = results["models"]["stories"]["interventions_about"]
    about["samples"] = 6
    about["scales"]["source"] = "thirds"
    marks = "6 texts an arm; on thirds of the depth, not on scales that were found"
    assert "; ".join(refuted(results).marks) == marks
    section = verdict_section(
        typed(results), {name: f"model-{at}" for at, name in enumerate(results["models"])}
    )
    assert section is not None
    assert marks in str(section.html)
    about["scales"]["source"] = "functional"
    assert refuted(results).marks == ("6 texts an arm",)


def test_a_run_cut_short_marks_what_was_tested_and_nothing_else(results: dict[str, Any]) -> None:
    results["provenance"]["limits"] = ["20 of 60 documents of the corpus"]
    for one in verdicts(typed(results)):
        assert ("run cut short by limits" in one.marks) == one.tested


def test_models_that_lack_the_same_are_named_together() -> None:
    assert condensed(["a: no theory", "b: no theory", "c: no text", "two families"]) == [
        "a and b: no theory", "c: no text", "two families",
    ]  # fmt: skip


def test_what_every_model_is_warned_of_is_told_once() -> None:
    results = planted()
    names = list(results["models"])
    same = {"what": "no twin was measured", "consequence": "no level is known"}
    results["warnings"] += [{"where": f"models.{name}.scales", **same} for name in names]
    results["warnings"].append({"where": f"models.{names[0]}.phases", **same})
    told = [one.where for one in study_notices(typed(results))]
    assert told.count("models.*.scales") == 1
    assert all("models.*" not in one.where for name in names for one in model_notices(typed(results), name))
    assert [one.where for one in model_notices(typed(results), names[0])] == [f"models.{names[0]}.phases"]
    results["models"] = {names[0]: results["models"][names[0]]}
    assert {one.where for one in model_notices(typed(results), names[0])} == {
        f"models.{names[0]}.scales", f"models.{names[0]}.phases",
    }  # fmt: skip


def test_checks_that_do_not_apply_are_not_counted() -> None:
    results = planted()
    model = results["models"]["stories"]
    check = {"name": "blocks", "reason": ""}
    model["checks"] = [{**check, "ok": ok} for ok in (True, True, False, None)]
    (power,) = [
        one
        for one in model_view(typed(results), "stories", "stories").sections
        if one.anchor.endswith("-power")
    ]
    assert "2 of 3 checks that apply passed" in power.lead
    assert [row[1] for row in check_table("", typed(results).models["stories"]).rows] == [
        "yes",
        "yes",
        "NO",
        "does not apply",
    ]

"""Experiment 2 on the page: charts with their numbers, equal doses, contrasts, and texts that stay text."""

import json
from pathlib import Path
from typing import Any

from mspgt.report.build import build_report
from mspgt.report.effect_section import REPEATED, effect_lines, effect_section
from tests.report.planted_results import planted
from tests.report.test_interventions import HOSTILE, effect
from tests.report.test_interventions import model as disturbed
from tests.whole import typed


def with_interventions() -> dict[str, Any]:
    results = planted()
    own = disturbed()
    about = own["interventions_about"]
    about |= {"scales": {"LI": 2, "IG": 4, "source": "given"}, "sigma": 0.1, "samples": 40}
    about |= {"documents": 20, "scope": "generated", "prompt_tokens": 32, "new_tokens": 128}
    about |= {"temperature": 0.9, "top_p": 0.95, "versions": {"harper": "harper-py 1"}}
    own["interventions"] |= {
        "local_matched_variance": {"ttr": effect(-4.0, -9, 1), "mtld": effect(1.0, -1, 3)}
    }
    about["arms"]["local_matched_variance"] = {"layers": [1, 2]}
    for arm in about["arms"].values():
        arm |= {"variance": 1.0, "failed": None}
    found = {"estimate": 0.25, "ci": [0.1, 0.4], "p": 0.01}
    lost = {"signed": None, "absolute": None, "reason": "an arm or the metric was not measured"}
    about["contrasts"] = {"ttr": {"plain": {"signed": found, "absolute": found}, "matched_layers": lost}}
    results["models"]["stories"] |= own
    return results


def test_charts_doses_contrasts_and_texts_stand_in_the_section() -> None:
    results = with_interventions()
    section = effect_section(typed(results), "stories", "stories")
    assert section is not None
    html = str(section.html)
    for said in (
        "Whole: whole scale",
        "variance: equal relative variance",
        "type–token ratio",
        "0.25 [0.1, 0.4], p = 0.01",
        "snowed",
    ):
        assert said in html, said
    assert "— an arm or the metric was not measured" in html
    assert "generated tokens only" in html
    assert "40 from 20 documents" in html
    assert section.lead == "layers 1–2, 3–4 and 5, boundaries as given"
    assert 'id="model-stories-interventions-ttr"' in html
    assert 'href="tables/interventions.csv" download' in html
    assert REPEATED not in html
    # Change, interval and p of every arm stand as text.
    assert "−12.5 % [−20, −5] *" in html
    assert "<tr><th scope=row>local<td>1–2, 5<td>0.01" in html
    assert HOSTILE not in html
    assert "<script>alert" not in html
    assert set(section.figures) == {"stories-interventions-plain", "stories-interventions-matched_variance"}
    assert {table.name for table in section.tables} == {"interventions", "noise_response"}


def test_effects_are_told_on_a_terminal() -> None:
    first, *lines = effect_lines(typed(with_interventions()))
    assert first == "stories, noise into one scale: layers 1–2, 3–4 and 5, boundaries as given"
    told = next(line for line in lines if "type–token ratio" in line)
    assert "L -12.5*" in told
    assert "chance alone -9.0 to +9.0 %" in told
    assert list(effect_lines(typed(planted()))) == []


def test_an_equal_dose_that_repeats_the_whole_scale_is_said_and_not_drawn() -> None:
    results = with_interventions()
    own = results["models"]["stories"]
    for scale in ("local", "intermediate", "global"):
        equal = f"{scale}_matched_layers"
        own["interventions"][equal] = own["interventions"][scale]
        own["interventions_about"]["arms"][equal] = dict(own["interventions_about"]["arms"][scale])
    drawn = effect_section(typed(results), "stories", "stories")
    assert REPEATED in str(drawn.html)
    assert ">layers</text>" not in str(drawn.html)
    assert "equal number of layers:" not in str(drawn.html)
    assert "stories-interventions-matched_layers" not in drawn.figures
    own["interventions_about"]["arms"]["global_matched_layers"]["variance"] = 0.5
    apart = effect_section(typed(results), "stories", "stories")
    assert REPEATED not in str(apart.html)
    assert ">layers</text>" in str(apart.html)


def test_a_model_that_was_not_disturbed_has_no_section() -> None:
    results = planted()
    assert effect_section(typed(results), "stories", "stories") is None


def test_a_whole_report_holds_it(tmp_path: Path) -> None:
    results = with_interventions()
    results["models"] = {"stories": results["models"]["stories"]}
    (tmp_path / "results.json").write_text(json.dumps(results))
    page = build_report(tmp_path).read_text("utf-8")
    assert 'id="model-stories-interventions"' in page
    for file in (
        "tables/table2.tex",
        "tables/interventions.parquet",
        "figures/stories-interventions-plain.pdf",
    ):
        assert (tmp_path / file).is_file(), file
    assert r"A/A range" in (tmp_path / "figures/stories-interventions-plain.tex").read_text()

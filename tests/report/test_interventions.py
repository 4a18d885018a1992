"""Experiment 2 on paper: every number, every reason, and nothing that a generated text could smuggle in."""

import re
from xml.etree import ElementTree as ET

import pytest

from mspgt.report.effect_charts import bars_chart, response_chart
from mspgt.report.figures import charts_figure
from mspgt.report.interventions import (
    METRICS,
    bar_panels,
    effects_of,
    effects_table,
    response_table,
    side_by_side,
    table2,
)
from mspgt.report.svg import svg
from tests.whole import typed

HOSTILE = "<script>alert(1)</script> & \x00\x1b[31m $x^2$ \"quoted\" 'text'"


def effect(percent, low, high, p=0.5, **more):
    return {
        "baseline": 2.0, "value": 2.0 + percent / 50, "percent": percent, "percent_ci": [low, high],
        "difference": percent / 50, "se": 0.1, "ci": [low / 50, high / 50], "p_adjusted": p, "p_permutation": p,
        "aa_range": [-9.0, 9.0], "n": 40, "rate": 0.9, "equivalent": False, "reason": None, **more,
    }  # fmt: skip


def model():
    arms = {
        "aa": {"ttr": effect(1.0, -3, 4)},
        "local": {"ttr": effect(-12.5, -20, -5, p=0.01), "grammar": {"percent": None, "reason": HOSTILE}},
        "intermediate": {"ttr": effect(3.0, -2, 8, equivalent=True)},
        "global": {"ttr": {"percent": None, "reason": "NaN or infinity began after block 5"}},
        "random_1": {"ttr": effect(2.0, -2, 5)},
    }
    rest = {"divergence_se": [None] * 3, "percent": {}}
    about = {
        "scales": {"LI": 1, "IG": 2, "source": "given"},
        "arms": {name: {"layers": [1, 2, 5]} for name in arms},
        "response": {
            "local": {
                "sigma": [0.01, 0.1, 1.0],
                "divergence": [1e-4, 1e-2, 0.7],
                "linear_up_to": 0.1,
                **rest,
            },
            "intermediate": {
                "sigma": [0.01, 0.1, 1.0],
                "divergence": [0.0, 0.0, None],
                "linear_up_to": None,
                **rest,
            },
        },
        "texts": [
            {
                "sample": 0,
                "prompt": HOSTILE,
                "arms": {"baseline": f"It rained {HOSTILE}", "local": "It snowed"},
            }
        ],
    }
    return {"interventions": arms, "interventions_about": about}


@pytest.fixture
def results():
    return {"models": {"m": model(), "without": {"interventions": None}}, "warnings": []}


def test_table_2_holds_change_interval_chance_and_the_papers_own_rows(results):
    table = table2(typed(results))
    place = list(table.columns).index(METRICS["ttr"])
    rows = {(row[0], row[1]): row for row in table.rows}
    assert rows["m", "local"][place] == "−12.5 % [−20, −5] *"
    assert rows["m", "intermediate"][place] == "+3 % [−2, +8] ≈"
    assert rows["m", "global"][place] == "— not measured"
    assert rows["m", "chance"][place] == "[−9, +9]"
    assert rows["m", "random"][place].startswith("+2 %")
    paper = [row for row in table.rows if row[0] == "the paper (CONFLICT)"]
    assert [row[place] for row in paper] == ["−0.37 %", "+21.8 %", "+30.9 %"]
    assert effects_of(typed(results).models["without"]) is None


def test_every_effect_is_a_row_and_reasons_stand_where_numbers_are_not(results):
    table = effects_table("m", effects_of(typed(results).models["m"]))
    assert len(table.rows) == 6
    at = {name: place for place, name in enumerate(table.columns)}
    rows = {(row[at["arm"]], row[at["metric"]]): row for row in table.rows}
    local = rows["local", "ttr"]
    assert (local[at["percent_low"]], local[at["high"]], local[at["aa_high"]]) == (-20, -0.1, 9.0)
    assert local[at["layers"]] == "1–2, 5"
    assert rows["global", "ttr"][at["percent"]] is None
    assert "block 5" in rows["global", "ttr"][at["reason"]]
    assert table.csv()
    assert table.parquet()
    assert r"\textless{}script" in table.latex()


def test_bars_stand_where_their_numbers_are(results):
    panels = {panel.metric: panel for panel in bar_panels(effects_of(typed(results).models["m"]).arms)}
    ttr = panels["ttr"]
    assert [found.percent for found in ttr.scales.values()] == [-12.5, 3.0, None]
    assert ttr.chance == (-9.0, 9.0)
    bars = bars_of(svg(bars_chart({"plain": ttr})))
    assert list(bars) == ["bar local", "bar intermediate unclear"]
    assert bars["bar local"][0] / bars["bar intermediate unclear"][0] == pytest.approx(-12.5 / 3, rel=0.05)
    assert "block 5" in svg(bars_chart({"plain": ttr}))
    assert not panels["grammar"].drawn
    assert bars_chart({"plain": panels["grammar"]}) is None
    figure = charts_figure([bars_chart({"plain": ttr})], "m $x$ <b>")
    assert figure == charts_figure([bars_chart({"plain": ttr})], "m $x$ <b>")
    ET.fromstring(figure["svg"])


def bars_of(drawing):
    """Class → heights above zero, as drawn, of the bars that look alike."""
    paths = [
        part for part in ET.fromstring(drawing).iter("path") if (part.get("class") or "").startswith("bar ")
    ]
    return {
        part.get("class"): [-float(up) for up in re.findall(r"v(-?[\d.]+)h", part.get("d"))] for part in paths
    }


def test_one_chart_holds_a_metric_at_every_dose_on_one_axis(results):
    arms = results["models"]["m"]["interventions"]
    arms |= {
        "local_equal_kl": {"ttr": effect(-25.0, -30, -20, p=0.01)},
        "local_literal": {"ttr": effect(-37.5, -40, -30, p=0.01)},
    }
    doses = {
        dose: bar_panels(effects_of(typed(results).models["m"]).arms, dose)
        for dose in ("plain", "literal", "equal_kl")
    }
    ttr = {dose: next(one for one in panels if one.metric == "ttr") for dose, panels in doses.items()}
    plain, literal, equal = bars_of(svg(bars_chart(ttr)))["bar local"]
    assert (literal / plain, equal / plain) == pytest.approx((3, 2), rel=0.02)
    assert {"whole", "literal", "KL"} <= set(ET.fromstring(svg(bars_chart(ttr))).itertext())


def test_a_literal_dose_that_dwarfs_the_others_is_cut_and_its_number_written(results):
    arms = results["models"]["m"]["interventions"]
    arms["local_literal"] = {"ttr": effect(4310.0, 4000, 4600, p=0.01)}
    doses = {
        dose: bar_panels(effects_of(typed(results).models["m"]).arms, dose) for dose in ("plain", "literal")
    }
    ttr = {dose: next(one for one in panels if one.metric == "ttr") for dose, panels in doses.items()}
    plain, literal = bars_of(svg(bars_chart(ttr)))["bar local"]
    assert abs(plain) > 20  # the others keep their height
    assert literal < 5 * abs(plain)
    assert "+4,310 %" in set(ET.fromstring(svg(bars_chart(ttr))).itertext())


def test_the_response_is_drawn_as_far_as_it_is_known(results):
    about = effects_of(typed(results).models["m"]).about
    drawing = ET.fromstring(svg(response_chart(about.response)))
    (points,) = [part for part in drawing.iter("path") if (part.get("class") or "").startswith("points")]
    assert points.get("class") == "points local"
    dots = points.get("d").split("h0")[:-1]
    assert len(dots) == 3
    lines = [kind for part in drawing.iter("path") if "line" in (kind := part.get("class") or "")]
    assert lines == ["line within", "line beyond"]
    assert response_chart(None) is None
    told = response_table("m", about.response).rows
    assert sum(bool(row[3]) for row in told) == len(dots)
    assert {row[:2] for row in told if row[4]} == {("m", "local")}
    # Where the linear range is not known, nothing is said of a point.
    assert {row[4] for row in told if row[1] == "intermediate"} == {None}


def test_texts_stand_side_by_side_with_their_differences_and_no_markup_of_their_own(results):
    (sample,) = effects_of(typed(results).models["m"]).about.texts
    page = side_by_side(sample, "local")
    tree = ET.fromstring(page)
    assert "<script" not in page
    assert "\x00" not in page
    assert "\x1b" not in page
    shown = "".join(tree.itertext())
    assert "<script>alert(1)</script>" in shown
    assert "␀␛[31m" in shown
    assert [part.text for part in tree.iter("ins")] == ["snowed"]
    assert tree.find(".//del").text.startswith("rained <script>")

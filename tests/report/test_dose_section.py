"""The dose audit on the page: curves where their numbers are, the sink where it appears, a sentence that follows."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from mspgt.report.build import build_report
from mspgt.report.dose_section import Audit, audit_of, brittleness_chart, dose_section, dose_sentences
from mspgt.report.figures import charts_figure
from mspgt.report.svg import svg
from mspgt.results import ModelResult
from tests.report.planted_results import planted
from tests.whole import record, typed

FACTORS = {"dimension": 1.0, "nonsink": 2.0, "own": 3.0, "all": 2.0}


def audited(sink: int | None = 4) -> dict[str, Any]:
    """Five layers; from the sink on the literal dose costs a hundredfold."""
    model = planted()["models"]["stories"]
    doses = {}
    for name, factor in FACTORS.items():
        jump = [100.0 if name == "all" and sink is not None and k >= sink else 1.0 for k in range(1, 6)]
        nats = [0.01 * k * factor * more for k, more in zip(range(1, 6), jump, strict=True)]
        costs = {"kl": nats, "kl_se": [0.001] * 5, "nats": nats, "nats_se": [0.001] * 5}
        doses[name] = {
            "sigma": [0.1 * factor] * 5, "relative": [0.1 * factor] * 5, "variance": [0.01 * factor**2] * 5, **costs,
            "ends": {"layers": [1, 2, 3, 4, 5], **costs},
            "scales": {
                scale: {"kl": nats[at], "kl_se": 0.001, "nats": nats[at], "nats_se": None}
                for at, scale in ((1, "local"), (2, "intermediate"), (4, "global"))
            },
        }  # fmt: skip
    equal = {"target": 0.02, "sizes": {"local": 0.1, "intermediate": 0.09, "global": 0.07},
             "kl": dict.fromkeys(("local", "intermediate", "global"), 0.02), "reason": None}  # fmt: skip
    about = {
        "sigma": 0.1,
        "sink_layer": sink,
        "equal_kl": equal,
        "passages": 4,
        "documents": 4,
        "tokens": 252,
    }
    return {**model, "doses": doses, "doses_about": about}


def audit(**given: Any) -> Audit:
    found = audit_of(record(ModelResult, audited(**given)))
    assert found
    return found


def results(**given: Any) -> dict[str, Any]:
    whole = planted()
    whole["models"] = {"stories": audited(**given)}
    return whole


def test_curves_stand_where_their_numbers_are_and_the_sink_where_it_appears() -> None:
    found = audit()
    assert found.jump == (3, 4, pytest.approx(100 * 4 / 3))
    chart = brittleness_chart(found, "m <b>")
    assert (chart.y.low, chart.y.high) == pytest.approx((0.01, 10))
    drawing = ET.fromstring(svg(chart))
    points = {
        part.get("class"): part.get("d") for part in drawing.iter("path") if "points" in part.get("class")
    }
    dots = {
        kind: [(kind, *map(float, place.split())) for place in re.findall(r"M([\d. ]+)h0", steps)]
        for kind, steps in points.items()
    }
    assert [len(one) for one in dots.values()] == [5] * 4
    primary, literal = dots["points calibrated"], dots["points paper"]
    # On a logarithmic axis a factor is a distance: ×2 before the sink, ×200 after.
    before, after = (primary[at][2] - literal[at][2] for at in (2, 3))
    assert after / before == pytest.approx(7.644, rel=0.02)
    (line,) = [part for part in drawing.iter("path") if part.get("class") == "sink"]
    place = float(line.get("d")[1:].split()[0])
    assert primary[2][1] < place < primary[3][1]
    assert "a sink appears at layer 4" in "".join(drawing.itertext())
    figure = charts_figure([chart])
    assert figure == charts_figure([chart])
    ET.fromstring(figure["svg"])


def test_costs_that_were_not_measured_leave_the_curve_and_a_model_without_a_sink_says_so() -> None:
    model = audited(sink=None)
    model["doses"]["own"]["ends"]["nats"][1:3] = [None, -0.001]
    found = audit_of(record(ModelResult, model))
    assert found.jump is None
    assert [k for k, _ in found.curves["own"]] == [1, 4, 5]
    assert "a sink appears" not in "".join(ET.fromstring(svg(brittleness_chart(found, "m"))).itertext())
    assert "No sink" in dose_sentences(found)[-1]


def test_the_sentence_says_what_table_2_and_equation_8_rest_on() -> None:
    first, second = dose_sentences(audit())
    assert "0.04, 0.06 and 10 nats" in first
    assert "0.02, 0.03 and 0.05 nats" in first
    for said in ("layer 4", "from layer 3 to 4", "133", "1.33", "Table 2", "equation 8"):
        assert said in second, said


def test_tables_hold_every_block_and_every_end() -> None:
    found = typed(results())
    tables = {table.name: table for table in dose_section(found, "stories", "stories").tables}
    assert set(tables) == {"doses", "brittleness"}
    assert [len(table.rows) for table in tables.values()] == [4 * 5, 4 * 5]
    assert audit_of(typed(planted()).models["stories"]) is None
    old = planted()["models"]["stories"]
    del old["doses"], old["doses_about"]
    assert audit_of(record(ModelResult, old)) is None


def test_a_page_has_the_section_and_its_figure(tmp_path: Any) -> None:
    import json

    (tmp_path / "results.json").write_text(json.dumps(results()))
    page = build_report(tmp_path).read_text("utf-8")
    assert 'id="model-stories-doses-brittleness"' in page
    assert "sized for equal KL" in page
    for file in ("tables/doses.csv", "tables/brittleness.parquet", "figures/stories-brittleness.pdf"):
        assert (tmp_path / file).is_file(), file
    assert dose_section(typed(planted()), "stories", "stories") is None

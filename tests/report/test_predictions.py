"""What stands behind the verdicts on the page, and the page of a comparison."""

import json
from dataclasses import replace

import pytest

from mspgt.errors import InputError
from mspgt.predictions.rules import Rules
from mspgt.report.compare import build_comparison
from mspgt.report.predictions import (
    against_rules,
    prediction_section,
    readings_counts,
    readings_table,
    units_table,
    verdict_lines,
)
from mspgt.report.verdicts import Verdict
from mspgt.results import PredictionResult, to_jsonable
from mspgt.study.verdicts import conclusions
from tests.predictions.planted import model, noise, results
from tests.report.planted_results import HOSTILE
from tests.report.test_families import study
from tests.whole import measured, record, typed


@pytest.fixture(scope="module")
def found():
    models = {
        f"{family}{i}": model(
            family, 64, 20, 40 + i, reach=1, paper=(20, 40), **noise({"length_variance": (1, 40, 2)})
        )
        for family in ("a", HOSTILE)
        for i in range(3)
    }
    families, predictions, notices = conclusions(measured(results(**models)), Rules())
    return replace(study(models), families=families, predictions=predictions, warnings=notices)


def test_every_unit_and_reading_is_in_a_table(found):
    judged = found.predictions
    units = units_table(judged)
    assert sum(len(one.units) for one in judged.values()) == len(units.rows)
    readings = readings_table(judged)
    assert sum(len(one.specification.readings) for one in judged.values()) == len(readings.rows)
    counts = readings_counts(judged)
    for row in counts.rows:
        total = sum(row[2:8])
        said_nothing = sum(one.verdict == "nothing" for one in judged[row[0]].specification.readings)
        assert total + said_nothing == len(judged[row[0]].specification.readings)


def test_the_papers_rules_stand_beside_and_are_called_no_verdicts(found):
    table = against_rules(found.predictions)
    row = next(row for row in table.rows if str(row[0]).startswith("P1.1"))
    assert row[3] == "supported"
    section = prediction_section(found)
    assert "They are no verdicts" in section.html
    assert "CONFLICT" in section.html
    assert HOSTILE not in section.html


def test_figures_are_drawn(found):
    section = prediction_section(found)
    assert set(section.figures) == {"units", "readings"}
    for plate in section.figures.values():
        assert plate.draw("neurips")["svg"] == plate.draw("neurips")["svg"]
        assert plate.caption


def test_without_predictions_there_is_no_section():
    assert prediction_section(typed({})) is None


def test_lines_for_a_terminal(found):
    text = "\n".join(verdict_lines(found))
    assert "P2.1     supported" in text
    assert "by the paper’s rule: supported" in text
    assert "missing: " in text


def test_a_tile_says_what_decided_where_the_middle_unit_alone_would_not():
    by = {"units": 4, "shown": "middle", "unit": "b", "supported": {"in": 0, "needed": 3},
          "refuted": {"in": 2, "needed": 2}}  # fmt: skip
    content = {"verdict": "refuted", "statistic": -0.245, "ci": [-1.1, 0.61], "threshold": -0.5,
               "evidence": ["models.a.theory"], "decided_by": by}  # fmt: skip
    found = "middle: −0.245 [−1.1, 0.61] against −0.5"
    assert (
        Verdict("eq34", record(PredictionResult, content)).brief
        == f"Of 4 models, 2 refute (2 needed); {found}"
    )
    open_ = content | {"verdict": "inconclusive", "evidence": ["families.x"]}
    assert Verdict("P", record(PredictionResult, open_)).brief.startswith(
        "Of 4 tests, 0 support (3 needed) and 2 refute (2 needed); middle"
    )
    alone = content | {"decided_by": by | {"units": 1}}
    assert Verdict("eq34", record(PredictionResult, alone)).brief == found.removeprefix("middle: ")


def test_the_page_of_a_comparison(found, tmp_path):
    run = {
        "name": HOSTILE, "study": "s", "hash": "9f" * 16, "mspgt": "0.1.0", "started": "2025", "data": "text",
    }  # fmt: skip
    (tmp_path / "compare.json").write_text(json.dumps(to_jsonable(found) | {"runs": [run]}))
    page = build_comparison(tmp_path).read_text("utf-8")
    assert HOSTILE not in page
    assert "script-src" not in page
    assert "<script" not in page.replace('<script type="text/csv"', "")
    for name in ("P1.1", "P3.2", "A2", "eq34"):
        assert f"verdict-{name.replace('.', '-')}" in page
    for table in ("table3", "units", "readings", "paper_rules", "verdicts"):
        assert (tmp_path / "tables" / f"{table}.csv").stat().st_size
        assert (tmp_path / "tables" / f"{table}.parquet").exists()
    assert (tmp_path / "figures" / "families.pdf").exists()
    with pytest.raises(InputError, match="mspgt compare"):
        build_comparison(tmp_path / "nowhere")

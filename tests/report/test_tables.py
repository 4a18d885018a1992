"""Tables hold the numbers of results.json, in three forms that agree; nulls stay nulls."""

import csv
import io
from typing import Any

import pyarrow.parquet as pq
import pytest

from mspgt.errors import printable
from mspgt.report import tables
from mspgt.report.panels import signal_panels
from mspgt.report.table1 import PRINTED, printed, summary_lines, table1, table1_for_reading
from tests.report.planted_results import HOSTILE
from tests.report.test_story import candidate
from tests.report.test_where import functional
from tests.whole import typed


def records(table: tables.Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_table1_has_both_modes_of_every_model_and_the_papers_rows(results: dict[str, Any]) -> None:
    rows = records(table1(typed(results)))
    assert [row["mode"] for row in rows] == ["paper", "calibrated"] * 6 + [PRINTED] * 4
    paper, calibrated = (row for row in rows if row["model"] == HOSTILE)
    assert (paper["LI_layer"], paper["LI_low"], paper["LI_high"], paper["LI_width"]) == (6, 4.5, 7.5, 3.0)
    assert (paper["accepted"], paper["noise_accepted_median"], paper["noise_found_max"]) == (True, 0.46, 1.0)
    assert (calibrated["IG_layer"], calibrated["IG_set"], calibrated["IG_relative"]) == (
        20,
        "17–20, 23",
        0.625,
    )
    assert calibrated["modes_disagree"] is True
    assert calibrated["LI_width"] is None


def test_every_column_of_records_has_a_name_that_some_record_has(results: dict[str, Any]) -> None:
    """Records are read by name, so a column of another name would stay empty."""
    found = typed(results)
    calibrated = {name: model.boundaries.calibrated for name, model in found.models.items()}
    for table in (table1(found), tables.claims_table(calibrated), tables.warnings_table(found)):
        for name, *cells in zip(table.columns, *table.rows, strict=True):
            assert any(cell is not None for cell in cells), (table.name, name)


def test_the_papers_own_rows_are_consistent_with_themselves() -> None:
    for row in printed()["rows"]:
        for which in ("LI", "IG"):
            assert row[which] / row["layers"] == pytest.approx(row[f"{which}_relative"], abs=5.1e-4)


def test_csv_and_parquet_agree_and_nulls_stay_nulls(results: dict[str, Any], tmp_path: Any) -> None:
    table = tables.curves_table(
        "signals", "s", "transition", {n: signal_panels(typed(results), n) for n in results["models"]}
    )
    (tmp_path / "t.parquet").write_bytes(table.parquet())
    stored = pq.read_table(tmp_path / "t.parquet").to_pylist()
    read = list(csv.DictReader(io.StringIO(table.csv())))
    assert len(stored) == len(read) == len(table.rows) > 300
    for one, other in zip(stored, read, strict=True):
        assert float(other["value"]) == one["value"]
        assert (other["low"] == "") is (one["low"] is None)
    value = results["models"][HOSTILE]["signals"]["S1"]["calibrated"][6]
    at_seven = [row for row in stored if row["model"] == HOSTILE and row["transition"] == 7]
    assert (at_seven[0]["panel"], at_seven[0]["curve"], at_seven[0]["value"]) == (
        "S1",
        "calibrated mode",
        value,
    )
    assert not [row for row in stored if row["model"] == "state/mamba" and row["panel"] == "S3"]


def test_a_table_without_rows_keeps_its_types() -> None:
    empty = tables.Table("t", "t", {"a": "int64", "b": "string"}, [])
    assert empty.csv() == "a,b\n"
    schema = pq.read_schema(io.BytesIO(empty.parquet()))
    assert [str(kind) for kind in schema.types] == ["int64", "string"]


def test_latex_has_nothing_of_its_own_in_a_name() -> None:
    name = r"a_b\input{x}%$&#~^<>"
    table = tables.Table("t", "t", {"model": "string", "n": "double"}, [(name, -1.5), ("x", None)])
    body = table.latex()
    assert r"a\_b\textbackslash{}input\{x\}\%\$\&\#\textasciitilde{}\textasciicircum{}" in body
    assert "$-$1.5" in body
    assert body.count(r"\\") == 3  # header and two rows; none from the name
    assert r"\begin{tabular}{lr}" in body
    long = tables.Table("t", "t", {"n": "int64"}, [(1,)] * 41)
    assert r"\begin{longtable}" in long.latex()


def test_reading_rows_give_a_reason_for_every_missing_boundary(results: dict[str, Any]) -> None:
    for row in records(table1_for_reading(typed(results))):
        if row["Mode"] == "paper" and row["L–I"] == "—":
            assert row["Decision"].startswith("no boundary: ")
    by_model = {
        row["Model"]: row
        for row in records(table1_for_reading(typed(results)))
        if row["Mode"] == "calibrated"
    }
    assert "could not have been seen at this depth: bump, step, kink" in by_model["unlabelled"]["Decision"]
    assert by_model["unlabelled"]["se/τ"] == "S1 0.07\nS2 —\nS3 0.05"
    assert by_model["unlabelled"]["Modes"] == "agree"
    assert by_model["acme/llama-deep"]["Modes"] == "disagree on L–I and I–G"


def test_table1_has_a_row_of_every_account_that_was_measured(results: dict[str, Any]) -> None:
    model = results["models"]["acme/llama-deep"]
    model["scales"] = functional(7, None)
    model["phases"] = candidate(2.5) | {"reasons": []}
    rows = {row["mode"]: row for row in records(table1(typed(results))) if row["model"] == "acme/llama-deep"}
    assert list(rows) == ["paper", "calibrated", "functional", "phases"]
    assert (rows["functional"]["LI_layer"], rows["functional"]["IG_layer"]) == (7, None)
    assert "order" in str(rows["functional"]["reason"])
    assert (rows["phases"]["claims"], rows["phases"]["reason"]) == (None, "one word")
    told = {
        row["Mode"]: row
        for row in records(table1_for_reading(typed(results)))
        if row["Model"] == "acme/llama-deep"
    }
    assert told["functional"]["L–I"].startswith("7 (29.2")
    assert told["functional"]["I–G"].startswith("— the order")


def test_summary_lines_put_disagreement_first_and_never_a_paper_boundary_alone(
    results: dict[str, Any],
) -> None:
    lines = summary_lines(typed(results))
    assert lines[0].startswith("acme/llama-deep (24 layers): Paper mode claims")
    for line in lines:
        if "peaks at" in line:
            assert "featureless noise" in line


def test_claims_keep_what_was_not_tested_apart_from_what_was_lost(results: dict[str, Any]) -> None:
    _, first, second = records(
        tables.claims_table(
            {name: model.boundaries.calibrated for name, model in typed(results).models.items()}
        )
    )
    assert (first["kind"], first["role"], first["layer"], second["role"]) == ("spike", "L–I", 11, "I–G")
    assert first["robust"] == "without S1: holds; without S2: not tested; with sinks: lost"


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-cmd|x", "@x", "  =1", "\t=1", "\x1b[2J=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    table = tables.Table("t", "t", {"a": "string", "b": "double"}, [(text, -1.5)])
    ((cell, number),) = list(csv.reader(io.StringIO(table.csv())))[1:]
    assert not cell.lstrip(" \t").startswith(("=", "+", "-", "@"))
    assert number == "-1.5"


def test_a_number_in_text_stays_one() -> None:
    table = tables.Table("t", "t", {"a": "string"}, [("-1.5",), ("plain",)])
    assert table.csv() == "a\n-1.5\nplain\n"


def test_names_cannot_steer_a_terminal() -> None:
    hostile = "a\x1b[31mred\x1b]0;title\x07\x9b2J\u202egnp"
    table = tables.Table("t", "t", {"a": "string"}, [(hostile,)])
    for text in (table.csv(), table.latex(), printable(hostile)):
        assert not set(text) & set("\x1b\x07\x9b\u202e")
    assert printable("हिन्दी می\u200cخواهم 中文\n") == "हिन्दी می\u200cخواهم 中文\n"


def test_a_column_that_no_row_has_is_told_apart_from_one_that_some_have() -> None:
    rows = [{"a": n, "b": "— why", "c": "— why" if n else n} for n in (0, 1)]
    assert tables.Table.told("of nothing", rows).unmeasured == ["b"]
    assert tables.Table.told("of nothing", []).unmeasured == []


def test_a_table_to_read_can_be_written_with_the_types_that_its_cells_have() -> None:
    records = [
        {"name": "a", "count": 1, "share": 0.5, "held": True, "mixed": 1},
        {"name": None, "count": None, "share": 2, "held": False, "mixed": "none", "later": "b"},
    ]
    table = tables.Table.told("of each kind", records, name="kinds")
    assert list(table.columns.values()) == ["string", "int64", "double", "bool", "string", "string"]
    written = pq.read_table(io.BytesIO(table.without("mixed").parquet())).to_pylist()
    assert written[1] == {"name": None, "count": None, "share": 2.0, "held": False, "later": "b"}
    assert written[0]["later"] is None

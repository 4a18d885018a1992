"""How many digits hold in half precision, on the page: a row a layer, and nothing where nothing was compared."""

from typing import Any

from mspgt.report.precision_section import precision_section
from mspgt.results import to_jsonable
from mspgt.results.precision import PrecisionResult, SignalPrecision
from tests.report.planted_results import planted
from tests.whole import typed

SIGNAL = SignalPrecision(
    [0.25, 0.5, None, 1.0], [0.25, 0.501, 1.0, 1.0], [0.0, -0.001, None, 0.0], [7.0, 2.7, None, 7.0]
)


def with_precision(**more: Any) -> dict[str, Any]:
    results = planted()
    found = PrecisionResult(
        "bfloat16", 4, 24, 600, "two digits of S1 hold", states=[0.0, 0.01, 0.02, 0.03, 0.04, 0.05],
        signals={"S1": SIGNAL, "S3": SIGNAL}, **more,
    )  # fmt: skip
    results["models"]["stories"]["precision"] = to_jsonable(found)
    return results


def test_every_layer_has_its_row_and_signals_stand_at_their_transition() -> None:
    section = precision_section(typed(with_precision()), "stories", "stories")
    assert section is not None
    assert section.lead == "how many digits hold in bfloat16"
    assert "two digits of S1 hold." in section.html
    (table,) = section.tables
    assert [row[1:4] for row in table.rows] == [
        (0, 0.0, None), (1, 0.01, 0.25), (2, 0.02, 0.5), (3, 0.03, None), (4, 0.04, 1.0), (5, 0.05, None),
    ]  # fmt: skip


def test_where_nothing_was_compared_the_reason_stands_and_no_table() -> None:
    section = precision_section(typed(with_precision(reason="float16 overflowed")), "stories", "stories")
    assert section is not None
    assert "<table" not in section.html
    assert section.tables[0].rows == []
    assert precision_section(typed(planted()), "stories", "stories") is None

"""Curves break where nothing was measured, bands nest, and axes fit their values."""

from hypothesis import given
from hypothesis import strategies as st

from mspgt.report import curves
from mspgt.report.curves import Line
from mspgt.report.marks import around


def test_bands_are_nested_and_break_where_an_interval_is_missing() -> None:
    line = Line("x", "calibrated", [1.0, 2.0, 3.0], [[0, 1, 2, 3], None, [1, 2, None, 5]])
    outer, inner = line.bands()
    assert outer == [(0, 3), None, None]
    assert inner == [(1, 2), None, None]
    assert line.texts() == ["1 [0, 3]", "2", "3"]
    assert Line("x", "level", [0.123456, None]).texts() == ["0.1235", "—"]


def test_runs_are_the_stretches_between_missing_values() -> None:
    assert curves.runs([None, 1.0, 2.0, None, 3.0]) == [[(1, 1.0), (2, 2.0)], [(4, 3.0)]]
    assert curves.runs([]) == []


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 30)), max_size=8))
def test_rows_keep_names_apart_and_are_as_few_as_can_be(names: list[tuple[float, float]]) -> None:
    spans = [(low, low + width) for low, width in names]
    rows = curves.rows_apart(spans)
    for at, (low, high) in enumerate(spans):
        others = [n for n in range(len(spans)) if n != at and low < spans[n][1] and spans[n][0] < high]
        assert rows[at] not in [rows[n] for n in others]
        assert set(range(rows[at])) <= {rows[n] for n in others}


def test_an_axis_is_logarithmic_only_for_positive_values_over_a_wide_range() -> None:
    assert around("u", [0.001, 0.07], wide=True).log
    assert not around("u", [0.001, 0.07]).log
    assert not around("u", [0.01, 0.07], wide=True).log
    assert not around("u", [-0.001, 0.07], wide=True).log
    assert around("u", [], wide=True) is None

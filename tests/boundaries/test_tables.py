import importlib
from dataclasses import replace

import pytest

from mspgt.boundaries.tables import deepest, row, table
from mspgt.errors import InputError


@pytest.fixture(scope="module")
def calibration():
    return importlib.import_module("calibration.detector")


def test_the_table_was_made_by_this_code(calibration):
    assert table()["code"] == calibration.code_hash()


def test_a_quick_run_of_the_recipe_gives_the_shipped_critical_values(calibration):
    recipe = replace(calibration.QUICK, seed=1)
    again = calibration.critical_values(recipe, 9, 3)["critical"]
    shipped = {kind: critical / calibration.MARGIN for kind, critical in row(9, 3).critical.items()}
    assert again == pytest.approx(shipped, rel=0.15)


def test_a_stopped_run_goes_on_where_it_was(calibration, tmp_path, monkeypatch):
    recipe = replace(
        calibration.QUICK,
        transitions=(5, 6),
        screen_runs=2,
        worst_cells=1,
        worst_runs=20,
        planted_runs=16,
        set_runs=16,
    )
    first = calibration.run(recipe, tmp_path, progress=False)
    (tmp_path / "detector-005.json").unlink()
    monkeypatch.setattr(calibration, "simulate", lambda recipe, transitions: {"again": transitions})
    second = calibration.run(recipe, tmp_path, progress=False)
    assert second[5] == {"again": 5}
    assert second[6] == first[6]


def test_every_depth_has_rows_for_one_two_and_three_signals():
    for depth, by_signals in table()["depths"].items():
        assert set(by_signals) == {"1", "2", "3"}
        for one in by_signals.values():
            assert set(one["power"]) <= set(one["critical"]) == set(one["drop"]), depth


def test_a_depth_beyond_the_table_is_refused():
    with pytest.raises(InputError, match=str(deepest())):
        row(deepest() + 1, 3)

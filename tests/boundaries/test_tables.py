import importlib
import json
from dataclasses import replace

import numpy as np
import pytest

from mspgt.boundaries.tables import deepest, row, table
from mspgt.errors import InputError


@pytest.fixture(scope="module")
def calibration():
    return importlib.import_module("calibration.detector")


def test_the_table_was_made_by_this_code(calibration):
    assert table()["code"] == calibration.code_hash()


@pytest.mark.parametrize("signals", [3, 1])
def test_a_quick_run_of_the_recipe_gives_the_shipped_critical_values(calibration, signals):
    recipe = replace(calibration.QUICK, seed=1)
    again = calibration.critical_values(recipe, 9, signals)["critical"]
    shipped = {k: critical / calibration.MARGIN for k, critical in row(9, signals).critical.items()}
    assert again == pytest.approx(shipped, rel=0.12)


def test_the_table_is_what_its_stored_simulations_give(calibration):
    recipe = calibration.Recipe(**table()["recipe"])
    stored = {
        depth: json.loads((calibration.RESULTS / f"detector-{depth:03d}.json").read_text())["by_signals"]
        for depth in recipe.transitions
    }
    assert json.loads(json.dumps(calibration.shipped(recipe, stored))) == table()


def test_no_kind_pays_for_members_that_only_another_kind_finds_hard(calibration):
    rng = np.random.default_rng(0)
    mild, hard = rng.normal(size=(2, 20_000, 2))
    hard[:, 0] += 1.0
    scores = np.stack([mild, hard])
    alone = np.quantile(scores, 0.95, axis=1).max(axis=0)
    critical = calibration.shared_out(scores, alone)
    errors = (scores > critical).any(axis=2).mean(axis=1)
    assert errors.max() == pytest.approx(0.05, abs=0.002)
    common = np.quantile((scores / alone).max(axis=2), 0.95, axis=1).max()
    assert critical[0] <= common * alone[0]
    assert critical[1] < common * alone[1]


def test_the_worst_members_are_found_by_what_they_share(calibration):
    members = calibration.family(3, 0.6)
    rng = np.random.default_rng(1)
    truth = np.array([("rising" in c.roughness) + (c.tail == "t8") + rho for c, rho in members])
    scores = truth[:, None, None] + rng.normal(size=(len(members), 16, 2))
    chosen = calibration.worst_members(scores, members, 24)
    worst = [(c.roughness, c.tail, rho) for c, rho in chosen].count(("rising", "t8", 0.6))
    assert worst >= 12


def test_a_stopped_run_goes_on_where_it_was(calibration, tmp_path, monkeypatch):
    recipe = replace(
        calibration.QUICK,
        transitions=(5, 6),
        screen_runs=2,
        doubtful=4,
        doubtful_runs=8,
        worst=2,
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

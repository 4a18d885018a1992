"""The shipped table of the paper protocol's false boundaries, held against its simulation and its recipe."""

import importlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from mspgt.boundaries.peaks import MIN_TRANSITIONS, detect_paper, protocol_table
from mspgt.stats.nulls import NullCell, null_profiles


@pytest.fixture
def paper(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    return importlib.import_module("calibration.paper")


def test_the_table_is_that_of_the_recipe(paper):
    table = protocol_table()
    shipped = {key: table["recipe"][key] for key in asdict(paper.Recipe())}
    assert shipped == json.loads(json.dumps(asdict(paper.Recipe())))
    assert table["transitions"][0] == MIN_TRANSITIONS
    for outcome in ("found", "accepted"):
        grids = {name: np.array(grid) for name, grid in table[outcome].items()}
        assert (grids["min"] <= grids["median"]).all()
        assert (grids["median"] <= grids["max"]).all()
        assert grids["min"].min() >= 0
        assert grids["max"].max() <= 1
    found, accepted = (np.array(table[outcome]["mean"]) for outcome in ("found", "accepted"))
    assert (accepted <= found).all()
    assert (accepted[:, 0] == found[:, 0]).all()


@pytest.mark.parametrize(("transitions", "ratio"), [(11, 0.1), (31, 0.03), (31, 0.3)])
def test_fresh_seeds_agree_within_monte_carlo_error(paper, transitions, ratio):
    recipe = replace(paper.Recipe(), noise_ratios=(ratio,), runs_per_null_cell=1, bootstrap_draws=60, seed=7)
    fresh = paper.simulate(recipe, transitions)
    table = protocol_table()
    row, column = table["transitions"].index(transitions), table["noise_ratios"].index(ratio)
    for outcome in ("found", "accepted"):
        runs = np.concatenate(list(fresh[outcome][0].values()))
        shipped = table[outcome]["mean"][row][column]
        assert runs.size == 576
        # Four standard errors of 576 fresh runs, and the little that fewer draws change in acceptance.
        assert runs.mean() == pytest.approx(shipped, abs=4 * (0.25 / runs.size) ** 0.5)


def test_the_simulated_protocol_is_the_one_that_users_run(paper):
    profiles = null_profiles(NullCell("slope", 0.0, "gaussian", "even"), 31, 40, 3, amplitude=(2.5, 5.0))
    draws, ratio = 100, 0.1
    found, accepted = paper.protocol(profiles, ratio, draws, np.random.default_rng(5))
    rng = np.random.default_rng(5)
    observed = profiles + ratio * rng.standard_normal(profiles.shape)
    for run, profile in enumerate(observed):
        if detect_paper(profile).LI is None:
            assert not found[run]
            continue
        assert found[run]
        replicates = profile + ratio * rng.standard_normal((draws, 3, 31))
        assert detect_paper(profile, replicates).accepted == accepted[run]
    assert 0 < accepted.sum() < found.sum()


def test_a_stopped_run_goes_on_where_it_was(paper, tmp_path, monkeypatch):
    recipe = replace(paper.QUICK, transitions=(5, 7), noise_ratios=(0.0,))
    first = paper.calibrate(recipe, tmp_path)
    monkeypatch.setattr(paper, "simulate", lambda *_: pytest.fail("simulated again"))
    assert paper.calibrate(recipe, tmp_path) == first
    next(tmp_path.glob("*T007.json")).unlink()
    with pytest.raises(pytest.fail.Exception):
        paper.calibrate(recipe, tmp_path)

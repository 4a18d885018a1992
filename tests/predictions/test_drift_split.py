"""Drift split by what runs differ in: planted crossed designs, whose parts are known."""

from itertools import product

import numpy as np
import pytest

from mspgt.predictions.drift_split import split_drift
from mspgt.predictions.readings import Reading
from mspgt.predictions.rules import Rules
from mspgt.study.config import StudyConfig
from mspgt.study.verdicts import conclusions, families_of
from tests.predictions.planted import model, results, untested_order
from tests.whole import measured

FUNCTIONAL = Reading(positions="functional")
SD = {"seed": 0.02, "data": 0.06, "optimiser": 0.0}


def run(ig, **trained):
    """A model of 100 layers whose functional I–G boundary lies at `ig` of the depth."""
    places = {"LI": (10.0, 0.1), "IG": (100 * ig, 0.1)}
    scales = {
        which: {"layer": round(at), "soft": {"value": at, "ci": [at - near, at + near]}, "reason": ""}
        for which, (at, near) in places.items()
    }
    trained = {part: str(value) for part, value in trained.items()}
    return model("f", 100, scales={**scales, "order": untested_order()}, trained=trained)


def split(models, which):
    return split_drift(measured(results(**models)).models, which, FUNCTIONAL)


def crossed(rng, seeds=4, data=4, optimisers=2):
    """All combinations; each thing moves the boundary by itself, with its own SD."""
    levels = {"seed": seeds, "data": data, "optimiser": optimisers}
    moves = {part: SD[part] * rng.standard_normal(count) for part, count in levels.items()}
    return {
        f"m{s}{d}{o}": run(
            0.5 + moves["seed"][s] + moves["data"][d] + moves["optimiser"][o], seed=s, data=d, optimiser=o
        )
        for s, d, o in product(range(seeds), range(data), range(optimisers))
    }


def alone(part, count, rng):
    """Runs that differ in one thing."""
    fixed = {"seed": 0, "data": "a", "optimiser": "muon"}
    return {f"m{i}": run(0.5 + SD[part] * rng.standard_normal(), **{**fixed, part: i}) for i in range(count)}


def test_every_part_of_a_crossed_design_is_its_own():
    rng = np.random.default_rng(0)
    found = [split(crossed(rng), "IG") for _ in range(60)]
    for part, sd in SD.items():
        mean = np.mean([one[part].sd ** 2 for one in found]) ** 0.5
        assert mean == pytest.approx(sd, rel=0.15, abs=1e-9)
    # 2 × 4 groups of 4 seeds, as many of data, 16 of 2 optimisers.
    assert {part: found[0][part].freedom for part in SD} == {"seed": 24, "data": 24, "optimiser": 16}
    li = split(crossed(rng), "LI")
    assert all(one.sd == pytest.approx(0, abs=1e-12) for one in li.values())


@pytest.mark.parametrize("count", [3, 6])
def test_intervals_cover_what_was_planted(count):
    rng = np.random.default_rng(count)
    intervals = [split(alone("data", count, rng), "IG")["data"].ci for _ in range(300)]
    assert np.mean([low <= SD["data"] <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.035)


def test_what_does_not_differ_by_itself_is_not_measured():
    found = split(alone("seed", 3, np.random.default_rng(0)), "IG")
    assert found["seed"].freedom == 2
    assert found["data"].sd is None
    assert "no two runs differ in it alone" in found["data"].reason
    # Seed and data that always change together cannot be told apart.
    tied = {f"m{i}": run(0.5 + 0.01 * i, seed=i, data=i, optimiser="a") for i in range(4)}
    assert all(one.sd is None for one in split(tied, "IG").values())


def test_runs_that_declare_too_little_are_left_out_and_named():
    models = alone("seed", 3, np.random.default_rng(0)) | {"x": run(0.9, seed=7)}
    found = split(models, "IG")["seed"]
    assert found.groups == [["m0", "m1", "m2"]]
    assert "x declares not all" in found.reason
    assert split({"a": run(0.5), "b": run(0.6)}, "IG") is None


def test_other_architectures_are_no_runs_of_one():
    models = alone("seed", 2, np.random.default_rng(0))
    models["m1"] |= {"width": 128}
    assert split(models, "IG")["seed"].sd is None


def test_results_carry_it_by_account_and_the_verdict_tells_it():
    found = measured(results(**alone("seed", 3, np.random.default_rng(1))))
    family = families_of(found)["f"]["IG"]
    assert family.functional.split["seed"].freedom == 2
    assert family.split["seed"].sd is None
    _, judged, _ = conclusions(found, Rules())
    assert any("differ in one thing alone: seed" in why for why in judged["P3.2"].why)


def test_a_study_file_declares_it():
    config = StudyConfig.model_validate(
        {
            "name": "s",
            "corpus": {"source": "x"},
            "models": [{"id": "m", "trained": {"seed": 3, "optimiser": "adam"}}],
        }
    )
    assert config.models[0].trained == {"seed": 3, "optimiser": "adam"}
    with pytest.raises(ValueError, match="rate"):
        StudyConfig.model_validate(
            {"name": "s", "corpus": {"source": "x"}, "models": [{"id": "m", "trained": {"rate": 1}}]}
        )

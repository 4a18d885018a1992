import numpy as np
import pytest
from scipy.stats import binom

from mspgt.boundaries.contrasts import bank
from mspgt.boundaries.detector import detect_calibrated
from mspgt.boundaries.search import climb, strongest
from mspgt.boundaries.stabilise import stabilise
from mspgt.boundaries.tables import row
from mspgt.errors import InputError
from mspgt.vocabulary import KINDS


def test_it_is_the_logarithm_far_above_the_floor_and_linear_near_zero():
    floors = np.array([0.01, 0.02, 0.5])
    high = 1000 * floors[:, None] * np.ones((3, 4))
    assert stabilise(high, floors) == pytest.approx(np.log(high / floors[:, None]), abs=1e-6)
    low = 1e-4 * floors[:, None] * np.array([-1.0, 0.0, 1.0, 2.0])
    assert stabilise(low, floors) == pytest.approx(low / (2 * floors[:, None]), rel=1e-6)


def test_roughness_that_grows_with_level_becomes_even():
    rng = np.random.default_rng(1)
    level = np.geomspace(0.02, 2, 400)
    raw = level * np.exp(0.1 * rng.standard_normal((3, 400)))
    rough = np.diff(stabilise(raw, np.full(3, 1e-3)), axis=1)
    first, last = rough[:, :200].std(), rough[:, 200:].std()
    assert first == pytest.approx(last, rel=0.2)
    assert np.diff(raw[:, 200:]).std() > 5 * np.diff(raw[:, :200]).std()


def test_no_boundary_is_made_at_the_floor_and_none_above_it_is_lost():
    rng = np.random.default_rng(3)
    runs, transitions, floor, truth = 150, 23, 3e-3, (7, 15)
    x = np.linspace(-1, 1, transitions)
    critical = row(transitions, 3).critical
    limits = np.array([critical.get(kind, np.inf) for kind in KINDS])
    noise = 0.2 * floor * rng.standard_normal((runs, 3, transitions))
    rough = np.exp(0.15 * rng.standard_normal((runs, 3, transitions)))
    deep = np.exp(np.log(0.001) + np.log(70) * x**2) * rough + noise
    assert claimed(deep, floor, limits) <= binom.ppf(0.999, runs, 0.05)
    high = np.exp(np.log(0.01) + np.log(7) * x**2) * rough
    high[..., truth] *= np.exp(0.15 * 6)
    path = climb(stabilise(high + noise, np.full(3, floor)), critical)
    accepted = np.arange(path.place.shape[1]) < path.accepted[:, None]
    near = (np.abs(path.place[:, :, None] - np.array(truth)) <= 1) & accepted[..., None]
    assert near.any(axis=1).mean() > 0.85


def claimed(raw, floor, limits):
    """Profiles with a claim."""
    return int((strongest(stabilise(raw, np.full(3, floor)), bank(raw.shape[-1])) > limits).any(axis=1).sum())


def test_a_dip_of_a_near_zero_signal_is_no_spike():
    rng = np.random.default_rng(2)
    raw = 1e-3 * np.abs(rng.standard_normal((3, 31))) + 1e-3
    raw[:, 15] = 1e-7
    assert detect_calibrated(stabilise(raw, np.full(3, 1e-2))).claims == ()


def test_rows_that_were_not_measured_and_stacks_of_draws_pass_through():
    raw = np.ones((7, 3, 5))
    raw[:, 2] = np.nan
    out = stabilise(raw, np.array([1.0, 1.0, np.nan]))
    assert out.shape == raw.shape
    assert np.isnan(out[:, 2]).all()
    assert np.isfinite(out[:, :2]).all()


@pytest.mark.parametrize("floors", [[1.0, 0.0, 1.0], [1.0, -1.0, 1.0], [1.0, np.nan, 1.0], [1.0, 1.0]])
def test_floors_must_be_positive_and_one_a_signal(floors):
    with pytest.raises(InputError, match="floor"):
        stabilise(np.ones((3, 9)), floors)

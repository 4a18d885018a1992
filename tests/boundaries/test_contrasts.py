import numpy as np
import pytest

from mspgt.boundaries.contrasts import bank, contrast_filter, residual, window
from mspgt.errors import InputError
from mspgt.stats.nulls import boundary_shape
from mspgt.vocabulary import KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("transitions", "at"), [(15, 5), (15, 11), (31, 15), (47, 43)])
def test_contrast_is_the_least_squares_coefficient_over_its_white_sd(kind, transitions, at):
    law = window(kind, transitions)
    y = np.random.default_rng(1).normal(size=transitions)
    filter_, response = contrast_filter(kind, transitions, at)
    inside = np.flatnonzero(filter_ != 0)
    span = np.arange(inside.min(), inside.max() + 1)
    shape = boundary_shape(kind, transitions, at)
    design = np.column_stack([shape[span], np.vander(span - span.mean(), law.order + 1)])
    coefficient = np.linalg.lstsq(design, y[span], rcond=None)[0][0]
    sd = np.sqrt(np.linalg.inv(design.T @ design)[0, 0])
    assert filter_ @ y == pytest.approx(coefficient / sd, rel=1e-6)
    assert response == pytest.approx(1 / sd, rel=1e-6)
    assert filter_ @ filter_ == pytest.approx(1)


@pytest.mark.parametrize("transitions", [11, 27, 63])
@pytest.mark.parametrize("kind", KINDS)
def test_a_background_of_the_window_s_degree_leaves_no_trace(kind, transitions):
    x = np.linspace(-1, 1, transitions)
    store, order = bank(transitions), window(kind, transitions).order
    y = np.polynomial.polynomial.polyval(x, 100.0 * np.arange(1, order + 2))
    assert np.abs(store.filters[store.elements[kind]] @ y).max(initial=0) < 1e-6


def test_mirrored_profiles_have_mirrored_contrasts():
    store, y = bank(31), np.random.default_rng(2).normal(size=31)
    for kind, sign, shift in (("spike", 1, 0), ("bump", 1, 0), ("step", -1, 1), ("kink", 1, 0)):
        places = store.places(kind)
        forward = store.filters[store.elements[kind]] @ y
        mirrored = store.filters[store.elements[kind]] @ y[::-1]
        partner = np.searchsorted(places, 30 - places + shift)
        assert mirrored == pytest.approx(sign * forward[partner], abs=1e-9)


def test_joint_heights_are_those_of_one_regression():
    transitions, at = 7, [2, 5]
    store = bank(transitions)
    y = np.random.default_rng(3).normal(size=transitions)
    suspects = np.array(at)[None, None]
    joint = residual((y @ store.filters.T)[None, None], suspects, "spike", store)
    design = np.column_stack([np.eye(transitions)[:, at], np.vander(np.linspace(-1, 1, transitions), 3)])
    covariance = np.linalg.inv(design.T @ design)
    coefficients = covariance @ design.T @ y
    assert joint.height[0, 0] == pytest.approx(coefficients[:2] / np.sqrt(np.diag(covariance)[:2]), rel=1e-8)


def test_removed_boundaries_leave_the_contrasts_of_the_rest():
    store = bank(39)
    rough = np.random.default_rng(4).normal(size=39)
    planted = rough + 50 * boundary_shape("spike", 39, 12) + 30 * boundary_shape("step", 39, 25)
    suspects = np.array([[[12, KINDS.index("step") * 39 + 25]]])
    for kind in KINDS:
        with_, without = (
            residual((y @ store.filters.T)[None, None], suspects, kind, store).contrast
            for y in (planted, rough)
        )
        assert with_ == pytest.approx(without, abs=1e-8)


def test_residual_variance_is_that_of_white_roughness():
    store = bank(27)
    y = np.random.default_rng(5).normal(size=(20_000, 1, 27))
    suspects = np.broadcast_to(np.array([8, 17]), (20_000, 1, 2))
    left = residual(y @ store.filters.T, suspects, "bump", store)
    assert left.contrast.var(axis=0) == pytest.approx(left.variance[0], rel=0.06, abs=0.01)


def test_the_empty_element_takes_nothing_out():
    store = bank(15)
    contrasts = (np.random.default_rng(6).normal(size=15) @ store.filters.T)[None, None]
    left = residual(contrasts, np.full((1, 1, 2), store.empty), "spike", store)
    assert np.array_equal(left.contrast, contrasts[..., store.elements["spike"]])
    assert np.all(left.variance == 1)


@pytest.mark.parametrize("transitions", [1, 4, 5])
def test_too_few_transitions_have_no_places(transitions):
    assert not any(len(places) for places in bank(transitions).elements.values())


def test_an_unknown_kind_has_no_window():
    with pytest.raises(InputError, match="cliff"):
        window("cliff", 20)


@pytest.mark.parametrize("kind", KINDS)
def test_windows_widen_with_depth(kind):
    halves = [window(kind, transitions).half for transitions in range(5, 128)]
    assert halves == sorted(halves)
    assert window(kind, 127).suspects == 4

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.stats.nulls import (
    BACKGROUNDS,
    NULL_CELLS,
    NullCell,
    background_shape,
    boundary_shape,
    null_profiles,
    plant,
    roughness_profile,
)
from mspgt.vocabulary import KINDS


def test_family_has_576_distinct_cells():
    assert len(set(NULL_CELLS)) == 576
    assert len({cell.name for cell in NULL_CELLS}) == 576


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("tail", ["gaussian", "t4", "t8"])
def test_roughness_has_unit_variance_and_the_stated_autocorrelation(rho, tail):
    y = null_profiles(NullCell("flat", rho, tail, "even"), 23, 6000, seed=1)
    assert y.var(axis=0) == pytest.approx(np.ones((3, 23)), abs=0.25)
    assert y.var() == pytest.approx(1, abs=0.03)
    assert np.mean(y[..., 1:] * y[..., :-1]) == pytest.approx(rho, abs=0.03)


def test_signals_share_as_much_roughness_as_asked():
    y = null_profiles(NullCell("flat", 0.3, "gaussian", "even"), 15, 6000, seed=2, correlation=0.6)
    assert np.mean(y[:, 0] * y[:, 2]) == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize("shape", ["rising", "falling", "bulging"])
def test_uneven_roughness_spans_three_to_one(shape):
    sd = roughness_profile(shape, 31)
    assert sd.max() / sd.min() == pytest.approx(3, rel=0.01)
    assert np.mean(sd**2) == pytest.approx(1)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_background_stands_at_the_same_place_with_its_own_height(background):
    y = null_profiles(NullCell(background, 0.0, "gaussian", "even"), 41, 400, seed=3)
    b = background_shape(background, 41)
    heights = (y @ b) / max(b @ b, 1e-12)
    if background == "flat":
        assert not b.any()
    else:
        assert heights.mean() == pytest.approx(15, abs=0.6)
        assert heights.std() == pytest.approx(10 / np.sqrt(12), rel=0.35)


def test_same_seed_same_profiles_and_another_seed_others():
    cell = NULL_CELLS[100]
    assert np.array_equal(null_profiles(cell, 9, 5, seed=4), null_profiles(cell, 9, 5, seed=4))
    assert not np.array_equal(null_profiles(cell, 9, 5, seed=4), null_profiles(cell, 9, 5, seed=5))


@pytest.mark.parametrize("kind", KINDS)
def test_planting_adds_the_shape_at_the_place(kind):
    y = np.zeros((2, 3, 12))
    planted = plant(y, kind, np.array([[4], [6]]), np.array(2.0), scale=np.full(12, 3.0))
    assert np.allclose(planted[1, 2], 6 * boundary_shape(kind, 12, 6))


@pytest.mark.parametrize(
    "call",
    [
        lambda: null_profiles(NULL_CELLS[0], 0, 5, seed=1),
        lambda: null_profiles(NULL_CELLS[0], 9, 5, seed=1, correlation=1.5),
        lambda: background_shape("cliff", 9),
        lambda: boundary_shape("cliff", 9, 2),
        lambda: roughness_profile("cliff", 9),
        lambda: plant(np.zeros((1, 3, 9)), "spike", np.array([[9]]), np.array(1.0)),
    ],
)
def test_bad_input_is_named(call):
    with pytest.raises(InputError, match="expected"):
        call()

import numpy as np
import pytest

from mspgt.boundaries.concordance import background_dimensions, concordance, residual_basis
from mspgt.errors import InputError
from mspgt.stats.coverage import rate_lower
from mspgt.stats.nulls import BACKGROUNDS, NULL_CELLS, ROUGHNESS, NullCell, null_profiles, plant

T = 31


def _rejects(profiles, permutations=99):
    return sum(concordance(profile, permutations=permutations).p <= 0.05 for profile in profiles)


def _naive_rejects(profiles, permutations=99):
    """The same statistic with the signals themselves permuted."""
    rng = np.random.default_rng(0)
    rejections = 0
    for profile in profiles:
        shuffled = rng.permuted(np.broadcast_to(profile, (permutations, 3, T)), axis=-1)
        pairs = [np.corrcoef(rows).sum() for rows in shuffled]
        p = (1 + sum(pair >= np.corrcoef(profile).sum() for pair in pairs)) / (1 + permutations)
        rejections += p <= 0.05
    return rejections


def _null(autocorrelation, runs):
    cells = [cell for cell in NULL_CELLS if cell.autocorrelation == autocorrelation]
    return np.concatenate([null_profiles(cell, T, runs, seed) for seed, cell in enumerate(cells)])


def test_size_under_shared_smooth_trends():
    profiles = _null(0.0, 6)
    assert len(profiles) == 6 * 192
    assert rate_lower(_rejects(profiles), len(profiles), 0.99) <= 0.05


def test_permuting_the_signals_themselves_rejects_far_too_often():
    profiles = np.concatenate(
        [null_profiles(NullCell(b, 0.0, "t8", "even"), T, 4, 0) for b in BACKGROUNDS[1:]]
    )
    assert _naive_rejects(profiles) / len(profiles) > 0.9


@pytest.mark.parametrize("roughness", ROUGHNESS)
def test_size_where_roughness_varies_alike_in_all_signals(roughness):
    profiles = null_profiles(NullCell("slope", 0.0, "gaussian", roughness), T, 300, 5)
    assert rate_lower(_rejects(profiles), 300, 0.99) <= 0.05


def test_size_under_autocorrelated_roughness_is_near_nominal():
    """The background takes up most of slow roughness: 6 to 7 % are rejected at an autocorrelation of 0.7."""
    profiles = _null(0.7, 3)
    assert rate_lower(_rejects(profiles), len(profiles), 0.99) <= 0.07


def test_power_where_spikes_coincide_and_none_where_they_do_not():
    profiles = null_profiles(NullCell("hump", 0.0, "gaussian", "even"), T, 100, 1)
    rng = np.random.default_rng(0)
    shared = np.stack([rng.choice(np.arange(2, T - 2), 2, replace=False) for _ in profiles])
    assert _rejects(plant(profiles, "spike", shared, np.float64(4))) >= 80
    apart = np.array([[[4, 18], [9, 23], [14, 27]]] * 100)
    assert _rejects(plant(profiles, "spike", apart, np.float64(4))) <= 10


@pytest.mark.parametrize("transitions", [17, 31, 80])
def test_residuals_are_orthonormal_local_and_blind_to_smooth_curves(transitions):
    basis = residual_basis(transitions)
    count = transitions - background_dimensions(transitions)
    assert basis.shape == (transitions, count)
    assert basis.T @ basis == pytest.approx(np.eye(count), abs=1e-9)
    cubic = np.polynomial.chebyshev.chebvander(np.linspace(-1, 1, transitions), 3)
    assert basis.T @ cubic == pytest.approx(np.zeros((count, 4)), abs=1e-9)
    # Each residual is mostly one transition, in order of depth.
    places = np.abs(basis).argmax(axis=0)
    assert (np.diff(places) > 0).all()
    assert (np.abs(basis).max(axis=0) > 0.5).all()


def test_answer_knows_no_units_and_follows_the_seed():
    profile = null_profiles(NULL_CELLS[0], T, 1, 3)[0]
    first = concordance(profile, permutations=199, seed=1)
    changed = profile * [[2.0], [0.001], [50.0]] + [[1.0], [-3.0], [7.0]]
    assert concordance(changed, permutations=199, seed=1).p == first.p
    assert concordance(profile[[0, 0, 0]], permutations=199).p == 1 / 200
    assert concordance(profile[[0, 0, 0]]).agreement == pytest.approx(1)


def test_what_cannot_be_tested_says_why():
    profile = null_profiles(NULL_CELLS[0], T, 1, 3)[0]
    shallow = concordance(profile[:, :11])
    assert shallow.p is None
    assert "11 transitions leave 1 residuals" in shallow.reasons[0]
    two = profile.copy()
    two[1] = np.nan
    assert concordance(two).p is not None
    assert concordance(two).reasons == ["S2 has no residuals: not measured, or smooth"]
    two[2] = np.linspace(0, 1, T) ** 2
    alone = concordance(two)
    assert alone.p is None
    assert alone.reasons[-1] == "agreement needs at least two signals"
    assert concordance(np.empty((3, 0))).p is None
    with pytest.raises(InputError):
        concordance(profile[:2])

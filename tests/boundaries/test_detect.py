import numpy as np
import pytest

from mspgt.boundaries.detect import detect
from mspgt.boundaries.robustness import robustness
from mspgt.errors import InputError
from mspgt.stats.nulls import NullCell, null_profiles, plant

T = 31


@pytest.fixture
def planted():
    """Two spikes of 12 roughness SDs, at layers 9 and 23."""
    profile = null_profiles(NullCell("slope", 0.0, "gaussian", "even"), T, 1, 11, amplitude=(2.5, 5.0))
    return 10 + plant(profile, "spike", np.array([[8, 22]]), np.float64(12))[0]


@pytest.fixture
def draws(planted):
    return planted + 0.1 * np.random.default_rng(1).normal(size=(100, 3, T))


def test_both_modes_find_what_is_planted(planted, draws):
    paper = detect(planted, "paper", draws)
    assert (paper.LI.layer, paper.IG.layer) == (9, 23)
    assert paper.accepted
    calibrated = detect(planted, "calibrated", draws)
    assert [claim.layer for claim in calibrated.spike] == [9, 23]
    assert (calibrated.chosen["LI"].layer, calibrated.chosen["IG"].layer) == (9, 23)


def test_paper_is_the_default_and_takes_its_constants(planted):
    assert detect(planted).LI.layer == 9
    assert detect(planted, prominence=10.0).LI is None


def test_the_noise_ratio_is_measured_from_the_bootstrap(planted, draws):
    rate = detect(planted, "paper", draws).false_boundary_rate
    assert 0.05 < rate.noise_ratio < 0.2
    assert detect(planted, "paper", draws, noise_ratio=0.5).false_boundary_rate.noise_ratio == 0.5
    assert detect(planted, "paper").false_boundary_rate is None


def test_noise_in_place_of_roughness_raises_the_calibrated_scale(planted):
    loud = planted + 20 * np.random.default_rng(1).normal(size=(100, 3, T))
    assert detect(planted, "calibrated", loud).spike == ()


def test_floors_stabilise_before_detection(planted, draws):
    found = detect(np.exp(planted), "calibrated", np.exp(draws), floors=[1.0, 1.0, 1.0])
    assert [claim.layer for claim in found.spike] == [9, 23]


def test_planted_claims_are_robust(planted):
    found = detect(planted, "calibrated")
    robust = robustness(found, planted, halves=(planted, planted[:, ::-1]))
    assert set(robust) == {("spike", 9), ("spike", 23)}
    for outcome in robust.values():
        assert outcome["without_S1"] is outcome["without_S2"] is outcome["without_S3"] is True
        assert outcome["odd_documents"] is True
        assert outcome["with_sinks"] is None


@pytest.mark.parametrize("mode", ["paper", "calibrated"])
@pytest.mark.parametrize("transitions", [0, 1, 2, 3, 4])
def test_shallow_models_are_a_result_and_not_an_error(mode, transitions):
    rng = np.random.default_rng(0)
    found = detect(rng.normal(size=(3, transitions)), mode, rng.normal(size=(9, 3, transitions)))
    chosen = (found.LI, found.IG) if mode == "paper" else tuple(found.chosen.values())
    assert chosen == (None, None)
    assert any("no boundary possible" in reason for reason in found.reasons)


@pytest.mark.parametrize("mode", ["paper", "calibrated"])
@pytest.mark.parametrize(
    "bad", [np.ones((2, T)), np.full((3, T), np.nan), np.where(np.eye(3, T), np.nan, 1.0)]
)
def test_rejects_what_is_not_a_profile(mode, bad):
    with pytest.raises(InputError):
        detect(bad, mode)


def test_rejects_an_unknown_mode(planted):
    with pytest.raises(InputError, match="mode"):
        detect(planted, "published")


def test_a_signal_that_was_not_resampled_is_held_at_its_value(planted, draws):
    held = draws.copy()
    held[:, 1] = np.nan
    at_value = draws.copy()
    at_value[:, 1] = planted[1]
    one, other = detect(planted, "paper", held), detect(planted, "paper", at_value)
    assert (one.LI, one.IG, one.accepted, one.successes) == (other.LI, other.IG, True, other.successes)
    found = detect(planted, "calibrated", held)
    assert [claim.layer for claim in found.spike] == [9, 23]
    assert np.isnan(found.noise_ratio).tolist() == [False, True, False]
    held[3, 1] = 0.0
    with pytest.raises(InputError, match="bootstrap must be finite"):
        detect(planted, "paper", held)

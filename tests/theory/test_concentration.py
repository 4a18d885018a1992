"""Equation 34 on planted documents: width does not fall with draws, and falls with documents."""

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.theory.concentration import concentration, peak, width


def planted(documents=64, transitions=15, noise=1.0, seed=0):
    """Signals of documents about one peak at transition 8; the profile of a sample is their weighted mean."""
    rng = np.random.default_rng(seed)
    truth = np.exp(-0.5 * ((np.arange(1, transitions + 1) - 8) / 2.5) ** 2)
    smooth = rng.standard_normal((documents, 3, transitions + 4))
    smooth = sum(smooth[..., k : k + transitions] for k in range(5)) / 5**0.5
    each = truth + noise * smooth

    def profiles(weights):
        return np.tensordot(weights, each, axes=1) / weights.sum(1)[:, None, None]

    return profiles


def test_width_does_not_fall_with_draws_but_with_documents():
    found = concentration(planted(), 64, seed=1)
    assert found.by_draws.ci[0] > -0.4
    assert abs(found.by_draws.slope) < 0.15
    assert found.by_draws.ci[0] > -0.5
    assert found.by_documents.slope < -0.25
    assert found.by_documents.counts[0] == 64


def test_a_width_that_falls_as_promised_would_be_supported():
    """An "estimate" whose spread shrinks with the number of draws asked for: what equation 34 describes."""

    def profiles(weights):
        rng = np.random.default_rng(len(weights))
        place = 8 + rng.standard_normal(len(weights)) * (len(weights) / 50) ** -0.5
        shape = np.exp(-0.5 * ((np.arange(1, 16) - place[:, None]) / 2.5) ** 2)
        return np.repeat(shape[:, None], 3, axis=1)

    widths = [width(peak(profiles(np.ones((b, 8))).sum(1))) for b in (50, 200, 800)]
    slopes = np.diff(np.log(widths)) / np.log(4)
    assert np.allclose(slopes, -0.5, atol=0.2)


def test_peaks_lie_between_layers():
    x = np.arange(1, 12)
    for place in (3.0, 5.3, 7.5, 8.9):
        assert peak(-((x - place) ** 2.0)[None])[0] == pytest.approx(place)
    assert np.isnan(peak(x.astype(float)[None])[0])  # an end is no peak
    assert np.isnan(width(np.array([3.0] * 9 + [np.nan])))


def test_no_slope_without_width():
    profiles = planted(16, noise=0.0)
    found = concentration(profiles, 16)
    assert found.by_draws.ci is None
    assert "no width" in found.by_draws.reason


@pytest.mark.parametrize("fewest", [4, 16])
def test_no_slope_where_draws_of_some_count_have_no_peak(fewest):
    """In small subsets every third draw is a curve that only rises."""
    profiles = planted(64)

    def flat(weights):
        found = profiles(weights)
        if ((weights > 0).any(0).sum()) <= fewest:
            found[::3] = np.arange(found.shape[-1])
        return found

    found = concentration(flat, 64, seed=1)
    assert found.by_draws.slope is not None
    assert np.isnan(found.by_documents.widths).any()
    assert not np.isnan(found.by_documents.widths[0])
    assert found.by_documents.slope is None
    assert found.by_documents.ci is None
    assert "no peak" in found.by_documents.reason


def test_a_verdict_is_not_given_on_draws_without_a_peak():
    """The first hundred draws have peaks and widths; a quarter of all draws, further on, has none."""
    profiles = planted(16)

    def rising(weights):
        found = profiles(weights)
        found[len(found) // 4 : len(found) // 2] = np.arange(found.shape[-1])
        return found

    found = concentration(rising, 16, seed=1)
    assert not np.isnan(found.by_draws.widths[0])
    assert found.by_draws.ci is None
    assert "no peak" in found.by_draws.reason


def test_refusals():
    with pytest.raises(InputError, match="at least 8"):
        concentration(planted(), 7)
    with pytest.raises(InputError, match="3 transitions"):
        peak(np.ones((1, 2)))

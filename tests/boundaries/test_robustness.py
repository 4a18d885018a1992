from types import SimpleNamespace

import numpy as np
import pytest

from mspgt.boundaries.robustness import robustness
from mspgt.errors import InputError


def threshold_detector(signals, *, scale_floor=None, height=3.0):
    """Spikes where the mean over measured signals exceeds a height, and the noise."""
    mean = np.nanmean(signals, axis=0)
    noise = 0.0 if scale_floor is None else np.nanmax(scale_floor)
    claims = [SimpleNamespace(layer=int(t) + 1) for t in np.flatnonzero(mean > max(height, noise))]
    return SimpleNamespace(spike=claims, bump=[], step=[], kink=[])


def _signals(*spikes):
    signals = np.zeros((3, 20))
    for at, heights in spikes:
        signals[:, at] = heights
    return signals


def _robust(signals, **given):
    found = threshold_detector(signals)
    return robustness(found, signals, detect=threshold_detector, **given)


def test_a_boundary_of_one_signal_falls_with_it():
    robust = _robust(_signals((5, [4, 4, 4]), (12, [15, 0, 0])))
    assert list(robust) == [("spike", 6), ("spike", 13)]
    shared, single = robust.values()
    assert [shared[f"without_S{i}"] for i in (1, 2, 3)] == [True, True, True]
    assert [single[f"without_S{i}"] for i in (1, 2, 3)] == [False, True, True]
    assert shared["with_sinks"] is shared["odd_documents"] is shared["even_documents"] is None


def test_other_profiles_may_move_a_boundary_by_one_layer():
    signals = _signals((5, 4))
    near, far, gone = _signals((6, 4)), _signals((7, 4)), _signals()
    (robust,) = _robust(signals, with_sinks=near, halves=(far, signals)).values()
    assert (robust["with_sinks"], robust["odd_documents"], robust["even_documents"]) == (True, False, True)
    (robust,) = _robust(signals, with_sinks=gone).values()
    assert robust["with_sinks"] is False


def test_another_kind_does_not_count():
    def steps(signals, **options):
        found = threshold_detector(signals, **options)
        return SimpleNamespace(spike=[], bump=[], step=found.spike, kink=[])

    signals = _signals((5, 4))
    (robust,) = robustness(threshold_detector(signals), signals, detect=steps).values()
    assert robust["without_S1"] is False


def test_signals_not_measured_are_none():
    signals = _signals((5, 4))
    signals[1] = np.nan
    (robust,) = _robust(signals).values()
    assert [robust[f"without_S{i}"] for i in (1, 2, 3)] == [True, None, True]
    signals[2] = np.nan
    (robust,) = _robust(signals).values()
    assert [robust[f"without_S{i}"] for i in (1, 2, 3)] == [None, None, None]


def test_halves_have_more_noise_and_options_pass_on():
    signals = _signals((5, 4))
    noise = np.full((3, 20), 3.0)
    (robust,) = _robust(signals, halves=(signals, signals), scale_floor=noise).values()
    assert robust["without_S1"] is True
    assert robust["odd_documents"] is robust["even_documents"] is False
    (robust,) = _robust(signals, height=4.5).values()
    assert robust["without_S1"] is False


def test_no_claims_and_bad_shapes():
    assert _robust(_signals()) == {}
    with pytest.raises(InputError, match="with_sinks has shape"):
        _robust(_signals((5, 4)), with_sinks=np.zeros((3, 19)))


def test_other_tokens_and_other_metrics_are_flags_of_their_own():
    signals, gone = _signals((5, 4)), _signals()
    for robust in _robust(signals, token_sets={"limit_10": signals, "without_top_word": gone}).values():
        assert (robust["limit_10"], robust["without_top_word"]) == (True, False)
        assert robust["other_metrics"] is None
    metrics = {"raw": gone, "as_read": signals, "standardised": None}
    assert all(robust["other_metrics"] is True for robust in _robust(signals, metrics=metrics).values())
    assert all(
        robust["other_metrics"] is False for robust in _robust(signals, metrics={"raw": gone}).values()
    )

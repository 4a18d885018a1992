"""One door to both ways of finding boundaries."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.boundaries.peaks import MIN_TRANSITIONS, PaperBoundaries, detect_paper
from mspgt.boundaries.profiles import checked_bootstrap, checked_signals
from mspgt.errors import InputError
from mspgt.vocabulary import KINDS

if TYPE_CHECKING:
    from mspgt.boundaries.detector import CalibratedBoundaries


@overload
def detect(
    signals: ArrayLike, mode: Literal["paper"] = "paper", bootstrap: ArrayLike | None = None, **options: Any
) -> PaperBoundaries: ...


@overload
def detect(
    signals: ArrayLike, mode: Literal["calibrated"], bootstrap: ArrayLike | None = None, **options: Any
) -> CalibratedBoundaries: ...


def detect(
    signals: ArrayLike,
    mode: Literal["paper", "calibrated"] = "paper",
    bootstrap: ArrayLike | None = None,
    *,
    level: float = 0.05,
    floors: ArrayLike | None = None,
    **options: Any,
) -> PaperBoundaries | CalibratedBoundaries:
    """Find scale boundaries in three signal profiles.

    Args:
        signals: (3, transitions), rows S1, S2, S3 over transitions 1..L−1; a row of NaN was not measured.
        mode: `paper` runs the published protocol to the letter, whose error rate is not controlled;
            `calibrated` detects spikes, bumps, steps and kinks at a known error rate.
        bootstrap: (draws, 3, transitions), profiles of document resamples. In paper mode they give intervals,
            acceptance and the noise ratio that selects the false-boundary rate; in calibrated mode their
            scatter is the least that counts as roughness. A measured row that is NaN in every draw was not resampled:
            it is held at its value, and its noise is not known.
        level: family-wise error of calibrated mode. Unused in paper mode.
        floors: (3,) noise scale of each signal (`stabilise`). With it, calibrated mode
            detects on variance-stabilised signals; without, on the signals as given. Unused in paper mode.
        options: passed on to `detect_paper` (weights, prominence, max_width, noise_ratio) or
            `detect_calibrated`.

    Returns:
        A model too shallow for any boundary, or without any signal, is a result that says so, not an error.

    Raises:
        InputError: an unknown mode, wrong shapes, or a row partly NaN or infinite.

    Example:
        >>> import numpy as np
        >>> profile = np.random.default_rng(3).normal(size=(3, 23))
        >>> profile[:2, 7] += 8
        >>> [(claim.kind, claim.layer) for claim in detect(profile, "calibrated").claims]
        [('spike', 8)]
    """
    profile = checked_signals(signals)
    draws = None if bootstrap is None else checked_bootstrap(bootstrap, profile)
    transitions = profile.shape[-1]
    if mode == "paper":
        if draws is not None and "noise_ratio" not in options and transitions >= MIN_TRANSITIONS:
            options["noise_ratio"] = _median_noise_ratio(profile, draws)
        return detect_paper(profile, draws, **options)
    if mode != "calibrated":
        raise InputError(f"mode is 'paper' or 'calibrated', found {mode!r}")

    from mspgt.boundaries.detector import CalibratedBoundaries, detect_calibrated
    from mspgt.boundaries.noise import noise_covariance
    from mspgt.results.boundaries import PowerStatement

    reason = ""
    if transitions < MIN_TRANSITIONS:
        reason = f"{transitions + 1} layers have {transitions} transitions: no boundary possible"
    elif np.isnan(profile).all():
        reason = "no signal was measured: nothing can be looked for"
    if reason:
        unseen = dict.fromkeys(KINDS, PowerStatement(None, reason))
        return CalibratedBoundaries(
            spike=(),
            bump=(),
            step=(),
            kink=(),
            chosen={"LI": None, "IG": None},
            noise_ratio=(nan,) * 3,
            power=unseen,
            rivals={},
            evidence=None,
            reasons=[reason],
        )
    if floors is not None:
        from mspgt.boundaries.stabilise import stabilise

        profile = stabilise(profile, floors)
        draws = None if draws is None else stabilise(draws, floors)
    noise = None if draws is None else noise_covariance(draws)
    return detect_calibrated(profile, scale_floor=noise, level=level, **options)


def _median_noise_ratio(profile: NDArray[np.float64], draws: NDArray[np.float64]) -> float | None:
    from mspgt.boundaries.power import noise_ratio

    ratios = noise_ratio(profile, draws)
    known = ratios[~np.isnan(ratios)]
    return float(np.median(known)) if known.size else None

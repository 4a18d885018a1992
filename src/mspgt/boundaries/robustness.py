"""Does a claimed boundary survive when part of the evidence is taken away?"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.boundaries.noise import scaled
from mspgt.boundaries.profiles import checked_signals
from mspgt.errors import InputError
from mspgt.vocabulary import KINDS, SIGNALS

TOLERANCE = 1

Array = NDArray[np.float64]


class Claimed(Protocol):
    """A boundary that a detector claims."""

    @property
    def layer(self) -> int: ...


class Found(Protocol):
    """What a detector returns: its claims of each kind."""

    @property
    def spike(self) -> Iterable[Claimed]: ...

    @property
    def bump(self) -> Iterable[Claimed]: ...

    @property
    def step(self) -> Iterable[Claimed]: ...

    @property
    def kink(self) -> Iterable[Claimed]: ...


def robustness(
    found: Found,
    signals: ArrayLike,
    *,
    detect: Callable[..., Found] | None = None,
    with_sinks: ArrayLike | None = None,
    halves: tuple[ArrayLike, ArrayLike] | None = None,
    token_sets: Mapping[str, ArrayLike | None] | None = None,
    metrics: Mapping[str, ArrayLike | None] | None = None,
    scale_floor: Array | None = None,
    **options: Any,
) -> dict[tuple[str, int], dict[str, bool | None]]:
    """Run the detector again on reduced or changed evidence, and look for each claim.

    A claim survives where the detector claims the same kind within one layer. Half of the documents are half
    of the evidence: a weak boundary that fails there is weak, not refuted.

    Args:
        found: what the detector claims in `signals`.
        signals: (3, transitions) profiles; a row of NaN was not measured.
        detect: `detect_calibrated` unless given.
        with_sinks: the profiles measured with sink tokens left in.
        halves: the profiles of the odd and of the even documents.
        token_sets: name → the profiles over other tokens (another sink limit, frequent words left out).
        metrics: name → the profiles with S1 of something else than RMS-normalised states.
        scale_floor: sentence noise, as given to the detector; √2 times that in a half.
        options: passed on to the detector.

    Returns:
        (kind, layer) of every claim → `without_S1`, `without_S2`, `without_S3`, `with_sinks`,
        `odd_documents`, `even_documents`, each of `token_sets`, and `other_metrics`: whether any of
        `metrics` shows it too (False: it depends on the metric). None where there is nothing to run: a signal
        that was not measured, or is the only one; profiles that were not given.
    """
    if detect is None:
        from mspgt.boundaries.detector import detect_calibrated

        detect = detect_calibrated
    profile = checked_signals(signals)
    measured = [name for name, values in zip(SIGNALS, profile, strict=True) if not np.isnan(values).all()]
    reruns: dict[str, tuple[Array, float] | None] = {}
    for row, name in enumerate(SIGNALS):
        left = profile.copy()
        left[row] = np.nan
        reruns[f"without_{name}"] = (left, 1.0) if name in measured and len(measured) > 1 else None
    odd, even = halves if halves is not None else (None, None)
    given = (
        ("with_sinks", with_sinks, 1.0),
        ("odd_documents", odd, 2**0.5),
        ("even_documents", even, 2**0.5),
    )
    for name, other, noise in given:
        reruns[name] = None if other is None else (_like(profile, other, name), noise)
    for name, other in (token_sets or {}).items():
        reruns[name] = None if other is None else (_like(profile, other, name), 1.0)

    claims = [(kind, claim.layer) for kind in KINDS for claim in getattr(found, kind)]
    robust: dict[tuple[str, int], dict[str, bool | None]] = {claim: {} for claim in claims}
    if not claims:
        return robust

    def rerun(changed: Array, noise: float) -> Found:
        floor = None if scale_floor is None else scaled(scale_floor, noise)
        return detect(changed, scale_floor=floor, **options)

    for name, evidence in reruns.items():
        again = None if evidence is None or np.isnan(evidence[0]).all() else rerun(*evidence)
        for kind, layer in claims:
            robust[kind, layer][name] = None if again is None else _claims(again, kind, layer)
    given_metrics = [_like(profile, one, name) for name, one in (metrics or {}).items() if one is not None]
    others = [rerun(one, 1.0) for one in given_metrics if not np.isnan(one).all()]
    for kind, layer in claims:
        shown = [_claims(again, kind, layer) for again in others]
        robust[kind, layer]["other_metrics"] = any(shown) if shown else None
    return robust


def _like(profile: Array, other: ArrayLike, name: str) -> Array:
    values = checked_signals(other)
    if values.shape != profile.shape:
        raise InputError(f"{name} has shape {values.shape}, the signals {profile.shape}; they must agree")
    return values


def _claims(found: Found, kind: str, layer: int) -> bool:
    return any(abs(claim.layer - layer) <= TOLERANCE for claim in getattr(found, kind))

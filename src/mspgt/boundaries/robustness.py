"""Does a claimed boundary survive when part of the evidence is taken away?"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.boundaries.fuse import SIGNALS
from mspgt.boundaries.noise import scaled
from mspgt.boundaries.profiles import checked_signals
from mspgt.errors import InputError
from mspgt.stats.nulls import KINDS

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
        scale_floor: sentence noise, as given to the detector; √2 times that in a half.
        options: passed on to the detector.

    Returns:
        (kind, layer) of every claim → `without_S1`, `without_S2`, `without_S3`, `with_sinks`,
        `odd_documents`, `even_documents`. None where there is nothing to run: a signal that was not measured,
        or is the only one; profiles that were not given.
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

    claims = [(kind, claim.layer) for kind in KINDS for claim in getattr(found, kind)]
    robust: dict[tuple[str, int], dict[str, bool | None]] = {claim: {} for claim in claims}
    if not claims:
        return robust
    for name, rerun in reruns.items():
        again = None
        if rerun is not None:
            changed, noise = rerun
            floor = None if scale_floor is None else scaled(scale_floor, noise)
            again = detect(changed, scale_floor=floor, **options)
        for kind, layer in claims:
            robust[kind, layer][name] = None if again is None else _claims(again, kind, layer)
    return robust


def _like(profile: Array, other: ArrayLike, name: str) -> Array:
    values = checked_signals(other)
    if values.shape != profile.shape:
        raise InputError(f"{name} has shape {values.shape}, the signals {profile.shape}; they must agree")
    return values


def _claims(found: Found, kind: str, layer: int) -> bool:
    return any(abs(claim.layer - layer) <= TOLERANCE for claim in getattr(found, kind))

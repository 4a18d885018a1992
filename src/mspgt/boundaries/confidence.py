"""Confidence sets: every place whose score is close enough to the best one's.

The set {b : F(b) >= F(best) - q} is read off the score itself, so roughness between layers widens it as well
as sentence noise, and it may have gaps. The other claims are fitted beside each place.
"""

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.contrasts import Array, Bank, Places, bank, residual, window
from mspgt.boundaries.search import (
    LEAST_VARIANCE,
    clipped,
    contrasts_of,
    floors_of,
    fuse,
    local_scale,
    normal_score,
    shared_roughness,
    within_one,
)


def score_curve(
    profiles: Array, kind: str, claim: Places, others: Places, *, scale_floor: Array | None = None
) -> tuple[Array, Array]:
    """Score of a boundary of that kind at every transition, and each signal's own normal score.

    profiles `(runs, signals, transitions)`; claim `(runs, signals, 1)` and others `(runs, signals, claims)`
    are elements: roughness is judged with all of them removed, the curve is drawn beside the others only.
    Returns `(runs, transitions)` and `(runs, signals, transitions)`; NaN where the kind cannot be claimed. Of
    two-sided kinds the curve has the sign of the claim.
    """
    store = bank(profiles.shape[-1])
    contrasts = contrasts_of(profiles, store)
    floor = floors_of(profiles, store, scale_floor)[kind]
    away = residual(contrasts, np.concatenate([claim, others], axis=-1), kind, store)
    scale, freedom = local_scale(away, kind, store, floor)
    left = residual(contrasts, others, kind, store)
    z = clipped(normal_score(left.contrast / np.sqrt(left.variance) / scale, freedom))
    if window(kind, store.transitions).two_sided:
        z = z * np.sign(_fitted(contrasts, claim, others, kind, store).sum(axis=1))[:, None, None]
    z = np.where(left.variance > LEAST_VARIANCE, z, np.nan)
    score = fuse(within_one(z)[0], shared_roughness(away))
    places = store.places(kind)
    full, own = np.full((len(profiles), store.transitions), np.nan), np.full(profiles.shape, np.nan)
    full[:, places], own[..., places] = score, z
    return full, own


def _fitted(contrasts: Array, claim: Places, others: Places, kind: str, store: Bank) -> Array:
    """Height of the claim in each signal, over its white SD, `(runs, signals)`."""
    return residual(contrasts, np.concatenate([claim, others], axis=-1), kind, store).height[..., 0]


def confidence_set(curve: Array, place: int, drop: float) -> tuple[int, ...]:
    """Transition indices, from 0, whose score is within `drop` of the claimed place's; may have gaps.

    curve: `(transitions,)` from `score_curve`; drop: q of the depth and kind.
    """
    near = np.flatnonzero(np.nan_to_num(curve, nan=-np.inf) >= curve[place] - drop)
    return tuple(int(t) for t in np.union1d(near, [place]))


def support(own: Array, place: int, threshold: float = 1.645) -> int:
    """How many signals have a peak of their own within one transition of the place.

    own: `(signals, transitions)`, normal scores of each signal alone, in the sign of the claim. A peak is a
    local maximum beyond the one-sided 5 % point of the normal law.
    """
    padded: NDArray[np.float64] = np.pad(
        np.nan_to_num(own, nan=-np.inf), ((0, 0), (1, 1)), constant_values=-np.inf
    )
    peak = (padded[:, 1:-1] >= padded[:, :-2]) & (padded[:, 1:-1] >= padded[:, 2:]) & (own > threshold)
    return int(peak[:, max(place - 1, 0) : place + 2].any(axis=1).sum())

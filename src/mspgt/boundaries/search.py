"""The search for boundaries in a batch of profiles, `(runs, signals, transitions)`.

For one kind: pick the strongest few places (suspects), fit them jointly in every signal, take the local
roughness from what is left, and score each suspect by its fitted height over that roughness, fused over the
signals. So neither a second boundary nor the boundary itself inflates the scale that it is held against.
For the kinds together: claim the place whose score is highest over its critical value, and search again
beside what is claimed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.contrasts import Array, Bank, Places, Residual, bank, residual, window
from mspgt.boundaries.noise import contrast_variance
from mspgt.vocabulary import KINDS

MOST_CLAIMS = 4
# One claim a place: no second claim, of whatever kind, so near.
TAKEN = 2
# Price, in normal scores, of a signal whose height is the largest one transition off the shared place.
PRICE = 1.25
# A signal's score beyond this is a matter of the tails of its roughness, and counts no more than this.
CLIP = 4.0
# Two of three signals may carry a boundary alone, at this price.
PAIR_PRICE = 0.5
# Below this share of its variance left, a place is not to be told from the suspects beside it.
LEAST_VARIANCE = 0.5
# Residual contrasts below this share of a signal's range are rounding, not roughness.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Suspects:
    """The strongest places of one kind in a batch of profiles."""

    score: Array  # (runs, suspects): fused; -inf where the depth has no such place
    unclipped: Array  # (runs, suspects): the same without the clip, to tell the kinds apart
    place: Places  # (runs, suspects): transition index from 0, shared by the signals
    sign: Array  # (runs, suspects): +1, or -1 for a falling step or kink
    elements: Places  # (runs, signals, suspects): of the bank, in each signal one transition off at most


def normal_score(t: Array, freedom: Array) -> Array:
    """Student t to normal score, after Wallace (1959)."""
    nu = np.maximum(freedom, 0.5)
    z = (8 * nu + 1) / (8 * nu + 3) * np.sqrt(nu * np.log1p(t * t / nu))
    return np.sign(t) * z


def clipped(z: Array) -> Array:
    """Normal scores `(runs, signals, n)` in which no signal outvotes the others; one alone stays."""
    return np.clip(z, -CLIP, CLIP) if z.shape[1] > 1 else z


def local_scale(left: Residual, kind: str, bank: Bank, floor: Array) -> tuple[Array, Array]:
    """Roughness SD, never below `floor`, and its degrees of freedom, each `(runs, signals, places)`."""
    kernel, shape = bank.kernel[kind], left.contrast.shape
    # One large product: numpy runs a stack of small ones one by one.
    square, variance = (np.reshape(a, (-1, shape[-1])) @ kernel for a in (left.contrast**2, left.variance))
    expected = variance.reshape(shape)
    scale = np.sqrt(square.reshape(shape) / expected)
    freedom = bank.freedom[kind] * expected / kernel.sum(axis=1)
    return np.maximum(scale, floor), freedom


def shared_roughness(left: Residual) -> Array:
    """Correlation of the signals' residual contrasts, `(runs, signals, signals)`."""
    size = np.sqrt(np.mean(left.contrast**2, axis=-1, keepdims=True))
    unit = left.contrast / np.maximum(size, 1e-300)
    correlation = unit @ np.swapaxes(unit, -1, -2) / unit.shape[-1]
    own = np.arange(correlation.shape[-1])
    correlation[:, own, own] = 1
    return correlation


def fuse(z: Array, correlation: Array | None = None) -> Array:
    """One score for all signals, or the best two of three at a price: `(runs, signals, n) -> (runs, n)`."""
    runs, signals, _ = z.shape
    shared = (
        np.broadcast_to(np.eye(signals), (runs, signals, signals)) if correlation is None else correlation
    )
    # Opposed signals by chance would make a sum look surer than it is: their score counts as independent.
    score = z.sum(axis=1) / np.sqrt(np.maximum(shared.sum(axis=(1, 2)), signals))[:, None]
    if signals > 2:
        for i in range(signals):
            for j in range(i):
                pair = (z[:, i] + z[:, j]) / np.sqrt(2 + 2 * np.maximum(shared[:, i, j], 0))[:, None]
                score = np.maximum(score, pair - PAIR_PRICE)
    return score


def within_one(z: Array) -> tuple[Array, NDArray[np.int64]]:
    """Best score within one place of each, at `PRICE`, and where it lies (-1, 0, 1); NaN is no place."""
    around = np.full((3, *z.shape), np.nan)
    around[0], around[1, ..., 1:], around[2, ..., :-1] = z, z[..., :-1] - PRICE, z[..., 1:] - PRICE
    best = np.fmax(np.fmax(around[0], around[1]), around[2])
    offset = np.where(around[0] == best, 0, np.where(around[1] == best, -1, 1))
    return best, offset


def search(
    contrasts: Array,
    kind: str,
    bank: Bank,
    floor: Array,
    claimed: Places,
    blocked: NDArray[np.bool_],
    picks: int,
) -> Suspects:
    """The strongest `picks` places of a kind, fitted jointly with what is claimed already.

    contrasts `(runs, signals, elements)`; floor `(runs, signals, places)`, the least roughness SD there;
    claimed `(runs, signals, claims)`, elements; blocked `(runs, transitions)`, places that are taken.
    """
    rows, law = bank.elements[kind], window(kind, bank.transitions)
    runs, signals, _ = contrasts.shape
    first = KINDS.index(kind) * bank.transitions
    if not len(rows):
        none = np.full((runs, picks), -np.inf)
        nowhere = np.full((runs, signals, picks), bank.empty)
        return Suspects(none, none, np.zeros(none.shape, dtype=np.int64), np.ones_like(none), nowhere)
    near = np.abs(rows[:, None] - rows[None]) < law.separation
    shut = blocked[:, rows - first]
    everyone = np.arange(runs)
    elements, place, sign, shift = claimed, [], [], []
    for _ in range(picks):
        left = residual(contrasts, elements, kind, bank)
        scale, freedom = local_scale(left, kind, bank, floor)
        t = left.contrast / np.sqrt(left.variance) / scale
        z = np.where(left.variance > LEAST_VARIANCE, clipped(normal_score(t, freedom)), np.nan)
        best, up = np.full(runs, -np.inf), np.ones(runs)
        where, offset = np.zeros(runs, dtype=np.int64), np.zeros((runs, signals), dtype=np.int64)
        for direction in (1.0, -1.0) if law.two_sided else (1.0,):
            moved, off = within_one(direction * z)
            score = np.where(shut | np.isnan(moved).any(axis=1), -np.inf, fuse(moved))
            at = score.argmax(axis=1)
            better = score[everyone, at] > best
            best = np.where(better, score[everyone, at], best)
            where, up = np.where(better, at, where), np.where(better, direction, up)
            offset = np.where(better[:, None], off[everyone, :, at], offset)
        own = np.clip(where[:, None] + offset, 0, len(rows) - 1)
        picked = np.where(np.isfinite(best)[:, None], rows[own], bank.empty)
        elements = np.concatenate([elements, picked[..., None]], axis=-1)
        place.append(np.where(np.isfinite(best), where, -1))
        sign.append(up)
        shift.append(offset != 0)
        shut = shut | near[where]
    at, up = np.stack(place, axis=-1), np.stack(sign, axis=-1)
    left = residual(contrasts, elements, kind, bank)
    scale, freedom = local_scale(left, kind, bank, floor)
    mine = elements[..., claimed.shape[-1] :]
    column = np.clip(np.searchsorted(rows, mine), 0, len(rows) - 1)
    t = left.height[..., claimed.shape[-1] :] / np.take_along_axis(scale, column, axis=-1)
    z = normal_score(up[:, None] * t, np.take_along_axis(freedom, column, axis=-1))
    price, shared = PRICE * np.stack(shift, axis=-1), shared_roughness(left)
    score, unclipped = fuse(clipped(z) - price, shared), fuse(z - price, shared)
    return Suspects(np.where(at < 0, -np.inf, score), unclipped, rows[np.maximum(at, 0)] - first, up, mine)


@dataclass(frozen=True)
class Path:
    """The places taken one after the other, whether or not they pass; `(runs, claims)`."""

    kind: NDArray[np.int64]  # index in KINDS, -1 where no place was left
    place: Places  # transition index from 0
    score: Array
    ratio: Array  # score over its critical value
    sign: Array
    elements: Places  # (runs, signals, claims)

    @property
    def accepted(self) -> NDArray[np.int64]:
        """How many pass, `(runs,)`: the claims before the first that does not."""
        return np.cumprod(self.ratio > 1, axis=1).sum(axis=1)


def contrasts_of(profiles: Array, bank: Bank) -> Array:
    """All contrasts of all profiles, `(runs, signals, elements)`."""
    return profiles @ bank.filters.T


def floors_of(profiles: Array, bank: Bank, scale_floor: Array | None = None) -> dict[str, Array]:
    """Least roughness SD of each kind's contrasts, `(runs, signals, places)`.

    Rounding, and, where `scale_floor` gives sentence noise (as `contrast_variance` takes it), what that noise alone
    would make of the contrast.
    """
    span = profiles.max(axis=-1, keepdims=True) - profiles.min(axis=-1, keepdims=True)
    floors = {}
    for kind, rows in bank.elements.items():
        floor = ROUNDING * span * np.ones(len(rows))
        if scale_floor is not None:
            floor = np.maximum(floor, np.sqrt(contrast_variance(scale_floor, bank.filters[rows])))
        floors[kind] = floor
    return floors


def strongest(profiles: Array, bank: Bank) -> Array:
    """The highest score of each kind, `(runs, kinds)`: what the error rate under the null is decided by."""
    contrasts, floors = contrasts_of(profiles, bank), floors_of(profiles, bank)
    unclaimed = np.zeros((*profiles.shape[:2], 0), dtype=np.int64)
    free = np.zeros((len(profiles), bank.transitions), dtype=np.bool_)
    found = [
        search(contrasts, kind, bank, floors[kind], unclaimed, free, window(kind, bank.transitions).suspects)
        for kind in KINDS
    ]
    return np.stack([suspects.score.max(axis=1) for suspects in found], axis=1)


def climb(
    profiles: Array,
    critical: Mapping[str, float],
    *,
    scale_floor: Array | None = None,
    claims: int = MOST_CLAIMS,
) -> Path:
    """Take places one after the other by score over critical value, the kinds in `critical` together.

    profiles `(runs, signals, transitions)`, every signal measured; scale_floor as `contrast_variance` takes noise.
    """
    runs, signals, transitions = profiles.shape
    store = bank(transitions)
    contrasts, floors = contrasts_of(profiles, store), floors_of(profiles, store, scale_floor)
    claimed = np.zeros((runs, signals, 0), dtype=np.int64)
    taken = np.zeros((runs, transitions), dtype=np.bool_)
    everyone, index = np.arange(runs), np.arange(transitions)
    steps = []
    for step in range(claims):
        picks = {k: max(1, window(k, transitions).suspects - step) for k in critical}
        found = {k: search(contrasts, k, store, floors[k], claimed, taken, picks[k]) for k in critical}
        limit = np.repeat(list(critical.values()), list(picks.values()))
        of_kind = np.repeat([KINDS.index(k) for k in critical], list(picks.values()))
        score, unclipped, place, sign = (
            np.concatenate([getattr(found[k], name) for k in critical], axis=1)
            for name in ("score", "unclipped", "place", "sign")
        )
        elements = np.concatenate([found[k].elements for k in critical], axis=2)
        ratio = score / limit
        best = ratio.argmax(axis=1)
        # The strongest decides where; of the kinds that pass there, the one that explains most decides what.
        rival = (np.abs(place - place[everyone, best][:, None]) <= TAKEN) & (ratio > 1)
        named = np.where(rival, unclipped / limit, -np.inf).argmax(axis=1)
        best = np.where(rival.any(axis=1), named, best)
        top, at = ratio[everyone, best], place[everyone, best]
        steps.append(
            (
                np.where(np.isfinite(top), of_kind[best], -1),
                at,
                score[everyone, best],
                top,
                sign[everyone, best],
            )
        )
        claimed = np.concatenate([claimed, elements[everyone, :, best][..., None]], axis=-1)
        taken = taken | (np.abs(index - at[:, None]) <= TAKEN)
    kinds, places, scores, ratios, signs = (np.stack(part, axis=1) for part in zip(*steps, strict=True))
    return Path(kinds, places, scores, ratios, signs, claimed)

"""Phases: runs of blocks that write alike, from the similarity of every pair of blocks' updates.

A boundary here is a lasting change between what blocks 1..b and b+1..L write, several times larger than the changes
around it. Slow drift, single odd blocks and uneven speed are no boundaries. What counts as "several times" is
declared, not estimated: lasting change may differ between neighbouring layers by a log-SD of 0.5 (`TOLERANCE`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sinh

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.boundaries.caterpillar import fit_chain, reach
from mspgt.errors import InputError

Array = NDArray[np.float64]

SHALLOWEST, DEEPEST = 12, 80  # blocks, between which error rates are known
LEAST_SIMILARITY = 0.02  # smaller ones count as this: the logarithm would make noise of them
TOLERANCE = 0.5
LEAST_ERROR = 0.02  # what drawing other documents moves a step by (60 documents, 2,000 tokens)
WIDTHS = (1, 2)  # transitions that a boundary may be spread over
SIDE = 4  # transitions on either side that a boundary is held against
EDGE = 2  # transitions at either end of the model without a background to hold them against
SPREAD = 0.3  # variance of the background's median, in that of one transition
APART = 3  # transitions between two boundaries
MOST = 4
SET_REACH, SET_DROP = 3, 2.0
STRICTER = {0.05: 0.0, 0.01: 0.35}  # on the threshold, by family-wise error


@dataclass(frozen=True)
class Phase:
    """A boundary, or a place that is not strong enough to be one.

    Blocks 1..layer lie before it. `set`: layers that it may be at (95 %), with gaps; `width`: transitions that the
    change is spread over; `change`: lasting change there in units of −log CKA, beyond the median transition.
    """

    layer: int
    score: float
    width: int
    set: tuple[int, ...]
    change: float


@dataclass(frozen=True)
class Phases:
    """What the similarity matrix of a model's updates says of blocks of layers.

    `boundaries` by depth; `candidate` the strongest place, boundary or not; `score` its F, `threshold` what F must
    reach. Over transitions (L−1,): `step` lasting change in −log CKA, `error` its SD, `evidence` the step in units
    of its own noise and the declared tolerance. `alone` (L,): what each block writes that no other does.
    `size80`: lasting change beyond the median transition that would be found in 80 % of cases. `reasons`: why
    nothing could be found, or what to keep in mind.
    """

    layers: int
    boundaries: tuple[Phase, ...]
    candidate: Phase | None
    score: float | None
    threshold: float | None
    step: Array
    error: Array
    evidence: Array
    alone: Array
    inflation: float | None
    size80: float | None
    reasons: tuple[str, ...] = ()


def threshold(layers: int, level: float = 0.05) -> float:
    """What the score must reach at a depth, so that no boundary is claimed in 95 % (99 %) of models without one."""
    if level not in STRICTER:
        raise InputError(f"phases are calibrated at levels {sorted(STRICTER)}; found {level}")
    return 2.6 + 0.40 * max(0.0, log(layers / 24)) + STRICTER[level]


def find_phases(
    similarity: ArrayLike, *, level: float = 0.05, least_error: float | Array = LEAST_ERROR
) -> Phases:
    """Find lasting changes of function in the similarity matrix of what blocks write.

    Args:
        similarity: (L, L) CKA of the updates of blocks 1..L (after block less before it; every token to unit RMS,
            centred, pairs of tokens of one document left out); pairs more than 8 blocks apart are not read and
            may be NaN.
        level: family-wise error, 0.05 or 0.01.
        least_error: SD of a step over other draws of documents, or of each (L−1,), where it is more than 0.02.

    Returns:
        Outside 12 to 80 blocks nothing is claimed, and `reasons` says so.

    Raises:
        InputError: not a symmetric matrix of finite numbers with 1 on its diagonal.
    """
    matrix = _checked(similarity)
    layers = len(matrix)
    if layers < SHALLOWEST:
        why = f"{layers} blocks: phases need {SHALLOWEST}, below which error rates are not known"
        nothing = np.full(max(layers - 1, 0), np.nan)
        return Phases(
            layers,
            (),
            None,
            None,
            None,
            nothing,
            nothing,
            nothing,
            np.full(layers, np.nan),
            None,
            None,
            (why,),
        )
    profile = evidence_profile(matrix, least_error)
    need = threshold(layers, level)
    reasons = []
    if layers > DEEPEST:
        reasons.append(
            f"{layers} blocks: error rates are known up to {DEEPEST}, so a place over the threshold is a candidate"
        )
    taken = np.zeros(layers - 1, dtype=bool)
    shut = np.zeros(layers - 1, dtype=bool)
    found: list[Phase] = []
    candidate = None
    for _ in range(MOST):
        contrast = np.where(shut[:, None], -np.inf, contrasts(profile.evidence, taken))
        place, width = divmod(int(contrast.argmax()), len(WIDTHS))
        score = float(contrast[place, width])
        phase = _phase(profile, place, WIDTHS[width], score)
        candidate = candidate or phase
        if score < need or layers > DEEPEST:
            break
        found.append(phase)
        taken[place : place + phase.width] = True
        shut[max(0, place - APART) : place + phase.width + APART] = True
    assert candidate is not None
    return Phases(
        layers=layers,
        boundaries=tuple(sorted(found, key=lambda one: one.layer)),
        candidate=candidate,
        score=candidate.score,
        threshold=need,
        step=profile.step,
        error=profile.error,
        evidence=profile.evidence,
        alone=profile.alone,
        inflation=float(profile.inflation),
        size80=_size80(profile, need),
        reasons=tuple(reasons),
    )


@dataclass(frozen=True)
class Profile:
    """What `Phases` holds over transitions, for one matrix or many (leading axes)."""

    step: Array
    error: Array
    evidence: Array
    alone: Array
    inflation: Array


def evidence_profile(similarity: Array, least_error: float | Array = LEAST_ERROR) -> Profile:
    """Lasting change at each transition in units of its noise and the declared tolerance; (..., L, L) → (..., L−1).

    asinh(c v / se) / c makes the variance of se² + (c v)² even: noise, and lasting speed that differs by a log-SD
    of c from layer to layer.
    """
    chain = fit_chain(-np.log(np.clip(similarity, LEAST_SIMILARITY, 1.0)))
    error = np.hypot(chain.error * chain.inflation[..., None], least_error)
    evidence = np.arcsinh(TOLERANCE * chain.step / error) / TOLERANCE
    return Profile(chain.step, error, evidence, chain.leg, chain.inflation)


def contrasts(evidence: Array, taken: NDArray[np.bool_] | None = None) -> Array:
    """How far the evidence at a transition stands above both sides; (..., T) → (..., T, widths), −inf where none.

    The higher of the two sides counts, so that a step of speed, a slope or an end where all changes faster is no
    boundary. Transitions that are `taken` (T,) are nobody's background.
    """
    steps = evidence.shape[-1]
    clear = np.ones(steps, dtype=bool) if taken is None else ~taken
    background = np.where(clear, evidence, np.nan)
    lost = np.full((*evidence.shape[:-1], SIDE), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([lost, background, lost], axis=-1), SIDE, axis=-1
    )
    # middle[..., k]: median of the transitions k−SIDE..k−1.
    middle = _median(windows)
    found = np.full((*evidence.shape, len(WIDTHS)), -np.inf)
    for at, width in enumerate(WIDTHS):
        places = np.arange(EDGE, steps - EDGE + 1 - width)
        places = places[[clear[place : place + width].all() for place in places]]
        height = sum(evidence[..., places + part] for part in range(width)) / width
        sides = np.fmax(middle[..., places], middle[..., places + width + SIDE])
        contrast = (height - sides) / np.sqrt(1 / width + SPREAD)
        found[..., places, at] = np.where(np.isnan(contrast), -np.inf, contrast)
    return found


def _median(windows: Array) -> Array:
    """Median over the last axis without NaN; NaN where there is nothing else."""
    ordered = np.sort(windows, axis=-1)
    known = (~np.isnan(windows)).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(known - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(known // 2, windows.shape[-1] - 1), axis=-1)
    return np.asarray(((low + high) / 2)[..., 0])


def _phase(profile: Profile, place: int, width: int, score: float) -> Phase:
    """The boundary at a run of transitions: at its strongest, with the set around that."""
    evidence = profile.evidence
    peak = place + int(evidence[place : place + width].argmax())
    near = range(max(0, peak - SET_REACH), min(len(evidence), peak + SET_REACH + 1))
    return Phase(
        layer=peak + 1,
        score=score,
        width=width,
        set=tuple(at + 1 for at in near if evidence[at] >= evidence[peak] - SET_DROP),
        change=float(profile.step[peak] - np.median(profile.step)),
    )


def _size80(profile: Profile, need: float) -> float:
    """Lasting change beyond the median transition that is found in 80 % of cases; constants by simulation."""
    level = float(np.median(profile.evidence)) + 1.14 * need + 0.6
    size = float(profile.error.mean()) * sinh(TOLERANCE * level) / TOLERANCE
    return size - float(np.median(profile.step))


def _checked(similarity: ArrayLike) -> Array:
    matrix = np.asarray(similarity, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise InputError(f"expected a similarity matrix (blocks, blocks); found shape {matrix.shape}")
    blocks = np.arange(len(matrix))
    near = np.abs(blocks[:, None] - blocks) <= reach(len(matrix))
    if not np.isfinite(matrix[near]).all():
        block = int((~np.isfinite(matrix) & near).sum(axis=1).argmax()) + 1
        raise InputError(
            f"expected a finite similarity of all pairs of near blocks; that of block {block} is not: "
            "an update that is the same for every token has no similarity"
        )
    if not np.allclose(matrix[near], matrix.T[near], atol=1e-6) or not np.allclose(
        np.diag(matrix), 1, atol=1e-6
    ):
        raise InputError("expected a symmetric similarity matrix with 1 on its diagonal")
    return matrix

"""The paper's boundary protocol, to the letter: peaks of the fused evidence and a percentile bootstrap.

It exists so that a result can be held against the paper. Its error rates are not controlled: every result
carries the rate at which the same protocol finds and accepts boundaries in profiles that have none.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.boundaries.fuse import WEIGHTS, Reading, fuse, unused_signals
from mspgt.boundaries.profiles import checked_bootstrap, checked_signals, held_at_value
from mspgt.errors import InputError
from mspgt.results.boundaries import FalseBoundaryRate, OtherNormalisation, Rate
from mspgt.stats.bootstrap import percentile_interval

PROMINENCE = 0.3
MAX_WIDTH = 5.0
MIN_SUCCESSES = 0.95
MIN_TRANSITIONS = 5

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PaperBoundary:
    """One boundary: blocks 1..layer lie before it.

    `layer` counts the embedding as layer 0, `layer_zero_based` counts blocks from 0; `relative` is layer / L.
    `ci` is the 95 % percentile interval over the draws with two peaks, in layers, and `width` its length.
    """

    layer: int
    layer_zero_based: int
    relative: float
    ci: tuple[float, float] | None = None
    width: float | None = None


@dataclass(frozen=True)
class PaperBoundaries:
    """Outcome of the paper's protocol; `accepted` and `successes` are None where nothing was bootstrapped."""

    LI: PaperBoundary | None
    IG: PaperBoundary | None
    accepted: bool | None
    successes: float | None
    evidence: Array
    other_normalisation: OtherNormalisation
    edge_warning: str
    false_boundary_rate: FalseBoundaryRate | None
    reasons: list[str] = field(default_factory=list)


def detect_paper(
    signals: ArrayLike,
    bootstrap: ArrayLike | None = None,
    *,
    weights: tuple[float, float, float] = WEIGHTS,
    prominence: float = PROMINENCE,
    max_width: float = MAX_WIDTH,
    noise_ratio: float | None = None,
) -> PaperBoundaries:
    """Find the L–I and I–G boundaries as the paper does (section 4.1.1, equation 6).

    Args:
        signals: (3, transitions) profiles S1, S2, S3; a row of NaN was not measured.
        bootstrap: (draws, 3, transitions), the profiles of document resamples; a row that is NaN in every draw
            is held at its value in `signals`.
        prominence: least prominence of a peak of the evidence; equality counts.
        max_width: acceptance needs both 95 % intervals shorter than this, in layers, and two peaks in at
            least 95 % of the draws.
        noise_ratio: se/τ, sentence noise over layer-to-layer roughness: selects the false-boundary rate.

    Returns:
        Fewer than two peaks is no boundary at all: LI and IG are both None, with the reason.

    Raises:
        InputError: wrong shapes, or a row partly NaN or infinite.
    """
    profile = checked_signals(signals)
    draws = None if bootstrap is None else checked_bootstrap(bootstrap, profile)
    transitions = profile.shape[-1]
    layers = transitions + 1
    reasons = unused_signals(profile)

    evidence = fuse(profile, weights)
    places = two_peaks(evidence[None], prominence)[0]
    found = bool(places[0] >= 0)
    if transitions < MIN_TRANSITIONS:
        reasons.append(
            f"{layers} layers have {transitions} transitions; two peaks need at least {MIN_TRANSITIONS}: "
            "no boundary possible"
        )
    elif not found:
        count = int((peak_prominences(evidence[None]) >= prominence).sum())
        reasons.append(f"{count} of the two peaks needed have prominence >= {prominence:g}: no boundary")

    accepted = successes = None
    intervals: list[tuple[float, float] | None] = [None, None]
    if draws is not None:
        drawn = two_peaks(fuse(held_at_value(draws, profile), weights), prominence)
        succeeded = drawn[:, 0] >= 0
        successes = float(succeeded.mean())
        if found and succeeded.any():
            ends = percentile_interval(drawn[succeeded] + 1.0)
            intervals = [(float(low), float(high)) for low, high in ends.T]
        accepted, why = _acceptance(found, successes, intervals, max_width)
        reasons += why

    li, ig = (
        _boundary(int(place), layers, interval) if found else None
        for place, interval in zip(places, intervals, strict=True)
    )
    rate, why_no_rate = false_boundary_rate(transitions, noise_ratio)
    return PaperBoundaries(
        LI=li,
        IG=ig,
        accepted=accepted,
        successes=successes,
        evidence=evidence,
        other_normalisation=_other_reading(profile, weights, prominence, places),
        edge_warning=(
            "A peak needs a lower neighbour on either side: the first and the last transition, layers 1 and "
            f"L−1 = {layers - 1}, can never be boundaries, however strong they are."
        ),
        false_boundary_rate=rate,
        reasons=reasons + why_no_rate,
    )


def two_peaks(evidence: Array, prominence: float = PROMINENCE) -> NDArray[np.int64]:
    """Positions of the two most prominent peaks of every curve, in order of depth.

    Equal prominences are settled in favour of the shallower peak.

    Args:
        evidence: (curves, transitions).

    Returns:
        (curves, 2) positions from 0; both −1 where fewer than two peaks reach `prominence`.
    """
    curves = evidence.shape[0]
    if evidence.shape[1] < MIN_TRANSITIONS:
        return np.full((curves, 2), -1)
    heights = peak_prominences(evidence)
    heights[~(heights >= prominence)] = -np.inf
    rows = np.arange(curves)
    first = heights.argmax(axis=1)
    heights[rows, first] = -np.inf
    second = heights.argmax(axis=1)
    places = np.sort(np.stack([first, second], axis=1), axis=1)
    places[heights[rows, second] == -np.inf] = -1
    return places


def peak_prominences(evidence: Array) -> Array:
    """Prominence of every peak of every curve, as `scipy.signal.find_peaks` defines them, all at once.

    Args:
        evidence: (curves, transitions), finite.

    Returns:
        (curves, transitions): the prominence where there is a peak (a plateau counts at its middle, rounded
        down), NaN elsewhere.
    """
    curves, transitions = evidence.shape
    row, column = np.nonzero(_is_peak(evidence))
    height = evidence[row, column]
    # Walls on both sides of every curve: all walks can share one flat array and still end.
    walled = np.full((curves, transitions + 2), np.inf)
    walled[:, 1:-1] = evidence
    start = row * (transitions + 2) + column + 1
    left, right = (_lowest_before_higher(walled.ravel(), start, height, step) for step in (-1, 1))
    prominences = np.full(evidence.shape, np.nan)
    prominences[row, column] = height - np.maximum(left, right)
    return prominences


def _lowest_before_higher(walled: Array, start: NDArray[np.int64], height: Array, step: int) -> Array:
    """Lowest value met on the way from each peak to the first higher one in that direction."""
    lowest = height.copy()
    walking = np.arange(height.size)
    place = start
    while walking.size:
        place = place + step
        value = walled[place]
        on = value <= height[walking]
        walking, place = walking[on], place[on]
        lowest[walking] = np.minimum(lowest[walking], value[on])
    return lowest


def _is_peak(evidence: Array) -> NDArray[np.bool_]:
    curves, transitions = evidence.shape
    index = np.broadcast_to(np.arange(transitions), (curves, transitions))
    edge = np.zeros((curves, 1), dtype=bool)
    rise = np.hstack([edge, evidence[:, 1:] > evidence[:, :-1]])
    fall = np.hstack([evidence[:, 1:] < evidence[:, :-1], edge])
    starts = np.hstack([~edge, evidence[:, 1:] != evidence[:, :-1]])
    start = np.maximum.accumulate(np.where(starts, index, 0), axis=1)
    ends = np.hstack([starts[:, 1:], ~edge])
    end = np.minimum.accumulate(np.where(ends, index, transitions)[:, ::-1], axis=1)[:, ::-1]
    rises = np.take_along_axis(rise, start, axis=1)
    falls = np.take_along_axis(fall, end, axis=1)
    peak: NDArray[np.bool_] = rises & falls & ((start + end) // 2 == index)
    return peak


def false_boundary_rate(
    transitions: int, noise_ratio: float | None
) -> tuple[FalseBoundaryRate | None, list[str]]:
    """How often the protocol finds, and accepts, two boundaries in profiles that have none.

    Interpolated in the shipped table, linearly in depth and in se/τ.

    Args:
        transitions: T = L − 1.
        noise_ratio: se/τ.

    Returns:
        The rates over the backgrounds of the table, or None and the reason.
    """
    if noise_ratio is None:
        return None, ["no false-boundary rate: the noise ratio se/τ was not given"]
    if not noise_ratio >= 0:
        raise InputError(f"noise_ratio is a ratio of standard deviations, at least 0; found {noise_ratio}")
    table = protocol_table()
    depths, ratios = np.array(table["transitions"]), np.array(table["noise_ratios"])
    covered = f"the table covers T = {depths[0]}..{depths[-1]} and se/τ = {ratios[0]:g}..{ratios[-1]:g}"
    if not (depths[0] <= transitions <= depths[-1] and noise_ratio <= ratios[-1]):
        return None, [f"no false-boundary rate for T = {transitions}, se/τ = {noise_ratio:.3g}: {covered}"]

    def rate(outcome: str) -> Rate:
        by_ratio = {
            name: [np.interp(noise_ratio, ratios, row) for row in grid]
            for name, grid in table[outcome].items()
        }
        return Rate(**{name: float(np.interp(transitions, depths, one)) for name, one in by_ratio.items()})

    found = FalseBoundaryRate(
        found=rate("found"),
        accepted=rate("accepted"),
        transitions=transitions,
        noise_ratio=noise_ratio,
        range=covered,
    )
    return found, []


@cache
def protocol_table() -> dict[str, Any]:
    """The shipped table of false-boundary rates, with the recipe that made it."""
    text = (files("mspgt.boundaries") / "data" / "paper_protocol.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def _acceptance(
    found: bool, successes: float, intervals: list[tuple[float, float] | None], max_width: float
) -> tuple[bool, list[str]]:
    why = []
    if successes < MIN_SUCCESSES:
        why.append(f"two peaks in {successes:.1%} of the draws; acceptance needs {MIN_SUCCESSES:.0%}")
    for name, interval in zip(("L-I", "I-G"), intervals, strict=True):
        if interval is not None and not interval[1] - interval[0] < max_width:
            width = interval[1] - interval[0]
            why.append(f"the {name} interval is {width:g} layers wide; acceptance needs < {max_width:g}")
    return found and not why, why


def _boundary(place: int, layers: int, interval: tuple[float, float] | None) -> PaperBoundary:
    width = None if interval is None else interval[1] - interval[0]
    return PaperBoundary(place + 1, place, (place + 1) / layers, interval, width)


def _other_reading(
    profile: Array, weights: tuple[float, float, float], prominence: float, places: NDArray[np.int64]
) -> OtherNormalisation:
    reading: Reading = "maximum"
    other = two_peaks(fuse(profile, weights, reading)[None], prominence)[0]
    li, ig = (int(place) + 1 if place >= 0 else None for place in other)
    return OtherNormalisation(li, ig, bool((other == places).all()), unused_signals(profile, reading))

"""Both modes on one measured model: what `mspgt.find_boundaries` returns and `results.json` carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.detect import detect
from mspgt.boundaries.detector import CalibratedBoundaries
from mspgt.boundaries.embedding import calibrated_from_embedding, paper_from_embedding
from mspgt.boundaries.peaks import PaperBoundaries
from mspgt.boundaries.robustness import robustness
from mspgt.boundaries.stabilise import stabilise
from mspgt.results import KINDS, SIGNALS, CalibratedResult, Claim, PaperBoundary, PaperResult
from mspgt.signals.profiles import Draws, Signals

Array = NDArray[np.float64]
Stands = dict[tuple[str, int], dict[str, bool | None]]


@dataclass(frozen=True)
class Findings:
    """Boundaries of one model in both modes, with what they were read from.

    `paper_evidence`, `calibrated_evidence` (transitions,) fused curves; `stabilised` (3, transitions) what the
    detector saw, `shaken` (draws, 3, transitions) its bootstrap, of the draws numbered `drawn` (all where None),
    `with_sinks` and `halves` its variants; `floors` (3,) per signal, from the random twins; `random_init` the twins'
    own profiles and finds.
    """

    paper: PaperResult
    calibrated: CalibratedResult
    paper_evidence: Array | None
    calibrated_evidence: Array | None
    stabilised: Array
    shaken: Array | None
    with_sinks: Array
    halves: tuple[Array, Array] | None
    floors: Array
    first: int  # transition: 0 where the embedding counts, else 1
    random_init: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    drawn: NDArray[np.int64] | None = None


def find_boundaries(
    signals: Signals,
    *,
    twins: Sequence[Signals] = (),
    draws: Draws | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Findings:
    """Find the L–I and I–G boundaries of one model, by the paper's protocol and by the calibrated detector.

    Args:
        signals: from `mspgt.measure`.
        twins: the same configuration with random weights, measured the same way: their level is the floor below
            which a signal says nothing. Without twins the floor is a hundredth of the signal's median.
        draws: `signals.bootstrap(draws, seed)`; without it nothing is accepted and noise is not floored.
        settings: weights, prominence, max_width and level, as in a study's `boundaries` section.

    Signals and twins that count the embedding (`Signals.embedding`) are searched from transition 0 on; a signal
    without a value there (S3) is left out of detection, and layers are counted from the embedding as ever.
    """
    options = dict(settings or {})
    constants: dict[str, Any] = {
        key: options[key] for key in ("weights", "prominence", "max_width") if key in options
    }
    level = options.get("level", 0.05)
    floors, notes = _floors(signals, twins)
    seen = stabilise(signals.calibrated(), floors)
    paper_seen = signals.paper()
    paper_draws = None if draws is None else draws.paper
    unplaced = np.isnan(seen).any(axis=-1) & ~np.isnan(seen).all(axis=-1)
    for place in np.flatnonzero(unplaced):
        notes.append(_gap_words(SIGNALS[place], seen[place], signals.first))
    still = np.ptp(seen, axis=-1) == 0 if signals.transitions > 1 else np.zeros(3, dtype=bool)
    for name in np.array(SIGNALS)[still]:
        notes.append(
            f"{name} is the same at every transition: it cannot speak for a boundary, and is left out"
        )
    silent = still | unplaced
    seen[silent] = np.nan
    paper_seen[unplaced] = np.nan
    shaken = None if draws is None else stabilise(draws.calibrated, floors)
    if shaken is not None:
        shaken[:, silent] = np.nan
    if paper_draws is not None and unplaced.any():
        paper_draws = paper_draws.copy()
        paper_draws[:, unplaced] = np.nan
    calibrated = detect(seen, "calibrated", shaken, level=level)
    paper = detect(paper_seen, "paper", paper_draws, **constants)
    with_sinks = stabilise(signals.with_sinks(), floors)
    with_sinks[unplaced] = np.nan
    halves = None
    if draws is not None:
        one, two = signals.halves()
        one[unplaced] = two[unplaced] = np.nan
        halves = _whole(stabilise(one, floors)), _whole(stabilise(two, floors))
    stands = robustness(
        calibrated,
        seen,
        with_sinks=with_sinks,
        halves=halves,
        scale_floor=None if shaken is None else shaken.std(axis=0),
        level=level,
    )
    paper_result, found = _paper_result(paper), calibrated_result(calibrated, stands)
    if signals.embedding:
        paper_result = paper_from_embedding(paper_result, signals.layers)
        found = calibrated_from_embedding(found, signals.layers)
    return Findings(
        paper=paper_result,
        calibrated=found,
        paper_evidence=paper.evidence,
        calibrated_evidence=calibrated.evidence,
        stabilised=seen,
        shaken=shaken,
        with_sinks=with_sinks,
        halves=halves,
        floors=floors,
        first=signals.first,
        random_init=_random_init(twins, floors, constants, level),
        notes=notes,
        drawn=None if draws is None else draws.drawn,
    )


def _gap_words(name: str, row: Array, first: int) -> str:
    """Why a signal is left out that has values at some transitions only."""
    places = first + np.flatnonzero(np.isnan(row))
    if places.tolist() == [0]:
        return f"{name} has no value at the embedding, so with it included detection does without {name}"
    at = ", ".join(map(str, places))
    why = ": F1 of the probes is 0 at the layer that the step leaves" if name == "S2" else ""
    return f"{name} has no value at transition {at}{why}; detection does without {name}"


def _floors(signals: Signals, twins: Sequence[Signals]) -> tuple[Array, list[str]]:
    """(3,): the level of each signal in a network that has learnt nothing."""
    own = signals.calibrated()
    with np.errstate(invalid="ignore"):
        fallback = 0.01 * np.array(
            [np.nanmedian(np.abs(row)) if np.isfinite(row).any() else np.nan for row in own]
        )
    if not twins:
        return fallback, [
            "no random twins: signals are floored at a hundredth of their median, not at a twin's level"
        ]
    levels = np.stack([np.abs(twin.calibrated()) for twin in twins])
    floors = np.array(
        [np.nanmedian(levels[:, i]) if np.isfinite(levels[:, i]).any() else np.nan for i in range(3)]
    )
    return np.where(floors > 0, floors, fallback), []


def _random_init(
    twins: Sequence[Signals], floors: Array, constants: dict[str, Any], level: float
) -> dict[str, Any]:
    if not twins:
        return {"seeds": 0}
    first = twins[0].first
    profiles = np.stack([twin.calibrated() for twin in twins])
    paper = np.stack([twin.paper() for twin in twins])
    found_paper = [detect(_whole(profile), "paper", **constants) for profile in paper]
    found = [detect(_whole(stabilise(profile, floors)), "calibrated", level=level) for profile in profiles]

    def rows(values: Array) -> dict[str, list[list[float | None]]]:
        return {name: values[:, i, 1 - first :].tolist() for i, name in enumerate(SIGNALS)}

    return {
        "seeds": len(twins),
        "floors": dict(zip(SIGNALS, floors.tolist(), strict=True)),
        "signals": {"calibrated": rows(profiles), "paper": rows(paper)},
        "paper_found": [
            [b.LI.layer + first - 1, b.IG.layer + first - 1] if b.LI and b.IG else None for b in found_paper
        ],
        "calibrated_claims": [
            [
                {"kind": kind, "layer": claim.layer + first - 1}
                for kind in KINDS
                for claim in getattr(one, kind)
            ]
            for one in found
        ],
    }


def _whole(profile: Array) -> Array:
    """A profile without the signals that have gaps."""
    return np.where(np.isnan(profile).any(axis=-1, keepdims=True), np.nan, profile)


def _paper_result(found: PaperBoundaries) -> PaperResult:
    def boundary(one: Any) -> PaperBoundary | None:
        if one is None:
            return None
        interval = None if one.ci is None else list(one.ci)
        return PaperBoundary(one.layer, one.layer_zero_based, one.relative, interval, one.width)

    same = {f.name: getattr(found, f.name) for f in fields(PaperResult) if f.name not in ("LI", "IG")}
    return PaperResult(LI=boundary(found.LI), IG=boundary(found.IG), **same)


def calibrated_result(found: CalibratedBoundaries, stands: Stands) -> CalibratedResult:
    """What the detector found and how it stands, as `results.json` carries it."""

    def claim(one: Any) -> Claim:
        return Claim(
            kind=one.kind,
            layer=one.layer,
            layer_zero_based=one.layer - 1,
            relative=one.relative,
            set=list(one.set),
            score=one.score,
            critical=one.critical,
            support=one.support,
            robust=stands[one.kind, one.layer],
        )

    return CalibratedResult(
        **{kind: [claim(one) for one in getattr(found, kind)] for kind in KINDS},
        chosen={name: None if one is None else claim(one) for name, one in found.chosen.items()},
        noise_ratio={
            name: value if np.isfinite(value) else None
            for name, value in zip(SIGNALS, found.noise_ratio, strict=True)
        },
        power=found.power,
        rivals=found.rivals,
        reasons=found.reasons,
    )

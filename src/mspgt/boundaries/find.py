"""Both modes on one measured model: what `mspgt.find_boundaries` returns and `results.json` carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.detect import detect
from mspgt.boundaries.detector import CalibratedBoundaries, detect_calibrated
from mspgt.boundaries.embedding import calibrated_from_embedding, paper_from_embedding
from mspgt.boundaries.fuse import ROUNDING
from mspgt.boundaries.noise import noise_covariance
from mspgt.boundaries.peaks import MIN_TRANSITIONS, PaperBoundaries
from mspgt.boundaries.phase_results import phases_or_reason
from mspgt.boundaries.robustness import TOLERANCE, robustness
from mspgt.boundaries.stabilise import noise_scale, stabilise
from mspgt.results import CalibratedResult, Claim, PaperBoundary, PaperResult, PhasesResult
from mspgt.results.boundaries import MetricDependent, RandomInit, TwinClaim
from mspgt.signals.compared import RMS
from mspgt.signals.profiles import Draws, Signals
from mspgt.vocabulary import KINDS, SIGNALS

Array = NDArray[np.float64]
Stands = dict[tuple[str, int], dict[str, bool | None]]


@dataclass(frozen=True)
class Findings:
    """Boundaries of one model in both modes, with what they were read from.

    `paper_evidence`, `calibrated_evidence` (transitions,) fused curves; `stabilised` (3, transitions) what the
    detector saw, `shaken` (draws, 3, transitions) its bootstrap, of the draws numbered `drawn` (all where None),
    `with_sinks`, `halves` and `token_sets` its variants; `floors` (3,) per signal, its own noise; `random_init` the
    twins' own profiles and finds.
    """

    paper: PaperResult
    calibrated: CalibratedResult
    paper_evidence: Array | None
    calibrated_evidence: Array | None
    stabilised: Array
    shaken: Array | None
    with_sinks: Array | None
    halves: tuple[Array, Array] | None
    floors: Array
    first: int  # transition: 0 where the embedding counts, else 1
    random_init: RandomInit
    notes: list[str] = field(default_factory=list)
    drawn: NDArray[np.int64] | None = None
    token_sets: dict[str, Array | None] = field(default_factory=dict)
    # Places that the detector claims in one metric of S1 and in no other
    metric_dependent: list[MetricDependent] = field(default_factory=list)
    phases: PhasesResult | None = None  # lasting change of what blocks write; None: `no_phases` says why
    no_phases: str = ""


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
        twins: the same configuration with random weights, measured the same way: a control that stands beside.
        draws: `signals.bootstrap(draws, seed)`; without it nothing is accepted and noise is not floored. The noise
            of a signal is the floor of its logarithm. Without draws, or where it does not move, the floor is a
            hundredth of the signal's median (of its values that are not 0, where most of them are).
        settings: weights, prominence, max_width and level, as in a study's `boundaries` section.

    Signals and twins that count the embedding (`Signals.embedding`) are searched from transition 0 on; a signal
    without a value there (S3) is left out of detection, and layers are counted from the embedding as ever.
    A signal that is the same at every transition is left out too, in every variant and in the twins; a note says so.

    Example:
        >>> from mspgt.lm.load import load
        >>> from mspgt.signals.profiles import measure
        >>> from mspgt.synthetic.corpora import sample_corpus
        >>> from mspgt.synthetic.triscale import TriScale
        >>> from mspgt.zoo.bundled import path
        >>> signals = measure(load(path("triscale-llama-1")), sample_corpus(TriScale(), 12, seed=0), cka_tokens=256)
        >>> found = find_boundaries(signals, draws=signals.bootstrap(50, seed=0))
        >>> found.calibrated.chosen  # in so little text
        {'LI': None, 'IG': None}
    """
    options = dict(settings or {})
    constants: dict[str, Any] = {
        key: options[key] for key in ("weights", "prominence", "max_width") if key in options
    }
    level = options.get("level", 0.05)
    raw, paper_seen = signals.calibrated(), signals.paper()
    silent, notes = _silent(raw, signals.first)
    unplaced = _gaps(raw) | _gaps(paper_seen)
    for i in np.flatnonzero(unplaced & ~_gaps(raw)):
        notes.append(_gap_words(SIGNALS[i], paper_seen[i], signals.first))
    silent |= unplaced | np.isnan(raw).all(axis=-1)
    floors, about = _floors(_without(raw, silent), draws)
    notes += about

    def read(profiles: Array) -> Array:
        return stabilise(_without(profiles, silent), floors)

    seen = read(raw)
    shaken = None if draws is None else read(draws.calibrated)
    paper_draws = None if draws is None else _without(draws.paper, unplaced)
    calibrated = detect(seen, "calibrated", shaken, level=level)
    notes += [
        f"{name}: sentence noise explains all of its roughness between layers, so se/τ has no bound and is null"
        for name, ratio in zip(SIGNALS, calibrated.noise_ratio, strict=True)
        if np.isposinf(ratio)
    ]
    paper = detect(_without(paper_seen, unplaced), "paper", paper_draws, **constants)

    def variant(profile: Array | None, name: str) -> Any:
        """A profile without the signals that cannot speak in it, which the notes name; None stays None."""
        if profile is None:
            return None
        lost, about = _silent(_without(profile, silent), signals.first, f"{name}: ")
        notes.extend(about)
        return read(_without(profile, lost))

    with_sinks = variant(signals.with_sinks(), "sinks left in")
    halves = None
    if draws is not None and (split := signals.halves()) is not None:
        one, two = split
        halves = variant(one, "one half of the documents"), variant(two, "the other half of the documents")
    token_sets = {name: variant(each, name) for name, each in signals.token_sets().items()}
    metrics = {name: variant(each, f"S1 of {name}") for name, each in signals.other_metrics().items()}
    twin_profiles = [variant(twin.calibrated(), f"random twin {i}") for i, twin in enumerate(twins)]
    stands = robustness(
        calibrated,
        seen,
        with_sinks=with_sinks,
        halves=halves,
        token_sets=token_sets,
        metrics=metrics,
        scale_floor=None if shaken is None else noise_covariance(shaken),
        level=level,
    )
    alone = _metric_dependent(seen, metrics, signals.first, shaken, level)
    published, found = paper_result(paper), calibrated_result(calibrated, stands)
    if signals.embedding:
        published = paper_from_embedding(published, signals.layers)
        found = calibrated_from_embedding(found, signals.layers)
    phases, no_phases = phases_or_reason(signals, twins)
    return Findings(
        paper=published,
        phases=phases,
        no_phases=no_phases,
        calibrated=found,
        paper_evidence=paper.evidence,
        calibrated_evidence=calibrated.evidence,
        stabilised=seen,
        shaken=shaken,
        with_sinks=with_sinks,
        halves=halves,
        floors=floors,
        first=signals.first,
        random_init=_random_init(twins, twin_profiles, constants, level),
        notes=notes,
        drawn=None if draws is None else draws.drawn,
        token_sets=token_sets,
        metric_dependent=alone,
    )


def _metric_dependent(
    seen: Array, metrics: Mapping[str, Array | None], first: int, shaken: Array | None, level: float
) -> list[MetricDependent]:
    """Claims that one metric of S1 shows alone, within one layer; empty where fewer than two are known."""
    floor = None if shaken is None else noise_covariance(shaken)
    given = {RMS: seen, **{name: one for name, one in metrics.items() if one is not None}}
    profiles = {name: one for name, one in given.items() if not np.isnan(one).all()}
    if len(profiles) < 2 or seen.shape[-1] < MIN_TRANSITIONS:
        return []
    found = {
        name: [
            (kind, claim.layer)
            for claims in [detect_calibrated(one, scale_floor=floor, level=level)]
            for kind in KINDS
            for claim in getattr(claims, kind)
        ]
        for name, one in profiles.items()
    }
    return [
        MetricDependent(kind, layer + first - 1, name)
        for name, claims in found.items()
        for kind, layer in claims
        if not any(
            kind == other_kind and abs(layer - other) <= TOLERANCE
            for another, others in found.items()
            if another != name
            for other_kind, other in others
        )
    ]


def _gap_words(name: str, row: Array, first: int) -> str:
    """Why a signal is left out that has values at some transitions only."""
    places = first + np.flatnonzero(np.isnan(row))
    if places.tolist() == [0]:
        return f"{name} has no value at the embedding, so with it included detection does without {name}"
    at = ", ".join(map(str, places))
    why = ": F1 of the probes is 0 at the layer that the step leaves" if name == "S2" else ""
    return f"{name} has no value at transition {at}{why}; detection does without {name}"


def _gaps(profile: Array) -> NDArray[np.bool_]:
    """Which signals have values at some transitions only."""
    missing = np.isnan(profile)
    return np.asarray(missing.any(axis=-1) & ~missing.all(axis=-1))


def _silent(profile: Array, first: int, where: str = "") -> tuple[NDArray[np.bool_], list[str]]:
    """Which signals of a measured profile cannot speak for a boundary, and why; `where` opens each sentence."""
    gaps, still = _gaps(profile), np.zeros(len(profile), dtype=bool)
    if profile.shape[-1] > 1:
        still = np.ptp(profile, axis=-1) <= ROUNDING * np.abs(profile).max(axis=-1)
    notes = [where + _gap_words(SIGNALS[i], profile[i], first) for i in np.flatnonzero(gaps)]
    notes += [
        f"{where}{SIGNALS[i]} is the same at every transition: it cannot speak for a boundary, and is left out"
        for i in np.flatnonzero(still)
    ]
    return gaps | still, notes


def heard(profile: Array) -> Array:
    """A profile (3, transitions) without the signals that cannot speak for a boundary: constant, or with gaps."""
    return _without(profile, _silent(profile, 1)[0])


def _without(profiles: Array, lost: NDArray[np.bool_]) -> Array:
    """A copy of profiles (..., 3, transitions) with the lost signals marked as not measured."""
    return np.where(lost[:, None], np.nan, profiles)


def _floors(own: Array, draws: Draws | None) -> tuple[Array, list[str]]:
    """(3,): the noise of each signal, which floors its logarithm; `own` without its silent signals."""
    fallback = own_floors(own)
    if draws is None:
        return fallback, [
            "no bootstrap: signals are floored at a hundredth of their median, not at their noise"
        ]
    floors = np.where(np.isnan(fallback), np.nan, noise_scale(draws.calibrated))
    replaced = ~(floors > 0) & np.isfinite(fallback)
    notes = [
        f"the noise of {SIGNALS[i]} is {'not known' if np.isnan(floors[i]) else '0'}: "
        f"{SIGNALS[i]} is floored at a hundredth of its own median"
        for i in np.flatnonzero(replaced)
    ]
    return np.where(floors > 0, floors, fallback), notes


def own_floors(own: Array) -> Array:
    """(3,): a hundredth of each signal's median, where no bootstrap tells its noise.

    own: (3, transitions). NaN for a signal that is 0 or not measured at every transition.
    """
    return 0.01 * np.array([_middle(row) for row in own])


def _levels(twins: Array) -> list[float]:
    """Median size of each signal over the twins (twins, 3, transitions); NaN where it was not measured."""
    sizes = np.abs(twins).swapaxes(0, 1).reshape(twins.shape[1], -1)
    return [float(np.nanmedian(row)) if np.isfinite(row).any() else np.nan for row in sizes]


def _middle(row: Array) -> float:
    """Median size of a signal; of its values that are not 0, where most of them are."""
    sizes = np.abs(row[np.isfinite(row)])
    if not sizes.any():
        return np.nan
    middle = float(np.median(sizes))
    return middle if middle > 0 else float(np.median(sizes[sizes > 0]))


def _random_init(
    twins: Sequence[Signals],
    seen: Sequence[Array],
    constants: dict[str, Any],
    level: float,
) -> RandomInit:
    """What the twins look like; `seen` is what the detector reads of each of them."""
    if not twins:
        return RandomInit(0)
    first = twins[0].first
    profiles = np.stack([twin.calibrated() for twin in twins])
    paper = np.stack([twin.paper() for twin in twins])
    found_paper = [detect(_without(profile, _gaps(profile)), "paper", **constants) for profile in paper]
    found = [detect(profile, "calibrated", level=level) for profile in seen]

    def rows(values: Array) -> dict[str, list[list[float | None]]]:
        return {name: values[:, i, 1 - first :].tolist() for i, name in enumerate(SIGNALS)}

    return RandomInit(
        seeds=len(twins),
        levels=dict(zip(SIGNALS, _levels(profiles), strict=True)),
        signals={"calibrated": rows(profiles), "paper": rows(paper)},
        paper_found=[
            (b.LI.layer + first - 1, b.IG.layer + first - 1) if b.LI and b.IG else None for b in found_paper
        ],
        calibrated_claims=[
            [TwinClaim(kind, claim.layer + first - 1) for kind in KINDS for claim in getattr(one, kind)]
            for one in found
        ],
    )


def paper_result(found: PaperBoundaries) -> PaperResult:
    """What the paper's protocol found, as `results.json` carries it."""

    def boundary(one: Any) -> PaperBoundary | None:
        if one is None:
            return None
        interval = None if one.ci is None else tuple(one.ci)
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

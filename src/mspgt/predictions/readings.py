"""Readings of the methods: every way of taking the same results that a reader could defend.

The first reading of each prediction is the one that its verdict rests on; the others make its specification
curve. A reading in paper mode never gives a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from math import inf
from typing import NamedTuple

from scipy import stats

from mspgt.predictions.places import Place
from mspgt.predictions.rules import Rules
from mspgt.results import Claim, ModelResult
from mspgt.vocabulary import BOUNDARIES, KINDS

# A set and this many layers on either side miss their boundary by so much in fewer than this share of claims, where
# a model shows as many boundaries as it has (calibration/results/far_misses.json).
FAR_REACH, FAR_ALPHA = 2, 0.01
# What a calibrated boundary must survive to count; "all" asks nothing more of it.
EVIDENCE = (
    "all",
    *("without_S1", "without_S2", "without_S3"),
    *("with_sinks", "odd_documents", "even_documents"),
)


POSITIONS = ("functional", "shocks", "phases")
Architecture = tuple[str, int, int, int]  # family, layers, width, parameters


@dataclass(frozen=True)
class Measurements:
    """What verdicts rest on: the models of a study, or of several at once, by name, and the documents they read."""

    models: Mapping[str, ModelResult]
    documents: int = 0


@dataclass(frozen=True)
class Reading:
    """One way of reading results; the defaults are the primary one, up to `positions`, which the rules choose."""

    mode: str = "calibrated"  # calibrated | paper: whose boundaries
    positions: str = "shocks"  # functional | shocks | phases: which account of the scales, in calibrated mode
    normalisation: str = "min-max"  # min-max | maximum: of the signals, in paper mode
    embedding: bool = False  # count the embedding as a layer: ρ = (l + 1)/(L + 1) instead of l/L
    evidence: str = "all"  # what a calibrated boundary must survive
    arithmetic: str = "primary"  # primary | paper: our rule, or the paper's own
    dose: str = "matched"  # matched (both ways) | matched_layers | matched_variance | plain
    effect: str = "both"  # both | signed | absolute
    per_layer: bool = True  # an effect by perturbed layer, or of the whole scale as in the paper
    metric: str = ""  # another metric than the primary one
    scales: str = "calibrated"  # calibrated | any: whose scales an intervention may have perturbed

    def words(self, primary: Reading | None = None) -> dict[str, str]:
        """What differs from the primary reading."""
        first = asdict(primary or Reading())
        return {
            key: str(value) if not isinstance(value, bool) else "yes" if value else "no"
            for key, value in asdict(self).items()
            if value != first[key]
        }


def boundary_readings() -> tuple[Reading, ...]:
    """Readings of boundary positions: the calibrated ones of every account, then those of paper mode."""
    calibrated = [
        Reading(embedding=embedding, evidence=evidence)
        for embedding, evidence in product((False, True), EVIDENCE)
    ]
    others = [
        Reading(positions=positions, embedding=embedding)
        for positions, embedding in product(("functional", "phases"), (False, True))
    ]
    paper = [
        Reading(mode="paper", embedding=embedding, normalisation=normalisation)
        for embedding, normalisation in product((False, True), ("min-max", "maximum"))
    ]
    return tuple(
        replace(one, arithmetic=a) for a in ("primary", "paper") for one in (*calibrated, *others, *paper)
    )


def primary(results: Measurements, rules: Rules) -> tuple[Reading, str]:
    """The reading that verdicts rest on, and what must be said of it.

    Functional scales where some model of the study has them; a study without any is read by its shocks.
    """
    if rules.positions != "functional" or any(model.scales for model in results.models.values()):
        return Reading(positions=rules.positions), ""
    return Reading(), "functional scales were measured in no model: positions are shocks"


def position(model: ModelResult, which: str, reading: Reading) -> tuple[float, int] | None:
    """(layer, layers) of a boundary of a model under a reading, by its own name; None where there is none.

    In paper mode a boundary that the protocol itself rejected is none.
    """
    found = boundaries_of(model, reading)
    named = [] if isinstance(found, str) else [place for place in found if place.label == which]
    if len(named) != 1:
        return None
    layers = model.layers + (1 if reading.embedding else 0)
    return _whole(named[0].relative * layers), layers


def relative_positions(models: Iterable[ModelResult], which: str, reading: Reading) -> list[float]:
    """Relative depths of a boundary, of the models that have it."""
    found = (position(model, which, reading) for model in models)
    return [layer / layers for layer, layers in filter(None, found)]


def _whole(layer: float) -> float:
    """A whole number of layers without the rounding of its fraction."""
    return round(layer) if abs(layer - round(layer)) < 1e-9 else layer


def boundaries_of(model: ModelResult, reading: Reading) -> tuple[Place, ...] | str:
    """All boundaries of a model under a reading, by depth; or why it has none."""
    if reading.mode == "paper":
        found = _paper(model, reading)
    elif reading.positions == "functional":
        found = _functional(model, reading)
    elif reading.positions == "phases":
        found = _phases(model, reading)
    else:
        found = _shocks(model, reading)
    return found if isinstance(found, str) else tuple(sorted(found, key=lambda place: place.relative))


def _shocks(model: ModelResult, reading: Reading) -> list[Place] | str:
    calibrated = model.boundaries.calibrated
    labels = {(one.kind, one.layer): which for which, one in calibrated.chosen.items() if one}
    claims: list[Claim] = [claim for kind in KINDS for claim in getattr(calibrated, kind)]
    if reading.evidence != "all":
        claims = [claim for claim in claims if claim.robust.get(reading.evidence) is True]
    places = [_claimed(model, reading, claim, labels.get((claim.kind, claim.layer))) for claim in claims]
    return places or "the calibrated detector found no boundary"


def _claimed(model: ModelResult, reading: Reading, claim: Claim, label: str | None) -> Place:
    first, last = min(claim.set), max(claim.set)
    sets = [(0.05, first, last), (FAR_ALPHA, first - FAR_REACH, last + FAR_REACH)]
    return _place(model, reading, claim.layer, sets, strength=claim.score / claim.critical, label=label)


def _place(
    model: ModelResult,
    reading: Reading,
    layer: float,
    sets: Sequence[tuple[float, float, float]],
    *,
    strength: float | None = None,
    label: str | None = None,
    named: bool = False,
    whole: bool = True,
) -> Place:
    """A place from layers: `sets` holds (α, first layer, last layer) by falling α."""
    extra = 1 if reading.embedding else 0
    depth = model.layers + extra
    graded = tuple((alpha, ((low + extra) / depth, (high + extra) / depth)) for alpha, low, high in sets)
    return Place((layer + extra) / depth, graded, strength, label, named, depth if whole else None)


def _paper(model: ModelResult, reading: Reading) -> list[Place] | str:
    paper = model.boundaries.paper
    found = []
    for which in BOUNDARIES:
        if reading.normalisation == "maximum":
            # It was not bootstrapped, so the layer stands alone.
            layer, ends = getattr(paper.other_normalisation, which), None
        else:
            one = getattr(paper, which) if paper.accepted is not False else None
            layer, ends = (one.layer, one.ci) if one else (None, None)
        if layer is not None:
            low, high = ends or (layer, layer)
            sets = [(0.05, min(low, layer), max(high, layer))]
            found.append(_place(model, reading, layer, sets, label=which, named=True))
    return found or "the paper's protocol found no boundary that it accepts"


def _functional(model: ModelResult, reading: Reading) -> list[Place] | str:
    """The soft boundaries of functional scales, with their names; undefined ones are not in it."""
    if not model.scales:
        return "functional scales were not measured"
    found, reasons = [], []
    for which in BOUNDARIES:
        boundary = getattr(model.scales, which)
        layer, ends = boundary.soft.value, boundary.soft.ci
        if boundary.layer is None or layer is None or not ends:
            reasons.append(f"{which} is undefined: {boundary.reason or 'it has no interval'}")
            continue
        low, high = ends
        # The normal law of the 95 % interval gives the others.
        wide = float(stats.norm.isf(FAR_ALPHA / 2) / stats.norm.isf(0.025))
        sets = [
            (0.05, low, high),
            (FAR_ALPHA, layer - wide * (layer - low), layer + wide * (high - layer)),
        ]
        found.append(_place(model, reading, layer, sets, label=which, named=True, whole=False))
    return found or "; ".join(reasons)


def _phases(model: ModelResult, reading: Reading) -> list[Place] | str:
    """Boundaries of the phases; the two strongest have the names of the detector's, by depth."""
    if not model.phases:
        return "phases were not measured"
    claims = sorted(model.phases.boundaries, key=lambda claim: -claim.score)
    names = dict(zip(sorted(claim.layer for claim in claims[:2]), BOUNDARIES, strict=False))
    labels = names if len(claims) > 1 else {}
    places = [_claimed(model, reading, claim, labels.get(claim.layer)) for claim in claims]
    return places or "; ".join(model.phases.why) or "no phase was found"


def finished(results: Measurements) -> dict[str, ModelResult]:
    """Models that stand for a training run of their own, by name."""
    states = [State(name, one.run, one.step, one.revision) for name, one in results.models.items()]
    kept = last_states(states)
    return {name: model for name, model in results.models.items() if name in kept}


class State(NamedTuple):
    """A model as a state of a training run."""

    name: str
    run: str | None  # None: it is no state along a run
    step: int | None
    weights: str  # what tells them from others; "" where nobody knows


def last_states(states: Iterable[State]) -> set[str]:
    """Names of the states along one run only of the last, and of the same weights only of the earliest."""
    last: dict[tuple[str, str], str] = {}
    seen: set[str] = set()
    for one in sorted(states, key=lambda one: inf if one.step is None else one.step):
        if not one.weights or one.weights not in seen:
            last["model" if one.run is None else "run", one.run or one.name] = one.name
        seen.add(one.weights)
    return set(last.values())


def by_family(results: Measurements) -> dict[str, dict[str, ModelResult]]:
    """Family → its models, one a training run."""
    families: dict[str, dict[str, ModelResult]] = {}
    for name, model in finished(results).items():
        families.setdefault(model.family, {})[name] = model
    return families


def with_runs(
    results: Measurements, least: int, missing: list[str]
) -> Iterator[tuple[str, dict[str, ModelResult]]]:
    """Families of so many training runs, in order; the others are told in `missing`."""
    for family, models in sorted(by_family(results).items()):
        if len(models) < least:
            missing.append(f"{family}: {len(models)} training runs; needed are {least}")
        else:
            yield family, models


def by_architecture(results: Measurements) -> list[tuple[Architecture, dict[str, ModelResult]]]:
    """Every architecture, in order, with its training runs."""
    groups: dict[Architecture, dict[str, ModelResult]] = {}
    for name, model in named(finished(results)):
        groups.setdefault((model.family, *model.shape), {})[name] = model
    return sorted(groups.items())


def named(models: Mapping[str, ModelResult]) -> Iterator[tuple[str, ModelResult]]:
    """Models in the order of their names, so that a verdict does not depend on the order of a file."""
    yield from sorted(models.items())


# Whose scales may carry a verdict: `calibrated` are the shocks of the detector.
FOUND = ("calibrated", "functional", "phases")
_ORIGIN = {"paper": "were found by paper mode", "given": "were given", "thirds": "are thirds of its depth"}


def not_calibrated(name: str, source: str | None) -> str:
    """Why the scales of a model, from `source` (mspgt.boundaries.scales), carry no verdict."""
    origin = _ORIGIN.get(source or "", "have no known origin")
    return f"{name}: its scales {origin}; only calibrated boundaries give a verdict"

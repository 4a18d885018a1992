"""Readings of the methods: every way of taking the same results that a reader could defend.

The first reading of each prediction is the one that its verdict rests on; the others make its specification
curve. A reading in paper mode never gives a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from math import inf
from typing import Any

Json = dict[str, Any]

BOUNDARIES = ("LI", "IG")
# What a calibrated boundary must survive to count; "all" asks nothing more of it.
EVIDENCE = (
    "all",
    *("without_S1", "without_S2", "without_S3"),
    *("with_sinks", "odd_documents", "even_documents"),
)


@dataclass(frozen=True)
class Reading:
    """One way of reading results; the defaults are the primary one."""

    mode: str = "calibrated"  # calibrated | paper: whose boundaries
    normalisation: str = "min-max"  # min-max | maximum: of the signals, in paper mode
    embedding: bool = False  # count the embedding as a layer: ρ = (l + 1)/(L + 1) instead of l/L
    evidence: str = "all"  # what a calibrated boundary must survive
    arithmetic: str = "primary"  # primary | paper: our rule, or the paper's own
    dose: str = "matched"  # matched (both ways) | matched_layers | matched_variance | plain
    effect: str = "both"  # both | signed | absolute
    per_layer: bool = True  # an effect by perturbed layer, or of the whole scale as in the paper
    metric: str = ""  # another metric than the primary one
    scales: str = "calibrated"  # calibrated | any: whose scales an intervention may have perturbed

    def words(self) -> dict[str, str]:
        """What differs from the primary reading."""
        first = asdict(Reading())
        return {
            key: str(value) if not isinstance(value, bool) else "yes" if value else "no"
            for key, value in asdict(self).items()
            if value != first[key]
        }


READING_KEYS = tuple(field.name for field in fields(Reading))


def boundary_readings() -> tuple[Reading, ...]:
    """Readings of boundary positions, the primary one first."""
    calibrated = [
        Reading(embedding=embedding, evidence=evidence)
        for embedding, evidence in product((False, True), EVIDENCE)
    ]
    paper = [
        Reading(mode="paper", embedding=embedding, normalisation=normalisation)
        for embedding, normalisation in product((False, True), ("min-max", "maximum"))
    ]
    return tuple(replace(one, arithmetic=a) for a in ("primary", "paper") for one in (*calibrated, *paper))


def position(model: Json, which: str, reading: Reading) -> tuple[int, int] | None:
    """(layer, layers) of a boundary of a model under a reading; None where there is none.

    In paper mode a boundary that the protocol itself rejected is none.
    """
    layer = _paper(model, which, reading) if reading.mode == "paper" else _calibrated(model, which, reading)
    if layer is None:
        return None
    return (layer + 1, model["layers"] + 1) if reading.embedding else (layer, model["layers"])


def layer_set(model: Json, which: str, reading: Reading) -> list[int]:
    """95 % confidence set of a boundary that `position` finds, in layers.

    In paper mode its interval; the other normalisation was not bootstrapped, so there the layer stands alone.
    """
    if reading.mode == "paper":
        paper = model["boundaries"]["paper"]
        if reading.normalisation == "maximum":
            return [int(paper["other_normalisation"][which])]
        low, high = paper[which]["ci"] or [paper[which]["layer"]] * 2
        return list(range(int(low), int(high) + 1))
    return list(model["boundaries"]["calibrated"]["chosen"][which]["set"])


def _calibrated(model: Json, which: str, reading: Reading) -> int | None:
    claim = model["boundaries"]["calibrated"]["chosen"].get(which)
    if not claim:
        return None
    if reading.evidence != "all" and claim["robust"].get(reading.evidence) is not True:
        return None
    return int(claim["layer"])


def _paper(model: Json, which: str, reading: Reading) -> int | None:
    paper = model["boundaries"]["paper"]
    if reading.normalisation == "maximum":
        layer = paper["other_normalisation"].get(which)
        return None if layer is None else int(layer)
    if not paper[which] or paper["accepted"] is False:
        return None
    return int(paper[which]["layer"])


def finished(results: Json) -> dict[str, Json]:
    """Models that stand for a training run of their own.

    Of the states along one run only the last, and of the same weights under several names only the earliest state.
    """

    def step(item: tuple[str, Json]) -> float:
        found = item[1].get("step")
        return inf if found is None else float(found)

    last: dict[tuple[str, str], str] = {}
    seen: set[str] = set()
    for name, model in sorted(results["models"].items(), key=step):
        revision, run = model.get("revision"), model.get("run")
        if not revision or revision not in seen:
            last["model" if run is None else "run", run or name] = name
        seen.add(revision or "")
    return {name: model for name, model in results["models"].items() if name in last.values()}


def by_family(results: Json) -> dict[str, dict[str, Json]]:
    """Family → its models, one a training run."""
    families: dict[str, dict[str, Json]] = {}
    for name, model in finished(results).items():
        families.setdefault(model["family"], {})[name] = model
    return families


def named(models: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Models in the order of their names, so that a verdict does not depend on the order of a file."""
    yield from sorted(models.items())


_ORIGIN = {"paper": "were found by paper mode", "given": "were given", "thirds": "are thirds of its depth"}


def not_calibrated(name: str, source: str | None) -> str:
    """Why the scales of a model, from `source` (mspgt.boundaries.scales), carry no verdict."""
    origin = _ORIGIN.get(source or "", "have no known origin")
    return f"{name}: its scales {origin}; only calibrated boundaries give a verdict"

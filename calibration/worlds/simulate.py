"""Null worlds: studies in which a prediction is false by construction, run through the whole verdict engine.

The rate at which a rule calls "supported" what is not there is the price of believing it. What a world plants goes
through the estimators of a real study (`parts`), and the paper's own rules judge the same results. A rate that
could not have been other than 0, because nothing in a world could be tested, is no rate: it is "not measured".
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.resources import files
from typing import Any

import numpy as np
from calibration.worlds import parts
from calibration.worlds.kinds import KINDS_OF_WORLDS, Design, Kind
from calibration.worlds.theory import unmeasured_theory

from mspgt.predictions.judging import verdicts
from mspgt.predictions.readings import Measurements
from mspgt.predictions.registry import predictions
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import INCONCLUSIVE, NOT_TESTABLE, REFUTED, SUPPORTED
from mspgt.results import ModelResult, to_jsonable, unmeasured_model
from mspgt.stats.coverage import rate_upper
from mspgt.vocabulary import Progress

Json = dict[str, Any]  # rates, as they are shipped
Outcomes = dict[str, tuple[str, str]]
Spread = Callable[[Callable[[Any], Outcomes], Iterable[Any]], Iterable[Outcomes]]

PLACES = ((0.25, 0.5), (0.4, 0.7))  # L–I and I–G of the families in turn
SILENT = 0.1  # of the runs in which boundaries are planted now and then
NOT_PLANTED = "not planted"

# What a verdict rests on in these worlds, by prediction.
ESTIMATORS = {
    "P1.1": "both detectors on planted signals, matching, CV",
    "P3.2": "both detectors on planted signals, matching, drift",
    "P1.2": "kink test on profiles of information, at planted places",
    "P2.1": "effects, contrasts and random layer sets of planted texts",
    "P3.1": "effects of planted texts, pooled over models",
    "A3": "effects of planted texts, pooled over models",
    "G-coherence": "effects and random layer sets of planted texts",
    "L-lexical": "effects and random layer sets of planted texts",
    "P-order": "centres of gravity of planted scores; readers and order test of planted states",
    "A3-positions": "both detectors on planted signals, matching",
    "eq31": "effects of planted texts, with planted traces",
    "beta-reach": "weights of planted losses over rates, distances of planted attention",
    "A2": "near-Markov ratio and surrogates of chains of residual blocks",
}
NOT_MEASURED = {
    "eq23": "it is one exact computation on planted sources, in which nothing is left to chance",
    "eq30": "its estimator needs the gradients of a model; acceptance figure 13 holds it against a closed form",
    "eq34": "its estimator is a bootstrap of whole profiles; acceptance truths hold it against simulation",
}


@dataclass(frozen=True)
class Recipe:
    """All that decides the rates."""

    worlds: int = 200  # of each kind and design, over the divisor of the kind
    layers: tuple[int, ...] = (32, 28)  # of the families in turn
    height: float = 9.0  # of planted boundaries, in roughness SDs
    probe_error: float = 0.01  # of a score by layer
    seed: int = 20250524
    designs: dict[str, tuple[Design, ...]] = field(
        default_factory=lambda: {kind.name: kind.designs for kind in KINDS_OF_WORLDS}
    )


def world(kind: Kind, design: Design, recipe: Recipe, number: int) -> Measurements:
    """What one planted study measured."""
    key = (recipe.seed, [one.name for one in KINDS_OF_WORLDS].index(kind.name), *design, number)
    rng = np.random.default_rng(key)
    families, runs = design
    models = {
        f"{'AB'[family % 2]}{family // 2 or ''}-{run + 1}": _model((family, run), kind, recipe, rng)
        for family in range(families)
        for run in range(runs)
    }
    return Measurements(models, parts.TEXTS)


def _model(place: tuple[int, int], kind: Kind, recipe: Recipe, rng: np.random.Generator) -> ModelResult:
    family, _ = place
    layers = recipe.layers[family % len(recipe.layers)] if kind.functional is None else parts.DEPTH
    shares = PLACES[family % 2]
    li, ig = (round(share * layers) for share in shares)
    name = f"family {'AB'[family % 2]}{family // 2 or ''}"
    model = unmeasured_model(name, layers, 4096, 7_000_000_000 + layers, NOT_PLANTED)
    if kind.boundaries is not None:
        places = _places(kind.boundaries, place, layers - 1, rng)
        model.boundaries = parts.boundaries(places, layers - 1, recipe.height, rng)
    theory = unmeasured_theory(NOT_PLANTED)
    if kind.effects is not None:
        sensitivity = _sensitivity(kind, family, (li, ig, layers), rng)
        model.interventions, model.interventions_about = parts.interventions(
            (li, ig, layers), sensitivity, rng, parts.RANDOM_SETS if kind.random_sets else 0
        )
        if kind.fisher is not None:
            traces = parts.traces(sensitivity, kind.fisher == "derived", kind.spread, rng)
            theory = replace(theory, fisher=traces)
    if kind.reach is not None:
        reach, response = parts.reach(kind.reach == "derived", rng)
        theory = replace(theory, reach=reach, beta=replace(theory.beta, response=response))
    if kind.functional is not None:
        model.scales = parts.functional(kind.functional, rng)
    if kind.order is not None:
        model.probes, topical = parts.probes(layers, kind.order, recipe.probe_error, rng)
        information = replace(theory.information, topical=topical, documents=parts.TEXTS)
        theory = replace(theory, information=information)
    if kind.kink is not None:
        theory = replace(theory, kink=parts.kinks(layers, (li, ig), kind.kink, rng))
    if kind.skip is not None:
        theory = replace(theory, markov=parts.chain(kind.skip, rng))
    if any(part is not None for part in (kind.fisher, kind.order, kind.kink, kind.skip)):
        model.theory = theory
    return model


def _places(kind: str, place: tuple[int, int], transitions: int, rng: np.random.Generator) -> list[int]:
    """Transitions, from 0, that boundaries are planted at."""
    layers, (family, run) = transitions + 1, place
    late = (0.2, 0.5) if family % 2 == 0 else (0.2, 0.75)
    alike: dict[str, tuple[float, ...]] = {
        "none": (),
        "three": (0.2, 0.5, 0.8),
        "four": (0.2, 0.4, 0.6, 0.8),
        "both": (0.2, 0.5) if family % 2 == 0 else (0.4, 0.7),
        **dict.fromkeys(("late", "late-silent", "late-shown"), late),
    }
    if (kind == "late-silent" and rng.uniform() < SILENT) or (
        kind == "late-shown" and family % 2 and run % 2
    ):
        return []
    if kind in alike:
        return [round(share * layers) - 1 for share in alike[kind]]
    if kind == "drifting":
        first = round(0.25 * layers) - 1
        return [first, int(rng.integers(first + 4, transitions - 1))]
    return sorted(int(place) for place in rng.choice(np.arange(1, transitions - 1), 2, replace=False))


def _sensitivity(
    kind: Kind, family: int, bounds: tuple[int, int, int], rng: np.random.Generator
) -> parts.Array:
    """(layers, metrics) percent of the baseline by perturbed layer."""
    assert kind.effects is not None
    metrics = kind.effects[family % 2]
    metrics = metrics * (len(parts.TEXT_SD) if len(metrics) == 1 else 1)
    scale = np.searchsorted(np.array(bounds), np.arange(1, bounds[2] + 1))
    found = np.array([[metric[at] for metric in metrics] for at in scale])
    if kind.hump:
        depth = (np.arange(1, bounds[2] + 1) - 0.5) / bounds[2]
        top = (bounds[0] + bounds[1]) / (2 * bounds[2])
        found = found * np.exp(-0.5 * ((depth - top) / kind.hump) ** 2)[:, None]
    return np.asarray(found * np.exp(kind.spread * rng.standard_normal()))


def simulate(
    recipe: Recipe,
    spread: Spread = map,
    progress: Progress | None = None,
    kinds: Sequence[Kind] = KINDS_OF_WORLDS,
) -> Json:
    """Rates of every verdict over all kinds of worlds and designs, and of "supported" by the paper's rules.

    Args:
        kinds: of worlds; all of them, unless some are asked for.
        spread: a `map` that may work in other processes; a world depends on its place in the recipe alone.

    Returns:
        `recipe`, and `rates`: prediction → kind and design → `worlds`, `testable` of them, `ours` (rate of each
        verdict), `paper` (of "supported", or null where it has no rule); `ours` is null where nothing was testable:
        not measured. `tiers`: the same for "any prediction of the tier"; `power`: the same as `rates` where the
        prediction is true; `estimators`: what ran; `not_measured`: predictions without worlds, and why.
    """
    cells = [
        (kind, design, max(recipe.worlds // kind.divisor, 1)) for kind in kinds for design in kind.designs
    ]
    tasks = [(kind.name, design, recipe, number) for kind, design, count in cells for number in range(count)]
    outcomes: list[Outcomes] = []
    for one in spread(judged, tasks):
        outcomes.append(one)
        if progress:
            progress(len(outcomes), len(tasks), tasks[len(outcomes) - 1][0])
    rates: Json = {}
    power: Json = {}
    tiers: Json = {}
    start = 0
    for kind, design, count in cells:
        own = outcomes[start : start + count]
        start += count
        cell = f"{kind.name}, {design[0]} families of {design[1]}"
        for name, prediction in predictions().items():
            for table, where in ((rates, prediction.false_in), (power, prediction.true_in)):
                if kind.name in where and name in ESTIMATORS:
                    table.setdefault(name, {})[cell] = _rates([one[name] for one in own])
        for tier in ("1", "2", "3"):
            names = [
                name
                for name, one in predictions().items()
                if one.tier == tier and kind.name in one.false_in and rates[name][cell]["ours"]
            ]
            if names:
                found = sum(any(one[name][0] == SUPPORTED for name in names) for one in own)
                tiers.setdefault(tier, {})[cell] = _share(found, len(own))
    return {
        "what": "rate of each verdict in worlds where the prediction is false, ours and by the paper's rules",
        "recipe": to_jsonable(asdict(recipe)),
        "detector": detector_digest(),
        "kinds": {kind.name: kind.what for kind in KINDS_OF_WORLDS},
        "estimators": ESTIMATORS,
        "not_measured": NOT_MEASURED,
        "rates": rates,
        "tiers": tiers,
        "power": power,
    }


def detector_digest() -> str:
    """SHA-256 of the detector's table: rates computed with another table say nothing of this one."""
    table = files("mspgt.boundaries") / "data" / "detector.json"
    return hashlib.sha256(table.read_bytes()).hexdigest()


def judged(task: tuple[str, Design, Recipe, int]) -> Outcomes:
    """Prediction → our verdict and what the paper's rule says, in one world."""
    name, design, recipe, number = task
    kind = next(one for one in KINDS_OF_WORLDS if one.name == name)
    found = verdicts(world(kind, design, recipe, number), Rules(), specification=False)
    return {one.id: (one.verdict, one.paper_rule.says) for one in found.values()}


def _rates(found: list[tuple[str, str]]) -> Json:
    counts = Counter(verdict for verdict, _ in found)
    said = [says for _, says in found if says != "nothing"]
    testable = len(found) - counts[NOT_TESTABLE]
    ours = _share(counts[SUPPORTED], len(found)) | {
        name: counts[name] / len(found) for name in (REFUTED, INCONCLUSIVE, NOT_TESTABLE)
    }
    return {
        "worlds": len(found),
        "testable": testable,
        "ours": ours if testable else None,
        "paper": _share(said.count(SUPPORTED), len(found)) | {"silent": 1 - len(said) / len(found)}
        if said
        else None,
    }


def _share(count: int, total: int) -> Json:
    """A rate with its exact one-sided 95 % upper bound."""
    return {"supported": count / total, "supported_upper": rate_upper(count, total)}


def shipped(worlds: int, seed: int | None = None) -> Recipe:
    """The shipped recipe with another number of worlds, and perhaps another seed."""
    recipe = replace(Recipe(), worlds=worlds)
    return recipe if seed is None else replace(recipe, seed=seed)


def rate_lines(rates: Json) -> list[str]:
    """The rates for a terminal: ours and by the paper's rules side by side, then by tier, then the power."""
    head = f"{'worlds':>8}{'supported':>10}{'refuted':>10}{'untestable':>12}{'by the paper':>14}"
    lines = [f"{'':<14}{'world':<38}{head}"]
    for title, key in (("where the prediction is false", "rates"), ("where it is true", "power")):
        lines.append(title)
        for name, cells in rates[key].items():
            lines.append(f"  {name}: {rates['estimators'][name]}")
            for cell, rate in cells.items():
                ours, paper = rate["ours"], rate["paper"]
                said = f"{paper['supported']:.1%}" if paper else "no rule"
                told = (
                    f"{ours[SUPPORTED]:>10.1%}{ours[REFUTED]:>10.1%}{ours[NOT_TESTABLE]:>12.1%}"
                    if ours
                    else f"{'not measured: nothing to test':>32}"
                )
                lines.append(f"  {'':<12}{cell:<38}{rate['worlds']:>8}{told}{said:>14}")
    lines += [f"  {name}: not measured: {why}" for name, why in rates["not_measured"].items()]
    lines.append("any prediction of a tier supported where it is false")
    for tier, cells in rates["tiers"].items():
        for cell, rate in cells.items():
            told = f"{rate['supported']:.1%}, at most {rate['supported_upper']:.1%}"
            lines.append(f"  tier {tier}  {cell:<36}{told}")
    return lines

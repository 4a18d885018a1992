"""Null worlds: studies in which a prediction is false by construction, run through the whole verdict engine.

The rate at which a rule calls "supported" what is not there is the price of believing it. Signals go through the
real detector and the real protocol of the paper; effects, probes and theory inputs are noise of the structure that
the real ones have. In every world the paper's own rules judge the same results.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from mspgt.boundaries.detect import detect
from mspgt.interventions.arms import DOSES, arm_name
from mspgt.interventions.effects import Effect, contrasts
from mspgt.predictions.effects import SCALES
from mspgt.predictions.judging import verdicts
from mspgt.predictions.registry import predictions
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import INCONCLUSIVE, NOT_TESTABLE, REFUTED, SUPPORTED, Json
from mspgt.results import to_jsonable
from mspgt.stats.coverage import rate_upper
from mspgt.stats.nulls import KINDS, NULL_CELLS, null_profiles, plant, roughness_profile

Array = NDArray[np.float64]
Progress = Callable[[int, int, str], None]
Outcomes = dict[str, tuple[str, str]]
Spread = Callable[[Callable[[Any], Outcomes], Iterable[Any]], Iterable[Outcomes]]

# SD of one text's relative effect, in percent; at 1,000 texts an arm wobbles by a thirtieth of it. Sentence-length
# variance and errors are the unsteady ones, as arms without noise show on real models.
TEXT_SD = {
    "self_bleu": 30.0,
    "length_variance": 330.0,
    "length_variance_text": 200.0,
    "ttr": 20.0,
    "coherence": 40.0,
    "grammar": 200.0,
    "perplexity": 60.0,
}
SIGMA = 0.1
DOCUMENTS = 60  # of the corpus and of the prompts, as in WikiText-103 validation
MATCHED = 4  # layers of a dose-matched arm
DRAWS = 300  # of the bootstrap behind an effect
READ = ("baseline", "percent", "percent_se", "log_ratio", "log_ratio_ci", "documents")
RANDOM_SETS = 10


@dataclass(frozen=True)
class Kind:
    """One way of having no structure; every prediction says in which of them it is false."""

    name: str
    what: str
    boundaries: str  # none | scattered | shared | drifting
    # Percent of the baseline by perturbed layer: of the scales in order, in families of even and of odd number.
    effects: tuple[tuple[float, float, float], tuple[float, float, float]]


NOTHING = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
KINDS_OF_WORLDS = (
    Kind(
        "featureless",
        "signals of the null family, no boundary anywhere; noise has no effect",
        "none",
        NOTHING,
    ),
    Kind(
        "scattered",
        "strong boundaries at random places of every model; noise has no effect",
        "scattered",
        NOTHING,
    ),
    Kind(
        "three alike",
        "three boundaries at the same places in every model, so that the two that are named vary",
        "three",
        NOTHING,
    ),
    Kind(
        "equal layers",
        "strong boundaries at one place a family, 40 and 50 % against 7 and 71 % of depth; every layer of every "
        "model is equally sensitive, so that only doses differ",
        "shared",
        ((-3.0, -3.0, -3.0), (-3.0, -3.0, -3.0)),
    ),
    Kind(
        "as predicted",
        "the L–I boundary at a quarter of the depth, the I–G boundary anywhere beyond it; the Intermediate scale "
        "governs structure, and the Local scale of one family is brittle. What the rules say here is their power",
        "drifting",
        ((12.0, 40.0, 0.5), (0.5, 40.0, 0.5)),
    ),
)


@dataclass(frozen=True)
class Recipe:
    """All that decides the rates."""

    worlds: int = 200  # of each kind and design
    designs: tuple[tuple[int, int], ...] = ((2, 2), (2, 3), (2, 5))  # families, training runs of each
    layers: tuple[int, ...] = (32, 28)  # of the families in turn
    height: float = 9.0  # of planted boundaries, in roughness SDs
    amplitude: tuple[float, float] = (2.5, 10.0)  # of backgrounds, in roughness SDs
    noise_ratio: float = 0.05  # sentence noise over roughness, as in trained models
    draws: int = 100  # of the paper's bootstrap
    samples: int = 1000  # texts an arm
    seed: int = 20250524


THREE = (0.2, 0.5, 0.8)
PLACES = ((0.406, 0.5), (0.071, 0.714))  # of the paper's Table 1


def world(kind: Kind, design: tuple[int, int], recipe: Recipe, number: int) -> Json:
    """Results of one study without structure, with the keys of results.json that a prediction reads."""
    key = (recipe.seed, [one.name for one in KINDS_OF_WORLDS].index(kind.name), *design, number)
    rng = np.random.default_rng(key)
    models: dict[str, Json] = {}
    families, runs = design
    for family in range(families):
        layers = recipe.layers[family % len(recipe.layers)]
        for run in range(runs):
            models[f"{'AB'[family % 2]}{family // 2 or ''}-{run + 1}"] = _model(
                f"family {'AB'[family % 2]}{family // 2 or ''}", family, layers, kind, recipe, rng
            )
    return {
        "models": models,
        "families": {},
        "provenance": {"data": {"documents": DOCUMENTS}},
        "warnings": [],
    }


def _model(name: str, family: int, layers: int, kind: Kind, recipe: Recipe, rng: np.random.Generator) -> Json:
    profile = _signals(family, layers - 1, kind, recipe, rng)
    noise = recipe.noise_ratio
    observed = profile + noise * rng.standard_normal(profile.shape)
    draws = observed + noise * rng.standard_normal((recipe.draws, *observed.shape))
    paper = detect(observed, "paper", draws)
    calibrated = detect(observed, "calibrated", draws)
    boundaries = {
        "paper": {
            key: getattr(paper, key) for key in ("LI", "IG", "accepted", "successes", "other_normalisation")
        },
        "calibrated": {
            **{one: [asdict(claim) for claim in getattr(calibrated, one)] for one in KINDS},
            "chosen": {
                which: claim and asdict(claim) | {"robust": {}} for which, claim in calibrated.chosen.items()
            },
        },
    }
    model: Json = {
        "family": name,
        "layers": layers,
        "width": 4096,
        "parameters": 7_000_000_000 + layers,
        "boundaries": to_jsonable(boundaries),
        "probes": _probes(layers, rng),
    }
    chosen = calibrated.chosen
    li, ig = chosen["LI"], chosen["IG"]
    if li and ig:
        scales = {"LI": li.layer, "IG": ig.layer, "source": "calibrated"}
    elif paper.LI and paper.IG:
        scales = {"LI": paper.LI.layer, "IG": paper.IG.layer, "source": "paper"}
    else:
        scales = {"LI": layers // 3, "IG": 2 * layers // 3, "source": "thirds"}
    model["theory"] = _theory(rng, layers, str(scales["source"]))
    return model | interventions(scales, layers, kind.effects[family % 2], recipe, rng)


def _signals(family: int, transitions: int, kind: Kind, recipe: Recipe, rng: np.random.Generator) -> Array:
    cell = NULL_CELLS[rng.integers(len(NULL_CELLS))]
    seed = np.random.SeedSequence([int(word) for word in rng.integers(2**32, size=4)])
    profile = null_profiles(cell, transitions, 1, seed, amplitude=recipe.amplitude)
    if kind.boundaries == "none":
        return np.asarray(profile[0])
    if kind.boundaries == "shared":
        places = np.array([round(share * (transitions + 1)) - 1 for share in PLACES[family % 2]])
    elif kind.boundaries == "three":
        places = np.array([round(share * (transitions + 1)) - 1 for share in THREE])
    elif kind.boundaries == "drifting":
        first = round(0.25 * (transitions + 1)) - 1
        places = np.array([first, rng.integers(first + 4, transitions - 1)])
    else:
        places = np.sort(rng.choice(np.arange(1, transitions - 1), 2, replace=False))
    scale = roughness_profile(cell.roughness, transitions)
    return np.asarray(plant(profile, "spike", places[None], np.array(recipe.height), scale)[0])


def interventions(
    scales: dict[str, Any],
    layers: int,
    effects: tuple[float, float, float],
    recipe: Recipe,
    rng: np.random.Generator,
) -> Json:
    """Arms and contrasts of one model whose perturbed layers have these `effects`, in percent, by scale.

    Log ratios to a baseline whose own wobble all arms share; contrasts are those of Experiment 2 itself.
    """
    bounds = (0, scales["LI"], scales["IG"], layers)
    arms: dict[str, dict[str, Effect]] = {}
    perturbed: dict[str, list[int]] = {}
    errors = {metric: sd / recipe.samples**0.5 / 100 for metric, sd in TEXT_SD.items()}
    baselines = {metric: se * rng.standard_normal(DRAWS + 1) for metric, se in errors.items()}
    for dose in DOSES:
        for at, scale in enumerate(SCALES):
            own = list(range(bounds[at] + 1, bounds[at + 1] + 1))
            name = arm_name(scale, dose)
            perturbed[name] = own if dose == "plain" else (own * MATCHED)[:MATCHED]
            arms[name] = {
                metric: _effect(
                    len(perturbed[name]) * effects[at] / 100
                    + se * rng.standard_normal(DRAWS + 1)
                    - baselines[metric],
                    se,
                )
                for metric, se in errors.items()
            }
    for number in range(1, RANDOM_SETS + 1):
        drawn = rng.choice(layers, size=MATCHED, replace=False) + 1
        scale_of = np.searchsorted(np.array(bounds[1:]), drawn)
        perturbed[f"random_{number}"] = sorted(drawn.tolist())
        arms[f"random_{number}"] = {
            metric: _effect(
                sum(effects[at] for at in scale_of) / 100
                + se * rng.standard_normal(DRAWS + 1)
                - baselines[metric],
                se,
            )
            for metric, se in errors.items()
        }
    table = {
        name: {metric: {key: getattr(one, key) for key in READ} for metric, one in found.items()}
        for name, found in arms.items()
    }
    about = {
        "scales": scales,
        "sigma": SIGMA,
        "samples": recipe.samples,
        "arms": {name: {"layers": own} for name, own in perturbed.items()},
        "contrasts": contrasts(arms),
    }
    return dict(to_jsonable({"interventions": table, "interventions_about": about}))


def _effect(wobbles: Array, se: float) -> Effect:
    """An effect whose log ratio is the first of `wobbles`, with the others about it as bootstrap draws."""
    log_ratio = float(wobbles[0])
    value = float(np.exp(log_ratio))
    return Effect(
        baseline=1.0,
        value=value,
        percent=100 * (value - 1),
        difference=value - 1,
        percent_se=100 * value * se * 2**0.5,
        log_ratio=log_ratio,
        log_ratio_ci=(log_ratio - 1.96 * se * 2**0.5, log_ratio + 1.96 * se * 2**0.5),
        documents=DOCUMENTS,
        draws=log_ratio + wobbles[1:] - wobbles[1:].mean(),
    )


def _probes(layers: int, rng: np.random.Generator) -> Json:
    """Every task is gained along one and the same curve: no order."""
    curve = 0.5 + 0.4 * (1 - np.exp(-np.arange(layers + 1) / 4))
    probes = {}
    for task in ("pos", "dep", "srl"):
        f1 = curve + 0.01 * rng.standard_normal(layers + 1)
        probes[task] = {
            "f1": f1.tolist(),
            "f1_ci": [[value - 0.0196, value + 0.0196] for value in f1],
            "selectivity": (f1 - 0.3).tolist(),
        }
    return probes


def _theory(rng: np.random.Generator, layers: int, source: str) -> Json:
    """Theory inputs at the edge of where each claim would be false."""
    rules = Rules()

    def edge(truth: float, se: float, name: str = "value") -> Json:
        value = truth + se * rng.standard_normal()
        return {name: value, "ci": [value - 1.96 * se, value + 1.96 * se]}

    def no_kink() -> Json:
        t = max(np.abs(rng.standard_t(10, 2)))
        p = min(1.0, 4 * float(student.sf(t / 1.2, 10)))
        # Of independent bends and of independent layers, as at thirds of 32 layers.
        laws = {
            "bends": {"scale": 1.0, "freedom": 10.0, "unit": 0.9},
            "profile": {"scale": 1.3, "freedom": 7.0, "unit": 1.0},
        }
        return {
            "p": p, "statistic": t, "freedom": 10.0, "bend": t / 100, "layer": 9, "rank": 0.5, "laws": laws,
        }  # fmt: skip

    se = np.full(layers - 2, 0.01)
    ratio = rules.markov + se * rng.standard_normal(layers - 2)
    outside = 1 + rules.fisher_margin
    return {
        "information": {"documents": 60},
        "kink": {"source": source, "primary": "all"} | {which: {"all": no_kink()} for which in ("LI", "IG")},
        "markov": {"ratio": ratio.tolist(), "se": se.tolist()},
        "beta": {"equation23": edge(-1 + rules.slope_margin, 0.1, "slope")},
        "fisher": {"equation30": {"scales": {scale: {"loss": edge(outside, 0.02)} for scale in SCALES}}},
        "concentration": {"by_draws": edge(-0.5 + rules.exponent_margin, 0.02, "slope")},
    }


def simulate(recipe: Recipe, spread: Spread = map, progress: Progress | None = None) -> Json:
    """Rates of every verdict over all kinds of worlds and designs, and of "supported" by the paper's rules.

    Args:
        spread: a `map` that may work in other processes; a world depends on its place in the recipe alone.

    Returns:
        `recipe`, and `rates`: prediction → kind and design → `ours` (rate of each verdict), `paper` (of
        "supported", or null where it has no rule); `tiers`: the same for "any prediction of the tier"; `power`:
        the same as `rates` where the prediction is true.
    """
    cells = [(kind, design) for kind in KINDS_OF_WORLDS for design in recipe.designs]
    tasks = [(kind.name, design, recipe, number) for kind, design in cells for number in range(recipe.worlds)]
    outcomes: list[Outcomes] = []
    for one in spread(judged, tasks):
        outcomes.append(one)
        if progress:
            progress(len(outcomes), len(tasks), tasks[len(outcomes) - 1][0])
    rates: Json = {}
    power: Json = {}
    tiers: Json = {}
    for at, (kind, design) in enumerate(cells):
        own = outcomes[at * recipe.worlds : (at + 1) * recipe.worlds]
        cell = f"{kind.name}, {design[0]} families of {design[1]}"
        for name, prediction in predictions().items():
            for table, where in ((rates, prediction.false_in), (power, prediction.true_in)):
                if kind.name in where:
                    table.setdefault(name, {})[cell] = _rates([one[name] for one in own])
        for tier in ("1", "2", "3"):
            names = [
                name for name, one in predictions().items() if one.tier == tier and kind.name in one.false_in
            ]
            if not names:
                continue
            found = sum(any(one[name][0] == SUPPORTED for name in names) for one in own)
            tiers.setdefault(tier, {})[cell] = _share(found, len(own))
    return {
        "what": "rate of each verdict in worlds where the prediction is false, ours and by the paper's rules",
        "recipe": to_jsonable(asdict(recipe)),
        "detector": detector_digest(),
        "kinds": {kind.name: kind.what for kind in KINDS_OF_WORLDS},
        "rates": rates,
        "tiers": tiers,
        "power": power,
    }


def detector_digest() -> str:
    """SHA-256 of the detector's table: rates computed with another table say nothing of this one."""
    table = files("mspgt.boundaries") / "data" / "detector.json"
    return hashlib.sha256(table.read_bytes()).hexdigest()


def judged(task: tuple[str, tuple[int, int], Recipe, int]) -> Outcomes:
    """Prediction → our verdict and what the paper's rule says, in one world."""
    name, design, recipe, number = task
    kind = next(one for one in KINDS_OF_WORLDS if one.name == name)
    found = verdicts(world(kind, design, recipe, number), Rules(), specification=False)
    return {one.id: (one.verdict, one.paper_rule["says"]) for one in found.values()}


def _rates(found: list[tuple[str, str]]) -> Json:
    counts = Counter(verdict for verdict, _ in found)
    said = [says for _, says in found if says != "nothing"]
    return {
        "ours": _share(counts[SUPPORTED], len(found))
        | {name: counts[name] / len(found) for name in (REFUTED, INCONCLUSIVE, NOT_TESTABLE)},
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
    lines = [f"{'':<10}{'world':<36}{'supported':>10}{'refuted':>10}{'untestable':>12}{'by the paper':>14}"]
    for title, key in (("where the prediction is false", "rates"), ("where it is true", "power")):
        lines.append(title)
        for name, cells in rates[key].items():
            for cell, rate in cells.items():
                ours, paper = rate["ours"], rate["paper"]
                said = f"{paper['supported']:.1%}" if paper else "no rule"
                lines.append(
                    f"  {name:<8}{cell:<36}{ours[SUPPORTED]:>10.1%}{ours[REFUTED]:>10.1%}"
                    f"{ours[NOT_TESTABLE]:>12.1%}{said:>14}"
                )
    lines.append("any prediction of a tier supported where it is false")
    for tier, cells in rates["tiers"].items():
        for cell, rate in cells.items():
            told = f"{rate['supported']:.1%}, at most {rate['supported_upper']:.1%}"
            lines.append(f"  tier {tier}  {cell:<36}{told}")
    return lines

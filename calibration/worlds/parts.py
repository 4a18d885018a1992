"""Parts of a planted study, each through the estimators that a real study goes through.

Signals go through both detectors, texts through the effects of Experiment 2 and their contrasts, scores of probes
through nothing but their own noise (what reads them is the prediction), profiles of information through the kink test
and chains of states through the near-Markov ratio with its surrogates. What is planted is known; what comes out of an
estimator is not assumed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from calibration.worlds.blocks import block_chain
from numpy.typing import NDArray

from mspgt.boundaries.detect import detect
from mspgt.interventions.arms import DOSES, arm_name
from mspgt.interventions.effects import Effect, contrasts, effect
from mspgt.interventions.metrics import mean_scores
from mspgt.predictions.effects import SE_PERCENT_AT_1000, STRUCTURE
from mspgt.results import Boundaries, FunctionalScales, ProbeResult, from_json, to_jsonable
from mspgt.results.interventions import ArmResult, EffectResult, InterventionsAbout, ScalesUsed
from mspgt.results.record import Rows
from mspgt.results.theory import (
    BetaOfResponse,
    BetaResponse,
    BoundaryKinks,
    Curve,
    Fisher,
    Kink,
    Markov,
    Measured,
    Reach,
    UsableInformation,
)
from mspgt.stats.nulls import NULL_CELLS, null_profiles, plant, roughness_profile
from mspgt.theory.channel import at_rates, channel_weights
from mspgt.theory.kink import kink_test
from mspgt.theory.markov import near_markov
from mspgt.vocabulary import SCALES

Array = NDArray[np.float64]
Rng = np.random.Generator

# SD of one text's relative value, in percent, at which an effect errs as much as on real models.
TEXT_SD = {
    metric: SE_PERCENT_AT_1000[metric] * (1000 / 2) ** 0.5 for metric in (STRUCTURE, "ttr", "coherence")
}
# Texts of a planted arm, one a document, which wobble as little as a thousand would.
TEXTS, AS_MANY_AS = 12, 1000
SIGMA = 0.1
MATCHED = 4  # layers of a dose-matched arm
RANDOM_SETS = 12
DRAWS = 200  # of the bootstrap behind an effect
PAPER_DRAWS = 40  # of the paper's bootstrap
DEPTH = 12  # of stacks whose labels are read (mspgt.planted.rises)
TRACE_ERROR = 0.2  # of the logarithm of a trace
WINDOW = 64  # tokens of planted attention
SIGMAS = (0.1, 0.2, 0.4, 0.8)  # of planted losses
LOSS_ERROR = 0.5  # of the logarithm of a text's loss
RATES = (30.0, 100.0)  # nats a token at which weights are told
AMPLITUDE = (2.5, 10.0)  # of backgrounds of signals, in roughness SDs
NOISE_RATIO = 0.05  # sentence noise over roughness, as in trained models


def boundaries(places: Sequence[int], transitions: int, height: float, rng: Rng) -> Boundaries:
    """Both detectors on signals with spikes at `places` (transitions from 0), in SDs of the roughness."""
    # Loads torch, which a plan, that reads this room for its predictions, does without.
    from mspgt.boundaries.find import Stands, calibrated_result, paper_result

    cell = NULL_CELLS[rng.integers(len(NULL_CELLS))]
    seed = np.random.SeedSequence([int(word) for word in rng.integers(2**32, size=4)])
    profile = null_profiles(cell, transitions, 1, seed, amplitude=AMPLITUDE)
    if len(places):
        scale = roughness_profile(cell.roughness, transitions)
        profile = plant(profile, "spike", np.array(places)[None], np.array(height), scale)
    observed = profile[0] + NOISE_RATIO * rng.standard_normal(profile[0].shape)
    draws = observed + NOISE_RATIO * rng.standard_normal((PAPER_DRAWS, *observed.shape))
    found = detect(observed, "calibrated", draws)
    # Nothing is measured again with other documents or tokens, so that no claim says how it stands.
    stands: Stands = {(claim.kind, claim.layer): {} for claim in found.claims}
    return Boundaries(
        paper_result(detect(observed, "paper", draws)),
        calibrated_result(found, stands),
    )


def interventions(
    bounds: tuple[int, int, int], sensitivity: Array, rng: Rng, random_sets: int = RANDOM_SETS
) -> tuple[dict[str, dict[str, EffectResult]], InterventionsAbout]:
    """Experiment 2 on texts whose metrics change by the sum of what the perturbed layers do.

    Args:
        bounds: last layers of Local, Intermediate and Global.
        sensitivity: (layers, metrics) percent of the baseline by perturbed layer, metrics as in TEXT_SD.
    """
    starts = (0, *bounds[:2])
    whole = {
        scale: list(range(first + 1, last + 1))
        for scale, first, last in zip(SCALES, starts, bounds, strict=True)
    }
    few = min(MATCHED, *(len(own) for own in whole.values()))
    perturbed: dict[str, tuple[list[int], float]] = {}
    for dose in DOSES:
        for scale, own in whole.items():
            even = [own[place] for place in np.linspace(0, len(own) - 1, few).round().astype(int)]
            layers = even if dose == "matched_layers" else own
            # Matched variance: every scale as much in all as `few` layers at full size.
            weight = few / len(own) if dose == "matched_variance" else 1.0
            perturbed[arm_name(scale, dose)] = layers, weight
    middle = perturbed[arm_name("intermediate", "matched_layers")][0]
    reach = middle[-1] - middle[0]
    elsewhere = [start for start in range(1, bounds[2] - reach + 1) if start != middle[0]]
    for number, start in enumerate(rng.permutation(elsewhere)[:random_sets], start=1):
        inside = rng.choice(np.arange(1, reach), size=few - 2, replace=False).tolist()
        perturbed[f"random_spread_{number}"] = sorted(int(start) + step for step in (0, *inside, reach)), 1.0
    documents = np.arange(TEXTS)
    sd = np.array(list(TEXT_SD.values())) / 100 * (TEXTS / AS_MANY_AS) ** 0.5
    baseline = 1 + sd * rng.standard_normal((TEXTS, len(sd)))
    arms: dict[str, dict[str, Effect]] = {}
    for name, (layers, weight) in perturbed.items():
        level = 1 + weight * sensitivity[np.array(layers) - 1].sum(0) / 100
        values = np.maximum(level, 0.05) * (1 + sd * rng.standard_normal((TEXTS, len(sd))))
        arms[name] = {
            metric: effect(
                mean_scores(baseline[:, at]), mean_scores(values[:, at]), documents, draws=DRAWS, seed=0
            )
            for at, metric in enumerate(TEXT_SD)
        }
    about = InterventionsAbout(
        scales=ScalesUsed(LI=bounds[0], IG=bounds[1], source="calibrated"),
        sigma=SIGMA,
        samples=AS_MANY_AS,
        arms={name: ArmResult(layers=layers) for name, (layers, _) in perturbed.items()},
        contrasts=contrasts(arms),
    )
    return {
        name: {metric: one.told() for metric, one in found.items()} for name, found in arms.items()
    }, about


def probes(
    layers: int, centres: Sequence[float], error: float, rng: Rng
) -> tuple[dict[str, ProbeResult], UsableInformation]:
    """Scores of the probes of P-order by layer, gained around relative depths `centres`, with noise; and topic."""
    curves: dict[str, tuple[list[float], Rows]] = {}
    for task, centre in zip(("pos", "dep", "srl", "topic"), centres, strict=True):
        rise = 1 / (1 + np.exp(-(np.arange(layers + 1) - centre * layers) / 1.5))
        f1 = (0.4 + 0.5 * rise + error * rng.standard_normal(layers + 1)).tolist()
        curves[task] = f1, [(value - 1.96 * error, value + 1.96 * error) for value in f1]
    bits, ci = curves.pop("topic")
    found = {
        task: ProbeResult(
            [*f1], f1_ci, selectivity=[value - 0.3 for value in f1], codelength=None, floor=None
        )
        for task, (f1, f1_ci) in curves.items()
    }
    return found, UsableInformation(bits, ci, label="topic")


def kinks(layers: int, places: Sequence[int], size: float, rng: Rng) -> Kink:
    """The kink test at `places` of a profile of information of the null family, with kinks of `size` SDs there."""
    cell = NULL_CELLS[rng.integers(len(NULL_CELLS))]
    seed = np.random.SeedSequence([int(word) for word in rng.integers(2**32, size=4)])
    profile = null_profiles(cell, layers, 1, seed, signals=1)[0, 0]
    scatter = float(np.std(np.diff(profile, 2)))
    for place in places:
        profile = profile + size * scatter * np.maximum(np.arange(1, layers + 1) - place, 0)
    li, ig = (BoundaryKinks(boundary=place, all=kink_test(profile, place, places)) for place in places)
    return Kink(li, ig, source="calibrated", primary="all")


def traces(sensitivity: Array, derived: bool, spread: float, rng: Rng) -> Fisher:
    """Fisher traces by layer: what noise there does, with an error of its own; or nothing of the kind."""
    size = np.abs(sensitivity).mean(1)
    own = size if derived else np.full(len(size), np.exp(spread * rng.standard_normal()))
    drawn = (own * np.exp(TRACE_ERROR * rng.standard_normal(len(own)))).tolist()
    return Fisher(fisher=Curve(drawn), equation30=None)


def reach(derived: bool, rng: Rng) -> tuple[Reach, BetaResponse]:
    """How far planted attention reaches back, and β_G of planted losses, which falls with it or does not.

    Both are log-normal over architectures (SD 0.5); every document errs by itself.
    """
    # Loads torch, which a plan, that reads this room for its predictions, does without.
    from mspgt.theory.reach import attended_distance

    far, own = 0.5 * rng.standard_normal(2)
    back = np.subtract.outer(np.arange(WINDOW), np.arange(WINDOW))
    logits = -back / (WINDOW / 8 * np.exp(far)) + 0.5 * rng.standard_normal((TEXTS, WINDOW, WINDOW))
    weights = np.where(back >= 0, np.exp(logits), 0.0)
    distance = attended_distance(weights, np.ones(WINDOW, dtype=bool))[:, WINDOW // 2 :].mean()
    found = Reach(layers=None, mean=Measured(float(distance), None), window=WINDOW)
    size = np.exp(-far if derived else own)
    # Of a spectrum that falls as those of states do; what is lost at a dose grows with it, and levels off.
    spectrum = 1 / np.arange(1, 101)[None] ** 0.5
    dose = np.square(SIGMAS)
    losses = size * dose / (1 + dose) * np.exp(LOSS_ERROR * rng.standard_normal((TEXTS, 1)))
    steps = np.diff(losses, axis=1)
    errors = steps.std(0, ddof=1) / TEXTS**0.5
    curve = channel_weights(SIGMAS, steps.mean(0), errors, TEXTS, spectrum, [1.0], float(2 * size))
    told = {"value": curve.value.tolist(), "at": at_rates(curve, RATES)}
    return found, BetaResponse("", "", list(RATES), {"global": from_json(BetaOfResponse, told)})


def functional(centres: Sequence[float], rng: Rng) -> FunctionalScales:
    """Functional scales of states in which three labels become readable at relative depths `centres`."""
    # Readers load torch, which a plan does not need.
    from mspgt.planted.rises import PLANTED, stack_gains
    from mspgt.scales.decide import decide_scales
    from mspgt.scales.tasks import TASKS

    tasks = [next(task for task in TASKS if task.name == name) for name, *_ in PLANTED]
    seed = int(rng.integers(2**31))
    found = decide_scales(stack_gains(centres, seed), tasks=tasks, seed=seed)
    return from_json(FunctionalScales, to_jsonable(found))


def chain(skip: float, rng: Rng) -> Markov:
    """The near-Markov ratio of a chain of residual blocks, with a skip of that weight or exactly Markov."""
    rows = 1200
    noise = float(rng.choice([0.0, 0.1, 0.3, 1.0]))
    layers = block_chain(5, 16, rows, int(rng.integers(2**31)), noise=noise, skip=skip)
    found = near_markov(layers, np.arange(rows) * 40 // rows, permutations=1, seed=int(rng.integers(2**31)))
    return from_json(Markov, to_jsonable(found))

"""From the stages of the theory to `models.<name>.theory`: values, intervals, units, estimators, verdicts, reasons.

Lists run over layers 1..L unless they say otherwise; a block that could not be measured is null with a `reason`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.predictions.judging import verdict_alone
from mspgt.predictions.readings import Measurements, Reading
from mspgt.predictions.rules import Rules
from mspgt.results import Notice, from_json, to_jsonable, unmeasured_model
from mspgt.results.theory import Theory
from mspgt.stats.bootstrap import LEAST_DOCUMENTS, too_few
from mspgt.study.identity import Identity
from mspgt.study.parts import Given
from mspgt.study.store import StageResult
from mspgt.study.theory_intervals import weights_of, with_interval
from mspgt.study.theory_kinks import jackknife, kink_block, usable_of
from mspgt.study.theory_layers import reach_block, values_block
from mspgt.study.theory_response import response_block
from mspgt.study.theory_stages import JACKKNIFE
from mspgt.theory.beta import activation_weights
from mspgt.theory.fisher import Sensitivity
from mspgt.theory.languages import CLAIM, planted_slopes
from mspgt.theory.markov import CAVEAT
from mspgt.theory.usable import KINDS

Array = NDArray[np.float64]
Block = dict[str, Any]
Loaded = Mapping[str, StageResult]

BETA_SIGMAS = (0.0125, 0.025, 0.05, 0.1, 0.2)  # relative noise at which β̂ of activations is given


def theory_results(given: Given, loaded: Loaded) -> tuple[Block, list[Notice]]:
    """All blocks and the notices of those that are null."""
    makers: dict[str, Callable[[], Block]] = {
        "information": lambda: _information(given, loaded["information"]),
        "kink": lambda: kink_block(given, loaded["information"]),
        "markov": lambda: _markov(loaded["information"]),
        "fisher": lambda: _fisher(given, loaded["sensitivity"]),
        "beta": lambda: _beta(given, loaded),
        "hvib": lambda: _hvib(loaded["bottleneck"]),
        "concentration": lambda: _concentration(loaded["widths"]),
    }
    blocks = {name: make() for name, make in makers.items()}
    by_layer = {"reach": reach_block, "values": values_block}
    blocks |= {name: make(given, loaded[name]) for name, make in by_layer.items() if name in loaded}
    judge_blocks(given.identity, given.config.predictions, blocks)
    place = f"models.{given.identity.label}.theory"
    notices = []
    for name, block in blocks.items():
        parts = {"": block} | {f".{key}": part for key, part in block.items() if isinstance(part, dict)}
        notices += [
            Notice(f"{place}.{name}{key}", part["reason"], f"{name}{key} is null")
            for key, part in parts.items()
            if part.get("reason")
        ]
    for kind, about in loaded["information"].meta["kinds"].items():
        if about["scarce"]:
            consequence = f"{kind} information is far below what the states hold; a value near 0 says nothing"
            notices.append(Notice(f"{place}.information.{kind}", about["scarce"], consequence))
    notices += [Notice(f"{place}.{name}", why, consequence) for name, why, consequence in _lacking(blocks)]
    return blocks, notices


def judge_blocks(its: Identity, rules: Rules, blocks: dict[str, Block]) -> None:
    """Every `verdict` of the theory is that of its prediction on this model alone: one rule a claim."""
    model = unmeasured_model(its.family, its.layers, its.width, its.parameters, "judged on its theory alone")
    model.theory = from_json(Theory, to_jsonable(blocks), f"models.{its.label}.theory")
    alone = Measurements({its.label: model})
    equation30 = blocks["fisher"]["equation30"] or {}
    places = (
        (blocks["markov"], "verdict", "A2", ""),
        (blocks["beta"]["equation23"], "verdict", "eq23", ""),
        (equation30, "verdict_loss", "eq30", ""),
        (equation30, "verdict_kl", "eq30", "kl"),
        (equation30, "verdict", "eq30", ""),
        (blocks["concentration"], "verdict", "eq34", ""),
    )
    for block, key, name, metric in places:
        if block:
            block[key] = verdict_alone(alone, rules, name, Reading(metric=metric))


def _lacking(blocks: Mapping[str, Block]) -> Iterator[tuple[str, str, str]]:
    """(place, why, consequence) of what a block lacks: errors where documents are too few, the bound at β = 1."""
    information, fisher = blocks["information"], blocks["fisher"]
    for kind in KINDS:
        if information[kind]["bits"] is not None and information[kind]["ci"] is None:
            why = f"an interval needs at least {LEAST_DOCUMENTS} documents held out"
            yield f"information.{kind}", why, f"information.{kind} has no intervals"
    if information["gaussian"]["nats"] is not None and information["gaussian"]["se"] is None:
        why = (
            f"the jackknife needs at least {JACKKNIFE} documents, found {information['documents']}: give more"
        )
        yield "information.gaussian", why, "information.gaussian has no standard errors"
    if fisher["fisher"] is not None and fisher["documents"] < LEAST_DOCUMENTS:
        yield "fisher", too_few(fisher["documents"]), "fisher and the β̂ of activations have no intervals"
    if reason := blocks["hvib"].get("elbo_reason"):
        lacks = "is null" if blocks["hvib"]["elbo"] is None else "has no interval"
        yield "hvib.elbo", reason, f"hvib.elbo {lacks}"


def _information(given: Given, result: StageResult) -> Block:
    block: Block = {
        "units": "bits a label (topical, syntactic, lexical), over layers 0..L; nats (gaussian), over layers 1..L",
        "estimator": "cross-fitted V-information of a one-hidden-layer reader; Gaussian information without its "
        "Wishart bias between principal components of layer 0 and layer l",
        "refused": "I(X; h_l) itself: infinite or constant in a deterministic network without a noise channel",
        "tokens": result.meta["tokens"],
        "sinks_left_out": result.meta["sinks"],
        "documents": result.meta["documents"],
    }
    for kind in KINDS:
        found = usable_of(result, kind)
        if found is None:
            block[kind] = {"bits": None, "reason": result.meta["missing"][kind]}
            continue
        bits = with_interval(found.bits, weights_of(given, len(found.counts)))
        block[kind] = {
            "bits": bits["value"],
            "ci": bits["ci"],
            "entropy": found.entropy,
            "label": found.label,
            "classes": found.classes,
            "examples": int(found.counts.sum()),
        }
    if "gaussian" in result.arrays:
        profile = result.arrays["gaussian"]
        errors = jackknife(profile)
        block["gaussian"] = {
            "nats": profile[0].tolist(),
            "se": None if errors is None else errors.tolist(),
            "variance_explained": result.arrays["explained"].tolist(),
            **result.meta["gaussian"],
        }
    else:
        missing = result.meta["missing"]
        block["gaussian"] = {
            "nats": None,
            "reason": missing.get("gaussian") or missing.get("components"),
        }
    return block


def _markov(result: StageResult) -> Block:
    about: Block = {
        "units": "ratio of nats, over layers l = 1..L−2",
        "estimator": "Gaussian conditional information over plain information between k principal components, "
        "less that of Markov surrogates (`excess`); jackknife over documents, permutation null",
        "caveat": CAVEAT,
    }
    if "markov" not in result.meta:
        missing = result.meta["missing"]
        return {
            **about,
            "reason": missing.get("markov") or missing.get("components"),
        }
    names = ("ratio", "surrogate", "excess", "se", "conditional", "total", "p_null")
    lists = {name: result.arrays[f"markov.{name}"].tolist() for name in names}
    return {**about, **result.meta["markov"], **lists}


def sensitivity_of(result: StageResult) -> Sensitivity:
    """The stored sensitivity, as it was measured."""
    a, meta = result.arrays, result.meta
    return Sensitivity(
        tokens=a["tokens"],
        document=a["document"],
        std=a["std"],
        sigmas=a["sigmas"],
        fisher=a["fisher"],
        empirical=a["empirical"],
        hessian=a.get("hessian"),
        kl=a["kl"],
        loss=a["loss"],
        arms={name: a[f"arm.{name}"] for name in meta["arm_layers"]},
        arm_layers={name: tuple(layers) for name, layers in meta["arm_layers"].items()},
        arm_sigma=meta["arm_sigma"],
    )


def _fisher(given: Given, result: StageResult) -> Block:
    about: Block = {
        "units": "nats a token for noise of one activation standard deviation: std_l² tr F_l; a loss is ½ σ² × this",
        "estimator": "backward pass of labels drawn from the model; finite differences of gradients (Hessian); "
        "antithetic noise at small σ, extrapolated to 0 (slopes)",
    }
    if "missing" in result.meta:
        return {**about, "fisher": None, "equation30": None, "reason": result.meta["missing"]}
    found = sensitivity_of(result)
    weights = weights_of(given, found.documents)
    block: Block = {
        **about,
        "texts": len(found.tokens),
        "documents": found.documents,
        "sigmas": found.sigmas.tolist(),
        "std": found.std.tolist(),
    }
    tables = {"fisher": found.fisher, "empirical": found.empirical, "hessian": found.hessian}
    for name, values in tables.items():
        if values is None:
            block[name] = {"value": None, "reason": result.meta["hessian_missing"]}
            continue
        block[name] = with_interval(partial(found.per_token, values), weights)
    for name, slopes in (("kl_slope", found.kl), ("loss_slope", found.loss)):
        block[name] = with_interval(partial(found.zero_noise, slopes), weights)
        block[name]["by_sigma"] = (2 * found.per_token(slopes) / found.sigmas[:, None] ** 2).tolist()
    block["arms"] = {}
    for name in found.arms:
        predicted = with_interval(partial(found.predicted, name), weights)
        measured = with_interval(partial(found.per_token, found.arms[name]), weights)
        block["arms"][name] = {
            "layers": list(found.arm_layers[name]),
            "sigma": found.arm_sigma,
            "predicted": predicted["value"],
            "predicted_ci": predicted["ci"],
            "kl": measured["value"][0],
            "kl_ci": _column(measured["ci"], 0),
            "loss": measured["value"][1],
            "loss_ci": _column(measured["ci"], 1),
        }
    block["equation30"] = _equation30(found, weights)
    return block


def _equation30(found: Sensitivity, weights: Array | None) -> Block:
    """Slope of the loss over ½ Σ tr F, scale by scale, as σ → 0; and the same of KL(clean ‖ noisy)."""
    block: Block = {"scales": {}}
    for name, layers in found.arm_layers.items():
        chosen = [layer - 1 for layer in layers]
        block["scales"][name] = {}
        for measure, values in (("loss", found.loss), ("kl", found.kl)):

            def ratio(w: Array | None, values: Array = values, chosen: list[int] = chosen) -> Array:
                top = found.zero_noise(values, w)[..., chosen].sum(-1)
                return np.asarray(top / found.per_token(found.fisher, w)[..., chosen].sum(-1))

            block["scales"][name][measure] = with_interval(ratio, weights)
    return block


def _beta(given: Given, loaded: Loaded) -> Block:
    block: Block = {
        "units": "nats of loss for each nat of rate",
        "estimator": "σ² Σ tr F / Σ d_eff over the blocks of a scale; H-VIB: three inflations and a 3 × 3 system",
        "sigmas": list(BETA_SIGMAS),
        "equation23": _equation23(),
    }
    sensitivity, information = loaded["sensitivity"], loaded["information"]
    width, tokens = given.identity.width, int(information.meta["tokens"])
    information_lacks = information.meta["missing"].get("components")
    if not information_lacks and tokens < 2 * width:
        information_lacks = (
            f"{tokens} tokens for {width} dimensions: d_eff needs two a dimension (theory.tokens)"
        )
    reason = sensitivity.meta.get("missing") or information_lacks
    block["response"] = response_block(given, information, information_lacks)
    if reason:
        return {**block, "activations": None, "reason": reason}
    found = sensitivity_of(sensitivity)
    weights = weights_of(given, found.documents)
    scales = found.arm_layers
    variances, std = information.arrays["variances"][1:], information.arrays["std"][1:]

    def at(name: str, w: Array | None) -> Array:
        traces = found.per_token(found.fisher, w)
        return activation_weights(traces, variances, std, BETA_SIGMAS, {name: scales[name]})[name]

    # β̂ at finite noise from the measured KL, whose bias is what extrapolating to σ = 0 removes.
    block["activations"] = {}
    for name, layers in scales.items():
        chosen = [layer - 1 for layer in layers]
        one = with_interval(partial(at, name), weights)
        finite = 2 * found.per_token(found.kl) / found.sigmas[:, None] ** 2
        zero = found.zero_noise(found.kl)[chosen].sum()
        one["finite_noise_bias"] = (finite[:, chosen].sum(1) / zero - 1).tolist()
        # As σ → 0, β̂ falls like σ²; what has a limit is β̂/σ², in units of the activations' own scale.
        share = found.fisher[:, chosen].sum(1) / (len(chosen) * width)
        one["limit"] = with_interval(partial(found.per_token, share), weights)
        block["activations"][name] = one
    return block


def _equation23() -> Block:
    found = planted_slopes()
    return {
        **found["slopes"]["all"],
        "claim": CLAIM,
        "by_scale": found["slopes"],
        "languages": len(found["languages"]),
        "points": found["languages"],
        "common_rate_nats": found["common_rate_nats"],
        "estimator": "multipliers −dD/dR of the planted sources at one rate, Hamming distortion, exact",
    }


def _hvib(result: StageResult) -> Block:
    about: Block = {
        "units": "nats a token; information and gap sum to the KL (equation 19) up to sampling: they rest "
        "on one draw of the latents an example, the KL on its closed form",
        "estimator": "H-VIB on the last layer of each scale, next token among the 64 most frequent, half of the "
        "documents held out",
    }
    if "curve" not in result.meta:
        return {**about, "curve": None, "reason": result.meta["missing"]}
    return {**about, **result.meta}


def _concentration(result: StageResult) -> Block:
    about: Block = {
        "units": "layers: width of the 95 % percentile interval of argmax E",
        "estimator": "percentile bootstrap over documents; slopes of log width on log count",
        "claim": "equation 34: slope −0.5 in the number of draws",
    }
    if "by_draws" not in result.meta:
        return {**about, "reason": result.meta["missing"]}
    return {**about, **result.meta}


def _column(ci: list[list[float]] | None, at: int) -> list[float] | None:
    return None if ci is None else ci[at]

"""β̂ of the scales from Experiment 2: its noise–response curve, and the spectra of what the noise disturbs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.study.dosing import yardsticks
from mspgt.study.intervening import places
from mspgt.study.parts import Given
from mspgt.study.store import StageResult
from mspgt.theory.channel import ChannelWeights, at_rates, channel_weights

Array = NDArray[np.float64]
Block = dict[str, Any]

RATES = (30.0, 100.0, 300.0, 1000.0, 3000.0)  # nats a token at which models are compared


def response_block(given: Given, information: StageResult, reason: str | None) -> Block:
    """`theory.beta.response`: β̂ of every scale over the rate that its noise lets through.

    Args:
        reason: why the spectra are not to be trusted, if so.
    """
    block: Block = {
        "units": "nats of loss for each nat of rate; rates in nats a token",
        "estimator": "−ΔJ/ΔI between neighbouring doses of Experiment 2, J on the baseline's own texts; 95 % t "
        "intervals over documents; predicted: σ² T / d_eff, T from the divergence at the smallest dose",
        "rates": list(RATES),
        "scales": None,
    }
    curve = _curve(given)
    if isinstance(curve, str) or reason:
        return {**block, "reason": curve if isinstance(curve, str) else reason}
    spectra = _spectra(given, information)
    if isinstance(spectra, str):
        return {**block, "reason": spectra}
    variances, units = spectra
    block["scales"] = {}
    for scale, layers in given.scales.items():
        chosen = [layer - 1 for layer in layers]
        block["scales"][scale] = _one(curve[scale], variances[chosen], units[chosen])
    return block


def _one(curve: Block, variances: Array, units: Array) -> Block:
    """One scale; doses are told by growing noise."""
    order = np.argsort(curve["sigma"])
    sigmas = np.array(curve["sigma"])[order]
    step = curve["loss_step"]
    if len(sigmas) < 2 or not (np.diff(order) == 1).all():
        return {
            "value": None,
            "reason": "needs two doses or more, written by growing size (interventions.response)",
        }
    if not np.isfinite(np.array(step["value"], dtype=float)).all():
        return {"value": None, "reason": "the loss is not finite at some dose"}
    trace = 2 * curve["divergence"][0] / sigmas[0] ** 2
    found = channel_weights(
        sigmas.tolist(), step["value"], step["se"], step["documents"], variances, units, trace
    )
    return _told(sigmas, found)


def _told(sigmas: Array, found: ChannelWeights) -> Block:
    return {
        "sigma": sigmas.tolist(),
        "rate": found.rate.tolist(),
        "between": found.between.tolist(),
        "value": found.value.tolist(),
        "ci": None if found.ci is None else found.ci.tolist(),
        "predicted": found.predicted.tolist(),
        "at": at_rates(found, RATES),
    }


def _curve(given: Given) -> dict[str, Block] | str:
    if given.config.interventions is None:
        return "Experiment 2 was not run"
    where = places(given).response
    if where is None or not where.status().done:
        return "Experiment 2 measured no noise–response curve (interventions.response_samples)"
    curve: dict[str, Block] = where.load().meta["curve"]
    return curve


def _spectra(given: Given, information: StageResult) -> tuple[Array, Array] | str:
    """Eigenvalues after blocks 1..L, (L, d), and what noise of size 1 is in their unit, (L,)."""
    assert given.config.interventions is not None
    dose = given.config.interventions.dose
    if dose == "own":
        return "noise in units of each token's own size is no channel of one variance"
    if dose == "dimension":
        found = information.arrays["correlations"][1:]
        return found, np.ones(len(found))
    return information.arrays["variances"][1:], getattr(yardsticks(given), dose)

"""β̂ of a scale from an intervention: noise makes a Gaussian channel of its states, and the loss is what it costs.

Noise of size σ after the blocks of a scale lets I(σ) = ½ Σ log(1 + λ_i/σ_i²) nats a token through, and the loss
J(σ) is measured. Between neighbouring doses

    β̂ = −ΔJ / ΔI,    nats of loss for each nat of rate,

a curve over the rate. It has no limit at no noise, where the rate diverges and β̂ falls to 0, so models are
compared at equal, declared rates (equation 22) and nothing is extrapolated. For small noise J = ½ σ² T and β̂ = σ²
T / d_eff, with T the trace of the Fisher information in units of the noise and d_eff = Σ λ_i/(λ_i + σ_i²): that is
the prediction beside it. Truth: for jointly Gaussian X and Y under the best reader, −ΔJ/ΔI is ΔI(T;Y)/ΔI(T;X),
which on the optimal curve of the information bottleneck is β itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mspgt.errors import InputError
from mspgt.theory.beta import effective_dimensions, rate_through_noise

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ChannelWeights:
    """β̂ between neighbouring doses, by growing noise.

    rate: (doses,) nats a token. between: (doses − 1,) geometric mean of neighbouring rates, at which value, ci
    (doses − 1, 2) or None without an error, and predicted (small noise) stand.
    """

    rate: Array
    between: Array
    value: Array
    ci: Array | None
    predicted: Array


def channel_weights(
    sigmas: Sequence[float],
    steps: ArrayLike,
    errors: ArrayLike | None,
    documents: int,
    variances: Array,
    units: ArrayLike,
    trace: float,
) -> ChannelWeights:
    """β̂ of one scale over rates.

    Args:
        sigmas: sizes of noise, growing.
        steps, errors: (doses − 1,) what the next dose adds to the loss in nats a token, and its standard error over
            `documents` of them.
        variances: (layers, d) eigenvalues of the states after the blocks of the scale; layers are separate channels.
        units: (layers,) what noise of size 1 is in their unit.
        trace: T, twice the divergence over σ² at the smallest dose, nats a token.

    Raises:
        InputError: doses that do not grow.
    """
    sigma, step = np.asarray(sigmas, dtype=np.float64), np.asarray(steps, dtype=np.float64)
    if len(sigma) < 2 or not (np.diff(sigma) > 0).all():
        raise InputError(f"Expected two doses or more that grow, found {list(sigmas)}.")
    noise = np.square(sigma[:, None] * np.asarray(units, dtype=np.float64))
    rate = np.array([rate_through_noise(variances, row).sum() for row in noise])
    closed = rate[:-1] - rate[1:]
    middle = np.sqrt(sigma[1:] * sigma[:-1])
    dimensions = np.array(
        [
            effective_dimensions(variances, row).sum()
            for row in np.square(middle[:, None] * np.asarray(units, dtype=np.float64))
        ]
    )
    value, ci = step / closed, None
    if errors is not None and documents > 1:
        reach = float(stats.t.ppf(0.975, documents - 1)) * np.asarray(errors, dtype=np.float64) / closed
        ci = np.stack([value - reach, value + reach], axis=1)
    return ChannelWeights(rate, np.sqrt(rate[1:] * rate[:-1]), value, ci, middle**2 * trace / dimensions)


def at_rates(found: ChannelWeights, rates: Sequence[float]) -> list[dict[str, float | list[float]] | None]:
    """β̂ at declared rates, between the measured ones by the logarithm of the rate; None outside of them."""
    order = np.argsort(found.between)
    x, known = np.log(found.between[order]), found.value[order]
    told: list[dict[str, float | list[float]] | None] = []
    for rate in rates:
        if not x[0] <= np.log(rate) <= x[-1]:
            told.append(None)
            continue
        one: dict[str, float | list[float]] = {"value": float(np.interp(np.log(rate), x, known))}
        if found.ci is not None:
            one["ci"] = [float(np.interp(np.log(rate), x, end[order])) for end in found.ci.T]
        told.append(one)
    return told

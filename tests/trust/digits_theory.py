"""Estimators of the theory beside their exact values."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import torch

from mspgt.theory.beta import activation_weights, effective_dimensions, extrapolate, rate_through_noise
from mspgt.theory.fisher import Sensitivity, score
from mspgt.theory.information import (
    conditional_information,
    gaussian_information,
    nearest_neighbour_information,
)
from mspgt.theory.kink import straightened
from mspgt.theory.usable import Usable
from tests.trust import exact
from tests.trust.digits import case, drawn, related


@case("Gaussian information")
def _information(offset: float) -> tuple[Any, Any]:
    x, y = (v + offset for v in related(60))
    return gaussian_information(x, y), exact.gaussian_information(x, y)


@case("conditional information")
def _conditional(offset: float) -> tuple[Any, Any]:
    x, y = related(80)
    z = x + drawn(80, 3, seed=9)
    x, y, z = (v + offset for v in (x, y[:, :2], z))
    return conditional_information(x, y, z), exact.conditional_information(x, y, z)


@case("nearest-neighbour information")
def _neighbours(offset: float) -> tuple[Any, Any]:
    x = drawn(60, 1) + offset
    y = x + 0.5 * drawn(60, 1, seed=2)
    a, b = (([v[0] for v in exact.numbers(side)]) for side in (x, y))
    a, b = ([v / mp.sqrt(exact.variance(side) * 59 / 60) for v in side] for side in (a, b))
    terms = []
    for i in range(60):
        apart = sorted(max(abs(a[i] - a[j]), abs(b[i] - b[j])) for j in range(60) if j != i)
        counts = [sum(abs(s[i] - s[j]) < apart[3] for j in range(60) if j != i) for s in (a, b)]
        terms.append(sum(mp.digamma(count + 1) for count in counts))
    return nearest_neighbour_information(x, y), mp.digamma(4) + mp.digamma(60) - exact.mean(terms)


@case("dimensions and rate through noise", offset=False)
def _through_noise(_: float) -> tuple[Any, Any]:
    spectrum, noise = np.exp(3 * drawn(8)), np.array(0.37)
    x, s = exact.numbers(spectrum), mp.mpf(0.37)
    truth = [mp.fsum(v / (v + s) for v in x), mp.fsum(mp.log(1 + v / s) for v in x) / 2]
    return [float(effective_dimensions(spectrum, noise)), float(rate_through_noise(spectrum, noise))], truth


@case("β̂, extrapolated to no inflation", offset=False)
def _extrapolated(_: float) -> tuple[Any, Any]:
    x, y = (0.04, 0.02, 0.01), np.array([1.31, 1.17, 1.13])
    return extrapolate(x, y), exact.polynomial_at_zero(x, y)


@case("β̂ of activations", offset=False)
def _beta(_: float) -> tuple[Any, Any]:
    traces, variances, std = np.exp(drawn(4)), np.exp(drawn(4, 5)), np.exp(drawn(4, seed=8))
    found = activation_weights(traces, variances, std, (0.05, 0.1), {"local": (1, 2), "global": (3, 4)})
    truth = []
    for layers in ((0, 1), (2, 3)):
        for sigma in (mp.mpf(0.05), mp.mpf(0.1)):
            noise = [(sigma * mp.mpf(float(std[l]))) ** 2 for l in layers]
            dims = mp.fsum(
                v / (v + s) for l, s in zip(layers, noise, strict=True) for v in exact.numbers(variances[l])
            )
            truth.append(sigma**2 * mp.fsum(mp.mpf(float(traces[l])) for l in layers) / dims)
    return np.concatenate([found["local"], found["global"]]), truth


@case("usable information", offset=False)
def _usable(_: float) -> tuple[Any, Any]:
    saved, counts, prior = drawn(6, 3) * 100, np.arange(6.0) + 30, np.full(6, 90.0)
    weights = np.array([2.0, 0, 1, 1, 0, 2])
    found = Usable("lexical", "", 4, saved, counts, prior, np.arange(6)).bits(weights[None])[0]
    w, n = exact.numbers(weights), exact.numbers(counts)
    return found, [mp.fdot(w, column) / mp.fdot(w, n) for column in zip(*exact.numbers(saved), strict=True)]


def _sensitivity(fisher: np.ndarray, kl: np.ndarray) -> Sensitivity:
    return Sensitivity(
        tokens=np.array([11.0, 7, 9]),
        document=np.array([0, 0, 1]),
        std=np.ones(2),
        sigmas=np.array([0.05, 0.1, 0.2]),
        fisher=fisher,
        empirical=fisher,
        hessian=None,
        kl=kl,
        loss=kl,
        arm_layers={"local": (1, 2)},
        arm_sigma=0.1,
    )


@case("Fisher trace a token, prediction and slope", offset=False)
def _fisher(_: float) -> tuple[Any, Any]:
    fisher, kl = np.exp(drawn(3, 2)), np.exp(drawn(3, 3, 2)) * 0.01
    made = _sensitivity(fisher, kl)
    trace = [mp.fsum(column) / 27 for column in zip(*exact.numbers(fisher), strict=True)]
    sigmas = [mp.mpf(s) for s in (0.05, 0.1, 0.2)]
    slopes = []
    for layer in range(2):
        y = [2 * mp.fsum(exact.numbers(kl[:, at, layer])) / 27 / s**2 for at, s in enumerate(sigmas)]
        x = [s**2 for s in sigmas]
        centre = exact.mean(x)
        slope = mp.fsum((u - centre) * v for u, v in zip(x, y, strict=True)) / mp.fsum(
            (u - centre) ** 2 for u in x
        )
        slopes.append(exact.mean(y) - slope * centre)
    found = [*made.per_token(fisher), float(made.predicted("local")), *made.zero_noise(kl)]
    return found, [*trace, mp.mpf(0.1) ** 2 * mp.fsum(trace) / 2, *slopes]


@case("log-probability of labels (float64)")
def _score(offset: float) -> tuple[Any, Any]:
    logits = 5 * drawn(1, 4, 9) + offset
    labels = np.array([[3, 0, 8, 1]])
    valid = np.array([[True, True, False, True]])
    found = score(*(torch.from_numpy(v) for v in (logits, labels, valid)))[0]
    rows = exact.numbers(logits[0])
    return float(found), mp.fsum(row[l] - mp.log(mp.fsum(mp.exp(v) for v in row))
                                 for row, l, ok in zip(rows, labels[0], valid[0], strict=True) if ok)  # fmt: skip


@case("information, straightened", offset=False)
def _straightened(_: float) -> tuple[Any, Any]:
    nats = np.array([1e-3, 0.2, 3.0, 40.0, 300.0])
    return straightened(nats, 4), [mp.log(1 - mp.exp(-v / 2)) for v in exact.numbers(nats)]

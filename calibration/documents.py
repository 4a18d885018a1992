"""Coverage and bias of CKA across documents, where documents have strong topics: `python -m calibration documents`.

Tokens are Gaussian. A token is its document's topic plus its own part; from one layer to the next the topic keeps the
share `topic` of its direction and the token's own part the share `own`. Tokens of different documents are
independent, so the population's CKA is ((τ²·topic + own) / (τ² + 1))² with τ² the variance of topics over that of the
own parts.
Documents have unequal sizes. Recorded for each cell: coverage of the 95 % interval of −log CKA that ships, and of the
percentiles of its bootstrap over documents; bias in SDs of the estimate; and the bias of the estimate over all pairs
of tokens, which does not know documents.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mspgt.signals.document_tables import layer_tables
from mspgt.signals.geometry import calibrated_s1
from mspgt.stats.bootstrap import document_weights, percentile_interval
from mspgt.stats.jackknife import jackknife_interval

RESULTS = Path(__file__).parent / "results" / "documents.json"
DOCUMENTS = (30, 60)
# Share of its direction that (topic, own part) keep: neighbours as in a real model, and a sharp change.
STEPS = ((0.999, 0.97), (0.6, 0.95))
TOPIC_VARIANCE, WIDTH, DRAWS = 1.0, 48, 500


def truth(step: tuple[float, float]) -> float:
    topic, own = step
    return ((TOPIC_VARIANCE * topic + own) / (TOPIC_VARIANCE + 1)) ** 2


def draw_layers(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Layers (3, tokens, width) and the document of each token; dimensions have a falling spectrum."""
    sizes = np.clip(rng.lognormal(3.2, 0.5, count).astype(int), 8, 90)
    documents = np.repeat(np.arange(count), sizes)
    scale = np.arange(1, WIDTH + 1) ** -0.5
    topic = rng.normal(size=(count, WIDTH))
    own = rng.normal(size=(len(documents), WIDTH))
    layers = []
    for kept in ((1.0, 1.0), *STEPS):
        topic, own = (
            keep * part + np.sqrt(1 - keep**2) * rng.normal(size=part.shape)
            for keep, part in zip(kept, (topic, own), strict=True)
        )
        layers.append((np.sqrt(TOPIC_VARIANCE) * topic[documents] + own) * scale)
    return np.stack(layers), documents


def one_run(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Estimates (2,), intervals of −log CKA and percentiles (2 ends, 2), estimates over all pairs of tokens (2,)."""
    from mspgt.signals.cka import cka

    layers, documents = draw_layers(count, np.random.default_rng([seed, count]))
    features = torch.from_numpy(layers - layers.mean(1, keepdims=True))
    tables = layer_tables(lambda l: features[l], 3, torch.from_numpy(documents), count, across=True)
    estimate, draws, without = (
        calibrated_s1(tables.cka(weights))[0]
        for weights in (np.ones((1, count)), document_weights(count, DRAWS, seed), 1 - np.eye(count))
    )
    ends = jackknife_interval(estimate[0], without, draws.mean(0) - estimate[0])
    everyone = np.array([cka(layers[i], layers[i + 1]) for i in range(2)])
    return tables.cka(), ends, percentile_interval(draws), everyone


def coverage(ends: np.ndarray, true: float) -> float:
    """Share of intervals (runs, 2) that hold the truth."""
    return float(((ends[:, 0] <= true) & (true <= ends[:, 1])).mean())


def study(count: int, runs: int, seed: int) -> list[dict[str, Any]]:
    """One cell a step: coverage, and biases in SDs of the estimate."""
    found, ends, percentiles, everyone = (
        np.stack(part) for part in zip(*(one_run(count, seed + i) for i in range(runs)), strict=True)
    )
    cells = []
    for i, step in enumerate(STEPS):
        true, spread = truth(step), found[:, i].std(ddof=1)
        cells.append(
            {
                "documents": count,
                "kept": step,
                "truth": true,
                "runs": runs,
                "coverage": coverage(ends[:, :, i], -np.log(true)),
                "coverage_of_percentiles": coverage(percentiles[:, :, i], -np.log(true)),
                "bias_in_sd": float((found[:, i].mean() - true) / spread),
                "sd": float(spread),
                "bias_of_all_pairs_in_sd": float((everyone[:, i].mean() - true) / spread),
            }
        )
    return cells


def main(arguments: list[str]) -> None:
    """Run every cell and write the results beside this file."""
    parser = argparse.ArgumentParser(prog="calibration documents", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1_000_000)
    options, _ = parser.parse_known_args(arguments)
    cells = [cell for count in DOCUMENTS for cell in study(count, options.runs, options.seed)]
    recipe = {"runs": options.runs, "seed": options.seed, "topic_variance": TOPIC_VARIANCE, "width": WIDTH}
    RESULTS.write_text(json.dumps({"recipe": recipe | {"draws": DRAWS}, "cells": cells}, indent=1) + "\n")
    for cell in cells:
        print(
            f"{cell['documents']} documents, CKA {cell['truth']:.4f}: coverage {cell['coverage']:.3f} "
            f"(percentiles {cell['coverage_of_percentiles']:.3f}), bias "
            f"{cell['bias_in_sd']:+.2f} SD (over all pairs of tokens {cell['bias_of_all_pairs_in_sd']:+.2f} SD)"
        )

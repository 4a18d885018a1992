"""Equation 23 on the twelve planted languages: `python -m calibration languages`, about ten minutes on one core."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from calibration.latents import Trained, common_rates, language_family, multiplier, train_language

from mspgt.errors import InputError
from mspgt.theory.languages import Slope, equation23

OUT = Path(__file__).parent / "results" / "languages.json"


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="calibration languages")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--documents", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    trained = []
    for language in language_family():
        started = time.perf_counter()
        trained.append(
            train_language(language, steps=options.steps, documents=options.documents, seed=options.seed)
        )
        print(f"{language.name}: {time.perf_counter() - started:.0f} s", flush=True)
    OUT.write_text(json.dumps({"settings": vars(options), **summary(trained)}, indent=1) + "\n")


def summary(trained: Sequence[Trained]) -> dict[str, Any]:
    target = common_rates(trained)
    entropy = np.array([one.entropy for one in trained])
    at_rate = np.array(
        [[multiplier(one.betas, one.rates[:, s], target[s]) for s in range(3)] for one in trained]
    )
    weights = np.array([one.weights for one in trained])
    rows = [
        {
            "language": one.name,
            "entropy_nats": list(one.entropy),
            "betas": list(one.betas),
            "rates": one.rates.tolist(),
            "distortion": one.distortion.tolist(),
            "beta_hat_at_one": one.weights.tolist(),
            "multiplier_at_common_rate": [None if np.isnan(v) else float(v) for v in row],
        }
        for one, row in zip(trained, at_rate, strict=True)
    ]
    # A scale without a rate that all languages pass through has no multiplier to compare.
    shared = np.flatnonzero(~np.isnan(target))
    found = {"all": {**_slope(entropy[:, shared], at_rate[:, shared]), "scales": ["GIL"[s] for s in shared]}}
    for place, scale in enumerate("GIL"):
        found[scale] = _slope(entropy[:, [place]], at_rate[:, [place]])
    return {
        "languages": rows,
        "common_rate_nats": [None if np.isnan(v) else float(v) for v in target],
        "slopes": found,
        "slopes_at_beta_one": {"all": _slope(entropy, weights)},
    }


def _slope(entropy: np.ndarray, beta: np.ndarray) -> dict[str, Any]:
    try:
        found: Slope = equation23(entropy, beta)
    except InputError as error:
        return {"slope": None, "ci": None, "reason": str(error)}
    return {
        "slope": found.slope,
        "ci": list(found.ci),
        "languages": found.languages,
    }

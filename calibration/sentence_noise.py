"""Error of the detector where sentence noise is correlated: `python -m calibration sentence-noise`.

The null family has roughness without a boundary. Here sentence noise lies on it, of a known covariance between
transitions: none; neighbours that share a layer with the same sign or with opposite signs; a slow drift over depth;
and one shift of the whole profile. The detector is given that covariance as the document bootstrap would show it, and
the share of profiles in which it claims any boundary is written, by kind of noise and by its ratio to the roughness.
Beside it stands the same with the variances alone, which is what ignoring the covariance would do.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.search import climb
from mspgt.boundaries.tables import row
from mspgt.stats.coverage import rate_upper
from mspgt.stats.nulls import NULL_CELLS, null_profiles

Array = NDArray[np.float64]

OUT = Path(__file__).parent / "results" / "sentence_noise.json"
TRANSITIONS, SIGNALS = (23, 31), 3
RATIOS = (0.1, 0.3, 1.0, 3.0, 10.0)  # sentence noise over roughness, both as SDs
MEMBERS = 3  # every third cell of the null family, so that all backgrounds, tails and memories come


def correlations(transitions: int) -> dict[str, Array]:
    """Name → correlation of sentence noise between transitions, (transitions, transitions)."""
    apart = np.abs(np.subtract.outer(np.arange(transitions), np.arange(transitions)))
    return {
        "none": np.eye(transitions),
        "neighbours +.5": np.eye(transitions) + 0.5 * (apart == 1),
        "neighbours −.5": np.eye(transitions) - 0.5 * (apart == 1),
        "drift .9": 0.9**apart,
        "one shift": np.ones((transitions, transitions)),
    }


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="calibration sentence-noise")
    parser.add_argument("--runs", type=int, default=12, help="of every member of the null family")
    parser.add_argument("--seed", type=int, default=61_000_003)
    options = parser.parse_args(arguments)
    rows = [
        cell(transitions, name, ratio, runs=options.runs, seed=options.seed)
        for transitions in TRANSITIONS
        for name, ratio in product(correlations(transitions), RATIOS)
    ]
    OUT.write_text(
        json.dumps({"settings": vars(options), "cells": rows}, indent=1, ensure_ascii=False) + "\n"
    )
    for one in rows:
        print(one)


def cell(transitions: int, name: str, ratio: float, *, runs: int, seed: int) -> dict[str, Any]:
    """Share of profiles without a boundary in which one is claimed, by what the detector is told of the noise."""
    covariance = np.tile(ratio**2 * correlations(transitions)[name], (SIGNALS, 1, 1))
    limits = row(transitions, SIGNALS).critical
    claimed = {"covariance": 0, "variances": 0}
    members = NULL_CELLS[::MEMBERS]
    for at, member in enumerate(members):
        profiles = null_profiles(member, transitions, runs, np.random.SeedSequence([seed, transitions, at]))
        rng = np.random.default_rng([seed, transitions, at, 1])
        # A square root that also takes a covariance of rank one.
        values, vectors = np.linalg.eigh(covariance[0])
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        noisy = profiles + rng.standard_normal(profiles.shape) @ root.T
        spread = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        for told, floor in (("covariance", covariance), ("variances", spread)):
            claimed[told] += int((climb(noisy, limits, scale_floor=floor).accepted > 0).sum())
    profiles_in_all = runs * len(members)
    return {
        "transitions": transitions,
        "noise": name,
        "ratio": ratio,
        "profiles": profiles_in_all,
        **{f"error_{told}": count / profiles_in_all for told, count in claimed.items()},
        "upper_covariance": rate_upper(claimed["covariance"], profiles_in_all),
    }

"""How far a claimed boundary may lie from the planted one: `python -m calibration far-misses`, about five minutes.

The detector's 95 % sets are calibrated at 5 %. A verdict on drift asks something else: how often does a set miss its
boundary by many layers, in a model that shows as many boundaries as it has? Boundaries of every kind are planted at
once to three times the size that half of them are found at, and the share of sets that the truth lies more than
`reach` layers outside of is written by cell, for reach 0, 1, 2 and 3.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from mspgt.boundaries.detect import detect
from mspgt.boundaries.tables import row
from mspgt.stats.coverage import rate_upper
from mspgt.stats.nulls import NULL_CELLS, null_profiles, plant, roughness_profile
from mspgt.vocabulary import KINDS

OUT = Path(__file__).parent / "results" / "far_misses.json"
DEPTHS, SIZES, SIGNALS = (24, 32, 48), (1.0, 1.5, 3.0), (1, 3)
PLACES = {2: (0.28, 0.7), 3: (0.2, 0.5, 0.8)}
REACH = (0, 1, 2, 3)
NOISE = 0.05


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="calibration far-misses")
    parser.add_argument("--runs", type=int, default=150, help="of every cell")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    rows = [
        _cell(*cell, runs=options.runs, seed=options.seed) for cell in product(DEPTHS, KINDS, SIZES, SIGNALS)
    ]
    told = [one for one in rows if one["sets"]]
    total = {
        str(reach): sum(one["missed"][str(reach)] for one in told) / sum(one["sets"] for one in told)
        for reach in REACH
    }
    worst = {
        str(reach): max(
            (one["missed"][str(reach)] / one["sets"] for one in told if one["sets"] >= 50), default=None
        )
        for reach in REACH
    }
    OUT.write_text(
        json.dumps({"settings": vars(options), "overall": total, "worst": worst, "cells": rows}, indent=1)
        + "\n"
    )
    print(total, worst)


def _cell(layers: int, kind: str, size: float, signals: int, *, runs: int, seed: int) -> dict[str, Any]:
    transitions = layers - 1
    power = row(transitions, signals).power.get(kind)
    missed: dict[str, int] = defaultdict(int)
    sets = 0
    if power is not None:
        for number in range(runs):
            key = (seed, layers, KINDS.index(kind), int(10 * size), signals, number)
            rng = np.random.default_rng(key)
            wanted = (2, 3)[number % 2]
            places = np.array([round(share * layers) - 1 for share in PLACES[wanted]])
            cell = NULL_CELLS[rng.integers(len(NULL_CELLS))]
            profile = null_profiles(cell, transitions, 1, np.random.SeedSequence(key), amplitude=(2.5, 10.0))
            scale = roughness_profile(cell.roughness, transitions)
            planted = plant(profile, kind, places[None], np.array(size * power[0]), scale)[0]
            observed = planted + NOISE * rng.standard_normal(planted.shape)
            observed[signals:] = np.nan
            draws = observed + NOISE * rng.standard_normal((60, *observed.shape))
            claims = detect(observed, "calibrated", draws).claims
            if len(claims) != wanted:
                continue
            for claim, place in zip(claims, places, strict=True):
                truth = int(place) + 1
                outside = max(min(claim.set) - truth, truth - max(claim.set), 0)
                sets += 1
                for reach in REACH:
                    missed[str(reach)] += outside > reach
    return {
        "layers": layers, "kind": kind, "size": size, "signals": signals, "runs": runs, "sets": sets,
        "missed": {str(reach): missed[str(reach)] for reach in REACH},
        "upper": {str(r): rate_upper(missed[str(r)], sets) for r in REACH} if sets else None,
    }  # fmt: skip

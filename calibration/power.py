"""Power where signals differ in how much sentence noise lies on their roughness: stated against simulated.

`python -m calibration power` plants two boundaries of one size in every signal, adds sentence noise of another
strength to each and lets the detector look, as deep as models are. From one half of the depths it takes the weights
of the strongest, the middle and the weakest signal that `mspgt.boundaries.power` reads; on the others, and on fresh
seeds, it holds the stated power against the simulated one.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from calibration.detector import RESULTS, SOURCE, write_atomically
from calibration.planting import hits, planted
from scipy.optimize import minimize

from mspgt.boundaries.power import equal_size, power_curve
from mspgt.boundaries.search import climb
from mspgt.boundaries.tables import row
from mspgt.vocabulary import KINDS

SEED = 53_000_011
RESULT = RESULTS / "power.json"
WEIGHTS = SOURCE / "boundaries" / "data" / "power_weights.json"
FITTED, HELD_OUT = (11, 15, 23, 31), (13, 19, 27)
SIZES = (3.0, 4.0, 5.0, 6.0, 8.0)
# se/τ of each signal; 10 is noise alone.
RATIOS: dict[int, tuple[tuple[float, ...], ...]] = {
    3: ((0, 0, 1), (0, 0, 10), (0, 1, 10), (0, 0.5, 2), (0, 3, 3), (0, 10, 10)),
    2: ((0, 1), (0, 3), (0, 10)),
}
FRESH: dict[int, tuple[tuple[float, ...], ...]] = {
    3: ((0.05, 0.5, 10), (0.1, 0.1, 2), (0.3, 1, 3), (0.05, 0.3, 0.05)),
    2: ((0.1, 2), (0.3, 0.6)),
}


def simulated(
    kind: str, transitions: int, size: float, ratios: Sequence[float], runs: int, seed: int
) -> float:
    """Share found, within one transition and of the right kind, of two boundaries of that size in every signal."""
    signals = len(ratios)
    key = [seed, transitions, signals, KINDS.index(kind), int(10 * size)]
    world = planted(kind, transitions, size, runs, key, signals=signals)
    spread = np.array(ratios)[:, None] * np.ones(transitions)
    noisy = world.profiles + spread * np.random.default_rng([*key, 1]).standard_normal(world.profiles.shape)
    path = climb(noisy, row(transitions, signals).critical, scale_floor=spread)
    within = np.arange(path.place.shape[1]) < path.accepted[:, None]
    return float(hits(path.place, within & (path.kind == KINDS.index(kind)), world.places).mean())


def rows(
    depths: Sequence[int], ratios: dict[int, tuple[tuple[float, ...], ...]], runs: int, seed: int
) -> list[dict[str, Any]]:
    """Simulated power of every kind, depth, number of signals and pattern of noise, by size."""
    found = []
    for transitions, (signals, patterns), kind in product(depths, ratios.items(), KINDS):
        if kind in row(transitions, signals).power:
            for pattern in patterns:
                shares = [simulated(kind, transitions, size, pattern, runs, seed) for size in SIZES]
                found.append(
                    {
                        "kind": kind,
                        "transitions": transitions,
                        "ratios": list(pattern),
                        "found": [round(share, 3) for share in shares],
                    }
                )
        print(f"{transitions:3d} transitions, {signals} signals, {kind}", file=sys.stderr, flush=True)
    return found


def fitted(measured: Sequence[dict[str, Any]], kind: str, signals: int) -> list[float]:
    """Weights of the signals, the clearest first, that make stated power most like the simulated."""
    mine = [one for one in measured if one["kind"] == kind and len(one["ratios"]) == signals]

    def weights(free: np.ndarray) -> np.ndarray:
        share = np.exp(np.append(free, 0.0))
        return np.asarray(share / share.sum())

    def misfit(free: np.ndarray) -> float:
        return float(
            np.sum(np.square([difference for one in mine for difference in off(one, weights(free))]))
        )

    best = minimize(misfit, np.zeros(signals - 1), method="Nelder-Mead")
    return [round(float(value), 3) for value in weights(best.x)]


def off(one: dict[str, Any], weights: Sequence[float] | np.ndarray | None = None) -> list[float]:
    """Stated less simulated power, by size."""
    curve = power_curve(one["transitions"], one["kind"], len(one["ratios"]))
    factor = equal_size(one["kind"], one["ratios"], weights)
    return [float(curve(size * factor)) - share for size, share in zip(SIZES, one["found"], strict=True)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration power", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="a quarter of the runs")
    runs = 100 if parser.parse_args(arguments).brief else 400
    stored = rows(FITTED, RATIOS, runs, SEED)
    found = {
        str(signals): {kind: fitted(stored, kind, signals) for kind in KINDS} for signals in sorted(RATIOS)
    }
    recipe = {"seed": SEED, "runs": runs, "depths": FITTED, "sizes": SIZES}
    write_atomically(WEIGHTS, json.loads(json.dumps({"recipe": recipe, "weights": found})))
    report: dict[str, Any] = {"recipe": recipe, "sizes": SIZES, "fitted": stored}
    for one in stored:
        one["off"] = [round(d, 3) for d in off(one, found[str(len(one["ratios"]))][one["kind"]])]
    fresh = rows(HELD_OUT, FRESH, runs, SEED + 1)
    for one in fresh:
        one["off"] = [round(d, 3) for d in off(one, found[str(len(one["ratios"]))][one["kind"]])]
    write_atomically(RESULT, json.loads(json.dumps(report | {"fresh": fresh})))


if __name__ == "__main__":
    main()

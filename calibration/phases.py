"""Error, power and position sets of the phases, on worlds of their own (`calibration/phase_worlds.py`).

`python -m calibration phases` writes `calibration/results/phases-*.json`, a file a depth, and goes on where it was.
Seeds are fresh: none of them was used when thresholds were set.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from calibration.detector import RESULTS, write_atomically
from calibration.phase_stacks import token_stacks
from calibration.phase_worlds import OUTSIDE, World, draw, family, with_boundaries
from calibration.validate import upper_bound
from numpy.typing import NDArray

from mspgt.boundaries.phases import contrasts, evidence_profile, find_phases, threshold

Array = NDArray[np.float64]

SEED = 93_000_017
DEPTHS = (24, 30, 12, 48, 18, 80, 32)
BATCH = 250
JUMPS = (0.2, 0.3, 0.4, 0.6)
# Below so many draws without a boundary (by what a boundary is declared to be) a world is none of nulls.
LEAST_NULLS = 200
# Conditions for power and for sets: the plain world, and what real models show, doubled.
CONDITIONS: tuple[World, ...] = (
    World("plain"),
    World("rough 0.5", rough=0.5),
    World("bowl of speed", speed="bowl", contrast=2.0),
    World("disturbance alike over 0.8 blocks", field=0.8),
    World("disturbance 0.2, tails t3", pairs=0.2, pairs_tail=3.0),
    World("three lengths", law="three lengths"),
    World("every sixth block another kind", period=6, period_size=0.8),
    World("two odd blocks", odd=2, odd_size=1.2),
)


def path(layers: int) -> Path:
    """Where the figures of a depth are stored."""
    return RESULTS / f"phases-{layers:02d}.json"


def scores(world: World, layers: int, runs: int, seed: Sequence[int]) -> Array:
    """F of stacks of a world that hold no boundary, (at most runs,)."""
    found, rng = [], np.random.default_rng(list(seed))
    for start in range(0, runs, BATCH):
        made = draw(world, layers, min(BATCH, runs - start), rng)
        found.append(contrasts(evidence_profile(made.similarity).evidence).max(axis=(1, 2))[made.null])
    return np.concatenate(found)


def errors(layers: int, runs: int) -> list[dict[str, Any]]:
    """How often a boundary is claimed where there is none, world by world."""
    rows = []
    for inside, worlds in ((True, family(layers)), (False, OUTSIDE)):
        for number, world in enumerate(worlds):
            score = scores(world, layers, runs, [SEED, layers, 1, inside, number])
            row: dict[str, Any] = {"world": world.name, "inside": inside, "nulls": len(score), "runs": runs}
            if len(score) >= LEAST_NULLS:
                called = int((score >= threshold(layers)).sum())
                row |= {
                    "called": called,
                    "called_at_1": int((score >= threshold(layers, 0.01)).sum()),
                    "upper95": round(upper_bound(called, len(score)), 4),
                    "score95": round(float(np.quantile(score, 0.95)), 3),
                }
            rows.append(row)
    return rows


def confirmed(layers: int, rows: Sequence[dict[str, Any]], runs: int = 6000) -> list[dict[str, Any]]:
    """The rates of the three worlds that seemed worst, on seeds that did not choose them."""
    seemed = sorted(
        (row for row in rows if row["inside"] and "called" in row),
        key=lambda row: -row["called"] / row["nulls"],
    )
    worlds = {world.name: world for world in family(layers)}
    again = []
    for number, row in enumerate(seemed[:3]):
        score = scores(worlds[row["world"]], layers, runs, [SEED, layers, 5, number])
        called = int((score >= threshold(layers)).sum())
        again.append(
            {"world": row["world"], "nulls": len(score), "called": called,
             "upper95": round(upper_bound(called, len(score)), 4)}
        )  # fmt: skip
    return again


def places(layers: int, boundaries: int, runs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Boundaries at random, an eighth of the depth (3 at least) from the ends and a seventh (4 at least) apart."""
    edge, apart = max(3, layers // 8), max(4, layers // 7)
    free = layers - 2 * edge - (boundaries - 1) * apart
    low = np.sort(rng.integers(0, free + 1, (runs, boundaries)), axis=1)
    return np.asarray(edge + low + apart * np.arange(boundaries))


def recovery(layers: int, runs: int) -> list[dict[str, Any]]:
    """Planted boundaries: all found within one, false claims beside them, coverage and size of sets."""
    rows = []
    for number, world in enumerate(CONDITIONS):
        # The plain world in full; the others with two boundaries, as the theory has them.
        for count in (1, 2, 3) if number == 0 else (2,):
            if layers - 2 * max(3, layers // 8) < (count - 1) * max(4, layers // 7):
                continue
            for jump in JUMPS:
                rng = np.random.default_rng([SEED, layers, 2, number, count, int(100 * jump)])
                truth = places(layers, count, runs, rng)
                planted = with_boundaries(draw(world, layers, runs, rng).similarity, truth, jump)
                rows.append({"world": world.name, "planted": count, "jump": jump} | _judge(planted, truth))
    return rows


def spread_changes(layers: int, runs: int) -> list[dict[str, Any]]:
    """A change dealt out over two or three transitions: found, and whether the set touches it."""
    rows = []
    for spread in (2, 3):
        rng = np.random.default_rng([SEED, layers, 3, spread])
        truth = places(layers, 1, runs, rng)
        planted = with_boundaries(draw(World("plain"), layers, runs, rng).similarity, truth, 0.6, spread)
        rows.append({"spread": spread, "jump": 0.6} | _judge(planted, truth))
    return rows


def _judge(planted: Array, truth: NDArray[np.int64]) -> dict[str, Any]:
    everything = false = claims = covered = 0
    sizes = []
    score = contrasts(evidence_profile(planted).evidence).max(axis=(1, 2))
    over = score >= threshold(planted.shape[-1])
    for matrix, layers, some in zip(planted, truth, over, strict=True):
        found = find_phases(matrix).boundaries if some else ()
        near = [min(abs(one.layer - layer) for one in found) <= 1 if found else False for layer in layers]
        everything += all(near)
        for one in found:
            nearest = int(layers[np.abs(layers - one.layer).argmin()])
            claims += 1
            covered += nearest in one.set
            sizes.append(len(one.set))
            false += abs(nearest - one.layer) > 2
    return {
        "runs": len(planted),
        "all_found": everything,
        "claims": claims,
        "false": false,
        "covered": covered,
        "set_median": float(np.median(sizes)) if sizes else None,
        "set_mean": round(float(np.mean(sizes)), 2) if sizes else None,
    }


def measure(layers: int, runs: int, stacks: int) -> dict[str, Any]:
    """All figures of a depth."""
    rows = errors(layers, runs)
    return {
        "seed": SEED,
        "runs": runs,
        "threshold": round(threshold(layers), 4),
        "errors": rows,
        "confirmed": confirmed(layers, rows),
        "recovery": recovery(layers, runs // 4),
        "spread": spread_changes(layers, runs // 4),
        "token_stacks": token_stacks(layers, stacks, [SEED, layers, 4]) if layers in (12, 24) else None,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration phases", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="a tenth of the runs")
    parser.add_argument("--layers", type=int, nargs="+", default=DEPTHS)
    options = parser.parse_args(arguments)
    for layers in options.layers:
        # Deep stacks cost most and their worlds differ least.
        runs, stacks = (100, 2) if options.brief else (600 if layers < 40 else 300, 8)
        if path(layers).exists() and json.loads(path(layers).read_text("utf-8"))["runs"] >= runs:
            continue
        write_atomically(path(layers), json.loads(json.dumps(measure(layers, runs, stacks))))
        print(f"phases, {layers} blocks", file=sys.stderr, flush=True)
    importlib.import_module("calibration.phases_page").write_page()


if __name__ == "__main__":
    main()

"""Critical values, confidence thresholds and power constants of the calibrated detector.

`python -m calibration detector` writes the table that ships with the package. Every depth is a file of its
own under `calibration/results`, so a run that was stopped goes on where it was.

The null family of a depth is the 576 cells with independent signals, and its cells without the heaviest
tails with signals correlated at 0.6: an outlier that the signals share is a spike to any test on one profile.
All cells are screened small; the worst are simulated again, with fresh seeds, at full size.
"""

import argparse
import ast
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from calibration.planting import hits, planted
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtr

from mspgt.boundaries.confidence import score_curve
from mspgt.boundaries.contrasts import bank
from mspgt.boundaries.search import climb, strongest
from mspgt.boundaries.tables import LEVEL
from mspgt.stats.nulls import KINDS, NULL_CELLS, NullCell, null_profiles

Array = NDArray[np.float64]
Member = tuple[NullCell, float]  # a cell and the correlation of its signals

HERE = Path(__file__).parent
RESULTS = HERE / "results"
SOURCE = HERE.parent / "src" / "mspgt"
TABLE = SOURCE / "boundaries" / "data" / "detector.json"
CODE = ("boundaries/contrasts.py", "boundaries/search.py", "boundaries/confidence.py", "stats/nulls.py")
BATCH = 1000
# On top of the worst member's quantile: which member is worst is itself read off a simulation.
MARGIN = 1.02


@dataclass(frozen=True)
class Recipe:
    """All that decides the table."""

    transitions: tuple[int, ...] = (5, 6, 7, 9, 11, 13, 15, 19, 23, 27, 31, 39, 47, 63, 95, 127)
    signals: tuple[int, ...] = (1, 2, 3)
    correlation: float = 0.6
    screen_runs: int = 200
    worst_cells: int = 12
    worst_runs: int = 10_000
    sizes: tuple[float, ...] = (1, 2, 3, 4, 5, 6, 8, 12)
    planted_runs: int = 1600
    faintest: float = 0.7  # the least size that confidence sets must hold: 1 SD under as much sentence noise
    set_runs: int = 2000
    seed: int = 20250524


BRIEF = Recipe(
    transitions=(5, 6, 7, 9, 11, 13, 15, 19, 23, 27, 31, 39, 47, 63, 127),
    screen_runs=8,
    worst_cells=3,
    worst_runs=1000,
    planted_runs=160,
    set_runs=400,
)
QUICK = Recipe(
    transitions=(11,),
    signals=(3,),
    screen_runs=20,
    worst_cells=4,
    worst_runs=500,
    planted_runs=160,
    set_runs=160,
)


def family(signals: int, correlation: float) -> list[Member]:
    """The null family: independent signals, and correlated ones without the heaviest tails."""
    shared = [(cell, correlation) for cell in NULL_CELLS if cell.tail != "t4"] if signals > 1 else []
    return [(cell, 0.0) for cell in NULL_CELLS] + shared


def usual_suspects(signals: int, correlation: float) -> list[Member]:
    """Members that are among the worst at many depths, however small a screen ranks them."""
    laws = ((0.0, "rising"), (0.3, "bulging"), (0.7, "bulging"))
    tail, rho = ("t8", correlation) if signals > 1 else ("t4", 0.0)
    backgrounds = ("flat", "slope", "sine-0.5", "logistic-6")
    return [(NullCell(name, ar, tail, rough), rho) for name in backgrounds for ar, rough in laws]


def null_scores(
    members: Sequence[Member], transitions: int, signals: int, runs: int, seed: list[int]
) -> Array:
    """Highest score of each kind, `(members, runs, kinds)`."""
    store, scores = bank(transitions), []
    together = max(1, BATCH // runs)
    for start in range(0, len(members), together):
        part = members[start : start + together]
        profiles = np.concatenate(
            [
                null_profiles(cell, transitions, runs, [*seed, start + i], correlation=rho, signals=signals)
                for i, (cell, rho) in enumerate(part)
            ]
        )
        pieces = [strongest(profiles[i : i + BATCH], store) for i in range(0, len(profiles), BATCH)]
        scores.append(np.concatenate(pieces).reshape(len(part), runs, len(KINDS)))
    return np.concatenate(scores)


def critical_values(recipe: Recipe, transitions: int, signals: int) -> dict[str, Any]:
    """Scores that hold the family-wise error of the kinds together in the worst of the null family."""
    members = family(signals, recipe.correlation)
    kinds = [i for i, kind in enumerate(KINDS) if len(bank(transitions).elements[kind])]
    if not kinds:
        return {"critical": {}, "confirmed": 1.0, "alone": {}, "worst": []}
    seed = [recipe.seed, transitions, signals]
    screen = null_scores(members, transitions, signals, recipe.screen_runs, [*seed, 1])[..., kinds]
    high = np.quantile(screen, 1 - LEVEL, axis=1)
    worst = {int(m) for k in range(len(kinds)) for m in np.argsort(-high[:, k])[: recipe.worst_cells]}
    usual = np.sort(high, axis=0)[-recipe.worst_cells :].mean(axis=0)
    joint = np.quantile((screen / usual).max(axis=2), 1 - LEVEL, axis=1)
    chosen = sorted(worst | {int(m) for m in np.argsort(-joint)[: 2 * recipe.worst_cells]})
    again = null_scores([members[m] for m in chosen], transitions, signals, recipe.worst_runs, [*seed, 2])[
        ..., kinds
    ]
    alone = np.quantile(again, 1 - LEVEL, axis=1).max(axis=0)
    together = np.quantile((again / alone).max(axis=2), 1 - LEVEL, axis=1)
    factor = float(together.max())
    order = np.argsort(-together)[:10]
    critical = factor * alone
    confirmed = confirmation(recipe, transitions, signals, critical, kinds)
    return {
        "critical": {KINDS[k]: round(float(critical[i]), 4) for i, k in enumerate(kinds)},
        "confirmed": confirmed,
        "alone": {KINDS[k]: round(float(alone[i]), 4) for i, k in enumerate(kinds)},
        "worst": [
            {
                "cell": members[chosen[i]][0].name,
                "correlation": members[chosen[i]][1],
                "relative": round(float(together[i]), 3),
            }
            for i in order
        ],
    }


def confirmation(recipe: Recipe, transitions: int, signals: int, critical: Array, kinds: list[int]) -> float:
    """What the critical values must be multiplied by to hold in the usual suspects too; at least 1."""
    members = usual_suspects(signals, recipe.correlation)
    seed = [recipe.seed, transitions, signals, 5]
    scores = null_scores(members, transitions, signals, 2 * recipe.worst_runs, seed)[..., kinds]
    needed = np.quantile((scores / critical).max(axis=2), 1 - LEVEL, axis=1).max()
    return round(max(1.0, float(needed)), 4)


def score_drops(
    kind: str,
    transitions: int,
    signals: int,
    size: float,
    recipe: Recipe,
    critical: float,
    *,
    noise: float = 0.0,
    drop: float = 0.0,
) -> tuple[Array, NDArray[np.bool_], Array]:
    """One boundary planted: how far the true place scores below the best, whether the best passes, set sizes.

    Each `(runs,)`. `noise` is sentence noise in roughness SDs, known to the detector; set sizes are for a set
    of that `drop`.
    """
    seed = [recipe.seed, transitions, signals, 3, KINDS.index(kind), int(10 * size)]
    world = planted(kind, transitions, size, recipe.set_runs, seed, pair=False, signals=signals)
    profiles = world.profiles
    floor = None
    if noise > 0:
        profiles = profiles + noise * np.random.default_rng([*seed, 1]).standard_normal(profiles.shape)
        floor = np.full(profiles.shape[1:], noise)
    path = climb(profiles, {kind: critical}, claims=1, scale_floor=floor)
    curve, _ = score_curve(profiles, kind, path.elements, path.elements[:, :, :0], scale_floor=floor)
    best = np.take_along_axis(curve, path.place, axis=1)
    true = np.take_along_axis(curve, world.places, axis=1)
    drops = np.where(path.place == world.places, 0.0, best - true)[:, 0]
    sizes = (np.nan_to_num(curve, nan=-np.inf) >= best - drop).sum(axis=1)
    # A boundary where the kind cannot be claimed has no score, and no set could hold it.
    possible = ~np.isnan(drops)
    return drops[possible], path.ratio[possible, 0] > 1, sizes[possible]


def drop_of(kind: str, transitions: int, signals: int, recipe: Recipe, critical: float) -> dict[str, Any]:
    """The drop that covers the true place in 95 % of runs, and of claims where there are enough, by size."""
    detail = {}
    for size in (recipe.faintest, *recipe.sizes):
        drops, passed, _ = score_drops(kind, transitions, signals, size, recipe, critical)
        claimed = float(np.quantile(drops[passed], 0.95)) if passed.sum() >= 40 else None
        detail[f"{size:g}"] = {
            "all": round(float(np.quantile(drops, 0.95)), 3),
            "claimed": None if claimed is None else round(claimed, 3),
            "rate": round(float(passed.mean()), 3),
        }
    return detail


def power_curve(
    kind: str, transitions: int, signals: int, recipe: Recipe, critical: dict[str, float]
) -> list[float]:
    """Share found of two planted boundaries, by size."""
    found = []
    for size in recipe.sizes:
        seed = [recipe.seed, transitions, signals, 4, KINDS.index(kind), int(10 * size)]
        world = planted(kind, transitions, size, recipe.planted_runs, seed, signals=signals)
        path = climb(world.profiles, critical)
        within = np.arange(path.place.shape[1]) < path.accepted[:, None]
        right = within & (path.kind == KINDS.index(kind))
        found.append(round(float(hits(path.place, right, world.places).mean()), 3))
    return found


def probit(sizes: Sequence[float], found: Sequence[float]) -> list[float] | None:
    """A50 and sd of the normal curve through shares found; None where not even half are ever found."""
    if max(found) <= 0.5:
        return None
    size, share = np.array(sizes), np.array(found)

    def misfit(p: Array) -> float:
        expected = np.clip(ndtr((size - p[0]) / p[1]), 1e-6, 1 - 1e-6)
        return -float(np.sum(share * np.log(expected) + (1 - share) * np.log1p(-expected)))

    best = minimize(
        misfit, [float(np.interp(0.5, np.maximum.accumulate(share), size)), 1.5], bounds=[(0, 20), (0.2, 10)]
    )
    return [round(float(value), 3) for value in best.x]


def simulate(recipe: Recipe, transitions: int) -> dict[str, Any]:
    """All that the table needs at one depth, by number of signals."""
    result: dict[str, Any] = {}
    for signals in recipe.signals:
        limits = critical_values(recipe, transitions, signals)
        drops = {k: drop_of(k, transitions, signals, recipe, c) for k, c in limits["critical"].items()}
        power = {
            k: power_curve(k, transitions, signals, recipe, limits["critical"]) for k in limits["critical"]
        }
        result[str(signals)] = limits | {"drops": drops, "power": power}
    return result


def code_hash() -> str:
    """SHA-256 over the sources that decide the table, without their comments, docstrings and layout."""
    digest = hashlib.sha256()
    for name in CODE:
        tree = ast.parse((SOURCE / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
                and ast.get_docstring(node) is not None
            ):
                node.body = node.body[1:]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]


def write_atomically(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def run(recipe: Recipe, results: Path = RESULTS, progress: bool = True) -> dict[int, dict[str, Any]]:
    """Every depth of the recipe; those already there, from the same recipe and code, are read."""
    stamp = {"recipe": asdict(recipe) | {"transitions": None}, "code": code_hash()}
    stamp = json.loads(json.dumps(stamp))
    depths = {}
    for transitions in recipe.transitions:
        path = results / f"detector-{transitions:03d}.json"
        stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if stored.get("stamp") != stamp:
            start = time.monotonic()
            stored = {"stamp": stamp, "by_signals": simulate(recipe, transitions)}
            stored["seconds"] = round(time.monotonic() - start, 1)
            write_atomically(path, stored)
            if progress:
                print(f"{transitions:4d} transitions: {stored['seconds']} s", file=sys.stderr, flush=True)
        depths[transitions] = stored["by_signals"]
    return depths


def drop_from(detail: dict[str, Any]) -> float:
    """q of one kind: the largest drop needed at any size."""
    return max(
        one[which] for one in detail.values() for which in ("all", "claimed") if one[which] is not None
    )


def shipped(recipe: Recipe, depths: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """The table, as small as `mspgt.boundaries.tables` reads it."""
    return {
        "schema": 1,
        "code": code_hash(),
        "recipe": asdict(recipe),
        "depths": {
            str(transitions): {
                signals: {
                    "critical": {
                        k: round(MARGIN * one["confirmed"] * c, 4) for k, c in one["critical"].items()
                    },
                    "drop": {kind: round(drop_from(detail), 3) for kind, detail in one["drops"].items()},
                    "power": {
                        kind: constants
                        for kind, found in one["power"].items()
                        if (constants := probit(recipe.sizes, found)) is not None
                    },
                }
                for signals, one in by_signals.items()
            }
            for transitions, by_signals in depths.items()
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration detector", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="one depth, few runs; writes no table")
    size.add_argument("--brief", action="store_true", help="fewer depths, a tenth of the runs")
    parser.add_argument("--transitions", type=int, nargs="+", help="only these depths; writes no table")
    options = parser.parse_args(arguments)
    recipe = QUICK if options.quick else BRIEF if options.brief else Recipe()
    if options.transitions:
        recipe = Recipe(**(asdict(recipe) | {"transitions": tuple(options.transitions)}))
    depths = run(recipe)
    if not options.quick and not options.transitions:
        write_atomically(TABLE, shipped(recipe, depths))
        print(f"wrote {TABLE}", file=sys.stderr)


if __name__ == "__main__":
    main()

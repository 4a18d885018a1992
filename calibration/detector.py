"""Critical values, confidence thresholds and power constants of the calibrated detector.

`python -m calibration detector` writes the table that ships with the package. Every depth is a file of its
own under `calibration/results`, so a run that was stopped goes on where it was.

The null family of a depth is the 576 cells with independent signals, and its cells without the heaviest
tails with signals correlated at 0.6: an outlier that the signals share is a spike to any test on one profile.
All members are screened small; those that look worst are simulated again at medium size, and the worst of
these again at full size, every time with fresh seeds, so that no value is read off the runs that chose it.
"""

import argparse
import ast
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from calibration.planting import GENTLE, HARSH, hits, planted
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtr

from mspgt.boundaries.confidence import score_curve
from mspgt.boundaries.contrasts import bank
from mspgt.boundaries.search import climb, strongest
from mspgt.boundaries.tables import LEVEL, SURE
from mspgt.stats.nulls import NULL_CELLS, NullCell, null_profiles
from mspgt.vocabulary import KINDS

Array = NDArray[np.float64]
Member = tuple[NullCell, float]  # a cell and the correlation of its signals

HERE = Path(__file__).parent
RESULTS = HERE / "results"
SOURCE = HERE.parent / "src" / "mspgt"
TABLE = SOURCE / "boundaries" / "data" / "detector.json"
CODE = (
    *(f"boundaries/{name}.py" for name in ("contrasts", "noise", "search", "confidence")),
    "stats/nulls.py",
)
BATCH = 1000
# On top of the worst member's quantile: which member is worst is itself read off a simulation.
MARGIN = 1.02
# On top of the drop that covers in 95 % of runs, for the same reason: about half a point of coverage.
SET_MARGIN = 1.04


@dataclass(frozen=True)
class Recipe:
    """All that decides the table.

    Beyond 64 transitions, where a run costs most, runs shrink as (64 / T)³; up to 16, where it costs least and
    the members differ least, the worst are sought with three times as many.
    """

    transitions: tuple[int, ...] = (
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15,
        19,
        23,
        27,
        31,
        39,
        47,
        63,
        79,
        127,
    )
    signals: tuple[int, ...] = (3, 2, 1)
    correlation: float = 0.6
    screen_runs: int = 100
    doubtful: int = 100
    doubtful_runs: int = 1000
    worst: int = 16
    worst_runs: int = 10_000
    sizes: tuple[float, ...] = (1, 2, 3, 4, 5, 6, 8, 12)
    planted_runs: int = 1600
    faintest: float = 0.7  # the least size that confidence sets must hold: 1 SD under as much sentence noise
    set_runs: int = 2000
    seed: int = 20250524

    def at(self, transitions: int) -> "Recipe":
        """The recipe with the runs of that depth."""
        share = min(1.0, (64 / transitions) ** 3)
        runs = {name: int(share * value) for name, value in asdict(self).items() if name.endswith("_runs")}
        if transitions <= 16:
            runs["screen_runs"], runs["doubtful_runs"] = 3 * runs["screen_runs"], 3 * runs["doubtful_runs"]
        return replace(self, **runs)


BRIEF = Recipe(
    screen_runs=24,
    doubtful=64,
    doubtful_runs=300,
    worst=12,
    worst_runs=4000,
    planted_runs=320,
    set_runs=800,
)
QUICK = Recipe(
    transitions=(11,),
    signals=(3,),
    screen_runs=10,
    doubtful=32,
    doubtful_runs=60,
    worst=6,
    worst_runs=500,
    planted_runs=160,
    set_runs=160,
)


def family(signals: int, correlation: float) -> list[Member]:
    """The null family: independent signals, and correlated ones without the heaviest tails."""
    shared = [(cell, correlation) for cell in NULL_CELLS if cell.tail != "t4"] if signals > 1 else []
    return [(cell, 0.0) for cell in NULL_CELLS] + shared


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


def badness(scores: Array) -> Array:
    """How far each member's highest scores reach, `(members, kinds + 1)`: kind by kind, then together.

    scores `(members, runs, kinds)`. The upper eighth of the runs is averaged, steadier than one quantile.
    """
    usual = np.sort(np.quantile(scores, 1 - LEVEL, axis=1), axis=0)[-12:].mean(axis=0)
    ratios = scores / usual
    every = np.concatenate([ratios, ratios.max(axis=2, keepdims=True)], axis=2)
    return np.sort(every, axis=1)[:, -max(1, scores.shape[1] // 8) :].mean(axis=1)


def pooled(reach: Array, members: Sequence[Member]) -> Array:
    """The same from what members share: a sum of effects of background, law and correlation, least squares.

    With few runs a member this ranks better than the member's own runs, unless its parts act together.
    """
    parts = [
        (c.background, f"{c.autocorrelation}", f"{c.tail} {rho}", f"{c.roughness} {rho}")
        for c, rho in members
    ]
    names = sorted({(i, name) for part in parts for i, name in enumerate(part)})
    design = np.array([[float(part[i] == name) for i, name in names] for part in parts])
    fitted: Array = design @ np.linalg.lstsq(design, reach, rcond=None)[0]
    return fitted


def worst_members(scores: Array, members: Sequence[Member], count: int, *, each: int = 0) -> list[Member]:
    """The `count` worst for the kinds together, and the `each` worst of every kind.

    Half by each member's own runs, half by what it shares with others.
    """
    reach = badness(scores)
    own, shared = np.argsort(-reach, axis=0), np.argsort(-pooled(reach, members), axis=0)
    half = count // 2
    chosen = {*own[: count - half, -1], *shared[:half, -1], *own[:each, :-1].ravel()}
    return [members[m] for m in sorted(chosen)]


def critical_values(recipe: Recipe, transitions: int, signals: int) -> dict[str, Any]:
    """Scores that hold the family-wise error of the kinds together in the worst of the null family."""
    kinds = [i for i, kind in enumerate(KINDS) if len(bank(transitions).elements[kind])]
    if not kinds:
        return {"critical": {}, "alone": {}, "worst": []}
    members = family(signals, recipe.correlation)
    stages = (
        (recipe.screen_runs, recipe.doubtful, recipe.doubtful // 8),
        (recipe.doubtful_runs, recipe.worst, 2),
    )
    for stage, (runs, count, each) in enumerate(stages):
        seed = [recipe.seed, transitions, signals, 1 + stage]
        scores = null_scores(members, transitions, signals, runs, seed)[..., kinds]
        members = worst_members(scores, members, count, each=each)
    seed = [recipe.seed, transitions, signals, 3]
    scores = null_scores(members, transitions, signals, recipe.worst_runs, seed)[..., kinds]
    alone = np.quantile(scores, 1 - LEVEL, axis=1).max(axis=0)
    critical = shared_out(scores, alone)
    errors = (scores > critical).any(axis=2).mean(axis=1)
    return {
        "critical": {KINDS[k]: round(float(critical[i]), 4) for i, k in enumerate(kinds)},
        "alone": {KINDS[k]: round(float(alone[i]), 4) for i, k in enumerate(kinds)},
        "worst": [
            {
                "cell": members[i][0].name,
                "correlation": members[i][1],
                "error": round(float(errors[i]), 4),
                "alone": {
                    KINDS[k]: round(float(np.quantile(scores[i, :, j], 1 - LEVEL)), 3)
                    for j, k in enumerate(kinds)
                },
            }
            for i in np.argsort(-errors)
        ],
    }


def shared_out(scores: Array, alone: Array) -> Array:
    """Critical values `(kinds,)` at which no member `(members, runs, kinds)` errs in more than 5 % of runs.

    First all kinds pay the same factor over what they need alone. Then each, the last first, is lowered as
    far as the family lets it: what hard members of one kind cost must not be paid by a kind they never see.
    """
    factor = np.quantile((scores / alone).max(axis=2), 1 - LEVEL, axis=1).max()
    critical: Array = np.maximum(factor, 1.0) * alone
    for kind in reversed(range(len(alone))):
        low, high = alone[kind], critical[kind]
        for _ in range(20):
            critical[kind] = (low + high) / 2
            held = (scores > critical).any(axis=2).mean(axis=1).max() <= LEVEL
            low, high = (low, critical[kind]) if held else (critical[kind], high)
        critical[kind] = high
    return critical


@dataclass(frozen=True)
class Located:
    """One boundary planted in each run, and what the score says about its place."""

    drop: Array  # (runs,): how far the true place scores below the best
    ratio: Array  # (runs,): best score over critical value; above 1 it is claimed
    below: Array  # (runs, transitions): how far every place scores below the best


def locate(
    kind: str,
    transitions: int,
    signals: int,
    size: float,
    recipe: Recipe,
    critical: float,
    noise: float = 0.0,
) -> Located:
    """Plant one boundary of that size; `noise` is sentence noise in roughness SDs, known to the detector."""
    seed = [recipe.seed, transitions, signals, 4, KINDS.index(kind), int(10 * size)]
    world = planted(
        kind, transitions, size, recipe.set_runs, seed, pair=False, signals=signals, cells=(*GENTLE, *HARSH)
    )
    profiles = world.profiles
    floor = None
    if noise > 0:
        profiles = profiles + noise * np.random.default_rng([*seed, 1]).standard_normal(profiles.shape)
        floor = np.full(profiles.shape[1:], noise)
    path = climb(profiles, {kind: critical}, claims=1, scale_floor=floor)
    curve, _ = score_curve(profiles, kind, path.elements, path.elements[:, :, :0], scale_floor=floor)
    below = np.take_along_axis(curve, path.place, axis=1) - curve
    drop = np.where(path.place == world.places, 0.0, np.take_along_axis(below, world.places, axis=1))[:, 0]
    # A boundary where the kind cannot be claimed has no score, and no set could hold it.
    possible = ~np.isnan(drop)
    return Located(drop[possible], path.ratio[possible, 0], np.nan_to_num(below[possible], nan=np.inf))


def drop_of(kind: str, transitions: int, signals: int, recipe: Recipe, critical: float) -> dict[str, Any]:
    """The drop that covers the true place in 95 % of runs, by size and by how sure the claim is."""
    detail = {}
    for size in (recipe.faintest, *recipe.sizes):
        world = locate(kind, transitions, signals, size, recipe, critical)
        group = np.searchsorted(SURE, world.ratio, side="right")
        needed: list[float | None] = []
        for sure in range(len(SURE) + 1):
            mine = world.drop[group == sure]
            needed.append(round(float(np.quantile(mine, 0.95)), 3) if len(mine) >= 20 else None)
        detail[f"{size:g}"] = {"needed": needed, "rate": round(float((world.ratio > 1).mean()), 3)}
    return detail


def power_curve(
    kind: str, transitions: int, signals: int, recipe: Recipe, critical: dict[str, float]
) -> list[float]:
    """Share found of two planted boundaries, by size."""
    found = []
    for size in recipe.sizes:
        seed = [recipe.seed, transitions, signals, 5, KINDS.index(kind), int(10 * size)]
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
    recipe = recipe.at(transitions)
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


def drops_from(detail: dict[str, Any]) -> list[float]:
    """q of one kind by how sure the claim is: the largest drop needed at any size, never growing.

    Sizes that are claimed less often than the error rate say nothing about claims: what is claimed there are
    false alarms as much as the boundary, and no set around a false alarm could hold it.
    """
    drops: list[float] = []
    for sure in range(len(SURE) + 1):
        telling = [one for one in detail.values() if sure == 0 or one["rate"] >= LEVEL]
        needed = [one["needed"][sure] for one in telling if one["needed"][sure] is not None]
        # Too few so sure claims at this depth: what holds for less sure ones.
        drops.append(max(needed) if needed else drops[-1])
    for sure in reversed(range(len(SURE))):
        drops[sure] = max(drops[sure], drops[sure + 1])
    return drops


def shipped(recipe: Recipe, depths: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """The table, as small as `mspgt.boundaries.tables` reads it."""
    return {
        "schema": 1,
        "code": code_hash(),
        "recipe": asdict(recipe),
        "depths": {
            str(transitions): {
                signals: {
                    "critical": {k: round(MARGIN * c, 4) for k, c in one["critical"].items()},
                    "drop": {
                        kind: [round(SET_MARGIN * drop, 3) for drop in drops_from(detail)]
                        for kind, detail in one["drops"].items()
                    },
                    "found": one["power"],
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
    size.add_argument("--brief", action="store_true", help="a third to a fifth of the runs")
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

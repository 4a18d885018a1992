"""How often the paper's protocol finds, and accepts, two boundaries in profiles that have none.

`python -m calibration.paper` writes the table that ships with the package. Every depth is a file of its own
under `scratch/calibration`, so a run that was stopped goes on where it was.

A null profile is a smooth background of 2.5 to 5 roughness SDs plus roughness (`mspgt.stats.nulls`). What is
observed adds sentence noise, independent over signals and transitions, of se/τ roughness SDs; every bootstrap
draw adds such noise again. At se/τ = 0 every draw is the observed profile, so all that is found is accepted.

200 draws stand in for the protocol's 1,000. On 192 profiles a depth, acceptance with 1,000 is the same within
1 point at T = 11 and 31, and up to 4 points lower at T = 79 (41 against 44 % at se/τ = 0.1).
"""

import argparse
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.fuse import WEIGHTS, fuse
from mspgt.boundaries.peaks import MAX_WIDTH, MIN_SUCCESSES, PROMINENCE, two_peaks
from mspgt.stats.bootstrap import percentile_interval
from mspgt.stats.nulls import NULL_CELLS, NullCell, null_profiles

TABLE = Path(__file__).parents[1] / "src" / "mspgt" / "boundaries" / "data" / "paper_protocol.json"
SCRATCH = Path(__file__).parents[1] / "scratch" / "calibration"


@dataclass(frozen=True)
class Recipe:
    """All that decides the table. A cell of the table's summaries is one background and autocorrelation."""

    transitions: tuple[int, ...] = (5, 7, 9, 11, 15, 19, 23, 27, 31, 39, 47, 63, 79, 95, 127)
    noise_ratios: tuple[float, ...] = (0.0, 0.03, 0.1, 0.3, 1.0)
    runs_per_null_cell: int = 5
    bootstrap_draws: int = 200
    background_roughness_sds: tuple[float, float] = (2.5, 5.0)
    seed: int = 20250524


QUICK = Recipe(transitions=(11, 31), runs_per_null_cell=1, bootstrap_draws=100)

Rates = dict[str, list[float]]


def cells() -> dict[str, list[NullCell]]:
    """The null family by background and autocorrelation; tails and roughness are pooled within."""
    grouped = defaultdict(list)
    for cell in NULL_CELLS:
        grouped[f"{cell.background}/ar{cell.autocorrelation}"].append(cell)
    return dict(grouped)


def simulate(recipe: Recipe, transitions: int) -> dict[str, list[Rates]]:
    """`found` and `accepted` rates at one depth: for every noise ratio, a rate for every cell."""
    outcomes: dict[str, list[Rates]] = {"found": [], "accepted": []}
    for ratio_index, ratio in enumerate(recipe.noise_ratios):
        rates: dict[str, Rates] = {"found": {}, "accepted": {}}
        for index, (name, members) in enumerate(cells().items()):
            # The profiles have the same seed at every ratio, so that rates differ by the noise alone.
            place = (recipe.seed, transitions, index)
            profiles = np.concatenate(
                [
                    null_profiles(
                        member,
                        transitions,
                        recipe.runs_per_null_cell,
                        np.random.SeedSequence((*place, 0, k)),
                        amplitude=recipe.background_roughness_sds,
                    )
                    for k, member in enumerate(members)
                ]
            )
            rng = np.random.default_rng((*place, 1, ratio_index))
            found, accepted = protocol(profiles, ratio, recipe.bootstrap_draws, rng)
            rates["found"][name] = found.tolist()
            rates["accepted"][name] = accepted.tolist()
        for outcome in outcomes:
            outcomes[outcome].append(rates[outcome])
    return outcomes


def protocol(
    profiles: NDArray[np.float64], ratio: float, draws: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether two boundaries are found, and accepted, in each of the profiles (runs, 3, transitions)."""
    observed = profiles + ratio * rng.standard_normal(profiles.shape)
    found = two_peaks(fuse(observed, WEIGHTS), PROMINENCE)[:, 0] >= 0
    accepted = found.copy()
    if ratio == 0:
        return found, accepted
    for run in np.flatnonzero(found):
        replicates = observed[run] + ratio * rng.standard_normal((draws, *observed[run].shape))
        places = two_peaks(fuse(replicates, WEIGHTS), PROMINENCE)
        succeeded = places[:, 0] >= 0
        accepted[run] = succeeded.mean() >= MIN_SUCCESSES and bool(
            (np.diff(percentile_interval(places[succeeded]), axis=0) < MAX_WIDTH).all()
        )
    return found, accepted


def summarise(by_depth: Mapping[int, dict[str, list[Rates]]], recipe: Recipe) -> dict[str, Any]:
    """The table: for each outcome and summary over cells, rates (transitions, noise ratios)."""
    summaries = {"min": np.min, "median": np.median, "mean": np.mean, "max": np.max}
    per_cell = recipe.runs_per_null_cell * len(NULL_CELLS) // len(cells())
    table: dict[str, Any] = {
        "what": "share of profiles without a boundary in which the paper's protocol finds, and accepts, two",
        "recipe": asdict(recipe) | {"cells": len(cells()), "runs_per_cell": per_cell},
        "transitions": list(recipe.transitions),
        "noise_ratios": list(recipe.noise_ratios),
    }
    for outcome in ("found", "accepted"):
        rates = np.array(
            [
                [[np.mean(runs) for runs in at_ratio.values()] for at_ratio in by_depth[depth][outcome]]
                for depth in recipe.transitions
            ]
        )
        table[outcome] = {
            name: np.round(summary(rates, axis=-1), 4).tolist() for name, summary in summaries.items()
        }
    return table


def calibrate(recipe: Recipe, scratch: Path = SCRATCH) -> dict[str, Any]:
    """Simulate every depth that is not on disk yet, and summarise."""
    key = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode()).hexdigest()[:12]
    scratch.mkdir(parents=True, exist_ok=True)
    by_depth = {}
    for depth in recipe.transitions:
        path = scratch / f"paper-{key}-T{depth:03d}.json"
        if not path.exists():
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps(simulate(recipe, depth)), encoding="utf-8")
            partial.replace(path)
        by_depth[depth] = json.loads(path.read_text(encoding="utf-8"))
        print(f"paper protocol: T = {depth} done", flush=True)
    return summarise(by_depth, recipe)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two depths, few runs; printed, not shipped")
    options = parser.parse_args(arguments)
    if options.quick:
        print(json.dumps(calibrate(QUICK), indent=1))
        return
    TABLE.write_text(json.dumps(calibrate(Recipe()), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {TABLE}")


if __name__ == "__main__":
    main()

"""The shipped table against fresh seeds: error in the null family, recovery of planted boundaries, coverage.

`python -m calibration validate` writes `calibration/results/validation-*.json`, a file a depth. Every part is
stored as soon as it is done, so a run that was stopped goes on where it was.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from calibration.bar import SIZES
from calibration.detector import (
    MARGIN,
    RESULTS,
    Member,
    Recipe,
    family,
    locate,
    null_scores,
    probit,
    worst_members,
    write_atomically,
)
from calibration.planting import GENTLE, hits, pair_places, planted
from numpy.typing import NDArray
from scipy.stats import beta

from mspgt.boundaries.contrasts import bank
from mspgt.boundaries.search import Path, climb, strongest
from mspgt.boundaries.tables import SURE, row, table
from mspgt.stats.nulls import NULL_CELLS, NullCell, null_profiles, plant
from mspgt.vocabulary import KINDS

Array = NDArray[np.float64]

SEED = 77_000_001
# Rows of the table, and depths between them.
DEPTHS = (11, 23, 27, 31, 15, 47, 39, 79, 63, 127, 6, 7, 8, 9, 10, 12, 13, 14, 19,
          16, 17, 18, 20, 21, 22, 24, 25, 28, 32, 35, 43, 55, 95)  # fmt: skip
# The highest of many rates is too high by chance: from this one on, the worst members are run again.
DOUBTFUL = 0.045
MILD = tuple(cell for cell in GENTLE if cell.background in ("flat", "slope", "u"))
CORRELATION = 0.6


def upper_bound(errors: int, runs: int) -> float:
    """Exact one-sided 95 % upper bound of a rate (Clopper and Pearson 1934)."""
    return 1.0 if errors == runs else float(beta.ppf(0.95, errors + 1, runs - errors))


def error_rates(transitions: int, signals: int, screen_runs: int = 24, runs: int = 4000) -> dict[str, Any]:
    """Family-wise error: mean over the whole family, and in its worst members with runs of their own."""
    critical = row(transitions, signals).critical
    if not critical:
        return {}
    kinds = [KINDS.index(kind) for kind in critical]
    limits = np.array(list(critical.values()))
    members = family(signals, CORRELATION)
    seed = [SEED, transitions, signals]

    def ratios(some: Sequence[Member], runs: int, stream: int) -> Array:
        return null_scores(some, transitions, signals, runs, [*seed, stream])[..., kinds] / limits

    screen = ratios(members, screen_runs, 1)
    chosen = list(dict.fromkeys([*_known_worst(transitions, signals), *worst_members(screen, members, 8)]))
    errors = (ratios(chosen, runs, 2) > 1).any(axis=2).sum(axis=1)
    top = int(errors.max())
    report = {
        "runs": runs,
        "mean_over_family": round(float((screen > 1).any(axis=2).mean()), 4),
        "worst": round(top / runs, 4),
        "worst_upper95": round(upper_bound(top, runs), 4),
        "worst_members": [
            {"cell": cell.name, "correlation": rho, "error": round(int(e) / runs, 4)}
            for (cell, rho), e in sorted(zip(chosen, errors, strict=True), key=lambda one: -one[1])
        ],
    }
    if signals > 1:
        outside = [(cell, CORRELATION) for cell in NULL_CELLS if cell.tail == "t4"]
        report["outside_t4_correlated_mean"] = round(
            float((ratios(outside, screen_runs // 2, 3) > 1).any(axis=2).mean()), 4
        )
    return report


def confirm(transitions: int, signals: int, report: dict[str, Any], runs: int = 40_000) -> dict[str, Any]:
    """The rates of the three members that seemed worst, on seeds that did not choose them."""
    critical = row(transitions, signals).critical
    kinds, limits = [KINDS.index(kind) for kind in critical], np.array(list(critical.values()))
    cells = {cell.name: cell for cell in NULL_CELLS}
    members = [(cells[one["cell"]], one["correlation"]) for one in report["worst_members"][:3]]
    scores = null_scores(members, transitions, signals, runs, [SEED, transitions, signals, 4])[..., kinds]
    top = int((scores / limits > 1).any(axis=2).sum(axis=1).max())
    return {
        "runs": runs,
        "worst": round(top / runs, 4),
        "worst_upper95": round(upper_bound(top, runs), 4),
    }


def _known_worst(transitions: int, signals: int) -> list[Member]:
    """The members that were worst at the nearest tabulated depth."""
    cells = {cell.name: cell for cell in NULL_CELLS}
    worst = _nearest(transitions)["by_signals"][str(signals)]["worst"][:5]
    return [(cells[one["cell"]], one["correlation"]) for one in worst]


def _nearest(transitions: int) -> dict[str, Any]:
    """What was simulated at the nearest tabulated depth."""
    nearest = min(map(int, table()["depths"]), key=lambda depth: abs(depth - transitions))
    stored: dict[str, Any] = json.loads(
        (RESULTS / f"detector-{nearest:03d}.json").read_text(encoding="utf-8")
    )
    return stored


def found(path: Path, truth: NDArray[np.int64], kind: str | None = None) -> NDArray[np.bool_]:
    """Which planted boundaries have an accepted claim, of that kind, within one; `(runs, boundaries)`."""
    claimed = np.arange(path.place.shape[1]) < path.accepted[:, None]
    if kind is not None:
        claimed &= path.kind == KINDS.index(kind)
    return hits(path.place, claimed, truth)


def recovery(transitions: int, runs: int) -> dict[str, Any]:
    """Share of planted pairs both found within one transition, by kind, mode, size and search.

    `alone`: that kind is looked for alone, at the critical value it has alone where the depth is tabulated.
    `together`: the kinds compete and any claim counts; `right_kind`: share of those found with their kind.
    `mild`: flat, slope and U backgrounds; `all`: all 16. `a50`: size at which half the boundaries are found.
    """
    critical, report = row(transitions, 3).critical, {}
    stored = _nearest(transitions)["by_signals"]["3"]["alone"]
    tabulated = str(transitions) in table()["depths"]
    for kind in critical:
        single = {kind: MARGIN * stored[kind] if tabulated else critical[kind]}
        modes: dict[str, dict[str, Any]] = {kind: {}}
        if kind == "spike":
            modes |= {"spike displaced": {"displaced": 0.3}, "spike missing": {"missing": True}}
        for mode, options in modes.items():
            report[mode] = {"sizes": SIZES[kind], "runs": runs}
            for where, cells in (("mild", MILD), ("all", GENTLE)):
                alone, together, each, right = [], [], [], []
                for size in SIZES[kind]:
                    seed = [SEED, transitions, 5, KINDS.index(kind), size]
                    world = planted(kind, transitions, size, runs, seed, cells=cells, **options)
                    alone.append(found(climb(world.profiles, single), world.places).all(axis=1).mean())
                    path = climb(world.profiles, critical)
                    any_kind = found(path, world.places)
                    together.append(any_kind.all(axis=1).mean())
                    each.append(any_kind.mean())
                    right.append(found(path, world.places, kind).sum() / max(any_kind.sum(), 1))
                report[mode][where] = {
                    "alone": np.round(alone, 3).tolist(),
                    "together": np.round(together, 3).tolist(),
                    "right_kind": np.round(right, 3).tolist(),
                    "a50": probit(SIZES[kind], each),
                }
    return report


def coverage(transitions: int, runs: int) -> dict[str, Any]:
    """Coverage and median size of sets around one planted boundary: all runs, and those with a claim."""
    limits, report = row(transitions, 3), {}
    for kind in limits.critical:
        drops = np.array(limits.drop[kind])
        for size in (1, 2, 3, 4, 5, 6):
            for noise in (0.05, 0.3, 1.0):
                recipe = Recipe(seed=SEED, set_runs=runs)
                world = locate(kind, transitions, 3, size, recipe, limits.critical[kind], noise)
                allowed = drops[np.searchsorted(SURE, world.ratio, side="right")]
                covered, claimed = world.drop <= allowed, world.ratio > 1
                sizes = (world.below <= allowed[:, None]).sum(axis=1)
                report[f"{kind} A={size} se/tau={noise}"] = {
                    "all": round(float(covered.mean()), 3),
                    "claims": int(claimed.sum()),
                    "claimed": round(float(covered[claimed].mean()), 3) if claimed.sum() >= 20 else None,
                    "median_size": float(np.median(sizes[claimed])) if claimed.any() else None,
                    "median_size_all": float(np.median(sizes)),
                    "runs": len(covered),
                }
    return report


def beyond(transitions: int, runs: int) -> dict[str, Any]:
    """What the table was not made for: replicates, other roughness, four boundaries at once, sentence noise."""
    critical = row(transitions, 3).critical
    seed = [SEED, transitions, 6]
    report: dict[str, Any] = {}
    for replicates in (3, 5, 10):
        truth = pair_places(transitions, runs, np.random.default_rng([*seed, replicates]))
        spikes = np.repeat(truth, replicates, axis=0)
        rough = null_profiles(MILD[0], transitions, len(spikes), [*seed, replicates, 1])
        each = plant(rough, "spike", spikes, np.array(2.0)).reshape(runs, replicates, 3, transitions)
        name = f"two spikes of 2 SD, mean of {replicates} runs"
        report[name] = _both(each.mean(axis=1), truth, critical)
    for law in ((0.7, "gaussian", "even"), (0.0, "t4", "even"), (0.0, "gaussian", "rising")):
        cells = tuple(c for c in NULL_CELLS if (c.autocorrelation, c.tail, c.roughness) == law)
        for size in (4, 6):
            world = planted("spike", transitions, size, runs, [*seed, 20, size], cells=cells)
            report[f"two spikes of {size} SD, roughness {law}"] = _both(
                world.profiles, world.places, critical
            )
    report["four at once, share found"] = _four_at_once(transitions, runs, critical, seed)
    limits = np.array([critical.get(kind, np.inf) for kind in KINDS])
    for name, options in (("t3 roughness", {"student": 3.0}), ("logistic-30", {})):
        cells = MILD if options else (NullCell("logistic-30", 0.0, "gaussian", "even"),)
        y = np.concatenate([null_profiles(c, transitions, 2 * runs, [*seed, 40], **options) for c in cells])
        wrong = (strongest(y, bank(transitions)) > limits).any(axis=1)
        report[f"error, {name}"] = round(float(wrong.mean()), 4)
    report["error with the floor of sentence noise"] = _floored_error(transitions, runs, critical, seed)
    return report


def _four_at_once(
    transitions: int, runs: int, critical: Mapping[str, float], seed: list[int]
) -> dict[str, float]:
    """Four equal boundaries of 6 SD, spread evenly; of two-sided kinds every second one falls."""
    if transitions < 19:
        return {}
    four = np.tile(np.linspace(0.14, 0.86, 4) * (transitions - 1), (runs, 1)).round().astype(np.int64)
    base = null_profiles(MILD[0], transitions, runs, [*seed, 30])
    turns = {"spike": 1.0, "bump": 1.0, "step": -1.0, "kink": -1.0}
    shares = {}
    for kind in critical:
        heights = 6.0 * np.broadcast_to(turns[kind] ** np.arange(4), (runs, 3, 4))
        shares[kind] = round(float(found(climb(plant(base, kind, four, heights), critical), four).mean()), 3)
    return shares


def _floored_error(
    transitions: int, runs: int, critical: Mapping[str, float], seed: list[int]
) -> dict[str, float]:
    """Error with sentence noise of se/tau over roughness whose scale is never below its bootstrap SD."""
    rates = {}
    laws = ((0.0, "gaussian", "even"), (0.3, "t8", "bulging"))
    cells = [c for c in NULL_CELLS if (c.autocorrelation, c.tail, c.roughness) in laws]
    for noise in (0.05, 0.3, 1.0):
        rng = np.random.default_rng([*seed, 50])
        claims = []
        for i, cell in enumerate(cells):
            y = null_profiles(cell, transitions, runs // 2, [*seed, 51, i])
            y = y + noise * rng.standard_normal(y.shape)
            path = climb(y, critical, scale_floor=np.full(y.shape[1:], noise), claims=1)
            claims.append(path.ratio[:, 0] > 1)
        rates[f"se/tau={noise}"] = round(float(np.mean(claims)), 4)
    return rates


def _both(profiles: Array, truth: NDArray[np.int64], critical: Mapping[str, float]) -> float:
    return round(float(found(climb(profiles, critical), truth).all(axis=1).mean()), 3)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration validate", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="a quarter of the runs, but for the error rates")
    parser.add_argument("--transitions", type=int, nargs="+", default=DEPTHS)
    parser.add_argument("--signals", type=int, nargs="+", default=(3, 2, 1), help="whose error is simulated")
    parser.add_argument("--parts", nargs="+", default=("error", "recovery", "coverage", "beyond"))
    options = parser.parse_args(arguments)
    parts: dict[str, tuple[Callable[[int, int], dict[str, Any]], int]] = {
        "recovery": (recovery, 240),
        "coverage": (coverage, 250),
        "beyond": (beyond, 120),
    }
    for transitions in options.transitions:
        path = RESULTS / f"validation-{transitions:03d}.json"
        stamp = {"seed": SEED, "table": table()["code"], "critical": _critical(transitions)}
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        report = stored if stored.get("stamp") == stamp else {"stamp": stamp, "error": {}, "runs": {}}
        for signals in options.signals if "error" in options.parts else ():
            if str(signals) not in report["error"]:
                report["error"][str(signals)] = error_rates(transitions, signals)
                write_atomically(path, report)
            found = report["error"][str(signals)]
            if found.get("worst", 0.0) > DOUBTFUL and "confirmed" not in found:
                found["confirmed"] = confirm(transitions, signals, found)
                write_atomically(path, report)
        drops = {kind: list(drop) for kind, drop in row(transitions, 3).drop.items()}
        if report.get("drops") != drops:
            # Only the sets depend on them.
            report["drops"], report["runs"]["coverage"] = drops, 0
        for name, (part, few) in parts.items():
            runs = few if options.brief else 4 * few
            if name in options.parts and report["runs"].get(name, 0) < runs and _critical(transitions)["3"]:
                report[name] = part(transitions, runs)
                report["runs"][name] = runs
                write_atomically(path, report)
        print(
            f"{transitions:4d} transitions: worst {report['error'].get('3', {}).get('worst')}",
            file=sys.stderr,
            flush=True,
        )


def _critical(transitions: int) -> dict[str, dict[str, float]]:
    """What was validated: a table made anew with other values needs a new validation."""
    return {str(n): dict(row(transitions, n).critical) for n in (1, 2, 3)}


if __name__ == "__main__":
    main()

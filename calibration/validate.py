"""The shipped table against fresh seeds: error in the null family, recovery of planted boundaries, coverage.

`python -m calibration validate` writes `calibration/results/validation-*.json`, a file a depth.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from calibration.detector import (
    MARGIN,
    RESULTS,
    Member,
    Recipe,
    family,
    null_scores,
    score_drops,
    usual_suspects,
    write_atomically,
)
from calibration.planting import GENTLE, hits, pair_places, planted
from numpy.typing import NDArray
from scipy.stats import beta

from mspgt.boundaries.contrasts import bank
from mspgt.boundaries.search import climb, strongest
from mspgt.boundaries.tables import row, table
from mspgt.stats.nulls import KINDS, NULL_CELLS, null_profiles, plant

Array = NDArray[np.float64]

SEED = 77_000_001
DEPTHS = (5, 6, 7, 8, 9, 11, 12, 13, 15, 17, 19, 23, 25, 27, 31, 35, 39, 47, 55, 63, 95, 111, 127)
MILD = tuple(cell for cell in GENTLE if cell.background in ("flat", "slope", "u"))
SIZES = {"spike": (3, 4, 5, 6, 8), "bump": (3, 4, 5, 6, 8), "step": (4, 5, 6, 8), "kink": (3, 4, 6)}


def upper_bound(errors: int, runs: int) -> float:
    """Exact one-sided 95 % upper bound of a rate (Clopper and Pearson 1934)."""
    return 1.0 if errors == runs else float(beta.ppf(0.95, errors + 1, runs - errors))


def error_rates(transitions: int, signals: int, scale: int) -> dict[str, Any]:
    """Family-wise error: mean over the whole family, and in its worst members with runs of their own."""
    critical = row(transitions, signals).critical
    if not critical:
        return {}
    limits = np.array([critical.get(kind, np.inf) for kind in KINDS])
    members = family(signals, 0.6)
    seed = [SEED, transitions, signals]

    def ratios(some: Sequence[Member], runs: int, stream: int) -> Array:
        scores = null_scores(some, transitions, signals, runs, [*seed, stream])
        return (np.where(np.isfinite(limits), scores, 0.0) / limits).max(axis=2)

    screen = ratios(members, 8 * scale, 1)
    suspicious = [members[i] for i in np.argsort(-np.quantile(screen, 0.95, axis=1), kind="stable")[:4]]
    known = [m for m in members if [m[0].name, m[1]] in _tabulated(transitions, signals)][:4]
    runs = 1000 * scale
    chosen = list(dict.fromkeys(known + suspicious + usual_suspects(signals, 0.6)[2::3]))
    worst = ratios(chosen, runs, 2)
    errors = (worst > 1).sum(axis=1)
    top = int(errors.max())
    outside = [(cell, 0.6) for cell in NULL_CELLS if cell.tail == "t4"]
    heavy = (ratios(outside, 4 * scale, 3) > 1).mean() if signals > 1 else None
    return {
        "runs": runs,
        "mean_over_family": round(float((screen > 1).mean()), 4),
        "worst": round(top / runs, 4),
        "worst_upper95": round(upper_bound(top, runs), 4),
        "highest_95_percent_quantile_of_score_over_critical": round(
            float(np.quantile(worst, 0.95, axis=1).max()), 4
        ),
        "worst_members": [
            {"cell": cell.name, "correlation": rho, "error": round(int(e) / runs, 4)}
            for (cell, rho), e in zip(chosen, errors, strict=True)
        ],
        "outside_t4_correlated_mean": None if heavy is None else round(float(heavy), 4),
    }


def _stored(transitions: int) -> dict[str, Any]:
    """What was simulated at the nearest tabulated depth."""
    depths = [int(path.stem.split("-")[1]) for path in RESULTS.glob("detector-*.json")]
    nearest = min(depths, key=lambda depth: abs(depth - transitions))
    stored: dict[str, Any] = json.loads(
        (RESULTS / f"detector-{nearest:03d}.json").read_text(encoding="utf-8")
    )
    return stored


def _tabulated(transitions: int, signals: int) -> list[list[Any]]:
    return [
        [one["cell"], one["correlation"]] for one in _stored(transitions)["by_signals"][str(signals)]["worst"]
    ]


def recovery(transitions: int, runs: int) -> dict[str, Any]:
    """Share of planted pairs both found within one transition, by kind and size.

    `together`: the kinds compete, any claim counts as found, `right_kind` says how often its kind is right,
    over all backgrounds. `alone_mild`: that kind alone, at the critical value it has alone where the depth is
    tabulated, on flat, slope and U backgrounds.
    """
    critical, report = row(transitions, 3).critical, {}
    single = {k: MARGIN * c for k, c in _stored(transitions)["by_signals"]["3"]["alone"].items()}
    for kind in critical:
        modes = (
            {"": {}, "displaced": {"displaced": 0.3}, "missing": {"missing": True}}
            if kind == "spike"
            else {"": {}}
        )
        for mode, options in modes.items():
            both, alone, right, far = [], [], [], []
            for size in SIZES[kind]:
                seed = [SEED, transitions, 5, KINDS.index(kind), size]
                world = planted(kind, transitions, size, runs, seed, **options)
                path = climb(world.profiles, critical)
                within = np.arange(path.place.shape[1]) < path.accepted[:, None]
                found = hits(path.place, within, world.places)
                same = hits(path.place, within & (path.kind == KINDS.index(kind)), world.places)
                both.append(float(found.all(axis=1).mean()))
                right.append(float(same.sum() / max(found.sum(), 1)))
                near = (np.abs(path.place[:, :, None] - world.places[:, None]) <= 1).any(axis=2)
                far.append(float((within & ~near).sum() / len(within)))
                world = planted(kind, transitions, size, runs, [*seed, 1], cells=MILD, **options)
                path = climb(world.profiles, {kind: single.get(kind, critical[kind])})
                within = np.arange(path.place.shape[1]) < path.accepted[:, None]
                alone.append(float(hits(path.place, within, world.places).all(axis=1).mean()))
            report[f"{kind} {mode}".strip()] = {
                "sizes": SIZES[kind],
                "together": np.round(both, 3).tolist(),
                "right_kind": np.round(right, 3).tolist(),
                "far_claims_per_run": np.round(far, 3).tolist(),
                "alone_mild": np.round(alone, 3).tolist(),
            }
    return report


def coverage(transitions: int, runs: int) -> dict[str, Any]:
    """Coverage and median size of sets around one planted boundary: all runs, and those with a claim."""
    limits, report = row(transitions, 3), {}
    for kind in limits.critical:
        for size in (1, 2, 3, 4, 6):
            for noise in (0.05, 0.3, 1.0):
                drops, passed, counts = score_drops(
                    kind,
                    transitions,
                    3,
                    size,
                    Recipe(seed=SEED, set_runs=runs),
                    limits.critical[kind],
                    noise=noise,
                    drop=limits.drop[kind],
                )
                covered = drops <= limits.drop[kind]
                report[f"{kind} A={size} se/tau={noise}"] = {
                    "all": round(float(covered.mean()), 3),
                    "claimed": round(float(covered[passed].mean()), 3) if passed.sum() >= 50 else None,
                    "claims": int(passed.sum()),
                    "median_size": float(np.median(counts[passed])) if passed.any() else None,
                }
    return report


def beyond(transitions: int, runs: int) -> dict[str, Any]:
    """What the table was not made for: replicates, other roughness, four spikes at once, sentence noise."""
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
    if transitions >= 19:
        four = np.tile(np.linspace(0.15, 0.85, 4) * (transitions - 1), (runs, 1)).round().astype(np.int64)
        base = null_profiles(MILD[0], transitions, runs, [*seed, 30])
        path = climb(plant(base, "spike", four, np.array(6.0)), critical)
        within = np.arange(path.place.shape[1]) < path.accepted[:, None]
        report["four spikes of 6 SD, share found"] = round(float(hits(path.place, within, four).mean()), 3)
    limits = np.array([critical.get(kind, np.inf) for kind in KINDS])
    heavy = [null_profiles(cell, transitions, runs, [*seed, 40], student=3.0) for cell in MILD]
    wrong = (strongest(np.concatenate(heavy), bank(transitions)) > limits).any(axis=1)
    report["error, t3 roughness"] = round(float(wrong.mean()), 4)
    for noise in (0.3, 1.0):
        rng = np.random.default_rng([*seed, 50])
        claims = []
        for cell in GENTLE:
            y = null_profiles(cell, transitions, runs // 4, [*seed, 51])
            y = y + noise * rng.standard_normal(y.shape)
            path = climb(y, critical, scale_floor=np.full(y.shape[1:], noise), claims=1)
            claims.append(path.ratio[:, 0] > 1)
        report[f"error, se/tau={noise} with its floor"] = round(float(np.mean(claims)), 4)
    return report


def _both(profiles: Array, truth: NDArray[np.int64], critical: Mapping[str, float]) -> float:
    path = climb(profiles, critical)
    within = np.arange(path.place.shape[1]) < path.accepted[:, None]
    return round(float(hits(path.place, within, truth).all(axis=1).mean()), 3)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration validate", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="a quarter of the runs")
    parser.add_argument("--error-only", action="store_true", help="the null family only")
    parser.add_argument("--transitions", type=int, nargs="+", default=DEPTHS)
    options = parser.parse_args(arguments)
    scale = 1 if options.brief else 4
    for transitions in options.transitions:
        path = RESULTS / f"validation-{transitions:03d}.json"
        stamp = {
            "seed": SEED,
            "scale": scale,
            "table": table()["code"],
            "made": table()["recipe"],
            "margin": MARGIN,
        }
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if stored.get("stamp") == stamp:
            continue
        report = {"stamp": stamp, "error": {str(n): error_rates(transitions, n, scale) for n in (3, 2, 1)}}
        if row(transitions, 3).critical and not options.error_only:
            report["recovery"] = recovery(transitions, 240 * scale)
            report["coverage"] = coverage(transitions, 250 * scale)
            report["beyond"] = beyond(transitions, 120 * scale)
        write_atomically(path, report)
        print(
            f"{transitions:4d} transitions: {report['error']['3'].get('worst')}", file=sys.stderr, flush=True
        )


if __name__ == "__main__":
    main()

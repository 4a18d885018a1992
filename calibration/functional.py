"""Functional scales on planted truth: are intervals right, and how often is an order found that is not there?

    python -m calibration functional curves    gain curves that are known, with the document noise of a real model
    python -m calibration functional stacks    activations that are known, through the readers themselves
    python -m calibration functional page      the tables of docs/scales.md, from what is stored

`keep_noise` made the stored noise from the gains of SmolLM2-135M-Instruct on 240 documents of EWT, two readers.

Curves: every deciding task rises at the centre of its scale, as a logistic of width 1/20 of the depth, at the level
that SmolLM2-135M has; documents are drawn with replacement from its residuals. Stacks: twelve layers, 24 dimensions,
40 documents of 30 words, three tasks whose amplitudes rise; the truth is the mean curve over runs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mspgt.planted.rises import DOCUMENTS, PLANTED, RISES, logistic, stack_gains
from mspgt.results import FunctionalScales
from mspgt.scales.curves import centre, crossing, mean_curves, rise, separation
from mspgt.scales.decide import decide_scales
from mspgt.scales.gains import Gains
from mspgt.scales.tasks import TASKS, Task

RESULTS = Path(__file__).parent / "results"
NOISE = RESULTS / "functional-noise.npz"
DECIDING = tuple(task for task in TASKS if task.scale in ("L", "I", "G"))
PAGE = Path(__file__).parents[1] / "docs" / "scales.md"
MARK = "<!-- calibration -->\n"
PAGES = {
    "functional-curves.json": "Planted curves with the document noise of SmolLM2, {runs} runs a cell:",
    "functional-stacks.json": "Planted stacks through the readers (40 documents, two deals), {runs} runs a cell:",
}
HEADINGS = (
    *("world", "G defined", "L before I", "I before G", "boundaries L–I, I–G"),
    *("d50 L, I, G", "centre L, I, G", "gap L–I, I–G", "soft L–I, I–G"),
)
LEAST_RUNS = 20  # with an interval, for a coverage to be shown
DRAWS = 200
SPREAD = (-0.02, 0.0, 0.02)  # of the depth, between the tasks of a scale

# World → centres of L, I, G as shares of the depth; further keys bend the curves.
WORLDS: dict[str, dict[str, Any]] = {
    "ordered": {"at": (0.12, 0.32, 0.60)},
    "close": {"at": (0.22, 0.30, 0.38), "width": 0.08},
    "decline": {"at": (0.12, 0.32, 0.60), "decline": 0.5},
    "two-stage G": {"at": (0.12, 0.32, 0.60), "stages": (0.15, 0.75)},
    "tied": {"at": (0.32, 0.32, 0.32), "width": 0.06, "spread": 0.0},
    "I = G": {"at": (0.15, 0.35, 0.35), "spread": 0.0},
    "margin": {"at": (0.27, 0.32, 0.37), "width": 0.06, "spread": 0.0},
    "reversed": {"at": (0.60, 0.32, 0.12)},
    "flat G": {"at": (0.12, 0.32, 0.60), "flat": True},
}


def planted_curves(world: dict[str, Any], layers: int, levels: np.ndarray) -> np.ndarray:
    """(tasks, layers + 1) bits."""
    x = np.arange(layers + 1) / layers
    width, spread = world.get("width", 0.05), world.get("spread", 1.0)
    place = dict(zip("LIG", world["at"], strict=True))
    seen: dict[str, int] = defaultdict(int)
    rows = []
    for task, level in zip(DECIDING, levels, strict=True):
        at = place[task.scale] + spread * SPREAD[seen[task.scale]]
        seen[task.scale] += 1
        curve = logistic(layers, at, width)
        if task.scale == "G" and "stages" in world:
            first, second = world["stages"]
            curve = 0.55 * logistic(layers, first, 0.04) + 0.45 * logistic(layers, second, 0.06)
        if "decline" in world:
            curve = curve * (1 - world["decline"] * np.clip((x - at - 0.2) / 0.6, 0, 1))
        rows.append(level * curve * (0.0 if task.scale == "G" and world.get("flat") else 1.0))
    return np.array(rows)


def read_noise() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Residual sums (documents, tasks, layers + 1), counts (documents, tasks), levels and entropies (tasks,)."""
    stored = np.load(NOISE)
    return (*(stored[name].astype(np.float64) for name in ("residuals", "counts", "levels", "entropy")),)  # type: ignore[return-value]


def keep_noise(gains: Gains) -> None:
    """Store the residuals of a real model about its mean curves, at half precision."""
    own = [gains.tasks.index(task.name) for task in DECIDING]
    sums, counts = gains.sums.mean(0)[:, own], gains.counts[:, own]
    curves = sums.sum(0) / counts.sum(0)[:, None]
    np.savez_compressed(
        NOISE,
        residuals=(sums - counts[..., None] * curves).astype(np.float16),
        counts=counts.astype(np.float32),
        # A level of 0 could plant nothing.
        levels=np.maximum(rise(curves[None]).level[0], 0.05),
        entropy=gains.entropy[own],
    )


def curve_runs(
    world: dict[str, Any], documents: int, runs: int, seed: int
) -> Iterator[tuple[Gains, np.ndarray]]:
    """Gains of each run, and the planted curves."""
    residuals, counts, levels, entropy = read_noise()
    layers = residuals.shape[-1] - 1
    truth = planted_curves(world, layers, levels)
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        drawn = rng.integers(len(residuals), size=documents)
        sums = residuals[drawn] + counts[drawn][..., None] * truth
        yield _gains(sums[None], counts[drawn], entropy, [task.name for task in DECIDING]), truth


def _gains(sums: np.ndarray, counts: np.ndarray, entropy: np.ndarray, names: Sequence[str]) -> Gains:
    return Gains(tuple(names), sums, counts, np.zeros(sums.shape[:3]), entropy, (8,) * len(names), {})


def truths(curves: np.ndarray, found: FunctionalScales, names: Sequence[str]) -> dict[str, float]:
    """The true depths of the scales as this run defines them: by the tasks it found."""
    shares = {
        name: rise(curves[None, [names.index(task) for task in scale.tasks]]).share.mean(1)
        for name, scale in found.scales.items()
        if scale.defined
    }
    true = {f"d50 {s}": float(crossing(f, 0.5)[0]) for s, f in shares.items()}
    true |= {f"centre {s}": float(centre(f)[0]) for s, f in shares.items()}
    for pair in ("LI", "IG"):
        a, b = pair
        if a in shares and b in shares:
            true[f"gap {pair}"] = true[f"centre {b}"] - true[f"centre {a}"]
            split = separation(shares[a], shares[b])
            true[f"soft {pair}"], true[f"layer {pair}"] = float(split.soft[0]), int(split.layer[0])
    return true


def judged(found: FunctionalScales, true: dict[str, float]) -> dict[str, Any]:
    """What one run says, and whether its intervals hold the truth."""
    intervals = {}
    for name, scale in found.scales.items():
        intervals |= {f"d50 {name}": scale.d50.ci, f"centre {name}": scale.centre.ci}
    for pair, order in found.order.items():
        boundary = getattr(found, pair)
        intervals |= {f"gap {pair}": order.gap.ci, f"soft {pair}": boundary.soft.ci}
        if boundary.set:
            intervals[f"layer {pair}"] = [boundary.set[0], boundary.set[-1]]
    covers = {k: ci[0] <= true[k] <= ci[1] for k, ci in intervals.items() if ci is not None and k in true}
    said = {f"defined {name}": found.scales[name].defined for name in "LIG"}
    for pair, order in found.order.items():
        said[f"order {pair}"] = bool(order.supported)
        said[f"order {pair} without margin"] = (order.p_without_margin or 1.0) <= 0.05
        said[f"boundary {pair}"] = getattr(found, pair).layer is not None
    said["L < I < G"] = found.verdict == "L < I < G supported"
    return {"covers": covers, "said": said}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rates over runs; coverage over the runs that have the interval."""
    covers: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        for key, value in row["covers"].items():
            covers[key].append(value)
    return {
        "runs": len(rows),
        "said": {
            key: round(float(np.mean([row["said"][key] for row in rows])), 4) for key in rows[0]["said"]
        },
        "coverage": {
            key: {"rate": round(float(np.mean(v)), 4), "n": len(v)} for key, v in sorted(covers.items())
        },
    }


def curves_main(runs: int, documents: Sequence[int], worlds: Sequence[str]) -> None:
    cells: dict[str, Any] = {}
    for name in worlds:
        for count in documents:
            rows = []
            for number, (gains, truth) in enumerate(curve_runs(WORLDS[name], count, runs, 1000 + count)):
                found = decide_scales(gains, draws=DRAWS, seed=number, tasks=DECIDING)
                rows.append(judged(found, truths(truth, found, gains.tasks)))
            cells[f"{name}, {count} documents"] = summary(rows)
            _store("functional-curves.json", cells, runs)
            print(f"{name}, {count}: {time.process_time():.0f} CPU s", flush=True)


def stacks_main(runs: int) -> None:
    by_name = {task.name: task for task in TASKS}
    tasks: list[Task] = [by_name[name] for name, *_ in PLANTED]
    cells: dict[str, Any] = {}
    for world in RISES:
        gains = [stack_gains(RISES[world], seed) for seed in range(runs)]
        weight = np.ones((1, DOCUMENTS))
        truth = np.mean([mean_curves(g.sums.mean(0), g.counts, weight)[0] for g in gains], axis=0)
        rows = []
        for seed, one in enumerate(gains):
            found = decide_scales(one, draws=300, seed=seed, tasks=tasks)
            rows.append(judged(found, truths(truth, found, one.tasks)))
        cells[world] = summary(rows)
        _store("functional-stacks.json", cells, runs)
        print(f"{world}: {time.process_time():.0f} CPU s", flush=True)


def _store(name: str, cells: dict[str, Any], runs: int) -> None:
    content = {"recipe": {"runs": runs, "draws": DRAWS}, "cells": cells}
    (RESULTS / name).write_text(json.dumps(content, indent=1) + "\n")


def page_main() -> None:
    """Write the tables between the marks of the page."""
    before, _, rest = PAGE.read_text("utf-8").partition(MARK)
    after = rest.partition(MARK)[2]
    PAGE.write_text(before + MARK + "\n" + "\n".join(tables()) + "\n" + MARK + after, "utf-8")


def tables() -> Iterator[str]:
    """Rates of what is said, and coverage of nominal 95 % intervals, a row a cell."""
    for name, says in PAGES.items():
        path = RESULTS / name
        if not path.exists():
            continue
        cells = json.loads(path.read_text("utf-8"))["cells"]
        yield f"{says.format(runs=next(iter(cells.values()))['runs'])}\n"
        yield f"| {' | '.join(HEADINGS)} |"
        yield "|---" * len(HEADINGS) + "|"
        for cell, found in cells.items():
            said, covers = found["said"], found["coverage"]
            columns = [
                " ".join(
                    _rate(covers[f"{what} {one}"]) if f"{what} {one}" in covers else "–" for one in which
                )
                for what, which in (
                    ("d50", "LIG"),
                    ("centre", "LIG"),
                    ("gap", ("LI", "IG")),
                    ("soft", ("LI", "IG")),
                )
            ]
            rates = [f"{said[key]:.2f}" for key in ("defined G", "order LI", "order IG")]
            bounds = f"{said['boundary LI']:.2f} {said['boundary IG']:.2f}"
            yield f"| {' | '.join([cell, *rates, bounds, *columns])} |"
        yield ""


def _rate(cell: dict[str, Any]) -> str:
    return f"{cell['rate']:.2f}" if cell["n"] >= LEAST_RUNS else "–"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration functional", description=__doc__)
    parser.add_argument("part", nargs="?", choices=("curves", "stacks", "page"), help="all when absent")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--documents", type=int, nargs="+", default=[60, 240])
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS), choices=list(WORLDS))
    chosen = parser.parse_args(list(arguments))
    if chosen.part in (None, "stacks"):
        stacks_main(chosen.runs)
    if chosen.part in (None, "curves"):
        curves_main(chosen.runs, chosen.documents, chosen.worlds)
    page_main()

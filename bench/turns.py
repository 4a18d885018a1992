"""Several ways of doing one thing, in turn, so that they meet the same load."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

REPEATS = 7
Figures = dict[str, Any]
Work = Callable[[], Any]


def in_turn(works: dict[str, Work], repeats: int = REPEATS) -> dict[str, list[float]]:
    """Processor seconds of each, one after the other, so often."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            started = time.process_time()
            work()
            seconds[name].append(time.process_time() - started)
    return seconds


def ratios(seconds: dict[str, list[float]], base: str) -> Figures:
    """Of each to its neighbour `base`: median, smallest, largest."""
    told: Figures = {f"{base}, seconds": round(float(np.median(seconds[base])), 4)}
    for name, each in seconds.items():
        if name != base:
            over = np.array(each) / np.array(seconds[base])
            told[name] = {
                "ratio": round(float(np.median(over)), 3),
                "range": [round(float(over.min()), 3), round(float(over.max()), 3)],
            }
    return told

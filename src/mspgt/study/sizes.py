"""Boundaries in models of different sizes: positions against depth, width, parameters and training steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

from mspgt.predictions.readings import Reading, relative_positions
from mspgt.results import ModelResult
from mspgt.results.comparison import SizedConfiguration, Sizes, SizeTrend
from mspgt.stats.trend import trend
from mspgt.vocabulary import BOUNDARIES

NEEDED = 3  # sizes, for a line that two points would not give whatever they are
# What a model grows by; steps of training are known of checkpoints of one run.
AGAINST = {"layers": "layers", "width": "width", "parameters": "parameters", "step": "training steps"}


def against_sizes(models: Mapping[str, ModelResult], reading: Reading) -> Sizes:
    """Positions of every configuration, and their slopes for each doubling of its size.

    Models of one configuration (family, layers, width, parameters, step) are runs of it and no points of their own:
    their positions are averaged. A slope is in relative depth for each doubling, with a 95 % t interval, or null with
    its reason.

    Args:
        models: by name.
        reading: whose boundaries.
    """
    found = _configurations(models, reading)
    keys = [key for key in AGAINST if key != "step" or any(one.step for one in found)]
    return Sizes(found, [_trend(found, which, key) for which in BOUNDARIES for key in keys])


def _configurations(models: Mapping[str, ModelResult], reading: Reading) -> list[SizedConfiguration]:
    groups: dict[tuple[str, int, int, int, int | None], list[str]] = {}
    for name, model in models.items():
        groups.setdefault((model.family, *model.shape, model.step), []).append(name)
    found = []
    for (family, layers, width, parameters, step), names in groups.items():
        own = [models[name] for name in names]
        early, late = (relative_positions(own, which, reading) for which in BOUNDARIES)
        positions = (_mean(early), len(early), _mean(late), len(late))
        found.append(SizedConfiguration(family, layers, width, parameters, step, names, *positions))
    return sorted(found, key=lambda one: (one.parameters, one.step or 0))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _trend(found: Sequence[SizedConfiguration], which: str, key: str) -> SizeTrend:
    points = [
        (one.family, log2(size), place)
        for one in found
        if (place := one.of(which)) is not None and (size := getattr(one, key))
    ]
    families, sizes = sorted({family for family, _, _ in points}), len({x for _, x, _ in points})
    if sizes < NEEDED:
        why = f"{sizes} sizes by {AGAINST[key]} among the configurations with this boundary; needed are {NEEDED}"
        return SizeTrend(which, key, len(points), families, None, None, why)
    line = trend([x for _, x, _ in points], [y for _, _, y in points])
    return SizeTrend(which, key, len(points), families, line.slope, line.ci, None)

"""Boundaries in models of different sizes: positions against depth, width, parameters and training steps."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Any

from mspgt.predictions.readings import Reading, position
from mspgt.results import ModelResult
from mspgt.stats.trend import trend
from mspgt.vocabulary import BOUNDARIES

NEEDED = 3  # sizes, for a line that two points would not give whatever they are
# What a model grows by; steps of training are known of checkpoints of one run.
AGAINST = {"layers": "layers", "width": "width", "parameters": "parameters", "step": "training steps"}


def against_sizes(models: Mapping[str, ModelResult], reading: Reading) -> dict[str, Any]:
    """Positions of every configuration, and their slopes for each doubling of its size.

    Models of one configuration (family, layers, width, parameters, step) are runs of it and no points of their own:
    their positions are averaged. A slope is in relative depth for each doubling, with a 95 % t interval.

    Args:
        models: by name.
        reading: whose boundaries.

    Returns:
        `configurations` and `trends`; a slope that could not be taken is null with its reason.
    """
    found = _configurations(models, reading)
    keys = [key for key in AGAINST if key != "step" or any(one["step"] for one in found)]
    trends = [_trend(found, which, key) for which in BOUNDARIES for key in keys]
    return {"configurations": found, "trends": trends}


def _configurations(models: Mapping[str, ModelResult], reading: Reading) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name, model in models.items():
        groups.setdefault((model.family, *(getattr(model, key) for key in AGAINST)), []).append(name)
    found = []
    for (family, *sizes), names in groups.items():
        one = {"family": family, **dict(zip(AGAINST, sizes, strict=True)), "models": names}
        for which in BOUNDARIES:
            places = [position(models[name], which, reading) for name in names]
            depths = [layer / layers for layer, layers in filter(None, places)]
            one[which] = sum(depths) / len(depths) if depths else None
            one[f"{which}_models"] = len(depths)
        found.append(one)
    return sorted(found, key=lambda one: (one["parameters"], one["step"] or 0))


def _trend(found: list[dict[str, Any]], which: str, key: str) -> dict[str, Any]:
    points = [(log2(one[key]), one[which]) for one in found if one[which] is not None and one[key]]
    families = sorted({one["family"] for one in found if one[which] is not None and one[key]})
    told = {"boundary": which, "against": key, "n": len(points), "families": families}
    sizes = len({x for x, _ in points})
    if sizes < NEEDED:
        why = f"{sizes} sizes by {AGAINST[key]} among the configurations with this boundary; needed are {NEEDED}"
        return {**told, "slope": None, "ci": None, "reason": why}
    line = trend([x for x, _ in points], [y for _, y in points])
    return {**told, "slope": line.slope, "ci": list(line.ci), "reason": None}

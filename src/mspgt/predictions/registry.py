"""All predictions: every module of this room that holds a `PREDICTION`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import mspgt.predictions as room
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Prediction

TIERS = ("1", "2", "3", "assumption", "theory")


@cache
def predictions() -> dict[str, Prediction]:
    """Id → prediction, by tier and then by id."""
    modules = (import_module(f"{room.__name__}.{module.name}") for module in iter_modules(room.__path__))
    found = [module.PREDICTION for module in modules if hasattr(module, "PREDICTION")]
    found.sort(key=lambda one: (TIERS.index(one.tier), one.id))
    return {one.id: one for one in found}


def fixed_in_advance(rules: Rules) -> dict[str, dict[str, str | float]]:
    """What the plan's hash covers of every prediction: its rule in words, its threshold, how units combine."""
    return {
        one.id: {"rule": one.rule, "threshold": one.threshold(rules), "holds in": one.quantifier}
        for one in predictions().values()
    }

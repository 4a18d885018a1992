"""Warnings by where they are told: with their model, or once for the study where every model has the same one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from mspgt.report.words import model_of
from mspgt.results import Notice, Results


def study_notices(results: Results) -> list[Notice]:
    """What concerns no single model, and under `models.*` what is said in the same words of every model."""
    alike = _alike(results)
    told: dict[tuple[str, str, str], Notice] = {}
    for one in results.warnings:
        key = _key(results, one)
        if model_of(results, one.where) is None or key in alike:
            told.setdefault(key, replace(one, where=key[0]))
    return list(told.values())


def model_notices(results: Results, name: str) -> list[Notice]:
    """What must be known before believing a number of this model, and does not hold of every model alike."""
    alike = _alike(results)
    own = (one for one in results.warnings if model_of(results, one.where) == name)
    return [one for one in own if _key(results, one) not in alike]


def _alike(results: Results) -> set[tuple[str, str, str]]:
    models = len(results.models)
    owned = [one for one in results.warnings if model_of(results, one.where) is not None]
    counts = Counter(_key(results, one) for one in owned)
    return {key for key, count in counts.items() if models > 1 and count == models}


def _key(results: Results, one: Notice) -> tuple[str, str, str]:
    """Path with its model left open, and the words."""
    where = one.where
    owner = model_of(results, where)
    open_ = where if owner is None else f"models.*{where.removeprefix(f'models.{owner}')}"
    return open_, one.what, one.consequence

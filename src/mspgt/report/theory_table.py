"""The theory of all models as one table in long form: every number that its charts and figures show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mspgt.report.tables import Cell, Table
from mspgt.report.theory import KINDS, theory_of
from mspgt.report.words import BOUNDARIES, Json

LETTERS = {"G": "Global", "I": "Intermediate", "L": "Local"}


def theory_table(results: Json) -> Table:
    """Every value of the theory in long form: one row a model, block, quantity and place."""
    columns = {
        "model": "string", "block": "string", "quantity": "string", "place": "string", "value": "double",
        "low": "double", "high": "double", "verdict": "string",
    }  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for name in results["models"]:
        if (theory := theory_of(results, name)) is not None:
            rows += [(name, *row) for row in _rows(theory)]
    return Table("theory", "The theory, computed", columns, rows)


def _rows(theory: Json) -> Iterator[tuple[Cell, ...]]:
    information = theory["information"]
    for kind in KINDS:
        block = information[kind]
        for layer, value in enumerate(block["bits"] or ()):
            yield "information", f"{kind} bits", f"layer {layer}", value, *_ends(block["ci"], layer), None
    for layer, value in enumerate(information["gaussian"]["nats"] or (), start=1):
        yield "information", "gaussian nats", f"layer {layer}", value, None, None, None
    for which, label in BOUNDARIES.items():
        for profile in ("all", *KINDS, "gaussian"):
            if (found := theory["kink"][which].get(profile)) and found["p"] is not None:
                verdict = "kink" if found["kinked"] else "no kink"
                yield "kink", f"p, {profile}", f"{label} {found['layer']}", found["p"], None, None, verdict
    markov = theory["markov"]
    for layer, value in enumerate(markov.get("ratio") or (), start=1):
        yield "markov", "ratio", f"layer {layer}", value, None, None, None
    for layer, value in enumerate(markov.get("excess") or (), start=1):
        se = markov["se"][layer - 1]
        yield (
            "markov",
            "excess over surrogates",
            f"layer {layer}",
            value,
            value - 1.96 * se,
            value + 1.96 * se,
            None,
        )
    yield (
        "markov",
        "A2",
        "all layers",
        markov.get("mean"),
        *(markov.get("ci") or (None, None)),
        markov["verdict"],
    )
    yield from _fisher_rows(theory["fisher"])
    for scale, one in (theory["beta"].get("activations") or {}).items():
        for at, sigma in enumerate(theory["beta"]["sigmas"]):
            yield "beta", f"β̂ at σ = {sigma:g}", scale, one["value"][at], *_ends(one["ci"], at), None
        yield "beta", "β̂/σ² as σ → 0", scale, one["limit"]["value"], *_pair(one["limit"]["ci"]), None
    yield from _response_rows(theory["beta"].get("response") or {})
    eq23 = theory["beta"]["equation23"]
    yield (
        "beta",
        "equation 23: log–log slope",
        "planted languages",
        eq23["slope"],
        *_pair(eq23["ci"]),
        eq23["verdict"],
    )
    hvib = theory["hvib"]
    for point in hvib["curve"] or ():
        for at, letter in enumerate(LETTERS):
            for key in ("kl", "information", "gap"):
                yield (
                    "hvib",
                    f"{key} at β = {point['beta']:g}",
                    LETTERS[letter],
                    point[key][at],
                    None,
                    None,
                    None,
                )
        yield (
            "hvib",
            f"distortion at β = {point['beta']:g}",
            "next token",
            point["distortion"],
            None,
            None,
            None,
        )
    for row, point in enumerate(hvib["curve"] or ()):
        for at, letter in enumerate(LETTERS):
            low, high = (ends[at] for ends in hvib["weights_ci"][row])
            yield (
                "hvib",
                f"β̂ at β = {point['beta']:g}",
                LETTERS[letter],
                hvib["weights"][row][at],
                low,
                high,
                None,
            )
    concentration = theory["concentration"]
    for key, label in (("by_draws", "slope in draws B"), ("by_documents", "slope in documents N")):
        if curve := concentration.get(key):
            told = concentration["verdict"] if key == "by_draws" else None
            yield "concentration", label, "log–log", curve["slope"], *_pair(curve["ci"]), told


def _response_rows(block: Json) -> Iterator[tuple[Cell, ...]]:
    """Weights from Experiment 2, at declared rates, where models compare (equation 22), and between doses."""
    for scale, one in (block.get("scales") or {}).items():
        for rate, at in zip(block["rates"], one.get("at") or (), strict=False):
            if at is not None:
                yield "beta", f"β̂ at {rate:g} nats a token", scale, at["value"], *_pair(at.get("ci")), None
        for at, value in enumerate(one["value"] or ()):
            place = f"{scale}, {one['between'][at]:.4g} nats a token"
            yield "beta", "β̂ between doses", place, value, *_ends(one["ci"], at), None
            yield "beta", "β̂ between doses, predicted", place, one["predicted"][at], None, None, None


def _fisher_rows(block: Json) -> Iterator[tuple[Cell, ...]]:
    if block["fisher"] is None:
        return
    for key in ("fisher", "empirical", "hessian", "kl_slope", "loss_slope"):
        for layer, value in enumerate(block[key]["value"] or (), start=1):
            yield "fisher", key, f"layer {layer}", value, *_ends(block[key]["ci"], layer - 1), None
    for scale, arm in block["arms"].items():
        for key in ("predicted", "kl", "loss"):
            yield "fisher", f"{key} at σ = {arm['sigma']:g}", scale, arm[key], *_pair(arm[f"{key}_ci"]), None
    for scale, one in block["equation30"]["scales"].items():
        for key in ("loss", "kl"):
            found = one[key]
            yield "fisher", f"{key} slope over ½ tr F", scale, found["value"], *_pair(found["ci"]), None
    for key in ("loss", "kl"):
        yield (
            "fisher",
            f"equation 30, {key}",
            "all scales",
            None,
            None,
            None,
            block["equation30"][f"verdict_{key}"],
        )


def _ends(intervals: Any, at: int) -> tuple[float | None, float | None]:
    return _pair(intervals[at] if intervals else None)


def _pair(interval: Any) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval[0], interval[1])

"""The paper against this run: every number that the paper printed beside the one that was measured here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mspgt.report.table1 import printed
from mspgt.report.tables import Table
from mspgt.report.words import BOUNDARIES, MISSING, Json, layer_set, percent
from mspgt.results import ModelResult, Results

TITLE = "The paper against this run"
PAPER_MODE, CALIBRATED = "this run, paper mode", "this run, calibrated"


def against_paper(results: Results) -> Table:
    """What the paper printed of each of its models beside this run's own numbers; an empty table where none match.

    Models match by name, whatever the organisation before it and the suffix after it.
    """
    verdicts = (
        {"quantity": f"prediction {name}", "of": "study", "paper": one.paper_claim.text, PAPER_MODE: None}
        | {CALIBRATED: one.verdict, "reading": one.rule}
        for name, one in results.predictions.items()
    )
    return Table.told(TITLE, [*_boundaries(results), *verdicts], name="paper_against_run")


def against_for_reading(results: Results) -> Table:
    """The same, of a prediction only claim and verdict: the page tells the rule with each verdict."""
    verdicts = (
        {"quantity": f"prediction {name}", "of": "", "paper": one.paper_claim.text, PAPER_MODE: ""}
        | {CALIBRATED: one.verdict, "reading": ""}
        for name, one in results.predictions.items()
    )
    return Table.told(TITLE, [*_boundaries(results), *verdicts])


def _boundaries(results: Results) -> Iterator[Json]:
    for row in printed()["rows"]:
        owner = _same_model(results, row["model"])
        if owner is not None:
            yield from _rows(owner, results.models[owner], row)


def _rows(owner: str, model: ModelResult, row: Json) -> Iterator[Json]:
    paper, calibrated = model.boundaries.paper, model.boundaries.calibrated
    for which, name in BOUNDARIES.items():
        own, claim = paper.of(which), calibrated.chosen.get(which)
        there = f"{row[which]} of {row['layers']} ({percent(row[f'{which}_relative'], 1)})"
        here = f"{own.layer} of {model.layers} ({percent(own.relative, 1)})" if own else MISSING
        within = f"{claim.layer}, set {{{layer_set(claim.set)}}}" if claim else MISSING
        if row["layers"] != model.layers:
            reading = f"not comparable: {model.layers} layers here"
        elif own and abs(own.layer - row[which]) <= 1:
            reading = "reproduced within one layer"
        else:
            reading = "not reproduced"
        told = {"quantity": name, "of": owner, "paper": there}
        yield told | {PAPER_MODE: here, CALIBRATED: within, "reading": reading}


def _same_model(results: Results, printed_name: str) -> str | None:
    wanted = _plain(printed_name)
    return next((name for name in results.models if _plain(name) == wanted), None)


def _plain(name: str) -> str:
    last = name.rsplit("/", 1)[-1].lower()
    return re.sub(r"[^a-z0-9.]", "", re.sub(r"^meta-|-hf$|-base$", "", last))

"""Table 1: the boundaries of every model by every account, and the paper's own rows beside them as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mspgt.predictions.printed import printed as values
from mspgt.report.tables import Cell, Table, columns_of, ends
from mspgt.report.words import (
    BOUNDARIES,
    MISSING,
    NO_REASON,
    calibrated_notes,
    claims,
    counted,
    disagreements,
    false_rate,
    findings,
    layer_set,
    listing,
    number,
    out_of_sight,
    percent,
)
from mspgt.results import (
    CalibratedResult,
    Claim,
    FunctionalBoundary,
    ModelResult,
    PaperBoundary,
    PaperResult,
    Results,
)

PRINTED = "as printed"
_PLACE = dict.fromkeys(("relative", "low", "high", "width"), "double")
_PLACES = {
    f"{b}_{key}": t for b in BOUNDARIES for key, t in {"layer": "int64", **_PLACE, "set": "string"}.items()
}
COLUMNS = (
    columns_of("model:string family:string layers:int64 mode:string")
    | _PLACES
    | columns_of(
        "accepted:bool successes:double noise_found_median:double noise_found_max:double",
        "noise_accepted_median:double noise_accepted_max:double claims:string",
        "could_not_be_seen:string noise_ratio_S1:double noise_ratio_S2:double",
        "noise_ratio_S3:double modes_disagree:bool reason:string source:string",
    )
)
READING = ("Model", "Layers", "Mode", "L–I", "I–G", "Decision", "False boundaries", "se/τ", "Modes")


def printed() -> dict[str, Any]:
    """The paper's own Table 1, with its source and status."""
    return values("table1")


def table1(results: Results) -> Table:
    """Table 1 as numbers: one row a model and account (mode `calibrated`: shocks), then the paper's rows.

    `relative` is in [0, 1]; `low`, `high` and `width` are the 95 % interval of paper mode, in layers; `set`
    is the 95 % confidence set of calibrated mode; `noise_*` is the rate on featureless noise.
    """
    records = [record for name, model in results.models.items() for record in _records(name, model)]
    for row in printed()["rows"]:
        places = {f"{which}_layer": row[which] for which in BOUNDARIES}
        places |= {f"{which}_relative": row[f"{which}_relative"] for which in BOUNDARIES}
        own = {key: row[key] for key in ("model", "family", "layers")}
        records.append(own | places | {"mode": PRINTED, "source": printed()["source"]})
    return Table.of("table1", "Boundaries of every model in both modes", COLUMNS, records)


def _records(name: str, model: ModelResult) -> Iterator[dict[str, Cell]]:
    paper, calibrated = model.boundaries.paper, model.boundaries.calibrated
    about: dict[str, Cell] = {"model": name, "family": model.family, "layers": model.layers}
    about["modes_disagree"] = bool(disagreements(model))
    record = {**about, "mode": "paper", "accepted": paper.accepted, "successes": paper.successes}
    for outcome in ("found", "accepted"):
        record[f"noise_{outcome}_median"], record[f"noise_{outcome}_max"] = false_rate(model, outcome)
    for which in BOUNDARIES:
        if boundary := paper.of(which):
            record |= _place(which, boundary) | {f"{which}_width": boundary.width}
            record |= ends(boundary.ci, f"{which}_")
    yield record | {"reason": "; ".join(paper.reasons) or None}

    record = {**about, "mode": "calibrated", "reason": "; ".join(calibrated.reasons) or None}
    for which in BOUNDARIES:
        if claim := calibrated.chosen.get(which):
            record |= _place(which, claim) | {f"{which}_set": layer_set(claim.set)}
    record |= {f"noise_ratio_{signal}": value for signal, value in calibrated.noise_ratio.items()}
    record["claims"] = "; ".join(_claim_words(claim) for _, claim in claims(calibrated)) or None
    yield record | {"could_not_be_seen": ", ".join(out_of_sight(calibrated)) or None}
    yield from _other_accounts(about, model)


def _place(which: str, one: PaperBoundary | Claim | FunctionalBoundary) -> dict[str, Cell]:
    return {f"{which}_layer": one.layer, f"{which}_relative": one.relative}


def _other_accounts(about: dict[str, Cell], model: ModelResult) -> Iterator[dict[str, Cell]]:
    """Functional scales and phases, where measured; phases have no names, so they stand among the claims."""
    if scales := model.scales:
        record = {**about, "mode": "functional"}
        for which in BOUNDARIES:
            one = scales.of(which)
            record |= _place(which, one) | {f"{which}_set": layer_set(one.set) or None}
        reasons = [f"{label}: {why}" for w, label in BOUNDARIES.items() if (why := scales.of(w).reason)]
        yield record | {"reason": "; ".join(reasons) or None}
    if phases := model.phases:
        told = "; ".join(_claim_words(claim) for claim in phases.boundaries) or None
        whys = "; ".join([*phases.why, *phases.reasons]) or None
        yield {**about, "mode": "phases", "claims": told, "reason": whys}


def table1_for_reading(results: Results) -> Table:
    """Table 1 as text, for the page, the terminal and LaTeX; models whose modes disagree come first."""
    rows: list[tuple[Cell, ...]] = []
    for found in findings(results):
        model = results.models[found.model]
        head = (found.model, str(model.layers))
        paper, calibrated = model.boundaries.paper, model.boundaries.calibrated
        places = [_paper_place(paper.of(which)) for which in BOUNDARIES]
        rows.append((*head, "paper", *places, _paper_decision(paper), _noise(model), "", ""))
        places = [_calibrated_place(calibrated.chosen.get(which)) for which in BOUNDARIES]
        ratios = "\n".join(f"{signal} {number(r, 2)}" for signal, r in calibrated.noise_ratio.items())
        modes = f"disagree on {listing(found.disagree)}" if found.disagree else "agree"
        decision, rate = _calibrated_decision(calibrated), "≤ 5\u202f% by calibration"
        rows.append((*head, "calibrated", *places, decision, rate, ratios or MISSING, modes))
        rows += _other_rows(head, model)
    for row in printed()["rows"]:
        places = [f"{row[which]} ({percent(row[f'{which}_relative'], 1)})" for which in BOUNDARIES]
        rows.append((row["model"], str(row["layers"]), PRINTED, *places, "accepted", MISSING, MISSING, ""))
    return Table(
        "table1",
        f"Boundaries in both modes; “{PRINTED}”: {printed()['source']}",
        dict.fromkeys(READING, "string"),
        rows,
    )


def _other_rows(head: tuple[str, str], model: ModelResult) -> Iterator[tuple[Cell, ...]]:
    if scales := model.scales:
        places = [_functional_place(scales.of(which)) for which in BOUNDARIES]
        yield (*head, "functional", *places, scales.verdict, "order tested at 5\u202f%", MISSING, "")
    if phases := model.phases:
        rate = "≤ 5\u202f% by calibration"
        yield (*head, "phases", MISSING, MISSING, phases.statement, rate, MISSING, "")


def _functional_place(boundary: FunctionalBoundary) -> str:
    if boundary.layer is None:
        return f"{MISSING} {boundary.reason or NO_REASON}"
    within = f"set {{{layer_set(boundary.set)}}}" if boundary.set else "no set"
    return f"{boundary.layer} ({percent(boundary.relative, 1)})\n{within}"


def _paper_place(boundary: PaperBoundary | None) -> str:
    if not boundary:
        return MISSING
    place = f"{boundary.layer} ({percent(boundary.relative, 1)})"
    if not boundary.ci:
        return f"{place}\nno interval"
    low, high = boundary.ci
    return f"{place}\nCI {number(low)}–{number(high)}, width {number(boundary.width)}"


def _calibrated_place(claim: Claim | None) -> str:
    if not claim:
        return MISSING
    return f"{claim.layer} ({percent(claim.relative, 1)})\n{claim.kind}, set {{{layer_set(claim.set)}}}"


def _paper_decision(paper: PaperResult) -> str:
    why = "; ".join(paper.reasons) or NO_REASON
    if not (paper.LI or paper.IG):
        return f"no boundary: {why}"
    if paper.accepted is None:
        return f"neither accepted nor rejected: {why}"
    return "accepted" if paper.accepted else f"rejected: {why}"


def _calibrated_decision(calibrated: CalibratedResult) -> str:
    found = [
        f"{claim.kind} at {claim.layer}" if name else _claim_words(claim)
        for name, claim in claims(calibrated)
    ]
    return "\n".join((found or ["no boundary"]) + calibrated_notes(calibrated))


def _claim_words(claim: Claim) -> str:
    return f"{claim.kind} at {claim.layer}, set {{{layer_set(claim.set)}}}"


def _noise(model: ModelResult) -> str:
    words = []
    for outcome in ("found", "accepted"):
        median, worst = false_rate(model, outcome)
        words.append(
            f"{outcome} {percent(median)}" + (f", up to {percent(worst)}" if worst is not None else "")
        )
    measured = model.boundaries.paper.false_boundary_rate
    return "\n".join(words) if measured else f"{MISSING} not measured at this depth"


def summary_lines(results: Results) -> list[str]:
    """Table 1 for a terminal: per model what each mode says, disagreements first."""
    lines = []
    for found in findings(results):
        model = results.models[found.model]
        lines += [f"{found.model} ({counted(model.layers, 'layer')}): {found.headline}"]
        lines += [
            f"  calibrated  {found.calibrated} {found.power}".rstrip(),
            f"  paper       {found.paper} {found.noise}",
        ]
    return lines

"""Experiment 3: Table 3, Figure 10, and how boundaries move while a model learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from markupsafe import Markup

from mspgt.predictions.printed import printed
from mspgt.report.curves import StripRow
from mspgt.report.figures import charts_plate, strips_figure
from mspgt.report.forest import Dot, Forest, Row
from mspgt.report.markup import table_html, tag
from mspgt.report.panels import strip_rows
from mspgt.report.section import Plate, Section
from mspgt.report.strips import strip_chart, strips_html
from mspgt.report.tables import Table, columns_of, ends
from mspgt.report.words import (
    BOUNDARIES,
    MISSING,
    Json,
    Judged,
    interval,
    layer_set,
    listing,
    number,
    percent,
)
from mspgt.results import ModelResult
from mspgt.results.comparison import ComparedModel
from mspgt.results.families import Consistency, FamilyResult

MODES = ("calibrated", "functional", "phases", "paper")  # calibrated: shocks
ABOUT = (
    "Consistency of a boundary within a family of training runs: mean and coefficient of variation of its relative "
    "depth (dividing by n − 1, with a 95 % interval), and by the paper’s arithmetic (dividing by n, percentages "
    "rounded to one decimal). States along one run count once. Families of fewer than three runs are underpowered: "
    "a true CV of 0.30 passes “< 0.2” in 64 % of cases at n = 2."
)
FIGURE_10 = (
    "Scales of every model over relative depth, by family; calibrated mode above paper mode (pale; paler where its "
    "own rule rejects). Vertical lines: boundaries; bars below: their 95 % sets or intervals."
)
MOVING = (
    "Boundaries along the training of one run, in relative depth. Circles: calibrated mode with the span of the 95 % "
    "set, diamonds: functional scales. Squares: paper mode, hollow where its own rule rejects. A row without a mark: "
    "no boundary at that step."
)
COLUMNS = columns_of(
    "family:string boundary:string mode:string n:int64 mean:double sd:double cv:double",
    "cv_low:double cv_high:double mean_paper:double cv_paper:double max_drift:double",
    "max_drift_one_architecture:double underpowered:bool members:string missing:string",
)


def family_section(results: Judged) -> Section | None:
    """Families in both modes beside the paper's own Table 3; None where there is no family."""
    if not results.families:
        return None
    reading = table3_for_reading(results)
    strips = _strips(results)
    parts = [tag("p", ABOUT), table_html(reading, head=True)]
    for name, rows in strips.items():
        parts += [tag("h4", name), strips_html({row.role: row for row in rows})]
    drawn = {name: [*map(strip_chart, rows)] for name, rows in strips.items()}
    figures = {"families": Plate(partial(strips_figure, drawn), FIGURE_10)}
    tables = [table3(results), offsets(results), drifts(results)]
    for shown in (offsets_for_reading(results), drifts_for_reading(results)):
        parts += [tag("h4", shown.title), table_html(shown)] if shown.rows else []
    moving = trajectories(results)
    if moving:
        parts += [tag("h4", "While a model learns"), tag("p", MOVING)]
        why = "no state has a boundary in either mode"
        parts += [
            forest.html(f"families-{at}", "tables/trajectories.csv", missing=why)
            for at, forest in enumerate(moving)
        ]
        charts = [forest.chart for forest in moving if forest.drawn]
        if charts:
            figures["trajectories"] = charts_plate(charts, MOVING)
        tables.append(trajectory_table(results))
    return Section(
        "families",
        "Families",
        Markup("").join(parts),
        lead=_lead(results),
        tables=tuple(tables),
        figures=figures,
    )


def table3(results: Judged) -> Table:
    """Table 3 as numbers: one row a family, boundary and mode, then the paper's own rows."""
    records: list[Json] = []
    for family, which, mode, one in _by_mode(results):
        same = [pair.drift for pair in one.drift if pair.same_architecture]
        records.append(
            vars(one)
            | {"family": family, "boundary": which, "mode": mode, "n": len(one.members)}
            | ends(one.ci, "cv_")
            | {"max_drift_one_architecture": max(same, default=None)}
            | {"members": "; ".join(f"{name} {rho:.4f}" for name, rho in one.members.items()) or None}
            | {"missing": "; ".join(one.missing) or None}
        )
    for family, which, own in _printed():
        members = "; ".join(f"{name} {value}" for name, value in own["members"].items())
        records.append(
            {"family": family, "boundary": which, "mode": "as printed", "n": len(own["members"])}
            | {"mean_paper": own["mean"], "cv_paper": own["cv"], "underpowered": True, "members": members}
        )
    return Table.of("table3", "Relative boundary positions and stability within families", COLUMNS, records)


DRIFT = "I–G, largest drift"


def table3_for_reading(results: Judged) -> Table:
    """Table 3 as text: one row a family and mode, then the paper's own."""
    records = []
    for family, found in results.families.items():
        for mode in _modes(found):
            record = {"Family": family, "Mode": mode}
            for which, label in BOUNDARIES.items():
                if one := _of(found[which], mode):
                    record |= {f"{label}, mean": _mean(one), f"{label}, CV": _cv(one)}
            records.append(record | {DRIFT: _drift(_of(found["IG"], mode))})
    paper = printed("table3")
    for family, own in paper["families"].items():
        record = {"Family": family, "Mode": "as printed"}
        for which, label in BOUNDARIES.items():
            record[f"{label}, mean"] = f"{own[which]['mean']:.1f} %"
            record[f"{label}, CV"] = f"{own[which]['cv']:.2f}"
        records.append(record | {DRIFT: MISSING})
    return Table.told(f"Table 3; “as printed”: {paper['source']}", records)


def _mean(one: Consistency) -> str:
    total = len(one.members) + len(one.missing)
    if one.mean is None:
        return f"no boundary in {total}"
    return f"{percent(one.mean, 1)} ({len(one.members)} of {total})"


def _cv(one: Consistency) -> str:
    if one.cv is None:
        return MISSING
    weak = ", underpowered" if one.underpowered else ""
    return f"{number(one.cv, 2)}{interval(one.ci, 2)}{weak}; paper’s arithmetic {number(one.cv_paper, 2)}"


def _drift(one: Consistency | None) -> str:
    if one is None or one.max_drift is None:
        return MISSING
    widest = max(one.drift, key=lambda pair: pair.drift)
    same = "one architecture" if widest.same_architecture else "two architectures: no test of drift"
    return f"{number(widest.drift, 2)} ({same})"


def _printed() -> Iterator[tuple[str, str, Json]]:
    for family, boundaries in printed("table3")["families"].items():
        for which, own in boundaries.items():
            yield family, which, own


def _by_mode(results: Judged) -> Iterator[tuple[str, str, str, Consistency]]:
    """Family, boundary, mode, and what was found."""
    for family, boundaries in results.families.items():
        for which, found in boundaries.items():
            for mode in _modes(boundaries):
                if one := _of(found, mode):
                    yield family, which, mode, one


def _modes(boundaries: Mapping[str, FamilyResult]) -> list[str]:
    """The accounts that a family was compared by."""
    return [mode for mode in MODES if _of(boundaries["LI"], mode)]


def _of(found: FamilyResult, mode: str) -> Consistency | None:
    accounts = {"paper": found.paper, "functional": found.functional, "phases": found.phases}
    return found if mode == "calibrated" else accounts[mode]


OFFSETS = "Offsets between families, in relative depth"
DRIFTS = "Drift between runs of a family, in relative depth"


def offsets(results: Judged) -> Table:
    """Differences of family means, with Welch's 95 % interval; the paper's arithmetic beside them."""
    columns = columns_of(
        "boundary:string first:string second:string mode:string offset:double low:double",
        "high:double offset_points_paper:double",
    )
    records = (
        {"boundary": which, "first": family, "second": other, "mode": mode, "offset": found.offset}
        | {**ends(found.ci), "offset_points_paper": found.offset_paper}
        for family, which, mode, one in _by_mode(results)
        for other, found in one.offsets.items()
    )
    return Table.of("offsets", OFFSETS, columns, records)


def offsets_for_reading(results: Judged) -> Table:
    """The same; an interval needs two runs with the boundary in both families."""
    records = (
        {"boundary": BOUNDARIES[which], "families": f"{family} − {other}", "mode": mode}
        | {
            "offset, 95\u202f%": f"{number(found.offset)}, {interval(found.ci).strip() or TOO_FEW}",
            "percentage points, the paper’s arithmetic": number(found.offset_paper),
        }
        for family, which, mode, one in _by_mode(results)
        for other, found in one.offsets.items()
    )
    return Table.told(OFFSETS, records)


TOO_FEW = "no interval: too few runs"


def drifts(results: Judged) -> Table:
    """Distance between every two runs of a family, and whether they are of one architecture."""
    columns = columns_of(
        "family:string boundary:string mode:string first:string second:string drift:double",
        "same_architecture:bool",
    )
    records = (
        vars(pair) | {"family": family, "boundary": which, "mode": mode}
        for family, which, mode, one in _by_mode(results)
        for pair in one.drift
    )
    return Table.of("drift", DRIFTS, columns, records)


def drifts_for_reading(results: Judged) -> Table:
    """The same."""
    records = (
        {"family": family, "boundary": BOUNDARIES[which], "mode": mode}
        | {"runs": f"{pair.first} − {pair.second}", "drift": number(pair.drift)}
        | {"one architecture": bool(pair.same_architecture)}
        for family, which, mode, one in _by_mode(results)
        for pair in one.drift
    )
    return Table.told(DRIFTS, records)


def runs_of(results: Judged) -> dict[str, list[tuple[int, str]]]:
    """Training run → its states, (step, model), in order; runs of a single state are left out."""
    runs: dict[str, list[tuple[int, str]]] = {}
    for name, model in results.models.items():
        if model.run is not None and model.step is not None:
            runs.setdefault(model.run, []).append((model.step, name))
    return {run: sorted(states) for run, states in runs.items() if len(states) > 1}


def trajectories(results: Judged) -> list[Forest]:
    """One plot a training run: boundaries of both modes at every state."""
    plots = []
    for run, states in runs_of(results).items():
        rows = tuple(
            Row(f"step {step:,}", tuple(_dots(results.models[name])), missing="no boundary")
            for step, name in states
        )
        plots.append(Forest(run, "relative depth", rows, limits=(0.0, 1.0)))
    return plots


def _dots(model: ModelResult | ComparedModel) -> Iterator[Dot]:
    calibrated, paper = model.boundaries.calibrated, model.boundaries.paper
    for which, label in BOUNDARIES.items():
        if claim := calibrated.chosen.get(which):
            yield Dot("calibrated", claim.relative, _span(claim.set, model.layers), label)
    for which, label in BOUNDARIES.items():
        if model.scales and (own := model.scales.of(which)).layer is not None:
            yield Dot("variant", own.relative, _span(own.set, model.layers), f"functional {label}")
    for which, label in BOUNDARIES.items():
        if found := paper.of(which):
            ends = found.ci and _span(found.ci, model.layers)
            yield Dot("paper", found.relative, ends, label, hollow=paper.accepted is False)


def _span(places: Sequence[float], layers: int) -> tuple[float, float] | None:
    """The ends of a set or an interval in relative depth."""
    return (min(places) / layers, max(places) / layers) if places else None


def trajectory_table(results: Judged) -> Table:
    """Boundaries of both modes at every state of every run."""
    columns = columns_of(
        "run:string step:int64 model:string mode:string boundary:string layer:int64",
        "relative:double set:string accepted:bool",
    )
    records = [
        {"run": run, "step": step, "model": name} | spot
        for run, states in runs_of(results).items()
        for step, name in states
        for spot in _spots(results.models[name])
    ]
    return Table.of("trajectories", "Boundaries while models learn", columns, records)


def _spots(model: ModelResult | ComparedModel) -> Iterator[Json]:
    """Where each account puts each boundary of a model, if anywhere."""
    paper = model.boundaries.paper
    for which in BOUNDARIES:
        claim, own = model.boundaries.calibrated.chosen.get(which), paper.of(which)
        at = {} if claim is None else vars(claim) | {"set": layer_set(claim.set)}
        yield at | {"mode": "calibrated", "boundary": which}
        if scale := model.scales and model.scales.of(which):
            at = vars(scale) | {"set": layer_set(scale.set) or None}
            yield at | {"mode": "functional", "boundary": which}
        within = own and own.ci and f"{own.ci[0]:g}–{own.ci[1]:g}"
        at = {} if own is None else vars(own) | {"set": within, "accepted": paper.accepted}
        yield at | {"mode": "paper", "boundary": which}


def _strips(results: Judged) -> dict[str, list[StripRow]]:
    models: Mapping[str, ModelResult | ComparedModel] = {**results.models}
    ordered = sorted(models.items(), key=lambda item: (item[1].family, item[1].step or 0))
    return {f"{model.family} · {name}": strip_rows(model) for name, model in ordered}


def _lead(results: Judged) -> str:
    told = []
    for family, boundaries in results.families.items():
        one = boundaries["LI"]
        total = len(one.members) + len(one.missing)
        told.append(f"{family}: L–I in {len(one.members)} of {total}")
    return listing(told)

"""Runs of one configuration judged on their mean, in words and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from markupsafe import Markup

from mspgt.report.curves import Line, Panel
from mspgt.report.groups import ChartGroup, charts_html
from mspgt.report.markup import facts_html, table_html, tag
from mspgt.report.panels import SIGNALS, calibrated_marks, strip_row
from mspgt.report.section import Section
from mspgt.report.strips import strips_html
from mspgt.report.tables import claims_table, curves_table
from mspgt.report.words import calibrated_notes, capital, claims, layer_set, listing
from mspgt.results import ReplicatedResult, Results

ABOUT = (
    "Training runs of one configuration, judged on the mean of their profiles by the calibrated detector, with the "
    "critical values of a single run. What is common to the runs stays in the mean; the layer-to-layer roughness "
    "that each has of its own falls with the root of their number."
)
PROFILE = "asinh(S / 2 floor)"


def replicated_lines(results: Results) -> Iterator[str]:
    """For each group of runs: what their mean profile shows, and what it could have shown."""
    for name, group in results.replicated.items():
        yield f"{name}, mean of {len(group.runs)} runs ({', '.join(group.runs)}): {_found(group)}"
        if ratios := _ratios(group):
            yield f"  roughness of the mean over that of one run: {ratios}"
        yield f"  {group.statement}"


def replicated_section(results: Results) -> Section | None:
    """Every group with its strip, its mean profile, and what could have been seen; None where there is none."""
    groups = results.replicated
    if not groups:
        return None
    found = replace(
        claims_table({name: group.calibrated for name, group in groups.items()}),
        name="replicated_claims",
        title="Boundaries of the mean of several runs",
    )
    charts = {name: _charts(results, name) for name in groups}
    profiles = curves_table(
        "replicated",
        "Mean profiles of several runs",
        "transition",
        {n: one.panels for n, one in charts.items()},
    )
    parts = [tag("p", ABOUT)]
    for at, (name, group) in enumerate(groups.items()):
        parts += _group(name, group, charts[name], at)
    if found.rows:
        parts.append(table_html(found))
    told = (f"{name}, {len(group.runs)} runs: {_found(group)}" for name, group in groups.items())
    return Section(
        "replicated",
        "Runs of one configuration",
        Markup("").join(parts),
        lead="; ".join(told),
        tables=(profiles, found),
    )


def _group(name: str, group: ReplicatedResult, charts: ChartGroup, at: int) -> Iterator[Markup]:
    yield tag("h4", name)
    # What could not have been seen is part of the statement.
    reasons = [note for note in calibrated_notes(group.calibrated) if "been seen" not in note]
    notes = "".join(f" {capital(note)}." for note in reasons)
    yield tag("p", f"Mean of {listing(group.runs)}: {_found(group)}.{notes}")
    marks = tuple(calibrated_marks(group.calibrated))
    yield strips_html({"calibrated": strip_row("calibrated", group.layers, marks)})
    if charts.drawn:
        yield charts_html(charts, f"replicated-{at}", "tables/replicated.csv")
    power = [("What could have been seen", group.statement)]
    ratios = _ratios(group)
    yield facts_html(power + [("Roughness of the mean over that of one run", ratios)] * bool(ratios))


def _charts(results: Results, name: str) -> ChartGroup:
    """The mean profile of a group, one panel a signal."""
    group = results.replicated[name]
    panels = []
    for signal, values in group.signals.items():
        line = () if values is None else (Line("mean of the runs", "calibrated", values),)
        missing = () if line else ("not measured in every run",)
        title, _, _ = SIGNALS[signal]
        panels.append(Panel(signal, title, PROFILE, tuple(range(1, group.layers)), line, missing=missing))
    return ChartGroup("replicated", name, "transition", panels)


def _found(group: ReplicatedResult) -> str:
    told = [
        f"{claim.kind} at layer {claim.layer}, set {layer_set(claim.set)}"
        for _, claim in claims(group.calibrated)
    ]
    return "; ".join(told) or "no boundary"


def _ratios(group: ReplicatedResult) -> str:
    """Roughness of the mean over that of one run, by signal, with what it would be for runs that share nothing."""
    known = [f"{signal} {v:.2f}" for signal, v in group.roughness_ratio.items() if v is not None]
    apart = f"runs that share nothing: {len(group.runs) ** -0.5:.2f}"
    return f"{', '.join(known)} ({apart})" if known else ""

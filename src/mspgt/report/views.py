"""One model as the page shows it: words, strips and sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from mspgt.report import facts
from mspgt.report.accounts import accounts
from mspgt.report.charts import panel_chart
from mspgt.report.facts import Facts
from mspgt.report.groups import ChartGroup, charts_html
from mspgt.report.markup import facts_html, files_html, missing_html, table_html, tag
from mspgt.report.notices import model_notices
from mspgt.report.panels import control_panels, probe_panels, signal_panels, strip_rows
from mspgt.report.section import Section
from mspgt.report.story import Story, story
from mspgt.report.strips import strips_html
from mspgt.report.svg import legend_html, svg
from mspgt.report.tables import claims_table, curves_table
from mspgt.report.where_section import curves_panel
from mspgt.report.words import (
    MISSING,
    Finding,
    counted,
    finding,
    listing,
    number,
    out_of_sight,
    reason,
)
from mspgt.results import ModelResult, Notice, Results

ABOUT = {
    "signals": "Transition l is the step from layer l to layer l + 1. Where the two modes measure in different "
    "units, paper mode has its own axis on the right: where its curve crosses the other means nothing. Vertical "
    "lines in the last panel are the boundaries; the bars below it, their 95 % sets.",
    "probes": "One-hidden-layer probes on the test split, over layers (0 is the embedding): accuracy for parts of "
    "speech, relations and roles, whose words, heads and spans are given, and F1 for entities, which must be found. "
    "The floor is the most frequent label of each word type, or pair of word types; the ceiling, where it is known, "
    "the exact reader of the language. "
    "Selectivity is accuracy, for entities that of words, minus the accuracy of a control task with random labels.",
    "controls": "Calibrated signals beside the same network with random weights, and beside the same estimate with "
    "attention sinks left in.",
}


@dataclass(frozen=True)
class View:
    """One model; `apart` where it has a page of its own."""

    results: Results
    name: str
    stem: str
    sections: Sequence[Section] = ()
    apart: bool = False

    @property
    def model(self) -> ModelResult:
        """Its part of results.json."""
        return self.results.models[self.name]

    @property
    def finding(self) -> Finding:
        """What was found, in words."""
        return finding(self.name, self.model)

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return f"model-{self.stem}"

    @property
    def file(self) -> str:
        """The page that shows it."""
        return f"report-{self.stem}.html" if self.apart else "report.html"

    @property
    def href(self) -> str:
        """A link to it from the summary."""
        return f"{self.file if self.apart else ''}#{self.anchor}"

    @property
    def about(self) -> str:
        """What kind of model it is."""
        model, dtypes = self.model, self.results.provenance.dtype
        parts = (
            model.family,
            f"{counted(model.layers, 'layer')} of width {model.width}",
            counted(model.parameters, "parameter"),
            dtypes.get(self.name, MISSING),
            f"revision {model.revision[:12] or MISSING}",
        )
        return " · ".join(parts)

    @property
    def strips(self) -> Markup:
        """The layer strip, one row a mode."""
        return strips_html({row.role: row for row in strip_rows(self.model)})

    @property
    def story(self) -> Story:
        """What was found in one sentence, or what came closest."""
        return story(self.results, self.name)

    @property
    def account_strips(self) -> Markup:
        """One strip an account that was measured; the two modes where there is no other."""
        every = [one for one in accounts(self.results, self.name) if one.measured]
        if {one.key for one in every} <= {"shocks", "paper"}:
            return self.strips
        return strips_html({one.key: one.row for one in every})

    @property
    def first_chart(self) -> Markup:
        """Usable information by scale where it was measured, else the fused evidence; nothing if neither was."""
        panel = curves_panel(self.results, self.name) or signal_panels(self.results, self.name)[-1]
        if not panel.drawn:
            return Markup("")
        chart = panel_chart(panel)
        drawn = svg(chart, f"{self.anchor}-first", twice=True)
        drawing = tag("figure", tag("figcaption", panel.title), drawn)
        axis = "layer" if len(panel.x) > self.model.layers else "transition"
        return legend_html(chart.legend) + tag("div", drawing, class_="charts one", data_axis=axis)

    @property
    def warnings(self) -> list[Notice]:
        """What must be known before believing a number of this model."""
        return model_notices(self.results, self.name)


def model_view(results: Results, name: str, stem: str, more: Sequence[Section] = ()) -> View:
    """A model with its own sections, and `more` of what was done to it."""
    view, model = View(results, name, stem), results.models[name]
    signals = ChartGroup("signals", "Signals", "transition", signal_panels(results, name))
    probes = ChartGroup("probes", "Probes", "layer", probe_panels(results, name))
    controls = ChartGroup("controls", "Controls", "transition", control_panels(results, name))
    p = number(model.controls.concordance_p, 2)
    twins = f"{counted(model.controls.random_init.seeds, 'random twin')}; concordance of the signals p = {p}"
    own = [
        _section(view, signals, "S1, S2, S3 and the fused evidence, both modes", facts.signal_facts(model)),
        _section(view, probes, _best_scores(probes), facts.probe_facts(model)),
        _section(view, controls, twins, facts.control_facts(model)),
    ]
    return replace(view, sections=[*own, *more, _seen(view)])


def _section(view: View, group: ChartGroup, lead: str, told: Facts) -> Section:
    """Charts of one model as a section: legend, drawings, numbers, and the single values beside them."""
    anchor, stem, first = f"{view.anchor}-{group.key}", f"{view.stem}-{group.key}", group.key == "signals"
    drawn = {view.name: group.panels}
    tables = [curves_table(group.key, f"{group.title} over {group.axis}s", group.axis, drawn)]
    parts, figures = [], {}
    if first:
        claims = claims_table({view.name: view.model.boundaries.calibrated})
        tables.append(claims)
        if claims.rows:
            label = f"boundaries of the calibrated detector, {view.name}"
            parts.append(table_html(claims.without("model"), label=label))
    parts.append(tag("p", ABOUT[group.key]))
    if group.drawn:
        figures[stem] = group.plate(view.name, f"{group.title} of {view.name}. {ABOUT[group.key]}")
        files = {form.upper(): f"figures/{stem}.{form}" for form in ("svg", "pdf")}
        parts.append(charts_html(group, anchor, f"tables/{group.key}.csv"))
        parts.append(files_html("All panels as one figure: ", files))
    else:
        lead = reason(view.results, "models", view.name, "signals", *["S2"] * (group.key == "probes"))
        parts.append(missing_html(lead))
    parts.append(facts_html(told))
    html = Markup("").join(parts)
    return Section(anchor, group.title, html, lead=lead, tables=tuple(tables), figures=figures, shown=first)


def _best_scores(probes: ChartGroup) -> str:
    best = []
    for panel in probes.panels:
        if score := next((line for line in panel.lines if line.role == "calibrated"), None):
            values = [-1.0 if value is None else value for value in score.values]
            top = max(values)
            floor = next((line.values[0] for line in panel.lines if line.label == "floor"), None)
            below = f" (below the floor, {number(floor, 2)})" if floor is not None and top < floor else ""
            best.append(f"{panel.key.upper()} {number(top, 2)} at layer {panel.x[values.index(top)]}{below}")
    return f"best score: {', '.join(best)}" if best else "no score was measured"


def _seen(view: View) -> Section:
    """What could have been seen at this depth, and whether the model could be measured at all."""
    parts = [
        tag("h4", "What could have been seen"),
        table_html(facts.power_table(view.name, view.model)),
        tag("h4", "Checks"),
        table_html(facts.check_table(view.name, view.model)),
    ]
    blind = out_of_sight(view.model.boundaries.calibrated)
    passed, applying = (
        sum(one.ok in kinds for one in view.model.checks) for kinds in ((True,), (True, False))
    )
    lead = f"{listing(blind)} could not have been seen" if blind else "every kind could have been seen"
    return Section(
        f"{view.anchor}-power",
        "Power and checks",
        Markup("").join(parts),
        lead=f"{lead}; {passed} of {counted(applying, 'check')} that apply passed",
    )

"""One model as the page shows it: words, strips and sections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from markupsafe import Markup

from mspgt.report import facts
from mspgt.report.accounts import TITLES, accounts
from mspgt.report.charts import keys_of, panel_chart
from mspgt.report.curves import Panel, known_values
from mspgt.report.figures import charts_figure
from mspgt.report.marks import Key
from mspgt.report.markup import facts_html, figure_html, numbers_folded, numbers_html, table_html, tag
from mspgt.report.notices import model_notices
from mspgt.report.panels import control_panels, probe_panels, signal_panels, strip_rows
from mspgt.report.section import Plate, Section
from mspgt.report.story import Story, story
from mspgt.report.strips import strip_svg
from mspgt.report.svg import legend_html, svg
from mspgt.report.tables import Table, claims_table, curves_table
from mspgt.report.where_section import curves_panel
from mspgt.report.words import MISSING, Finding, counted, finding, listing, number, reason
from mspgt.results import ModelResult, Notice, Results

DEPTHS = {"transition": "transition l, from layer l to l + 1", "layer": "layer"}
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
class ChartGroup:
    """Charts of one model that share a horizontal axis; `missing` is said where there is nothing to draw."""

    key: str  # signals | probes | controls: also in the names of its files
    title: str
    axis: str
    panels: Sequence[Panel]
    missing: str

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return any(panel.drawn for panel in self.panels)

    @property
    def legend(self) -> list[Key]:
        """Every kind of curve that looks the same in all charts, the foremost first."""
        kinds = keys_of([panel_chart(panel) for panel in self.panels])
        roles = Counter(key.role for key in kinds)
        return [key for key in kinds if roles[key.role] == 1]

    def figure(self, title: str, venue: str) -> dict[str, bytes]:
        """All panels for a paper: `svg` and `pdf` → the file's bytes."""
        return charts_figure([panel_chart(panel, DEPTHS[self.axis]) for panel in self.panels], title, venue)


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
        rows = [
            part
            for row in strip_rows(self.model)
            for part in (tag("span", row.role, class_=f"role {row.role}"), strip_svg(row))
        ]
        return tag("div", *rows, class_="strips")

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
        rows = [
            part
            for one in every
            for part in (tag("span", TITLES[one.key], class_=f"role {one.key}"), strip_svg(one.row))
        ]
        return tag("div", *rows, class_="strips")

    @property
    def first_chart(self) -> Markup:
        """Usable information by scale where it was measured, else the fused evidence; nothing if neither was."""
        panel = curves_panel(self.results, self.name) or signal_panels(self.results, self.name)[-1]
        if not panel.drawn:
            return Markup("")
        identifier = f"{self.anchor}-first"
        chart = panel_chart(panel)
        drawing = tag("figure", tag("figcaption", panel.title), svg(chart, identifier, twice=True))
        return legend_html(chart.legend) + tag(
            "div", drawing, class_="charts one", data_axis=_axis_of(panel, self.model)
        )

    @property
    def warnings(self) -> list[Notice]:
        """What must be known before believing a number of this model."""
        return model_notices(self.results, self.name)


def _axis_of(panel: Panel, model: ModelResult) -> str:
    return "layer" if len(panel.x) > model.layers else "transition"


def model_view(results: Results, name: str, stem: str, more: Sequence[Section] = ()) -> View:
    """A model with its own sections, and `more` of what was done to it."""
    view = View(results, name, stem)
    groups = [
        group_section(view, group, shown=group.key == "signals") for group in chart_groups(results, name)
    ]
    return replace(view, sections=[*groups, *more, _seen(view)])


def chart_groups(results: Results, name: str) -> list[ChartGroup]:
    """The charts of one model: its signals, its probes and its controls."""
    why = reason(results, "models", name, "signals")
    no_probes = reason(results, "models", name, "signals", "S2")
    return [
        ChartGroup("signals", "Signals", "transition", signal_panels(results, name), why),
        ChartGroup("probes", "Probes", "layer", probe_panels(results, name), no_probes),
        ChartGroup("controls", "Controls", "transition", control_panels(results, name), why),
    ]


def group_section(view: View, group: ChartGroup, *, shown: bool = False) -> Section:
    """Charts of one model as a section: legend, drawings, numbers, and the single values beside them."""
    anchor, stem = f"{view.anchor}-{group.key}", f"{view.stem}-{group.key}"
    parts: list[Markup] = []
    if group.key == "signals":
        parts.append(_claims(view))
    parts.append(tag("p", ABOUT[group.key]))
    if group.drawn:
        parts.append(charts_html(group, anchor, f"tables/{group.key}.csv"))
        links = [tag("a", form.upper(), href=f"figures/{stem}.{form}") for form in ("svg", "pdf")]
        parts.append(tag("p", "All panels as one figure: ", links[0], ", ", links[1], class_="files"))
    else:
        parts.append(tag("p", f"— {group.missing}", class_="missing"))
    told = {
        "signals": facts.signal_facts,
        "probes": facts.probe_facts,
        "controls": facts.control_facts,
    }[group.key]
    parts.append(facts_html(told(view.model)))

    return Section(
        anchor,
        group.title,
        Markup("").join(parts),
        lead=_lead(view, group),
        figures={stem: Plate(partial(group.figure, view.name), _caption(view, group))} if group.drawn else {},
        shown=shown,
    )


def _caption(view: View, group: ChartGroup) -> str:
    """What the figure shows, with level, n and method of its bands."""
    bands = dict.fromkeys(panel.caption for panel in group.panels if panel.drawn and panel.caption)
    return " ".join([f"{group.title} of {view.name}.", ABOUT[group.key], *bands])


def charts_html(group: ChartGroup, anchor: str, beside: str) -> Markup:
    """The drawings of a group with their legend, and their numbers to read, from which the script makes files.

    Args:
        beside: address of the file that has them all.
    """
    # What several charts have for a caption is said once.
    captions = Counter(panel.caption for panel in group.panels if panel.drawn and panel.caption)
    legend = group.legend
    charts = [panel_chart(panel) for panel in group.panels]
    drawn = [
        figure_html(
            f"{anchor}-{panel.key}",
            panel.title,
            # Curves that another chart draws alike under another name are told here.
            legend_html(key for key in chart.legend if key not in legend)
            + svg(chart, f"{anchor}-{panel.key}"),
            caption=panel.caption if captions[panel.caption] == 1 else "",
            beside=beside if panel.drawn else "",
            missing=panel.missing,
        )
        for panel, chart in zip(group.panels, charts, strict=True)
    ]
    return Markup("").join(
        [
            legend_html(legend),
            *(tag("p", caption, class_="caption") for caption, count in captions.items() if count > 1),
            tag("div", *drawn, class_="charts", data_axis=group.axis),
            tag("div", class_="readout", aria_live="polite", hidden=True),
            _numbers(group),
        ]
    )


def _numbers(group: ChartGroup) -> Markup:
    """What the charts of a group show, as tables to read."""
    tables = [
        numbers_html(
            panel.title,
            (group.axis, *(line.label for line in panel.told)),
            [(layer, *cells) for layer, cells in panel.numbers()],
        )
        for panel in group.panels
        if panel.drawn
    ]
    return numbers_folded(tables, group.title)


def chart_tables(views: Sequence[View]) -> list[Table]:
    """What the charts of all models draw, one table a group."""
    groups = [(view.name, chart_groups(view.results, view.name)) for view in views]
    titles = ("Signals over transitions", "Probes over layers", "Controls over transitions")
    tables = []
    for at, title in enumerate(titles):
        key, axis = groups[0][1][at].key, groups[0][1][at].axis
        tables.append(curves_table(key, title, axis, {name: group[at].panels for name, group in groups}))
    return tables


def _claims(view: View) -> Markup:
    """Boundaries of the calibrated detector, without the column that names the model."""
    table = claims_table({view.name: view.model.boundaries.calibrated})
    if not table.rows:
        return Markup("")
    columns = [name for name in table.columns if name != "model"]
    rows = [row[1:] for row in table.rows]
    return table_html(columns, rows, label=f"boundaries of the calibrated detector, {view.name}")


def _lead(view: View, group: ChartGroup) -> str:
    if not group.drawn:
        return group.missing
    if group.key == "signals":
        return "S1, S2, S3 and the fused evidence, both modes"
    if group.key == "probes":
        best = []
        for panel in group.panels:
            scores = [line for line in panel.lines if line.role == "calibrated"]
            if scores and known_values(scores[0]):
                values = [-1.0 if value is None else value for value in scores[0].values]
                top = max(values)
                floor = next((line.values[0] for line in panel.lines if line.label == "floor"), None)
                below = f" (below the floor, {number(floor, 2)})" if floor is not None and top < floor else ""
                best.append(
                    f"{panel.key.upper()} {number(top, 2)} at layer {panel.x[values.index(top)]}{below}"
                )
        return f"best score: {', '.join(best)}" if best else "no score was measured"
    twins = view.model.controls.random_init
    p = number(view.model.controls.concordance_p, 2)
    return f"{counted(twins.seeds, 'random twin')}; concordance of the signals p = {p}"


def _seen(view: View) -> Section:
    """What could have been seen at this depth, and whether the model could be measured at all."""
    power, checks = facts.power_rows(view.model), facts.check_rows(view.model)
    size = "size found in 80 % of cases, in roughness SDs"
    parts = [
        tag("h4", "What could have been seen"),
        table_html(("kind", size, "in words"), power, label=f"power at this depth, {view.name}"),
        tag("h4", "Checks"),
        table_html(("check", "passed", "reason"), checks, label=f"checks of {view.name}"),
    ]
    blind = [kind for kind, seen, _ in power if seen.startswith("could not")]
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

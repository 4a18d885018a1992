"""One model as the page shows it: words, charts and the numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from markupsafe import Markup

from mspgt.report.charts import panel_svg, strip_svg
from mspgt.report.curves import Panel
from mspgt.report.panels import control_panels, probe_panels, signal_panels, strip_rows
from mspgt.report.tables import Table, claims_table, curves_table
from mspgt.report.words import MISSING, Finding, Json, counted, finding, model_of, reason


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

    def table(self, model: str) -> Table:
        """What the charts show, one row a curve and layer."""
        return curves_table(self.key, self.title, self.axis, {model: self.panels})

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Role and label of every kind of curve drawn, the foremost first."""
        return list(
            dict.fromkeys((line.role, line.label) for panel in self.panels for line in reversed(panel.lines))
        )


@dataclass(frozen=True)
class View:
    """One model; `apart` where it has a page of its own."""

    results: Json
    name: str
    stem: str
    groups: Sequence[ChartGroup]
    apart: bool = False

    @property
    def model(self) -> Json:
        """Its part of results.json."""
        model: Json = self.results["models"][self.name]
        return model

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
        model, dtypes = self.model, self.results["provenance"]["dtype"]
        parts = (
            model["family"],
            f"{counted(model['layers'], 'layer')} of width {model['width']}",
            counted(model["parameters"], "parameter"),
            dtypes.get(self.name, MISSING),
            f"revision {model['revision'][:12] or MISSING}",
        )
        return " · ".join(parts)

    @property
    def strips(self) -> list[tuple[str, Markup]]:
        """The layer strip, one row a mode."""
        return [(row.role, strip_svg(row)) for row in strip_rows(self.model)]

    def charts(self, group: ChartGroup) -> list[tuple[Panel, Markup]]:
        """The drawings of a group, under identifiers that are the same in every build."""
        return [
            (panel, panel_svg(panel, f"{self.anchor}-{group.key}-{at}"))
            for at, panel in enumerate(group.panels)
        ]

    def csv_link(self, group: ChartGroup) -> str:
        """The numbers of a group as a link that holds them."""
        return data_link(group.table(self.name))

    @property
    def warnings(self) -> list[Json]:
        """What must be known before believing a number of this model."""
        return [one for one in self.results["warnings"] if model_of(self.results, one["where"]) == self.name]

    @property
    def claims(self) -> Table:
        """Boundaries of the calibrated detector, without the column that names the model."""
        table = claims_table({**self.results, "models": {self.name: self.model}})
        columns = {name: kind for name, kind in table.columns.items() if name != "model"}
        return replace(table, columns=columns, rows=[row[1:] for row in table.rows])


def chart_groups(results: Json, name: str) -> list[ChartGroup]:
    """The charts of one model: its signals, its probes and its controls."""
    why = reason(results, "models", name, "signals")
    no_probes = reason(results, "models", name, "signals", "S2")
    return [
        ChartGroup("signals", "Signals", "transition", signal_panels(results, name), why),
        ChartGroup("probes", "Probes", "layer", probe_panels(results, name), no_probes),
        ChartGroup("controls", "Controls", "transition", control_panels(results, name), why),
    ]


def data_link(table: Table) -> str:
    """A table as a `data:` address."""
    return "data:text/csv;charset=utf-8," + quote(table.csv(), safe=",.:;=()[]")

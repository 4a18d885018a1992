"""One model as the page shows it: words, charts and the numbers beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from mspgt.report.charts import panel_svg, strip_svg
from mspgt.report.panels import Panel, control_panels, probe_panels, signal_panels, strip_rows
from mspgt.report.tables import Table, cell_text, claims_table, curves_table
from mspgt.report.words import (
    BOUNDARIES,
    KIND_NAMES,
    MISSING,
    Finding,
    Json,
    counted,
    finding,
    listing,
    model_of,
    number,
    percent,
    reason,
)

Facts = list[tuple[str, str]]
Rows = list[tuple[str, ...]]


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
        return any(panel.lines and panel.x for panel in self.panels)

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

    @property
    def signal_facts(self) -> Facts:
        """What stands beside the signals."""
        paper, calibrated = self.model["boundaries"]["paper"], self.model["boundaries"]["calibrated"]
        ratios = (f"{signal} {number(ratio, 2)}" for signal, ratio in calibrated["noise_ratio"].items())
        other = paper["other_normalisation"]
        places = (f"{name} {number(other.get(which))}" for which, name in BOUNDARIES.items())
        agrees = {True: "agrees", False: "disagrees", None: "not compared"}[other.get("agrees")]
        facts = [
            ("Sentence noise over layer roughness, se/τ", ", ".join(ratios) or MISSING),
            ("Bootstrap draws with two peaks, paper mode", percent(paper["successes"])),
            ("Paper mode with signals divided by their maximum only", f"{', '.join(places)} ({agrees})"),
            ("Limit of paper mode", paper["edge_warning"] or MISSING),
        ]
        for count, places in calibrated["rivals"].items():
            found = ", ".join(f"{place['kind']} at {place['layer']}" for place in places)
            facts.append((f"Rival reading with K = {count}, significant or not", found or MISSING))
        for signal, step in self.model["embedding_step"].items():
            modes = ", ".join(f"{mode} {number(value)}" for mode, value in step.items())
            facts.append((f"{signal} from the embedding to layer 1, never a boundary", modes))
        return facts

    @property
    def control_facts(self) -> Facts:
        """The random twins in words, and every control that is a single value."""
        twins = self.model["controls"].get("random_init") or {}
        facts = []
        for key, who in (
            ("paper_found", "paper’s protocol finds two boundaries"),
            ("calibrated_claims", "calibrated detector finds a boundary"),
        ):
            if twins.get(key):
                found = sum(bool(one) for one in twins[key])
                facts.append((f"Random twins in which the {who}", f"{found} of {len(twins[key])}"))
        return facts + [(name.replace("_", " "), text) for name, text in _scalars(self.model["controls"])]

    @property
    def power(self) -> Rows:
        """What could have been seen at this depth."""
        power = self.model["boundaries"]["calibrated"]["power"]
        rows: Rows = []
        for kind in KIND_NAMES:
            if kind in power:
                size = power[kind].get("size80")
                seen = "could not have been seen" if size is None else number(size, 2)
                rows.append((kind, seen, power[kind].get("statement") or MISSING))
        return rows

    @property
    def checks(self) -> Rows:
        """Whether the model can be measured."""
        said = {True: "yes", False: "NO", None: "does not apply"}
        return [
            (check["name"], said[check["ok"]], check["reason"] or MISSING) for check in self.model["checks"]
        ]


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


def provenance_facts(results: Json) -> Facts:
    """All that would be needed to do the study again."""
    made = results["provenance"]
    data, treebank = made["data"], made["data"]["treebank"] or {}
    facts = [
        (name, str(made[name])) for name in ("mspgt", "torch", "transformers", "python", "device", "hardware")
    ]
    facts += [
        ("plan", results["study"]["hash"]),
        ("begun", made["started"]),
        ("wall time", f"{number(made['seconds'])} s"),
        ("seeds", ", ".join(f"{name} {seed}" for name, seed in made["seeds"].items())),
        ("corpus", f"{data['name']}, sha256 {data['sha256']}"),
        ("tokens", number(data["tokens"])),
        *((f"treebank {name}", text) for name, text in _scalars(treebank)),
    ]
    for name, model in results["models"].items():
        facts += [
            (f"{name} {what}", text)
            for what, text in _scalars({"revision": model["revision"], **model["tokens"]})
        ]
        facts += [(f"{name} {stage}", f"{number(seconds)} s") for stage, seconds in model["seconds"].items()]
    return [(name, text or MISSING) for name, text in facts]


def undrawn(results: Json) -> str:
    """Parts of results.json that the page does not show."""
    parts = [part for part in ("families", "predictions") if results[part]]
    for part in ("interventions", "theory"):
        owners = [name for name, model in results["models"].items() if model[part]]
        parts += [f"{part} of {listing(owners)}"] if owners else []
    return listing(parts)


def _scalars(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Single values and short lists of a nested dictionary, under their joined names."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _scalars(value, f"{prefix}{name} ")
        elif isinstance(value, list):
            if len(value) <= 4 and not any(isinstance(item, list | dict) for item in value):
                yield f"{prefix}{name}", ", ".join(map(cell_text, value)) or MISSING
        else:
            yield f"{prefix}{name}", cell_text(value)

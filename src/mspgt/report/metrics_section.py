"""What S1 compares, as a section of the page: four metrics, other tokens, and dimensions that hold the variance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from markupsafe import Markup

from mspgt.report.charts import panel_chart
from mspgt.report.curves import Line, Panel, measured
from mspgt.report.figures import charts_figure
from mspgt.report.markup import tag
from mspgt.report.section import Plate, Section
from mspgt.report.tables import Table, curves_table
from mspgt.report.views import ChartGroup, charts_html
from mspgt.report.words import listing, reason
from mspgt.results import ModelResult, Results

# What is compared → how its curve is named, and the role that it is drawn in; the primary one last, on top.
METRICS = {
    "raw": ("raw", "paper"),
    "standardised": ("standardised", "twin"),
    "as_read": ("as read", "variant"),
    "rms": ("RMS-normalised (primary)", "calibrated"),
}
TOKENS = {
    "limit_10": ("sinks above 10 medians", "paper"),
    "without_top3_words": ("three most frequent words out", "twin"),
    "without_top_word": ("most frequent word out", "variant"),
    "main": ("calibrated tokens", "calibrated"),
}
SHARES = {
    "raw_limit_10": ("raw, sinks above 10 medians", "twin"),
    "raw": ("raw", "paper"),
    "rms": ("RMS-normalised", "calibrated"),
}
GROUPS = {
    "metrics": ("What is compared, and over which tokens", "transition"),
    "spread": ("Share of the variance that lies in one dimension", "layer"),
}
CAPTION = (
    "S1 (−log CKA across documents, nats) of raw, RMS-normalised, as-read and standardised states, and over other "
    "tokens; point estimates."
)
METHOD = (
    "Calibrated S1 is −log CKA of RMS-normalised states over pairs of tokens of different documents, without tokens "
    "whose norm exceeds the sink limit at any layer."
)


def metrics_section(results: Results, name: str, stem: str) -> Section | None:
    """S1 in its metrics and over other tokens; None for results from before they were kept."""
    if not results.models[name].metrics:
        return None
    anchor = f"model-{stem}-metrics"
    parts: list[Markup] = [tag("p", words) for words in _told(results.models[name])]
    for key, panels in _panels(results, name).items():
        title, axis = GROUPS[key]
        group = ChartGroup(key, title, axis, panels, "not measured")
        parts.append(tag("h4", title))
        if group.drawn:
            parts.append(charts_html(group, f"{anchor}-{key}", "tables/metrics.csv"))
        else:
            parts += [tag("p", f"— {why}", class_="missing") for panel in panels for why in panel.missing]
    drawn = [panel for panel in _panels(results, name)["metrics"] if panel.drawn]
    figures: Mapping[str, Plate] = {}
    if drawn:
        charts = [panel_chart(panel, "transition") for panel in drawn]
        figures = {f"{stem}-metrics": Plate(partial(charts_figure, charts, name), f"{name}. {CAPTION}")}
        link = tag("a", f"{stem}-metrics", href=f"figures/{stem}-metrics.svg")
        parts.append(tag("p", "Figure: ", link, class_="files"))
    return Section(
        anchor,
        "What S1 compares",
        Markup("").join(parts),
        lead="four metrics, other tokens, outlier dimensions",
        figures=figures,
        methods=(METHOD,),
    )


def metrics_tables(results: Results) -> list[Table]:
    """Every curve of the section, of all models; none where no model has one."""
    known = {name: _panels(results, name) for name, model in results.models.items() if model.metrics}
    if not known:
        return []
    charts: dict[str, Sequence[Panel]] = {
        name: [*groups["metrics"], *groups["spread"]] for name, groups in known.items()
    }
    return [curves_table("metrics", "S1 in four metrics and over other tokens", "place", charts)]


def _told(model: ModelResult) -> Iterator[str]:
    flagged = {name: one.flagged for name, one in model.metrics.items() if one.flagged}
    for name, layers in flagged.items():
        yield (
            f"One dimension holds more than half of the variance of {SHARES[name][0]} states at layers "
            f"{listing(map(str, layers))}: CKA of such states follows that dimension."
        )
    if words := model.frequent_words:
        yield f"Most frequent word forms among the drawn tokens: {listing(f'“{word}”' for word in words)}."
    for claim in model.metric_dependent:
        metric = METRICS[claim.metric][0]
        yield f"Metric-dependent: a {claim.kind} at layer {claim.layer} shows with S1 of {metric} states alone."


def _panels(results: Results, name: str) -> dict[str, list[Panel]]:
    model = results.models[name]
    transitions, layers = tuple(range(1, model.layers)), tuple(range(model.layers + 1))
    metrics = {key: one.S1 for key, one in model.metrics.items()}
    tokens = {key: one.S1 for key, one in model.token_sets.items()}
    shares = {key: one.largest_share for key, one in model.metrics.items()}
    why = reason(results, "models", name, "metrics")
    return {
        "metrics": [
            _panel("metrics", "S1 by what is compared", "−log CKA", transitions, METRICS, metrics, why),
            _panel("tokens", "S1 over other tokens", "−log CKA", transitions, TOKENS, tokens, why),
        ],
        "spread": [
            _panel("share", "Largest dimension’s share of variance", "share", layers, SHARES, shares, why)
        ],
    }


def _panel(
    key: str,
    title: str,
    axis: str,
    x: tuple[int, ...],
    roles: Mapping[str, tuple[str, str]],
    values: Mapping[str, list[float | None] | None],
    why: str,
) -> Panel:
    lines, missing = [], []
    for name, (label, role) in roles.items():
        one = values.get(name)
        if measured(one):
            lines.append(Line(label, role, one))
        else:
            missing.append(f"{label}: {why}")
    return Panel(key, title, axis, x, tuple(lines), missing=tuple(missing), log=axis == "−log CKA")

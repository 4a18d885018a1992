"""What S1 compares, as a section of the page: four metrics, other tokens, and dimensions that hold the variance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from markupsafe import Markup

from mspgt.report.charts import panel_chart
from mspgt.report.curves import Line, Panel, Values, measured
from mspgt.report.figures import charts_plate
from mspgt.report.groups import ChartGroup, titled_html
from mspgt.report.markup import files_html, tag
from mspgt.report.section import Section
from mspgt.report.tables import curves_table
from mspgt.report.words import listing, reason
from mspgt.results import ModelResult, Results

Roles = Mapping[str, tuple[str, str]]
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
    groups = _groups(results, name)
    for group in groups:
        parts += titled_html(group, f"{anchor}-{group.key}", "tables/metrics.csv")
    charts = [panel_chart(panel, "transition") for panel in groups[0].panels if panel.drawn]
    figures = {}
    if charts:
        own = f"{stem}-metrics"
        figures[own] = charts_plate(charts, f"{name}. {CAPTION}", name)
        parts.append(files_html("Figure: ", {own: f"figures/{own}.svg"}))
    drawn = {name: [panel for group in groups for panel in group.panels]}
    table = curves_table("metrics", "S1 in four metrics and over other tokens", "place", drawn)
    return Section(
        anchor,
        "What S1 compares",
        Markup("").join(parts),
        lead="four metrics, other tokens, outlier dimensions",
        tables=(table,),
        figures=figures,
        methods=(METHOD,),
    )


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


def _groups(results: Results, name: str) -> list[ChartGroup]:
    model, why = results.models[name], reason(results, "models", name, "metrics")
    metrics = {key: one.S1 for key, one in model.metrics.items()}
    tokens = {key: one.S1 for key, one in model.token_sets.items()}
    shares = {key: one.largest_share for key, one in model.metrics.items()}

    def panel(key: str, title: str, roles: Roles, values: Mapping[str, Values | None]) -> Panel:
        known = {one: own for one in roles if measured(own := values.get(one))}
        lines = tuple(Line(*roles[one], own) for one, own in known.items())
        missing = tuple(f"{label}: {why}" for one, (label, _) in roles.items() if one not in known)
        if key == "share":
            return Panel(key, title, "share", tuple(range(model.layers + 1)), lines, missing=missing)
        return Panel(key, title, "−log CKA", tuple(range(1, model.layers)), lines, missing=missing, log=True)

    compared = [
        panel("metrics", "S1 by what is compared", METRICS, metrics),
        panel("tokens", "S1 over other tokens", TOKENS, tokens),
    ]
    share = panel("share", "Largest dimension’s share of variance", SHARES, shares)
    return [
        ChartGroup("metrics", "What is compared, and over which tokens", "transition", compared),
        ChartGroup("spread", "Share of the variance that lies in one dimension", "layer", [share]),
    ]

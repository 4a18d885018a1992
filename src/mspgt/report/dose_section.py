"""The dose audit as a section of the page: what 0.1 standard deviations is, and where its cost comes from."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from mspgt.report import marks
from mspgt.report.doses import (
    DEFINITIONS,
    Audit,
    audit_of,
    audit_panels,
    brittleness_numbers,
    brittleness_table,
    dose_sentences,
    doses_table,
)
from mspgt.report.figures import charts_plate
from mspgt.report.groups import ChartGroup, titled_html
from mspgt.report.marks import Chart, Key, Mark, decades, layer_axis
from mspgt.report.markup import missing_html, table_html, tag
from mspgt.report.section import Section
from mspgt.report.shown import figure_html, lit_html, numbers_folded, numbers_html
from mspgt.report.tables import Table
from mspgt.report.words import counted, number
from mspgt.results import Results
from mspgt.vocabulary import SCALES

TITLE = "What noise on layers 1 to k costs, by k"
CAPTION = (
    "Extra loss a token when noise of {sigma} standard deviations goes into layers 1 to k, for each k, within one "
    "model; the first position takes none. Curves differ only in what the standard deviation is taken over. Means "
    "over {passages} of held text."
)
CAVEAT = (
    "The literal dose grows with the share of sinks among the tokens, and so with how short the texts are that the "
    "standard deviation is taken over."
)

AXIS = "last layer that noise reaches: where Local ends"
UNIT = "extra nats a token"


def dose_section(results: Results, name: str, stem: str) -> Section | None:
    """The dose audit of one model; None where there was none."""
    audit = audit_of(results.models[name])
    if audit is None:
        return None
    anchor, about = f"model-{stem}-doses", audit.about
    chart = brittleness_chart(audit, TITLE)
    caption = CAPTION.format(sigma=number(about.sigma), passages=counted(about.passages, "passage"))
    group = ChartGroup("doses", "By block", "layer", audit_panels(audit))
    parts = [
        *(tag("p", sentence) for sentence in dose_sentences(audit)),
        *_brittleness(audit, chart, anchor, caption),
        tag("h4", "By scale"),
        _by_scale(audit, name),
        tag("p", CAVEAT),
        *titled_html(group, f"{anchor}-audit", "tables/doses.csv"),
    ]
    lead = f"what {number(about.sigma)} standard deviations is, and what it costs"
    figures = {f"{stem}-brittleness": charts_plate([chart], f"{name}. {caption}")}
    methods = (
        "Noise was sized by each dimension's own standard deviation over tokens that are no attention sinks, and its "
        "cost compared with that of a scalar standard deviation over all tokens (the paper's words), of one over "
        "tokens that are no sinks, and of each token's own root mean square.",
    )
    return Section(
        anchor,
        "Doses of noise",
        Markup("").join(parts),
        lead=lead,
        tables=(doses_table(name, audit), brittleness_table(name, audit)),
        figures=figures,
        methods=methods,
    )


def brittleness_chart(audit: Audit, title: str) -> Chart:
    """Extra nats a token by the last layer with noise; without marks where nothing was measured."""
    x = layer_axis(AXIS, range(1, audit.layers + 1))
    known = {DEFINITIONS[definition]: points for definition, points in audit.curves.items() if points}
    y = decades(UNIT, [nats for points in known.values() for _, nats in points] or [1.0], grid=True)
    found: list[Mark] = []
    if (sink := audit.about.sink_layer) is not None:
        at = sink - 0.5
        anchor, right = ("end", -5) if at > (x.low + x.high) / 2 else ("start", 5)
        words = f"a sink appears at layer {sink}"
        found += [marks.Rule("sink", at), marks.Label(words, (at, y.high), anchor=anchor, shift=(right, -6))]
    for (_, role), points in known.items():
        found += [marks.Curve(role, points), marks.Dots(role, points)]
    if audit.jump is not None:
        (before, after, ratio), literal = audit.jump, dict(audit.curves["all"])
        middle = (literal[before] * literal[after]) ** 0.5
        found.append(marks.Label(f"× {number(ratio)}", (after, middle), role="paper", shift=(6, 4)))
    return Chart(
        title,
        x,
        y,
        tuple(found) if known else (),
        shape="wide",
        about=f"{title}, in {UNIT}: {', '.join(label for label, _ in known)}",
        legend=tuple(Key(role, label) for label, role in known),
        layers=audit.layers,
    )


def _brittleness(audit: Audit, chart: Chart, anchor: str, caption: str) -> Iterator[Markup]:
    """The curve, and its numbers as a table with the divergence beside them."""
    title = f"Why forty times? {TITLE}"
    drawing = figure_html(
        f"{anchor}-brittleness",
        chart,
        title=title,
        legend=chart.legend,
        caption=caption,
        beside="tables/brittleness.csv",
    )
    yield lit_html([drawing], "layer", "one")
    columns, rows = brittleness_numbers(audit)
    yield numbers_folded([numbers_html(title, columns, rows)], title)


def _by_scale(audit: Audit, name: str) -> Markup:
    equal = audit.about.equal_kl
    table = Table.told(f"cost of noise by scale, {name}", _costs(audit))
    why = f"no doses of equal KL: {equal.reason}" if equal.reason else ""
    return table_html(table, kind="numbers", head=True) + missing_html(why)


def _costs(audit: Audit) -> Iterator[dict[str, str]]:
    for definition, (label, _) in DEFINITIONS.items():
        costs = audit.doses[definition].scales
        nats = {scale: _cost(costs[scale].nats, costs[scale].nats_se) for scale in SCALES}
        yield _told(label, nats, {scale: _cost(costs[scale].kl, costs[scale].kl_se) for scale in SCALES})
    equal = audit.about.equal_kl
    if equal.sizes and equal.kl:
        sizes = {scale: f"at σ = {number(size, 2)}" for scale, size in equal.sizes.items()}
        yield _told("sized for equal KL", sizes, {scale: number(kl, 2) for scale, kl in equal.kl.items()})


def _told(dose: str, nats: dict[str, str], kl: dict[str, str]) -> dict[str, str]:
    told = {"dose": dose} | {f"extra nats, {scale}": nats[scale] for scale in SCALES}
    return told | {f"KL, {scale}": kl[scale] for scale in SCALES}


def _cost(value: float | None, error: float | None) -> str:
    return number(value, 2) + (f" ± {number(error, 1)}" if value is not None and error is not None else "")

"""The dose audit as a section of the page: what 0.1 standard deviations is, and where its cost comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from markupsafe import Markup

from mspgt.report import marks
from mspgt.report.curves import Line, Panel
from mspgt.report.curves import Mark as Located
from mspgt.report.figures import charts_plate
from mspgt.report.groups import ChartGroup, titled_html
from mspgt.report.marks import Chart, Key, Mark, decades, layer_axis
from mspgt.report.markup import missing_html, table_html, tag
from mspgt.report.section import Section
from mspgt.report.shown import figure_html, lit_html, numbers_folded, numbers_html
from mspgt.report.tables import Cell, Table, columns_of
from mspgt.report.words import counted, listing, number
from mspgt.results import ModelResult, Results
from mspgt.results.interventions import Dose, DosesAbout
from mspgt.vocabulary import SCALES

# Definition → its name, and the role that decides its colour. The primary one comes first.
DEFINITIONS = {
    "dimension": ("by dimension", "calibrated"),
    "all": ("over all tokens, the paper’s words", "paper"),
    "nonsink": ("without sinks", "variant"),
    "own": ("by token", "twin"),
}
COSTS = ("kl", "kl_se", "nats", "nats_se")
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


class Audit(NamedTuple):
    """The doses of one model."""

    layers: int
    doses: dict[str, Dose]  # by definition, the primary one first
    about: DosesAbout

    @property
    def curves(self) -> dict[str, tuple[tuple[int, float], ...]]:
        """Definition → (last layer with noise, extra nats a token); the logarithmic axis has costs above 0 alone."""
        ends = {definition: one.ends for definition, one in self.doses.items()}
        return {
            definition: tuple((k, y) for k, y in zip(one.layers, one.nats, strict=True) if y and y > 0)
            for definition, one in ends.items()
        }

    @property
    def jump(self) -> tuple[int, int, float] | None:
        """Of the literal dose at the sink: the last layer before it, the first after, and their ratio."""
        sink, literal = self.about.sink_layer, dict(self.curves["all"])
        if sink is None or not {sink - 1, sink} <= set(literal):
            return None
        return sink - 1, sink, literal[sink] / literal[sink - 1]


def audit_of(model: ModelResult) -> Audit | None:
    """The doses of a model; None where they were not audited."""
    doses, about = model.doses, model.doses_about
    if not doses or not about:
        return None
    return Audit(model.layers, {definition: doses[definition] for definition in DEFINITIONS}, about)


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


def doses_table(model: str, audit: Audit) -> Table:
    """What noise of one size is and costs: one row a definition and block."""
    kinds = dict.fromkeys(("sigma", "relative", "variance", *COSTS), "double")
    rows: list[tuple[Cell, ...]] = [
        (model, definition, layer, *(getattr(found, key)[layer - 1] for key in kinds))
        for definition, found in audit.doses.items()
        for layer in range(1, len(found.sigma) + 1)
    ]
    columns = columns_of("model:string definition:string layer:int64") | kinds
    title = "Noise of one size under four definitions, block by block, and its cost"
    return Table("doses", title, columns, rows)


def brittleness_table(model: str, audit: Audit) -> Table:
    """What noise on blocks 1..k costs: one row a definition and k."""
    rows: list[tuple[Cell, ...]] = [
        (model, definition, layer, *(getattr(found.ends, key)[at] for key in COSTS))
        for definition, found in audit.doses.items()
        for at, layer in enumerate(found.ends.layers)
    ]
    columns = columns_of("model:string definition:string last_layer:int64") | dict.fromkeys(COSTS, "double")
    return Table("brittleness", "Cost of noise on layers 1 to k, by k", columns, rows)


def brittleness_numbers(audit: Audit) -> tuple[list[str], list[tuple[str | int, ...]]]:
    """The brittleness curve as text: a row a last layer, extra nats and divergence under each definition."""
    ends = {name: one.ends for name, one in audit.doses.items()}
    layers = sorted({layer for found in ends.values() for layer in found.layers})
    columns = [f"{what}{label}" for what in ("", "KL, ") for label, _ in DEFINITIONS.values()]
    known = {
        (key, name): dict(zip(found.layers, getattr(found, key), strict=True))
        for key in ("nats", "kl")
        for name, found in ends.items()
    }
    rows: list[tuple[str | int, ...]] = [
        (layer, *(number(one.get(layer), 4) for one in known.values())) for layer in layers
    ]
    return ["last layer", *columns], rows


def audit_panels(audit: Audit) -> list[Panel]:
    """By block: the size of the noise over the spread of the median dimension, and the divergence that it causes."""
    depth = tuple(range(1, audit.layers + 1))
    sink = audit.about.sink_layer
    marks = () if sink is None else (Located("sink", "level", sink),)

    def panel(key: str, title: str, axis: str) -> Panel:
        lines = [
            Line(label, role, list(getattr(audit.doses[definition], key)))
            for definition, (label, role) in reversed(DEFINITIONS.items())
        ]
        return Panel(key, title, axis, depth, tuple(lines), marks, log=True)

    return [
        panel("relative", "Noise over the standard deviation of the median dimension", "ratio"),
        panel("kl", "Divergence of the next token, noise after one block", "nats a token"),
    ]


def dose_sentences(audit: Audit) -> list[str]:
    """What the difference between the literal and the primary dose means, from this model's own numbers."""
    doses, sigma = audit.doses, number(audit.about.sigma)
    told = []
    worded = {"all": "as the paper words it", "dimension": "in proportion to each dimension"}
    for definition, words in worded.items():
        costs = (number(doses[definition].scales[scale].nats, 2) for scale in SCALES)
        told.append(f"{words}, it costs {listing(costs)} nats a token")
    sentences = [
        f"Noise of {sigma} standard deviations on the Local, Intermediate and Global scale: {'; '.join(told)}."
    ]
    if audit.jump is None:
        sentences.append(
            "No sink more than doubles the standard deviation of a layer here, so the two doses differ by how "
            "unequal the dimensions are; where there is a sink, Table 2 and equation 8 turn on the definition."
        )
        return sentences
    before, after, ratio = audit.jump
    same = dict(audit.curves["dimension"])
    quiet = f", by dimension by {number(same[after] / same[before])}" if {before, after} <= set(same) else ""
    sentences.append(
        f"A sink appears at layer {after} and multiplies the standard deviation over all tokens: moving the end of "
        f"the Local scale from layer {before} to {after} multiplies the cost of the literal dose by "
        f"{number(ratio)}{quiet}. So a ratio of brittleness between two models (Table 2, γ of equation 8) can "
        "come from the side of the sink on which each Local scale ends, without any layer being more brittle in one "
        "than in the other."
    )
    return sentences

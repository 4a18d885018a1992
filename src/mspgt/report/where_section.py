"""The question "where?": every account of every model on strips of one depth, and what they were read from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from markupsafe import Markup

from mspgt.report.accounts import MEANINGS, TITLES, Account, accounts, disagreement
from mspgt.report.charts import panel_chart
from mspgt.report.curves import Line, Mark, Panel, measured
from mspgt.report.heat import Heat
from mspgt.report.marks import Chart
from mspgt.report.markup import figure_html, folded, table_html, tag
from mspgt.report.section import Plate, Section
from mspgt.report.strips import strip_svg
from mspgt.report.svg import legend_html, svg
from mspgt.report.tables import Cell, Table, columns_of
from mspgt.report.where_figure import where_figure
from mspgt.report.words import BOUNDARIES, layer_set, number, reason
from mspgt.report.writing import stems
from mspgt.results import FunctionalScales, ModelResult, PhasesResult, Results
from mspgt.results.phases import PhaseCheck

CURVES = {"L": ("Local", "local"), "I": ("Intermediate", "intermediate"), "G": ("Global", "global")}
CHECKS = {
    "without_top_word": "without the most frequent word",
    "limit_2": "tokens below 2 × the median norm",
    "standardised": "dimensions standardised",
    "odd_documents": "odd documents",
    "even_documents": "even documents",
}


def where_section(results: Results, *, files: bool = True) -> Section | None:
    """All accounts of all models; None where no account but the two modes was measured.

    Args:
        files: whether the figures lie beside the page as files to link to.
    """
    models = results.models
    if not any(model.phases or model.scales for model in models.values()):
        return None
    names = stems(models)
    every = {name: accounts(results, name) for name in models}
    verdicts = {name: disagreement(own) for name, own in every.items()}
    # Where accounts disagree comes first.
    order = sorted(models, key=lambda name: "disagree" not in verdicts[name])
    parts = [_meanings()]
    for name in order:
        parts += _model(results, name, every[name], verdicts[name], names[name])
        parts += [_links(names[name])] if files else []
    split = sum("disagree" in words for words in verdicts.values())
    lead = (
        f"accounts disagree on {split} of {len(models)}" if split else "no two accounts contradict each other"
    )
    return Section(
        "where",
        "Where?",
        Markup("").join(parts),
        lead=lead,
        tables=(accounts_table(results), checks_table(results)),
        figures={
            f"{names[name]}-where": Plate(
                partial(where_figure, name, every[name], where_charts(results, name)),
                _caption(results, name),
            )
            for name in models
        },
        methods=METHODS,
        shown=True,
    )


METHODS = (
    "Phases are lasting changes between blocks in the cross-document CKA of their updates (RMS-normalised per "
    "token), from a caterpillar tree fitted to −log CKA of pairs up to eight blocks apart, at a family-wise error "
    "of 5 % over simulated stacks without a boundary; a claim must also stand without the most frequent word form, "
    "below twice the median token norm, with standardised dimensions, and in each half of the documents.",
)


def where_charts(results: Results, name: str) -> list[Chart]:
    """What was measured of curves and matrix."""
    panel, heat = curves_panel(results, name), heat_of(results.models[name])
    made = [panel_chart(panel)] if panel else []
    return [chart for chart in [*made, *([heat.chart] if heat else [])] if chart.drawn]


def _caption(results: Results, name: str) -> str:
    made = results.provenance.data
    return (
        f"Where the scales of {name} are, by account: {' '.join(f'{k}: {v}' for k, v in MEANINGS.items())} "
        f"Bars: 95 % sets. Curves: share of its level that each scale has reached; matrix: similarity of what "
        f"blocks write ({made.documents} documents), "
        "lines at boundaries of phases, dashed at the strongest candidate."
    )


def _meanings() -> Markup:
    items = [tag("li", tag("b", TITLES[key]), ": ", words) for key, words in MEANINGS.items()]
    return tag("ul", *items, class_="meanings")


def _model(
    results: Results, name: str, every: Sequence[Account], verdict: str, stem: str
) -> Iterator[Markup]:
    model = results.models[name]
    anchor = f"where-{stem}"
    yield tag("h4", name, ": ", tag("em", verdict), id=anchor)
    strips: list[Markup] = []
    for one in every:
        strips += [tag("span", TITLES[one.key], class_=f"role {one.key}"), strip_svg(one.row)]
    yield tag("div", *strips, class_="strips accounts")
    yield tag(
        "dl",
        *(tag("div", tag("dt", TITLES[one.key]), tag("dd", _sentence(one.words))) for one in every),
        class_="told",
    )
    drawings = []
    panel = curves_panel(results, name)
    if panel is not None:
        chart = panel_chart(panel)
        drawing = legend_html(chart.legend) + svg(chart, f"{anchor}-curves", twice=True)
        drawings.append(
            figure_html(
                f"{anchor}-curves",
                panel.title,
                drawing,
                caption=panel.caption,
                numbers=_numbers(panel, stem),
                beside="results.json",
                missing=panel.missing,
            )
        )
    if model.phases and (heat := heat_of(model)):
        drawn = svg(heat.chart, f"{anchor}-matrix")
        drawings.append(figure_html(f"{anchor}-matrix", heat.title, drawn, caption=_heat_words(model.phases)))
    if drawings:
        yield tag("div", *drawings, class_="charts where", data_axis="layer")
        yield tag("div", class_="readout", aria_live="polite", hidden=True)
    if model.scales:
        yield tag("p", tag("b", "Order. "), _sentence(model.scales.verdict))
        if again := repeated_words(model.scales):
            yield tag("p", tag("b", "Again. "), again)
    rows = [row[1:] for row in checks_table(replace(results, models={name: model})).rows]
    if rows:
        columns = list(checks_table(results).columns)[1:]
        yield folded("What phases must stand", table_html(columns, rows, label=f"checks of phases, {name}"))


def repeated_words(found: FunctionalScales) -> str:
    """Where halves of the documents, and each deal of the readers, put the boundaries; empty where none was asked."""
    parts = found.repeated or []
    if not parts:
        return ""
    early, late = (
        ", ".join("none" if layer is None else str(layer) for layer in layers)
        for layers in ([one.LI for one in parts], [one.IG for one in parts])
    )
    return f"L–I at layer {early} and I–G at {late} by {', '.join(one.what for one in parts)}."


def _links(stem: str) -> Markup:
    links = [tag("a", form.upper(), href=f"figures/{stem}-where.{form}") for form in ("svg", "pdf")]
    return tag("p", "As one figure: ", links[0], ", ", links[1], class_="files")


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"


def curves_panel(results: Results, name: str) -> Panel | None:
    """The paper's Figure 2, measured: how much of each scale is there at each layer."""
    model = results.models[name]
    found = model.scales
    if not found:
        return None
    lines, missing = [], []
    # The foremost is drawn last.
    for key, (label, role) in reversed(CURVES.items()):
        scale = found.scales.get(key)
        if scale and measured(scale.rise):
            lines.append(Line(label, role, scale.rise))
        else:
            missing.append(f"{label}: {(scale and scale.reason) or 'not measured'}")
    marks = tuple(
        Mark(label, "functional", one.layer, tuple(one.set))
        for which, label in BOUNDARIES.items()
        if (one := found.of(which)).layer is not None
    )
    return Panel(
        "information",
        "Usable information by scale",
        "share of level",
        tuple(range(model.layers + 1)),
        tuple(lines),
        marks,
        missing=tuple(missing),
        caption="Share of its level (mean over tasks) that each scale has reached at a layer, beyond the word alone.",
    )


def _numbers(panel: Panel, stem: str) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (layer, *(line.values[at] for line in panel.told)) for at, layer in enumerate(panel.x)
    ]
    columns = {"layer": "int64"} | dict.fromkeys((line.label for line in panel.told), "double")
    return Table(f"{stem}-where", panel.title, columns, rows)


def heat_of(model: ModelResult) -> Heat | None:
    """The similarity matrix with the phases on it; the strongest candidate where there is one."""
    found = model.phases
    if not found:
        return None
    candidate = found.candidate
    return Heat(
        "Similarity of what blocks write",
        found.similarity,
        tuple(one.layer for one in found.boundaries),
        candidate.layer if candidate else None,
    )


def _heat_words(found: PhasesResult) -> str:
    dashed = "; dashed: the strongest candidate, which is no boundary" if found.candidate else ""
    return (
        f"CKA of the updates of blocks over pairs of different documents (n = {found.documents} documents, "
        f"{number(found.tokens.get('main'))} tokens); lines: boundaries of phases{dashed}."
    )


def accounts_table(results: Results) -> Table:
    """Every place that an account gives, one row each; a row without a layer where it gives none."""
    rows: list[tuple[Cell, ...]] = []
    for name, model in results.models.items():
        for one in accounts(results, name):
            for mark in one.row.marks:
                place = (mark.layer, mark.layer / model.layers, layer_set(mark.layers), *_ends(mark))
                rows.append((name, one.key, mark.label, *place, mark.claimed, one.measured))
            if not one.row.marks:
                rows.append((name, one.key, None, None, None, None, None, None, None, one.measured))
    columns = columns_of(
        "model:string account:string boundary:string layer:int64 relative:double",
        "set:string low:double high:double claimed:bool measured:bool",
    )
    return Table("accounts", "Where the scales are, by account", columns, rows)


def _ends(mark: Mark) -> tuple[float | None, float | None]:
    return mark.interval or (None, None)


def checks_table(results: Results) -> Table:
    """The strongest place of phases in every check."""
    rows: list[tuple[Cell, ...]] = []
    for name, model in results.models.items():
        found = model.phases
        if not found or found.score is None:
            continue
        strongest = max(
            [*found.boundaries, *([found.candidate] if found.candidate else [])],
            key=lambda one: one.score,
        )
        rows.append((name, "all", strongest.layer, found.score, found.threshold, ""))
        for check, what in CHECKS.items():
            seen = found.checks.get(check)
            if seen is None:
                seen = PhaseCheck(reason=reason(results, "models", name, "phases", "checks"))
            rows.append((name, what, seen.layer, seen.score, found.threshold, seen.reason or ""))
        for at, twin in enumerate(found.random_init):
            rows.append((name, f"random twin {at + 1}", twin.layer, twin.score, found.threshold, ""))
    columns = {
        **{"model": "string", "tokens": "string", "strongest at layer": "int64", "F": "double"},
        **{"F needed": "double", "not made because": "string"},
    }
    return Table("phase_checks", "What phases must stand", columns, rows)

"""The question "where?": every account of every model on strips of one depth, and what they were read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from mspgt.report.accounts import MEANINGS, Account, accounts, disagreement
from mspgt.report.charts import panel_chart
from mspgt.report.curves import Line, Panel, measured
from mspgt.report.figures import charts_plate
from mspgt.report.heat import heat_chart
from mspgt.report.marks import Chart
from mspgt.report.markup import files_html, folded, table_html, tag
from mspgt.report.panels import functional_marks
from mspgt.report.section import Section
from mspgt.report.shown import figure_html, lit_html
from mspgt.report.strips import strip_chart, strips_html
from mspgt.report.tables import Table, columns_of, ends
from mspgt.report.words import Json, capital, layer_set, number, reason
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
        if files:
            beside = {form.upper(): f"figures/{names[name]}-where.{form}" for form in ("svg", "pdf")}
            parts.append(files_html("As one figure: ", beside))
    split = sum("disagree" in words for words in verdicts.values())
    agree = "no two accounts contradict each other"
    return Section(
        "where",
        "Where?",
        Markup("").join(parts),
        lead=f"accounts disagree on {split} of {len(models)}" if split else agree,
        tables=(accounts_table(results), checks_table(results, models)),
        figures={
            f"{names[name]}-where": charts_plate(
                where_charts(results, name),
                _caption(results, name),
                name,
                strips=[strip_chart(one.row) for one in every[name]],
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
    panel, heat = curves_panel(results, name), _heat(results.models[name])
    made = [panel_chart(panel) if panel else None, heat]
    return [chart for chart in made if chart and chart.drawn]


def _caption(results: Results, name: str) -> str:
    made = results.provenance.data
    return (
        f"Where the scales of {name} are, by account: {' '.join(f'{k}: {v}' for k, v in MEANINGS.items())} "
        f"Bars: 95 % sets. Curves: share of its level that each scale has reached; matrix: similarity of what "
        f"blocks write ({made.documents} documents), "
        "lines at boundaries of phases, dashed at the strongest candidate."
    )


def _meanings() -> Markup:
    items = [tag("li", tag("b", key), ": ", words) for key, words in MEANINGS.items()]
    return tag("ul", *items, class_="meanings")


def _model(
    results: Results, name: str, every: Sequence[Account], verdict: str, stem: str
) -> Iterator[Markup]:
    model = results.models[name]
    anchor = f"where-{stem}"
    yield tag("h4", name, ": ", tag("em", verdict), id=anchor)
    yield strips_html({one.key: one.row for one in every})
    told = (tag("div", tag("dt", one.key), tag("dd", _sentence(one.words))) for one in every)
    yield tag("dl", *told, class_="told")
    drawings = []
    panel = curves_panel(results, name)
    if panel is not None:
        chart = panel_chart(panel)
        drawing = figure_html(
            f"{anchor}-curves",
            chart,
            legend=chart.legend,
            twice=True,
            caption=panel.caption,
            numbers=_numbers(panel),
            beside="results.json",
            missing=panel.missing,
        )
        drawings.append(drawing)
    if model.phases and (heat := _heat(model)):
        drawings.append(figure_html(f"{anchor}-matrix", heat, caption=_heat_words(model.phases)))
    if drawings:
        yield lit_html(drawings, "layer", "where")
    if model.scales:
        yield tag("p", tag("b", "Order. "), _sentence(model.scales.verdict))
        if again := repeated_words(model.scales):
            yield tag("p", tag("b", "Again. "), again)
    checks = checks_table(results, [name]).without("model")
    if checks.rows:
        yield folded("What phases must stand", table_html(checks, label=f"checks of phases, {name}"))


def repeated_words(found: FunctionalScales) -> str:
    """Where halves of the documents, and each deal of the readers, put the boundaries; empty where none was asked."""
    if not (parts := found.repeated):
        return ""
    layers = zip(*((one.LI, one.IG) for one in parts), strict=True)
    early, late = (", ".join("none" if one is None else str(one) for one in own) for own in layers)
    return f"L–I at layer {early} and I–G at {late} by {', '.join(one.what for one in parts)}."


def _sentence(words: str) -> str:
    return f"{capital(words)}{'' if words.endswith('.') else '.'}"


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
    return Panel(
        "information",
        "Usable information by scale",
        "share of level",
        tuple(range(model.layers + 1)),
        tuple(lines),
        tuple(functional_marks(found)),
        missing=tuple(missing),
        caption="Share of its level (mean over tasks) that each scale has reached at a layer, beyond the word alone.",
    )


def _numbers(panel: Panel) -> Table:
    rows = list(zip(panel.x, *(line.values for line in panel.told), strict=True))
    columns = {"layer": "int64"} | dict.fromkeys((line.label for line in panel.told), "double")
    return Table("where", panel.title, columns, rows)


def _heat(model: ModelResult) -> Chart | None:
    """The similarity matrix with the phases on it; the strongest candidate where there is one."""
    if not (found := model.phases):
        return None
    title, candidate = "Similarity of what blocks write", found.candidate
    lines = [one.layer for one in found.boundaries]
    return heat_chart(title, found.similarity, lines, candidate.layer if candidate else None)


def _heat_words(found: PhasesResult) -> str:
    dashed = "; dashed: the strongest candidate, which is no boundary" if found.candidate else ""
    return (
        f"CKA of the updates of blocks over pairs of different documents (n = {found.documents} documents, "
        f"{number(found.tokens.get('main'))} tokens); lines: boundaries of phases{dashed}."
    )


def accounts_table(results: Results) -> Table:
    """Every place that an account gives, one row each; a row without a layer where it gives none."""
    records: list[Json] = []
    for name, model in results.models.items():
        for one in accounts(results, name):
            head = {"model": name, "account": one.key, "measured": one.measured}
            records += [
                head
                | {"boundary": mark.label, "layer": mark.layer, "relative": mark.layer / model.layers}
                | {"set": layer_set(mark.layers), "claimed": mark.claimed}
                | ends(mark.interval)
                for mark in one.row.marks
            ] or [head]
    columns = columns_of(
        "model:string account:string boundary:string layer:int64 relative:double",
        "set:string low:double high:double claimed:bool measured:bool",
    )
    return Table.of("accounts", "Where the scales are, by account", columns, records)


def checks_table(results: Results, names: Iterable[str]) -> Table:
    """The strongest place of phases of some models in every check."""
    records = [record for name in names for record in _checks(results, name)]
    columns = {"model": "string", "tokens": "string", "strongest at layer": "int64"}
    columns |= {"F": "double", "F needed": "double", "not made because": "string"}
    return Table.of("phase_checks", "What phases must stand", columns, records)


def _checks(results: Results, name: str) -> Iterator[Json]:
    found = results.models[name].phases
    if not found or found.score is None:
        return
    places = [*found.boundaries, *filter(None, [found.candidate])]
    strongest = max(places, key=lambda one: one.score)
    unknown = PhaseCheck(reason=reason(results, "models", name, "phases", "checks"))
    every = {"all": PhaseCheck(found.score, strongest.layer)}
    every |= {what: found.checks.get(check) or unknown for check, what in CHECKS.items()}
    for at, twin in enumerate(found.random_init, 1):
        every[f"random twin {at}"] = PhaseCheck(twin.score, twin.layer)
    for what, one in every.items():
        told = {"model": name, "tokens": what, "strongest at layer": one.layer, "F": one.score}
        yield told | {"F needed": found.threshold, "not made because": one.reason or ""}

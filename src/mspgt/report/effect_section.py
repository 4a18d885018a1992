"""Experiment 2 as a section of the page: what noise in each scale does, against what chance does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from mspgt.report.dose_section import audit_of, dose_sentences
from mspgt.report.effect_charts import bars_chart, response_chart
from mspgt.report.figures import charts_plate
from mspgt.report.interventions import (
    DOSE_WORD,
    DOSES,
    HEADLINE,
    METRICS,
    BarPanel,
    Effects,
    bar_panels,
    effects_of,
    effects_table,
    repeats_plain,
    response_table,
    side_by_side,
    significant,
    table2_rows,
)
from mspgt.report.marks import Chart
from mspgt.report.markup import facts_html, folded, missing_html, table_html, tag
from mspgt.report.section import Plate, Section
from mspgt.report.shown import figure_html
from mspgt.report.tables import Table
from mspgt.report.words import MISSING, capital, counted, interval, layer_set, listing, number
from mspgt.results import Results
from mspgt.results.interventions import (
    Contrast,
    ContrastPair,
    InterventionsAbout,
    ScalesUsed,
    ShownText,
)
from mspgt.vocabulary import SCALES

ABOUT = (
    "Change of what the model writes when noise is added to one scale, in percent of the baseline, with 95 % "
    "intervals of a bootstrap over documents. The grey band is the A/A range: what two runs without noise differ by. "
    "Bars are pale where the adjusted p is 0.05 or more. Scales differ in depth, so equal doses stand beside."
)

REPEATED = (
    "Here every arm adds the same noise to the same layers as that of the whole scale, so its charts and rows are "
    "those of the whole scale."
)
SOURCES = {
    "functional": "functional scales",
    "phases": "phases",
    "calibrated": "shocks: boundaries of calibrated mode",
    "paper": "boundaries of paper mode",
    "given": "boundaries as given",
    "thirds": "thirds of the depth, since no boundary was found",
}
COUNTED_IN = {
    "dimension": "standard deviations of each dimension over tokens that are no sinks",
    "nonsink": "one standard deviation a layer, over tokens that are no sinks",
    "all": "one standard deviation a layer, over all tokens",
    "own": "the root mean square of the token that it disturbs",
}
# Of the log ratios of an arm to its baseline: as they are, and by size alone.
CONTRASTS = {"signed": "Δ(I) − max(Δ(L), Δ(G))", "absolute": "|Δ(I)| − max(|Δ(L)|, |Δ(G)|)"}
SPOKEN = (*HEADLINE, "perplexity", "length")  # at the dose of the whole scale


def effect_section(results: Results, name: str, stem: str) -> Section | None:
    """The interventions of one model; None where there were none."""
    model = results.models[name]
    if (effects := effects_of(model)) is None:
        return None
    anchor, about = f"model-{stem}-interventions", effects.about
    parts = [tag("p", ABOUT)]
    figures: dict[str, Plate] = {}
    repeated = [dose for dose in DOSES if dose != "plain" and repeats_plain(about.arms, dose)]
    doses = {dose: _spoken(effects, dose) for dose in DOSES}
    drawn = {dose: panels for dose, panels in doses.items() if panels and dose not in repeated}
    parts.append(_charts(drawn, anchor))
    parts += [
        tag("p", f"{capital(words)}: {REPEATED}")
        for dose, words in DOSES.items()
        if dose in repeated and doses[dose]
    ]
    if "literal" in drawn and (audit := audit_of(model)):
        parts.append(tag("p", dose_sentences(audit)[-1]))
    for dose in drawn:
        figures[f"{stem}-interventions-{dose}"] = charts_plate(
            dose_charts(effects, dose), f"{DOSES[dose]}. {ABOUT}", name, abreast=3
        )
    parts += _tables(effects, name, repeated)
    responses = response_table(name, about.response)
    if curve := response_chart(about.response):
        parts.append(tag("h4", "Noise and response"))
        drawn_curve = figure_html(
            f"{anchor}-response",
            curve,
            caption="Dashed beyond the linear range.",
            numbers=responses,
            beside="tables/noise_response.csv",
        )
        parts.append(tag("div", drawn_curve, class_="charts small"))
    parts += _texts(about.texts)
    parts.append(facts_html(_facts(about)))
    lead = _scale_words(about.scales, model.layers)
    methods = (
        f"Gaussian noise of size {number(about.sigma)}, counted in {_counted_in(about)}, was added to the residual "
        f"stream of one scale at a time while the model wrote {about.new_tokens} tokens after prompts of "
        f"{about.prompt_tokens}, at doses matched by layers and by relative variance, with common random numbers "
        "across arms; effects are paired differences with document bootstrap intervals, beside an A/A arm.",
        f"The scales of {name} were {lead}; {number(about.samples)} texts an arm from "
        f"{counted(about.documents, 'document')}.",
    )
    return Section(
        anchor,
        "Interventions",
        Markup("").join(parts),
        lead=lead,
        tables=(effects_table(name, effects), responses),
        figures=figures,
        methods=methods,
    )


def effect_lines(results: Results) -> Iterator[str]:
    """Effects of noise in each whole scale for a terminal, beside what two runs without noise differ by."""
    for name, model in results.models.items():
        if (effects := effects_of(model)) is None:
            continue
        yield f"{name}, noise into one scale: {_scale_words(effects.about.scales, model.layers)}"
        yield "  change of the text in percent, * where the adjusted p is below 0.05"
        for panel in bar_panels(effects.arms):
            if panel.drawn and panel.metric in SPOKEN:
                told = "  ".join(
                    f"{scale[0].upper()} {MISSING if one.percent is None else f'{one.percent:+.1f}'}"
                    + "*" * significant(one)
                    for scale, one in panel.scales.items()
                )
                ends = panel.chance
                chance = "{:+.1f} to {:+.1f}".format(*ends) if ends else "not measured"
                yield f"  {panel.title:<36} {told:<28} %; chance alone {chance} %"


def _scale_words(scales: ScalesUsed, layers: int) -> str:
    ends = ((1, scales.LI), (scales.LI + 1, scales.IG), (scales.IG + 1, layers))
    return f"layers {listing(layer_set(range(a, b + 1)) for a, b in ends)}, {SOURCES[scales.source]}"


def dose_charts(effects: Effects, dose: str) -> list[Chart]:
    """Figures 7 to 9 at one dose: a chart a metric that was measured."""
    made = (bars_chart({dose: panel}) for panel in bar_panels(effects.arms, dose))
    return [chart for chart in made if chart]


def _spoken(effects: Effects, dose: str) -> dict[str, BarPanel]:
    """What the paper looks at, at every dose, more of the whole scale; the table has all."""
    wanted = SPOKEN if dose == "plain" else HEADLINE
    return {
        panel.metric: panel
        for panel in bar_panels(effects.arms, dose)
        if panel.drawn and panel.metric in wanted
    }


def _charts(drawn: Mapping[str, Mapping[str, BarPanel]], anchor: str) -> Markup:
    """One chart a metric, with every dose that does not repeat another."""
    metrics = [metric for metric in METRICS if any(metric in panels for panels in drawn.values())]
    charts = []
    for metric in metrics:
        doses = {dose: panels[metric] for dose, panels in drawn.items() if metric in panels}
        if chart := bars_chart(doses):
            charts.append(figure_html(f"{anchor}-{metric}", chart, beside="tables/interventions.csv"))
    if not charts:
        return Markup("")
    words = "; ".join(f"{DOSE_WORD[dose]}: {DOSES[dose]}" for dose in drawn if DOSE_WORD[dose] != DOSES[dose])
    told = tag("p", f"Doses, from left to right. {capital(words)}.", class_="caption")
    return tag("div", *charts, class_="charts") + told


def _tables(effects: Effects, name: str, repeated: Sequence[str]) -> Iterator[Markup]:
    columns = dict.fromkeys(("scale", "dose", *METRICS.values()), "string")
    # The words stand once, below the charts.
    doses = {dose: word for dose, word in DOSE_WORD.items() if dose not in repeated}
    table = Table("table2", "All metrics and doses", columns, list(table2_rows(effects, doses)))
    # A metric that no arm has takes one line, not a column.
    absent = table.unmeasured
    yield tag("h4", table.title)
    yield table_html(table.without(*absent), label=f"effects of noise, {name}", kind="numbers")
    yield missing_html(f"not measured: {listing(absent)}" if absent else "")
    p_values = table_html(_p_values(effects, name, repeated), kind="numbers", head=True)
    yield folded("Adjusted p of every change", p_values)
    for reading, formula in CONTRASTS.items():
        contrasts = _contrasts(effects.about, name, doses, reading)
        if contrasts.rows:
            yield tag("h4", f"Intermediate against the others: {formula}")
            yield table_html(contrasts, kind="numbers", head=True)


def _p_values(effects: Effects, name: str, repeated: Sequence[str]) -> Table:
    """Without the columns of metrics that no arm has."""
    again = tuple(f"_{dose}" for dose in repeated)
    records = (
        {"arm": arm.replace("_", " "), "layers": layer_set(effects.about.arms[arm].layers)}
        | {METRICS[key]: number(found[key].p_adjusted if key in found else None, 2) for key in SPOKEN}
        for arm, found in effects.arms.items()
        if arm != "aa" and not arm.endswith(again)
    )
    table = Table.told(f"adjusted p, {name}", records)
    return table.without(*table.unmeasured)


def _contrasts(about: InterventionsAbout, name: str, doses: Mapping[str, str], reading: str) -> Table:
    """The Intermediate scale against both others, a column a dose; without rows where no metric has any."""
    records = (
        {"metric": METRICS.get(metric, metric)}
        | {word: _contrast(found.get(dose), reading) for dose, word in doses.items()}
        for metric, found in about.contrasts.items()
        if any(getattr(found.get(dose), reading, None) for dose in doses)
    )
    return Table.told(f"{reading} contrasts, {name}", records)


def _contrast(readings: ContrastPair | None, reading: str) -> str:
    """A contrast with its interval and p; where it is null, why."""
    found: Contrast | None = getattr(readings, reading, None)
    if found is None:
        return f"{MISSING} {(readings and readings.reason) or ''}".strip()
    return f"{number(found.estimate)}{interval(found.ci)}, p = {number(found.p)}"


def _texts(samples: Sequence[ShownText]) -> list[Markup]:
    if not samples:
        return []
    parts = [tag("h4", "Side by side")]
    for sample in samples[:2]:
        arms = [scale for scale in SCALES if scale in sample.arms]
        parts += [side_by_side(sample, arm, prompt=not at) for at, arm in enumerate(arms)]
    return parts


def _counted_in(about: InterventionsAbout) -> str:
    """What noise was measured against; runs from before there was a choice took `nonsink`."""
    return COUNTED_IN[about.dose or "nonsink"]


def _facts(about: InterventionsAbout) -> list[tuple[str, str]]:
    scopes = {"all": "prompt and generated tokens", "generated": "generated tokens only"}
    facts = [
        ("Size of the noise", f"{number(about.sigma)}, counted in {_counted_in(about)}"),
        ("Positions that receive it", scopes[about.scope]),
        ("Samples of each arm", f"{number(about.samples)} from {counted(about.documents, 'document')}"),
        ("Tokens", f"{about.prompt_tokens} of prompt, at most {about.new_tokens} new"),
        ("Sampling", f"temperature {number(about.temperature)}, top p {number(about.top_p)}"),
    ]
    return [*facts, *((f"Measured by, {metric}", by) for metric, by in about.versions.items())]

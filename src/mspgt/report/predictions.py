"""What stands behind the verdicts: every unit, every reading, the paper's own rules, and both on null worlds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from mspgt.predictions.printed import printed
from mspgt.report.figures import charts_plate
from mspgt.report.forest import Dot, Forest, Row
from mspgt.report.marks import Axis, Chart, Key, Mark, Span, linear
from mspgt.report.markup import table_html, tag
from mspgt.report.section import Plate, Section
from mspgt.report.tables import Table, columns_of, ends
from mspgt.report.verdicts import decided_words, found_words, resting_on
from mspgt.report.words import Judged, percent
from mspgt.results import PredictionResult
from mspgt.results.predictions import UnitResult

Predictions = Mapping[str, PredictionResult]
WORDS = ("supported", "refuted", "inconclusive", "not testable")
UNITS = (
    "Every test behind the verdicts with its statistic and interval; the vertical line is the threshold. Hollow: the "
    "unit alone does not speak for the prediction at the level."
)
READINGS = (
    "Share of the readings of the methods (whose boundaries, how layers are counted, which evidence a boundary must "
    "survive, dose, sign, metric, whose arithmetic) under which each verdict comes out, before Holm. “By the paper’s "
    "arithmetic” a reading supports or does not."
)


def prediction_section(results: Judged) -> Section | None:
    """Evidence, readings, and what the paper's rules would have said; None where nothing was judged."""
    judged = results.predictions
    if not judged:
        return None
    parts = [tag("h4", "What the paper’s own rules would have said"), tag("p", PAPER_RULES)]
    tables = [against_rules(judged), units_table(judged), readings_table(judged)]
    # The rules in words stand with each verdict; here only what they say.
    parts.append(table_html(tables[0].without(*WORDS_OF_RULES), head=True))
    forests = [one for one in map(_evidence, judged.items()) if one.drawn]
    figures: dict[str, Plate] = {}
    if forests:
        parts += [tag("h4", "Units"), tag("p", UNITS)]
        drawn = [one.html(f"predictions-units-{at}", "tables/units.csv") for at, one in enumerate(forests)]
        parts.append(tag("div", *drawn, class_="charts"))
        figures["units"] = charts_plate([one.chart for one in forests], UNITS)
    counts = readings_counts(judged)
    parts += [tag("h4", "Specification curve of the verdicts"), tag("p", READINGS)]
    parts.append(table_html(counts, head=True))
    figures["readings"] = charts_plate([readings_chart(judged)], READINGS)
    conflict = printed("table2")
    parts.append(tag("p", f"Table 2 of the paper is a {conflict['status']}: {conflict['note']}"))
    lead = f"{sum(one.verdict != 'not testable' for one in judged.values())} of {len(judged)} could be tested"
    return Section(
        "predictions",
        "Evidence and readings",
        Markup("").join(parts),
        lead=lead,
        tables=(*tables, counts),
        figures=figures,
    )


WORDS_OF_RULES = ("The paper’s rule", "On these results", "Re-reading of the paper")
PAPER_RULES = (
    "The paper’s rules on the same results: its own boundaries, doses and arithmetic. They are no verdicts. Beside "
    "each: how often either rule says “supported” where the prediction is false, the worst over kinds of worlds."
)


def against_rules(judged: Predictions) -> Table:
    """Verdict and the paper's own rule on the same results, each with its rate in null worlds."""
    records = (
        {"Prediction": f"{name} {one.title}", "Verdict": one.verdict}
        | {"False “supported”": percent(one.null_rate, 1), "By the paper’s rule": one.paper_rule.says}
        | {"Its false “supported”": percent(one.paper_rule.null_rate, 1)}
        | dict(zip(WORDS_OF_RULES, _words_of_rules(one), strict=True))
        for name, one in judged.items()
    )
    return Table.told("Verdicts and the paper’s own rules", records, name="paper_rules")


def _words_of_rules(one: PredictionResult) -> tuple[str, ...]:
    return one.paper_rule.rule, one.paper_rule.why, one.paper_claim.rereading


def units_table(judged: Predictions) -> Table:
    """One row a unit of every prediction."""
    columns = columns_of(
        "prediction:string unit:string statistic:double low:double high:double p_support:double p_refute:double",
        "p_support_bh:double p_refute_bh:double evidence:string note:string",
    )
    records = [
        vars(unit) | {"prediction": name, "unit": unit.name, "note": unit.note or None} | ends(unit.ci)
        for name, one in judged.items()
        for unit in one.units
    ]
    return Table.of("units", "Tests behind the verdicts", columns, records)


def readings_table(judged: Predictions) -> Table:
    """One row a reading of every prediction; what is empty is as in the primary reading."""
    keys = dict.fromkeys(
        key for one in judged.values() for row in one.specification.readings for key in row.reading
    )
    columns = {
        "prediction": "string",
        **dict.fromkeys(keys, "string"),
        "verdict": "string",
        "statistic": "double",
    }
    records = (
        vars(row) | row.reading | {"prediction": name}
        for name, one in judged.items()
        for row in one.specification.readings
    )
    return Table.of("readings", "Verdicts under every reading of the methods", columns, records)


def readings_counts(judged: Predictions) -> Table:
    """How many readings give which verdict, by our arithmetic and by the paper's."""
    records = []
    for name, one in judged.items():
        ours, theirs = _counts(one)
        record = {"Prediction": name, "Verdict": one.verdict} | ours
        record |= {"paper’s arithmetic: supports": theirs["supported"], "does not": theirs["not supported"]}
        records.append(record | {"readings that agree": percent(one.specification.agree)})
    return Table.told("Specification curve of the verdicts", records, name="reading_counts")


def _counts(one: PredictionResult) -> tuple[dict[str, int], dict[str, int]]:
    ours, theirs = dict.fromkeys(WORDS, 0), dict.fromkeys(("supported", "not supported", "nothing"), 0)
    for row in one.specification.readings:
        (theirs if row.reading.get("arithmetic") == "paper" else ours)[row.verdict] += 1
    return ours, theirs


def readings_chart(judged: Predictions) -> Chart:
    """One bar a prediction: shares of its readings by verdict."""
    marks: list[Mark] = []
    for at, one in enumerate(judged.values()):
        ours, _ = _counts(one)
        start, total = 0.0, max(sum(ours.values()), 1)
        for word in WORDS:
            end = start + ours[word] / total
            marks += [Span(word, (start, end), (at - 0.33, at + 0.33))] if end > start else []
            start = end
    names = tuple((float(at), name) for at, name in enumerate(judged))
    y = Axis("", len(judged) - 0.5, -0.5, names)
    legend = tuple(Key(word, word, filled=True) for word in WORDS)
    return Chart("", linear("share of readings", 0, 1), y, tuple(marks), shape="rows", legend=legend)


def _evidence(item: tuple[str, PredictionResult]) -> Forest:
    name, one = item
    rows = tuple(_rows(one.units))
    return Forest(f"{name} · {one.title}", one.statistic_name, rows, reference=one.threshold)


def _rows(units: Sequence[UnitResult]) -> Iterator[Row]:
    for unit in units:
        low, high = unit.ci or (None, None)
        known = None if low is None or high is None else (low, high)
        yield Row(unit.name, (Dot("calibrated", unit.statistic, known, hollow=unit.p_support > 0.05),))


def verdict_lines(results: Judged, *, untested: bool = True) -> list[str]:
    """Verdicts for a terminal, with what they rest on and what the paper's rules would have said beside them.

    Args:
        untested: those that could not be tested too.
    """
    lines = []
    for name, one in results.predictions.items():
        if one.verdict == "not testable" and not untested:
            continue
        found = found_words(one)
        lines.append(f"{name:<8} {one.verdict:<13} {found:<34} {one.title}")
        if decided := decided_words(one):
            lines.append(f"{'':<9}decided by: {decided}")
        if marks := resting_on(results, one):
            lines.append(f"{'':<9}rests on: {'; '.join(marks)}")
        if one.verdict == "not testable" and one.missing:
            lines.append(f"{'':<9}missing: {one.missing[0]}")
        rate = percent(one.paper_rule.null_rate)
        says = one.paper_rule.says
        if says != "nothing":
            lines.append(f"{'':<9}by the paper’s rule: {says} (on null worlds {rate}): {one.paper_rule.why}")
    return lines

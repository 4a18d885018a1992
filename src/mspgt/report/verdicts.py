"""Verdicts on the first screen, and each with the rule it was judged by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from mspgt.report.markup import facts_html, tag
from mspgt.report.section import Section
from mspgt.report.tables import Table
from mspgt.report.words import MISSING, NO_REASON, Judged, interval, listing, model_of, number, percent
from mspgt.results import PaperClaim, PredictionResult, Results

# A shape beside every colour, so that no verdict hangs on seeing it.
GLYPHS = {"supported": "✓", "refuted": "✗", "inconclusive": "≈", "not testable": "○"}
SECTIONS = ("interventions", "theory", "probes", "controls")  # of a model; the rest is among its signals


@dataclass(frozen=True)
class Verdict:
    """One prediction as the page tells it."""

    id: str
    content: PredictionResult
    # What it rests on that a reader must know: little text, scales that were not found
    marks: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """Supported, refuted, inconclusive or not testable."""
        return self.content.verdict

    @property
    def glyph(self) -> str:
        """Its sign."""
        return GLYPHS[self.word]

    @property
    def kind(self) -> str:
        """Its class on the page."""
        return self.word.replace(" ", "-")

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return "verdict-" + "".join(c if c.isalnum() else "-" for c in self.id)

    @property
    def tested(self) -> bool:
        """Whether it could be tested at all."""
        return self.kind != "not-testable"

    @property
    def lacking(self) -> str:
        """Why it could not be tested, and what could have been seen: what it would take."""
        missing = "; ".join(condensed(self.content.missing)).rstrip(".") or NO_REASON
        power = self.content.power
        return f"{missing}. What it would take: {power}" if power else f"{missing}."

    @property
    def brief(self) -> str:
        """What decided it: units that speak for or against it, and one statistic against the threshold."""
        if self.content.statistic is None:
            return next(iter(self.content.missing), "no statistic")
        decided = decided_words(self.content)
        against = f"against {number(self.content.threshold)}"
        return f"{f'{decided}; ' if decided else ''}{found_words(self.content)} {against}"


def decided_words(content: PredictionResult) -> str:
    """`Of 6 models, 3 refute (3 needed)`; empty where one unit alone decides.

    Of an inconclusive verdict both sides are told, since neither had enough.
    """
    by = content.decided_by
    if (by.units or 0) < 2:
        return ""
    inside = all(place.startswith("models.") for place in content.evidence)
    sides = {"supported": ("support", by.supported), "refuted": ("refute", by.refuted)}
    decisive = [sides[content.verdict]] if content.verdict in sides else sides.values()
    counts = [f"{share.in_} {verb} ({share.needed} needed)" for verb, share in decisive if share]
    return f"Of {by.units} {'models' if inside else 'tests'}, {listing(counts)}"


def found_words(content: PredictionResult) -> str:
    """The statistic with its interval, and which of several units it is of."""
    by = content.decided_by
    which = f"{by.shown}: " if (by.units or 0) > 1 else ""
    return f"{which}{number(content.statistic)}{interval(content.ci)}"


def verdicts(results: Judged) -> list[Verdict]:
    """Every prediction that was judged, in the order of the plan."""
    return [Verdict(name, one, resting_on(results, one)) for name, one in results.predictions.items()]


NOT_FOUND = {"thirds": "on thirds of the depth, not on scales that were found", "given": "on scales as given"}


def resting_on(results: Judged, content: PredictionResult) -> tuple[str, ...]:
    """What marks a verdict wherever it stands: a run cut short, texts an arm, scales that nobody found."""
    if content.verdict == "not testable":
        return ()
    marks = []
    if results.provenance.limits if isinstance(results, Results) else any(run.limits for run in results.runs):
        marks.append("run cut short by limits")
    disturbed = []
    for place in content.evidence:
        owner = model_of(results, place)
        if owner is not None and place.removeprefix(f"models.{owner}.").startswith("interventions"):
            about = results.models[owner].interventions_about
            disturbed += [about] if about else []
    if texts := [about.samples for about in disturbed if about.samples]:
        marks.append(f"{min(texts)} texts an arm")
    sources = {about.scales.source for about in disturbed}
    return (*marks, *(words for source, words in NOT_FOUND.items() if source in sources))


def condensed(reasons: Iterable[str]) -> list[str]:
    """Reasons `name: why`, the names of one why together."""
    names: dict[str, list[str]] = {}
    for one in reasons:
        name, found, why = one.partition(": ")
        names.setdefault(why if found else name, []).extend([name] if found else [])
    return [f"{listing(owners)}: {why}" if owners else why for why, owners in names.items()]


def tally(found: list[Verdict]) -> str:
    """`2 supported, 1 refuted and 3 not testable`."""
    counts = {word: sum(one.word == word for one in found) for word in GLYPHS}
    return listing(f"{count} {word}" for word, count in counts.items() if count)


def verdict_section(results: Judged, anchors: dict[str, str] | None) -> Section | None:
    """Each verdict with its statistic, threshold, rule, the paper's own claim and its error rate on null worlds.

    Args:
        anchors: model → its anchor on the page; None where no model is shown and evidence has nowhere to lead.
    """
    found = verdicts(results)
    if not found:
        return None
    parts = [_detail(results, verdict, anchors) for verdict in found]
    return Section(
        "verdicts",
        "Verdicts and their rules",
        Markup("").join(parts),
        lead=tally(found),
        tables=(verdict_table(results),),
    )


def verdict_table(results: Judged) -> Table:
    """One row a prediction."""
    records = (
        {
            "id": name,
            "verdict": one.verdict,
            "statistic": number(one.statistic),
            "ci": interval(one.ci).strip(),
            "threshold": number(one.threshold),
            "rule": one.rule,
            "paper_claim": _claim(one.paper_claim),
            "null_rate": number(one.null_rate),
            "missing": "; ".join(one.missing) or None,
        }
        for name, one in results.predictions.items()
    )
    return Table.told("Verdicts", records, name="verdicts")


def _detail(results: Judged, verdict: Verdict, anchors: dict[str, str] | None) -> Markup:
    what, own, paper = verdict.content, verdict.content.paper_rule, ""
    if own.rule:
        paper = f"{own.rule} Here: {own.says} ({own.why}). On such worlds: {percent(own.null_rate, 1)}"
    told = [
        ("Rests on", "; ".join(verdict.marks)),
        ("Rule", what.rule or MISSING),
        ("Decided by", decided_words(what)),
        (what.statistic_name or "Statistic", found_words(what)),
        ("Threshold", number(what.threshold)),
        ("Boundaries are those of", what.positions),
        ("“Refuted” excludes", what.excluded),
        ("The paper’s claim", _claim(what.paper_claim)),
        ("“Supported” on worlds without the effect", percent(what.null_rate, 1)),
        ("The paper’s own rule", paper),
        ("Missing", "; ".join(condensed(what.missing))),
        ("Why", "; ".join(condensed(what.why))),
        ("What could have been seen", what.power),
    ]
    known = [(name, words) for name, words in told if words]
    word = tag("span", f"{verdict.glyph} {verdict.word}", class_=f"verdict {verdict.kind}")
    head = tag("h4", verdict.id, f" · {what.title} ", word)
    links = [] if anchors is None else [_evidence(results, place, anchors) for place in what.evidence]
    evidence = tag("p", "Evidence: ", Markup(", ").join(links), class_="files") if links else Markup("")
    return tag("section", head, facts_html(known), evidence, id=verdict.anchor)


def _evidence(results: Judged, place: str, anchors: dict[str, str]) -> Markup:
    """A dotted path into results.json, linked to where the page shows it."""
    owner, target = model_of(results, place), ""
    if owner is not None:
        rest = place.removeprefix(f"models.{owner}.").split(".")[0]
        part = rest if rest in SECTIONS and getattr(results.models[owner], rest) else "signals"
        target = f"{anchors[owner]}-{part}"
    elif place.split(".")[0] == "families" and results.families:
        target = "families"
    return tag("a", tag("code", place), href=f"#{target}") if target else tag("code", place)


def _claim(claim: PaperClaim) -> str:
    """The paper’s claim with its place, and what its own numbers say when they are read again."""
    source = f" ({claim.source})" if claim.source else ""
    again = f" Read again: {claim.rereading}" if claim.rereading else ""
    return f"{claim.text}{source}.{again}"

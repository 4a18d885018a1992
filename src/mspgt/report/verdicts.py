"""Verdicts on the first screen, and each with the rule it was judged by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from mspgt.report.markup import facts_html, tag
from mspgt.report.section import Section
from mspgt.report.tables import Cell, Table
from mspgt.report.words import MISSING, Json, listing, model_of, number, percent

ABOUT = {
    "P1.1": "L–I sits at a stable depth within a family",
    "P1.2": "Information kinks at the boundaries",
    "P2.1": "Noise in the middle breaks structure most",
    "P3.1": "Local sensitivity differs between families",
    "P3.2": "I–G moves between runs of one architecture",
    "P-order": "Layers gain in order: Local, Intermediate, Global",
    "A2": "Layers are nearly a Markov chain",
    "A3": "Sensitivity to architecture grows with scale",
    "A3-positions": "I–G depends on the architecture more than L–I",
    "beta-reach": "Far-reaching attention compresses Global less",
    "eq23": "Compression falls as entropy grows",
    "eq30": "The loss slope is half the Fisher trace",
    "eq31": "Brittle models have large Fisher traces",
    "eq34": "Intervals narrow with more draws",
}
# A shape beside every colour, so that no verdict hangs on seeing it.
GLYPHS = {"supported": "✓", "refuted": "✗", "inconclusive": "≈", "not testable": "○"}
SECTIONS = (
    "interventions",
    "theory",
    "probes",
    "controls",
)  # of a model; everything else is among its signals


@dataclass(frozen=True)
class Verdict:
    """One prediction as the page tells it."""

    id: str
    content: Json
    marks: tuple[
        str, ...
    ] = ()  # what it rests on that a reader must know: little text, scales that were not found

    @property
    def word(self) -> str:
        """Supported, refuted, inconclusive or not testable."""
        return str(self.content.get("verdict") or "not testable").replace("_", " ")

    @property
    def glyph(self) -> str:
        """Its sign."""
        return GLYPHS.get(self.word, "○")

    @property
    def kind(self) -> str:
        """Its class on the page."""
        return self.word.replace(" ", "-") if self.word in GLYPHS else "not-testable"

    @property
    def title(self) -> str:
        """What it says of models, in a line."""
        return str(self.content.get("title") or ABOUT.get(self.id, ""))

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
        missing = "; ".join(condensed(self.content.get("missing") or ())) or "no reason was recorded"
        power = self.content.get("power")
        return f"{missing}. What it would take: {power}" if power else f"{missing}."

    @property
    def brief(self) -> str:
        """What decided it: units that speak for or against it, and one statistic against the threshold."""
        if self.content.get("statistic") is None:
            missing = [str(one) for one in self.content.get("missing") or ()]
            return missing[0] if missing else "no statistic"
        threshold = self.content.get("threshold")
        against = f" against {told(threshold)}" if threshold is not None else ""
        decided = decided_words(self.content)
        return f"{f'{decided}; ' if decided else ''}{found_words(self.content)}{against}"


def decided_words(content: Json) -> str:
    """`Of 6 models, 3 refute (3 needed)`; empty where one unit alone decides.

    Of an inconclusive verdict both sides are told, since neither had enough.
    """
    by = content.get("decided_by") or {}
    if (by.get("units") or 0) < 2:
        return ""
    inside = all(str(place).startswith("models.") for place in content.get("evidence") or ())
    sides = {"supported": "support", "refuted": "refute"}
    decisive = [content["verdict"]] if content["verdict"] in sides else sides
    counts = [f"{by[side]['in']} {sides[side]} ({by[side]['needed']} needed)" for side in decisive]
    return f"Of {by['units']} {'models' if inside else 'tests'}, {listing(counts)}"


def found_words(content: Json) -> str:
    """The statistic with its interval, and which of several units it is of."""
    by = content.get("decided_by") or {}
    which = f"{by['shown']}: " if (by.get("units") or 0) > 1 else ""
    return f"{which}{told(content.get('statistic'))}{interval(content.get('ci'))}"


def verdicts(results: Json) -> list[Verdict]:
    """Every prediction that was judged, in the order of the plan."""
    return [Verdict(name, one, resting_on(results, one)) for name, one in results["predictions"].items()]


NOT_FOUND = {"thirds": "on thirds of the depth, not on scales that were found", "given": "on scales as given"}


def resting_on(results: Json, content: Json) -> tuple[str, ...]:
    """What marks a verdict wherever it stands: a run cut short, texts an arm, scales that nobody found."""
    if content.get("verdict") in (None, "not testable"):
        return ()
    marks = []
    if (results.get("provenance") or {}).get("limits"):
        marks.append("run cut short by limits")
    disturbed = []
    for place in map(str, content.get("evidence") or ()):
        owner = model_of(results, place)
        if owner is not None and place.removeprefix(f"models.{owner}.").startswith("interventions"):
            disturbed.append(results["models"][owner].get("interventions_about") or {})
    if texts := [about["samples"] for about in disturbed if about.get("samples")]:
        marks.append(f"{min(texts)} texts an arm")
    sources = {about["scales"]["source"] for about in disturbed if about.get("scales")}
    return (*marks, *(words for source, words in NOT_FOUND.items() if source in sources))


def condensed(reasons: Iterable[Any]) -> list[str]:
    """Reasons `name: why`, the names of one why together."""
    names: dict[str, list[str]] = {}
    for one in map(str, reasons):
        name, found, why = one.partition(": ")
        names.setdefault(why if found else name, []).extend([name] if found else [])
    return [f"{listing(owners)}: {why}" if owners else why for why, owners in names.items()]


def tally(found: list[Verdict]) -> str:
    """`2 supported, 1 refuted and 3 not testable`."""
    counts = {word: sum(one.word == word for one in found) for word in GLYPHS}
    return listing(f"{count} {word}" for word, count in counts.items() if count)


def verdict_section(results: Json, anchors: dict[str, str]) -> Section | None:
    """Each verdict with its statistic, threshold, rule, the paper's own claim and its error rate on null worlds.

    Args:
        anchors: model → its anchor on the page.
    """
    found = verdicts(results)
    if not found:
        return None
    parts = [_detail(results, verdict, anchors) for verdict in found]
    return Section(
        "verdicts", "Verdicts and their rules", Markup("").join(parts), lead=tally(found),
        tables=(verdict_table(results),),
    )  # fmt: skip


def verdict_table(results: Json) -> Table:
    """One row a prediction."""
    columns = ("id", "verdict", "statistic", "ci", "threshold", "rule", "paper_claim", "null_rate", "missing")
    rows: list[tuple[Cell, ...]] = []
    for one in verdicts(results):
        what = one.content
        missing = "; ".join(map(str, what.get("missing") or ())) or None
        texts = (told(what.get("statistic")), interval(what.get("ci")).strip(), told(what.get("threshold")))
        rows.append(
            (one.id, one.word, *texts, what.get("rule"), _claim(what.get("paper_claim")),
             told(what.get("null_rate")), missing)
        )  # fmt: skip
    return Table("verdicts", "Verdicts", dict.fromkeys(columns, "string"), rows)


TOLD = {"Boundaries are those of": "positions", "“Refuted” excludes": "excluded"}


def _detail(results: Json, verdict: Verdict, anchors: dict[str, str]) -> Markup:
    what = verdict.content
    known = [
        *((("Rests on", "; ".join(verdict.marks)),) if verdict.marks else ()),
        ("Rule", what.get("rule") or MISSING),
        (
            what.get("statistic_name") or "Statistic",
            found_words(what),
        ),
        ("Threshold", told(what.get("threshold"))),
        *((name, str(what[key])) for name, key in TOLD.items() if what.get(key)),
        ("The paper’s claim", _claim(what.get("paper_claim"))),
        ("“Supported” on worlds without the effect", _rate(what.get("null_rate"))),
    ]
    if decided := decided_words(what):
        known.insert(known.index(("Rule", what.get("rule") or MISSING)) + 1, ("Decided by", decided))
    own = what.get("paper_rule") or {}
    if own.get("rule"):
        says = f"{own['rule']} Here: {own.get('says', MISSING)} ({own.get('why', MISSING)})."
        known.append(("The paper’s own rule", f"{says} On such worlds: {_rate(own.get('null_rate'))}"))
    for name, key in (("Missing", "missing"), ("Why", "why")):
        if what.get(key):
            known.append((name, "; ".join(condensed(what[key]))))
    if what.get("power"):
        known.append(("What could have been seen", str(what["power"])))
    word = tag("span", f"{verdict.glyph} {verdict.word}", class_=f"verdict {verdict.kind}")
    head = tag("h4", verdict.id, " ", verdict.title and f"· {verdict.title} ", word)
    links = [_evidence(results, str(place), anchors) for place in what.get("evidence") or ()]
    evidence = tag("p", "Evidence: ", Markup(", ").join(links), class_="files") if links else Markup("")
    return tag("section", head, facts_html(known), evidence, id=verdict.anchor)


def _evidence(results: Json, place: str, anchors: dict[str, str]) -> Markup:
    """A dotted path into results.json, linked to where the page shows it."""
    owner, target = model_of(results, place), ""
    if owner is not None:
        rest = place.removeprefix(f"models.{owner}.").split(".")[0]
        part = rest if rest in SECTIONS and results["models"][owner].get(rest) else "signals"
        target = f"{anchors[owner]}-{part}"
    elif place.split(".")[0] == "families" and results["families"]:
        target = "families"
    return tag("a", tag("code", place), href=f"#{target}") if target else tag("code", place)


def _claim(claim: Any) -> str:
    """The paper’s claim with its place, and what its own numbers say when they are read again."""
    if not isinstance(claim, dict) or "text" not in claim:
        return told(claim)
    source = f" ({claim['source']})" if claim.get("source") else ""
    again = f" Read again: {claim['rereading']}" if claim.get("rereading") else ""
    return f"{claim['text']}{source}.{again}"


def _rate(rate: Any) -> str:
    return percent(rate, 1) if isinstance(rate, int | float) else told(rate)


def interval(ends: Any) -> str:
    """` [low, high]`, or nothing."""
    if isinstance(ends, list) and len(ends) == 2 and not any(isinstance(end, list | dict) for end in ends):
        low, high = ("∞" if end is None and at else MISSING if end is None else number(end)
                     for at, end in enumerate(ends))  # fmt: skip
        return f" [{low}, {high}]"
    return ""


def told(value: Any) -> str:
    """A statistic, threshold or claim in words, whatever its shape."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | float):
        return number(value)
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {told(item)}" for key, item in value.items()) or MISSING
    if isinstance(value, list):
        return ", ".join(map(told, value)) or MISSING
    return str(value)

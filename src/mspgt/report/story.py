"""What a run found, one sentence a model: what each account claims, else what came closest and why it is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mspgt.report.accounts import Account, accounts
from mspgt.report.curves import Mark
from mspgt.report.planted import planted_lines
from mspgt.report.words import NO_REASON, capital, counted, false_rate, layer_set, listing, number, percent
from mspgt.results import ModelResult, Results
from mspgt.vocabulary import INITIALS, KINDS, SCALES

# The paper's protocol has no error rate, so it finds nothing alone.
CLAIMING = ("functional", "phases", "shocks")


@dataclass(frozen=True)
class Candidate:
    """The strongest place of a model that is no boundary."""

    account: str  # phases | shocks
    kind: str
    layer: int
    score: float
    threshold: float
    why: str

    @property
    def words(self) -> str:
        """`a step at layer 9 (shocks), score 2.1 of the 3.6 needed: below the threshold`."""
        return (
            f"a {self.kind} at layer {self.layer} ({self.account}), score {number(self.score, 2)} of the "
            f"{number(self.threshold, 2)} needed: {self.why}"
        )


@dataclass(frozen=True)
class Story:
    """One model in one sentence, and its parts."""

    model: str
    found: tuple[str, ...]  # a claim an account, in words; empty where no account has a boundary
    candidate: Candidate | None
    seen: str  # what could have been seen
    overlay: str  # what the candidate is without frequent words and with sinks; empty where nothing is known
    claim: str  # what was found, or what came closest: the one sentence to read first
    sentence: str  # the claim, and what stands beside it


def stories(results: Results) -> list[Story]:
    """Every model, those in which something was found first, else in the order of the study."""
    return sorted((story(results, name) for name in results.models), key=lambda one: not one.found)


def story(results: Results, name: str) -> Story:
    """One model in one sentence: found by which account with its set, else the strongest candidate and why not."""
    model = results.models[name]
    own = {one.key: one for one in accounts(results, name)}
    found = tuple(_found(own[key]) for key in CLAIMING if own[key].row.marks)
    candidate = None if found else strongest_candidate(model)
    seen = _seen(model)
    silent = [_named(key) for key in CLAIMING if own[key].measured and not own[key].row.marks]
    if found:
        clauses = [capital("; ".join(found))]
        clauses += [f"none by {listing(silent, 'or')}"] if silent else []
    else:
        clauses = [f"No boundary by {listing(silent, 'or')}"]
        clauses += [f"the strongest candidate is {candidate.words}"] if candidate else []
    paper = ""
    if not found and own["paper"].row.marks and model.boundaries.paper.accepted:
        paper = _paper(model, own["paper"])
    short = ["cut short by limits"] if results.provenance.limits else []
    beside = [one for one in ("" if found else seen, paper) if one]
    return Story(
        name,
        found,
        candidate,
        seen,
        _overlay(model, candidate) if candidate else "",
        "; ".join([*clauses, *short]) + ".",
        "; ".join([*clauses, *beside, *short]) + ".",
    )


def _named(account: str) -> str:
    return "functional scales" if account == "functional" else account


def _found(account: Account) -> str:
    return f"{account.key} {'scales place' if account.key == 'functional' else 'find'} " + listing(
        _place(mark) for mark in account.row.marks
    )


def _place(mark: Mark) -> str:
    name = {"phase": "a boundary", **{kind: f"a {kind}" for kind in KINDS}}.get(mark.label, mark.label)
    within = f" (95\u202f% set {layer_set(mark.layers)})" if mark.layers else ""
    return f"{name} at layer {mark.layer}{within}"


def strongest_candidate(model: ModelResult) -> Candidate | None:
    """What came closest to a boundary by phases or shocks, relative to its threshold; None where nothing could."""
    near: list[Candidate] = []
    if model.phases and (one := model.phases.candidate):
        why = "; ".join(model.phases.why) or NO_REASON
        near.append(Candidate("phases", "lasting change", one.layer, one.score, one.critical, why))
    calibrated = model.boundaries.calibrated
    for rival in calibrated.rivals.get("1", ()):
        if rival.critical:
            below = rival.score < rival.critical
            why = "below the threshold" if below else "; ".join(calibrated.reasons)
            near.append(Candidate("shocks", rival.kind, rival.layer, rival.score, rival.critical, why))
    return max(near, key=lambda one: one.score / one.threshold, default=None)


OVERLAYS = {
    "main": "over the tokens that count",
    "without_top_word": "without the most frequent word",
    "without_top3_words": "without the three most frequent words",
    "limit_10": "with sinks up to 10 medians left in",
    "all_tokens": "over all tokens",
}


def _overlay(model: ModelResult, candidate: Candidate) -> str:
    """S1 at the candidate over other tokens: whether it is the work of sinks or of one word."""
    at = candidate.layer - 1
    known = {key: one.S1 for key, one in model.token_sets.items() if one.S1 and 0 <= at < len(one.S1)}
    values = [
        f"{number(known[key][at], 2)} {words}"
        for key, words in OVERLAYS.items()
        if key in known and known[key][at] is not None
    ]
    return f"S1 at layer {candidate.layer}: {', '.join(values)}." if len(values) > 1 else ""


def _seen(model: ModelResult) -> str:
    """What would have been found in 80 % of cases, the smallest of the shocks alone."""
    parts = []
    if model.phases and model.phases.size80 is not None:
        parts.append(f"a lasting change of {number(model.phases.size80, 2)} (−log CKA)")
    power = model.boundaries.calibrated.power
    known = {kind: size for kind in KINDS if (size := power[kind].size80) is not None}
    if known:
        kind = min(known, key=lambda kind: known[kind])
        parts.append(f"a {kind} of {number(known[kind], 2)} roughness SDs")
    if not parts:
        return f"with {counted(model.layers, 'layer')} none could have been seen by shocks or phases"
    return f"in 80\u202f% of cases {listing(parts)} would have been found"


def _paper(model: ModelResult, account: Account) -> str:
    often, _ = false_rate(model, "accepted")
    places = listing(str(mark.layer) for mark in account.row.marks)
    said = f"the paper’s protocol alone accepts layers {places}"
    return said if often is None else f"{said}, as it does in {percent(often)} of featureless noise"


def headline(results: Results) -> str:
    """What was found over all models: how many have boundaries, and which of their controls stayed silent."""
    told = stories(results)
    having = [one for one in told if one.found]
    if len(told) == 1:
        first = capital("; ".join(told[0].found)) if having else "No boundary was found"
    elif having:
        first = f"Boundaries in {len(having)} of {len(told)} models"
    else:
        first = f"No boundary in any of {len(told)} models"
    controls = _controls(results)
    return f"{first}; {controls}" if controls else first


def _controls(results: Results) -> str:
    """What random twins show by every account that was asked of them: what was not trained has no scales."""
    claims: list[object] = []
    for model in results.models.values():
        claims += model.controls.random_init.calibrated_claims or []
        claims += [one.boundaries for one in model.phases.random_init] if model.phases else []
    silent = sum(not one for one in claims)
    told = [f"random twins have none in {silent} of {counted(len(claims), 'reading')}"] if claims else []
    return listing([*told, *_twins_scales(results)])


def _twins_scales(results: Results) -> Iterator[str]:
    """In how many random twins a functional scale is defined: the model's scale of that name proves no training."""
    measured = [
        one.scales.twin["defined_scales"] for one in results.models.values() if one.scales and one.scales.twin
    ]
    defined = [one for one in measured if one]
    if defined:
        names = listing(
            name for name, key in zip(SCALES, INITIALS, strict=True) if any(key in one for one in defined)
        )
        yield f"a functional scale ({names}) is defined in {len(defined)} of {counted(len(measured), 'random twin')}"


def story_lines(results: Results) -> Iterator[str]:
    """The story of a run for a terminal: planted subjects, the headline, a sentence a model, and verdicts."""
    yield from planted_lines(results)
    yield f"{headline(results)}."
    for one in stories(results):
        yield f"  {one.model}: {one.sentence}"
        if one.overlay:
            yield f"    {one.overlay}"
    for line in results.provenance.limits:
        yield f"  Cut short, not a result to report: {line}."

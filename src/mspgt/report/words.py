"""What was found, in plain words: numbers with their missing values, sentences, and where modes disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

from mspgt.results import CalibratedResult, Claim, PaperBoundary, PaperResult, Results
from mspgt.results.boundaries import Boundaries
from mspgt.results.comparison import Comparison
from mspgt.vocabulary import KINDS, SCALES

Json = dict[str, Any]

MISSING = "—"
SCALE_NAMES = {scale: scale.capitalize() for scale in SCALES}
NO_REASON = "no reason was recorded"
BOUNDARIES = {"LI": "L–I", "IG": "I–G"}


class Located(Protocol):
    """As much of a model as says where the boundaries of both modes are."""

    @property
    def layers(self) -> int: ...

    @property
    def boundaries(self) -> Boundaries: ...


Judged = Results | Comparison  # what has families and verdicts


def number(value: float | None, digits: int = 3) -> str:
    """A number with `digits` significant digits and a true minus sign; a dash where it was not measured."""
    if value is None:
        return MISSING
    text = f"{value:,}" if isinstance(value, int) else f"{value:.{digits}g}"
    return text.replace("-", "−")


def percent(share: float | None, digits: int = 0) -> str:
    """A share in [0, 1] as a percentage."""
    return MISSING if share is None else f"{100 * share:.{digits}f}\u202f%"


def interval(ends: Sequence[float | None] | None, digits: int = 3) -> str:
    """` [low, high]`, or nothing; an end that the data set no limit to is `∞`, or a dash below."""
    if ends is None:
        return ""
    low, high = ends
    return f" [{number(low, digits)}, {'∞' if high is None else number(high, digits)}]"


def consecutive(layers: Iterable[int]) -> list[tuple[int, int]]:
    """First and last layer of every stretch without a gap."""
    stretches: list[tuple[int, int]] = []
    for layer in sorted(set(layers)):
        if stretches and layer == stretches[-1][1] + 1:
            stretches[-1] = (stretches[-1][0], layer)
        else:
            stretches.append((layer, layer))
    return stretches


def layer_set(layers: Iterable[int]) -> str:
    """A set of layers with its gaps: `[6, 7, 8, 11]` is `6–8, 11`."""
    return ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in consecutive(layers))


def counted(count: int | None, what: str) -> str:
    """`1 layer`, `2 layers`."""
    return f"{number(count)} {what}{'s' if count != 1 else ''}"


def capital(words: str) -> str:
    """The same words with a capital letter first."""
    return words[:1].upper() + words[1:]


def listing(items: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    words = list(items)
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def reason(results: Results, *path: str) -> str:
    """Why a value is null: the warning at its dotted path or nearest above it; a `*` in it stands for any step."""
    for end in range(len(path), 2, -1):
        places = {".".join(steps) for steps in product(*((step, "*") for step in path[:end]))}
        for warning in results.warnings:
            if warning.where in places:
                return warning.what
    return NO_REASON


def model_of(results: Judged, where: str) -> str | None:
    """The model that a dotted path into results.json is about; names have dots, so the longest wins."""
    owners = [name for name in results.models if f"{where}.".startswith(f"models.{name}.")]
    return max(owners, key=len, default=None)


def claims(calibrated: CalibratedResult) -> list[tuple[str, Claim]]:
    """All boundaries of the calibrated detector in order of depth, with its name if it was chosen as one."""
    names = {
        (claim.kind, claim.layer): BOUNDARIES[which] for which, claim in calibrated.chosen.items() if claim
    }
    found: list[Claim] = [claim for kind in KINDS for claim in getattr(calibrated, kind)]
    found.sort(key=lambda claim: claim.layer)
    return [(names.get((claim.kind, claim.layer), ""), claim) for claim in found]


def unnamed(calibrated: CalibratedResult) -> Claim | None:
    """The boundary of a calibrated result that has only one: which of L–I and I–G it is cannot be known."""
    found = claims(calibrated)
    return found[0][1] if len(found) == 1 and not found[0][0] else None


def out_of_sight(calibrated: CalibratedResult) -> list[str]:
    """Kinds that no boundary of any size could have shown at this depth, as the power statement says."""
    power = calibrated.power
    return [kind for kind in KINDS if kind in power and power[kind].size80 is None]


def in_sight(calibrated: CalibratedResult) -> list[str]:
    """`a spike of 3.1`: sizes, in roughness SDs, that are found in 80 % of cases."""
    sizes = {kind: one.size80 for kind in KINDS if (one := calibrated.power.get(kind))}
    return [f"a {kind} of {number(size, 2)}" for kind, size in sizes.items() if size is not None]


def calibrated_notes(calibrated: CalibratedResult) -> list[str]:
    """The reasons of calibrated mode, with what could not have been seen."""
    # A reason may repeat that nothing was found, which stands beside it anyway.
    notes = [why for why in calibrated.reasons if why != "no boundary was found"]
    blind = out_of_sight(calibrated)
    if blind and not any("been seen" in note for note in notes):
        notes.append(f"could not have been seen at this depth: {', '.join(blind)}")
    return notes


def false_rate(model: Located, outcome: str) -> tuple[float | None, float | None]:
    """Median and maximum over the null family of how often the paper's protocol errs at this depth.

    Args:
        outcome: `found` (two peaks) or `accepted` (and both intervals < 5 layers).
    """
    rates = model.boundaries.paper.false_boundary_rate
    if rates is None:
        return None, None
    rate = rates.found if outcome == "found" else rates.accepted
    return rate.median, rate.max


@dataclass(frozen=True)
class Finding:
    """One model in words; `disagree` names the boundaries on which the two modes differ."""

    model: str
    disagree: tuple[str, ...]
    headline: str
    paper: str
    noise: str
    calibrated: str
    power: str


def findings(results: Results) -> list[Finding]:
    """Every model in words, those in which the modes disagree first, else in the order of the study."""
    found = [finding(name, model) for name, model in results.models.items()]
    return sorted(found, key=lambda one: not one.disagree)


def finding(name: str, model: Located) -> Finding:
    """One model in words."""
    disagree = disagreements(model)
    return Finding(
        model=name,
        disagree=disagree,
        headline=_headline(model, disagree),
        paper=_paper_words(model.boundaries.paper),
        noise=_noise_words(model),
        calibrated=_calibrated_words(model.boundaries.calibrated),
        power=_power_words(model.boundaries.calibrated),
    )


def disagreements(model: Located) -> tuple[str, ...]:
    """Boundaries on which the modes differ: only one claims it, or the paper's layer is outside the 95 % set.

    A paper-mode boundary that the protocol itself rejects is no claim; one that was never bootstrapped is. A
    single calibrated boundary answers for whichever paper-mode boundary lies in its set.
    """
    calibrated = model.boundaries.calibrated
    alone, differ, answered = unnamed(calibrated), [], False
    for which, name in BOUNDARIES.items():
        paper, claim = _paper_claim(model, which), calibrated.chosen.get(which)
        if paper and alone and _within(paper, alone):
            answered = True
        elif bool(paper) != bool(claim) or (paper and claim and not _within(paper, claim)):
            differ.append(name)
    if alone and not answered:
        differ.append(f"a {alone.kind} at {alone.layer}")
    return tuple(differ)


def _within(paper: PaperBoundary, claim: Claim) -> bool:
    return paper.layer in claim.set


def _paper_claim(model: Located, which: str) -> PaperBoundary | None:
    paper = model.boundaries.paper
    return None if paper.accepted is False else paper.of(which)


def _headline(model: Located, disagree: tuple[str, ...]) -> str:
    by_paper = any(_paper_claim(model, which) for which in BOUNDARIES)
    by_calibrated = claims(model.boundaries.calibrated)
    if disagree and not by_calibrated:
        return "Paper mode claims boundaries; calibrated mode finds none"
    if disagree and not by_paper:
        return "Calibrated mode finds a boundary; paper mode claims none"
    if disagree:
        return f"The modes disagree on {listing(disagree)}"
    if by_calibrated:
        places = listing(f"{name} at layer {claim.layer}" for name, claim in by_calibrated if name)
        return f"Both modes agree: {places or 'one boundary'}"
    blind = len(out_of_sight(model.boundaries.calibrated)) == len(KINDS)
    return "No boundary of the three signals in either mode" + (
        ", and none could have been seen" if blind else ""
    )


def _paper_words(paper: PaperResult) -> str:
    found = [one for which in BOUNDARIES if (one := paper.of(which))]
    # What its evidence lacked is no reason of its rule.
    lacks = [why for why in paper.reasons if why.endswith("left out of the evidence")]
    reasons = "; ".join(why for why in paper.reasons if why not in lacks) or NO_REASON
    return f"{_paper_verdict(paper, found, reasons)}{''.join(f' {why}.' for why in lacks)}"


def _paper_verdict(paper: PaperResult, found: list[PaperBoundary], why: str) -> str:
    if not found:
        return f"The paper’s protocol finds no boundary: {why}."
    places = listing(str(boundary.layer) for boundary in found)
    words = f"The paper’s protocol peaks at layer{'s' * (len(found) > 1)} {places}"
    if paper.accepted is None:
        return f"{words}; without a bootstrap it neither accepts nor rejects them."
    if paper.accepted:
        return f"{words} and accepts them."
    return f"{words} but rejects them by its own rule: {why}."


def _noise_words(model: Located) -> str:
    median, worst = false_rate(model, "found")
    accepted, worst_accepted = false_rate(model, "accepted")
    if median is None and accepted is None:
        return (
            "How often that protocol finds boundaries in featureless noise was not measured for this model."
        )

    def upto(value: float | None) -> str:
        return f" (up to {percent(value)})" if value is not None else ""

    return (
        f"In featureless noise of this depth the same protocol finds two boundaries in {percent(median)}"
        f"{upto(worst)} of runs and accepts them in {percent(accepted)}{upto(worst_accepted)}."
    )


def _calibrated_words(calibrated: CalibratedResult) -> str:
    words = []
    for name, claim in claims(calibrated):
        within = f"95\u202f% set {layer_set(claim.set)}"
        words.append(f"a {claim.kind} at layer {claim.layer} ({f'{name}, ' if name else ''}{within})")
    notes = "".join(f" {capital(note)}." for note in calibrated_notes(calibrated))
    return f"The calibrated detector finds {listing(words) or 'no boundary'}.{notes}"


def _power_words(calibrated: CalibratedResult) -> str:
    if not calibrated.power:
        return "What could have been seen at this depth was not stated."
    seen = in_sight(calibrated)
    return f"At this depth it finds, in 80\u202f% of cases, {listing(seen)} roughness SDs." if seen else ""

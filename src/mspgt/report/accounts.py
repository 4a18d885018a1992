"""Four answers to the question where the scales of a model are, each with what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mspgt.report.curves import Mark, StripRow
from mspgt.report.panels import calibrated_marks, marks, strip_row
from mspgt.report.words import BOUNDARIES, layer_set, listing, number, reason
from mspgt.results import ModelResult, Results

MEANINGS = {
    "functional": "where context of each kind becomes usable: words near by, syntax, discourse. Its boundaries are "
    "positions of work, with intervals over documents; they ask for no break between blocks.",
    "phases": "where what blocks write changes for good, by the similarity of every pair of blocks. Its boundaries "
    "are breaks beyond drift, at a known error rate; they have no names.",
    "shocks": "where the three signals between neighbouring layers break, at a known error rate.",
    "paper": "where the published protocol places its two peaks. Its error rate is not controlled, so it is drawn "
    "pale and decides nothing.",
}
TITLES = {"functional": "functional", "phases": "phases", "shocks": "shocks", "paper": "paper"}


@dataclass(frozen=True)
class Account:
    """One answer for one model: what it draws, and in words what it found or why nothing."""

    key: str  # functional | phases | shocks | paper
    row: StripRow
    words: str
    measured: bool = True

    @property
    def named(self) -> dict[str, Mark]:
        """L–I and I–G where the account names them."""
        return {
            mark.label: mark for mark in self.row.marks if mark.label in BOUNDARIES.values() and mark.claimed
        }


def accounts(results: Results, name: str) -> list[Account]:
    """Every account of a model, those that carry positions first."""
    model = results.models[name]
    return [_functional(results, name), _phases(results, name), _shocks(model), _paper(model)]


def _functional(results: Results, name: str) -> Account:
    model = results.models[name]
    found = model.scales
    if not found:
        why = reason(results, "models", name, "scales")
        return Account("functional", strip_row("functional", model.layers, ()), f"not measured: {why}", False)
    own, words = [], []
    for which, label in BOUNDARIES.items():
        boundary = found.of(which)
        if boundary.layer is None:
            words.append(f"{label} undefined: {boundary.reason or 'no reason was recorded'}")
        else:
            own.append(Mark(label, "functional", boundary.layer, tuple(boundary.set)))
            words.append(own[-1].text)
    return Account("functional", strip_row("functional", model.layers, tuple(own)), "; ".join(words))


def _phases(results: Results, name: str) -> Account:
    model = results.models[name]
    found = model.phases
    if not found:
        why = reason(results, "models", name, "phases")
        return Account("phases", strip_row("phases", model.layers, ()), f"not measured: {why}", False)
    own = tuple(Mark("phase", "phases", one.layer, tuple(one.set)) for one in found.boundaries)
    return Account("phases", strip_row("phases", model.layers, own), found.statement)


def _shocks(model: ModelResult) -> Account:
    own = tuple(calibrated_marks(model.boundaries.calibrated))
    words = "; ".join(mark.text for mark in own) or "no boundary"
    seen = [
        f"a {kind} of {number(power.size80, 2)}"
        for kind, power in model.boundaries.calibrated.power.items()
        if power.size80 is not None
    ]
    words += (
        f"; would be found in 80 % of cases: {listing(seen)} roughness SDs"
        if seen
        else "; none could be seen"
    )
    return Account("shocks", strip_row("shocks", model.layers, own), words)


def _paper(model: ModelResult) -> Account:
    own = tuple(mark for mark in marks(model) if mark.role == "paper")
    words = "; ".join(mark.text for mark in own) or "no boundary"
    return Account("paper", strip_row("paper", model.layers, own), words)


def where_lines(results: Results) -> Iterator[str]:
    """For each model with phases: what they say, and whether the accounts agree."""
    for name, model in results.models.items():
        if model.phases:
            yield f"{name}, phases: {model.phases.statement}"
            yield f"  {disagreement(accounts(results, name))}"


def disagreement(every: list[Account]) -> str:
    """Whether the accounts of a model agree on where, in one sentence."""
    apart = list(_apart(every))
    if apart:
        return f"The accounts disagree on {listing(apart)}"
    speaking = [one for one in every if one.row.marks and one.row.claimed]
    silent = [one for one in every if one not in speaking and one.measured]
    if not speaking:
        return "No account finds a boundary"
    told = listing(TITLES[one.key] for one in speaking)
    if silent:
        return f"Boundaries by {told} alone; none by {listing(TITLES[one.key] for one in silent)}"
    return f"{told[:1].upper()}{told[1:]} agree"


def _apart(every: list[Account]) -> Iterator[str]:
    """Boundaries that two accounts place where the other does not have them: `L–I (functional 8, paper 3)`."""
    for label in BOUNDARIES.values():
        placed = {one.key: one.named[label] for one in every if label in one.named}
        if any(not _near(a, b) for a in placed.values() for b in placed.values()):
            yield f"{label} ({', '.join(f'{TITLES[key]} {_place(mark)}' for key, mark in placed.items())})"


def _place(mark: Mark) -> str:
    return layer_set(mark.layers) if len(mark.layers) > 1 else str(mark.layer)


def _near(one: Mark, other: Mark) -> bool:
    """Whether either place lies where the other may be: in its set or interval, or within one layer."""
    return abs(one.layer - other.layer) <= 1 or _holds(one, other.layer) or _holds(other, one.layer)


def _holds(mark: Mark, layer: int) -> bool:
    return layer in mark.layers or (
        mark.interval is not None and mark.interval[0] <= layer <= mark.interval[1]
    )

"""Four answers to the question where the scales of a model are, each with what it means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mspgt.report.curves import Mark, StripRow
from mspgt.report.panels import calibrated_marks, functional_marks, marks, strip_row
from mspgt.report.words import BOUNDARIES, NO_REASON, capital, in_sight, layer_set, listing, reason
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
    paper = [mark for mark in marks(model) if mark.role == "paper"]
    return [
        _functional(results, name),
        _phases(results, name),
        _shocks(model),
        _account(model, "paper", paper),
    ]


def _account(model: ModelResult, key: str, own: Sequence[Mark], words: str = "") -> Account:
    told = words or "; ".join(mark.text for mark in own) or "no boundary"
    return Account(key, strip_row(key, model.layers, tuple(own)), told)


def _unmeasured(results: Results, name: str, key: str, part: str) -> Account:
    why = f"not measured: {reason(results, 'models', name, part)}"
    return replace(_account(results.models[name], key, (), why), measured=False)


def _functional(results: Results, name: str) -> Account:
    if not (found := results.models[name].scales):
        return _unmeasured(results, name, "functional", "scales")
    own = {mark.label: mark for mark in functional_marks(found)}
    words = (
        own[label].text if label in own else f"{label} undefined: {found.of(which).reason or NO_REASON}"
        for which, label in BOUNDARIES.items()
    )
    return _account(results.models[name], "functional", [*own.values()], "; ".join(words))


def _phases(results: Results, name: str) -> Account:
    if not (found := results.models[name].phases):
        return _unmeasured(results, name, "phases", "phases")
    own = [Mark("phase", "phases", one.layer, tuple(one.set)) for one in found.boundaries]
    return _account(results.models[name], "phases", own, found.statement)


def _shocks(model: ModelResult) -> Account:
    account = _account(model, "shocks", [*calibrated_marks(model.boundaries.calibrated)])
    seen = listing(in_sight(model.boundaries.calibrated))
    sight = f"would be found in 80 % of cases: {seen} roughness SDs" if seen else "none could be seen"
    return replace(account, words=f"{account.words}; {sight}")


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
    told = listing(one.key for one in speaking)
    if silent:
        return f"Boundaries by {told} alone; none by {listing(one.key for one in silent)}"
    return f"{capital(told)} agree"


def _apart(every: list[Account]) -> Iterator[str]:
    """Boundaries that two accounts place where the other does not have them: `L–I (functional 8, paper 3)`."""
    for label in BOUNDARIES.values():
        placed = {one.key: one.named[label] for one in every if label in one.named}
        if any(not _near(a, b) for a in placed.values() for b in placed.values()):
            yield f"{label} ({', '.join(f'{key} {_place(mark)}' for key, mark in placed.items())})"


def _place(mark: Mark) -> str:
    return layer_set(mark.layers) if len(mark.layers) > 1 else str(mark.layer)


def _near(one: Mark, other: Mark) -> bool:
    """Whether either place lies where the other may be: in its set or interval, or within one layer."""
    return abs(one.layer - other.layer) <= 1 or _holds(one, other.layer) or _holds(other, one.layer)


def _holds(mark: Mark, layer: int) -> bool:
    return layer in mark.layers or (
        mark.interval is not None and mark.interval[0] <= layer <= mark.interval[1]
    )

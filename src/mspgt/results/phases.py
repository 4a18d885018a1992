"""Phases of one model: lasting changes of what blocks write (docs/phases.md)."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.boundaries import Claim
from mspgt.results.record import Numbers, Record


@dataclass(frozen=True)
class PhaseCheck(Record):
    """The search for phases on other tokens, another metric or half of the documents; null where it could not be."""

    sparse = ("reason",)

    score: float | None = None  # F of the strongest place
    layer: int | None = None  # of that place
    boundaries: list[int] = field(default_factory=list)  # layers over the threshold
    reason: str | None = None  # why it could not be made


@dataclass(frozen=True)
class PhasesResult(Record):
    """Lasting changes of what blocks write, in the similarity of every pair of updates (docs/phases.md)."""

    boundaries: list[Claim]  # kind "phase", by depth: over the threshold, and standing in every check
    candidate: Claim | None  # the strongest place that is no boundary
    why: list[str]  # why the candidate is none: below the threshold, "one word", "metric-dependent", ...
    score: float | None  # F of the strongest place
    threshold: float | None  # that F must reach at family-wise error 5 % at this depth
    # J80: lasting change (-log CKA, beyond the median transition) that is found in 80 % of cases; null: cannot be
    size80: float | None
    statement: str  # the same in words
    step: Numbers  # lasting change at transitions 1..L-1, -log CKA
    step_error: Numbers  # its SD
    evidence: Numbers  # the step in units of its noise and of the declared tolerance
    alone: Numbers  # what block 1..L writes that no other does, -log CKA
    inflation: float | None  # factor on the error where residuals of neighbouring pairs are alike
    similarity: list[Numbers]  # (L, L): CKA of the updates of blocks, over pairs of different documents
    # without_top_word, limit_2, standardised, odd_documents, even_documents → {score, layer, boundaries} | {reason}
    checks: dict[str, PhaseCheck]
    random_init: list[PhaseCheck]  # of each random twin {score, layer, boundaries}
    documents: int  # behind the similarity
    tokens: dict[str, int]  # main, and by check
    reasons: list[str] = field(default_factory=list)  # why nothing could be found

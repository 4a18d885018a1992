"""Functional scales of one model: where each kind of context is usable (docs/scales.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mspgt.results.record import Interval, Numbers, Record, Rows


@dataclass(frozen=True)
class Located(Record):
    """A number with its interval; null where it could not be measured."""

    value: float | None  # null: not measured
    ci: Interval | None  # 95 % over documents and readers


@dataclass(frozen=True)
class FunctionalTask(Record):
    """One kind of label: how many bits of it each layer adds to what is known without context."""

    scale: str  # L | I | G decide boundaries; S and "" are reported only
    says: str  # what is asked, in words
    beyond: str  # what the gain is beyond: word | bag (the word and the bag of its context) | nothing
    classes: int  # labels that can be told
    words: int  # labelled words that were read
    entropy: float  # of the labels, in bits
    baseline: float  # bits a word that the baseline saves
    gain: Numbers  # bits a word at layer 0..L
    gain_ci: Rows  # same places
    level: Located  # bits: mean of the top fifth of the layers
    defined: bool  # whether the task has a place
    # Why not: flat | small | not beyond the twin | non-monotone | unresolved, in words; empty if defined
    reason: str
    d50: Located  # depth of half the level, in layers
    d90: Located  # depth where .9 of the level is reached
    centre: Located  # mean depth of the quantiles .2 to .8 of the rise
    decline: Located  # depth where the curve falls below .9 of its level; null where it does not


@dataclass(frozen=True)
class FunctionalScale(Record):
    """The tasks of one scale together."""

    tasks: list[str]  # those that are defined
    defined: bool  # whether the scale has a place
    reason: str  # why not; empty if defined
    rise: Numbers | None  # F_s, mean share of their levels reached at layer 0..L
    d50: Located  # depth where half of the level is reached, in layers
    d90: Located  # depth where .9 of the level is reached
    centre: Located  # mean depth of the quantiles .2 to .8 of the rise


@dataclass(frozen=True)
class FunctionalOrder(Record):
    """Whether one scale is built before the next: the gap of their centres."""

    gap: Located  # in layers
    margin: float  # .05 L: the gap must exceed it
    p: float | None  # H0: gap <= margin, both gaps judged together (max-T); the primary test
    p_without_margin: float | None  # H0: gap <= 0
    p_reversed: float | None  # H0: gap >= -margin
    supported: bool | None  # at 5 %; null: no test
    reversed: bool | None  # whether the other order is; null: no test
    reason: str  # why there is no test


@dataclass(frozen=True)
class FunctionalBoundary(Record):
    """Where one scale hands over to the next; null unless both are defined and their order is supported."""

    layer: int | None  # last layer of the earlier scale: where its rise leads the later one's most
    layer_zero_based: int | None  # the same block counted from 0
    relative: float | None  # layer / L
    set: list[int]  # 95 % set of layers
    soft: Located  # centroid of the largest lead, in layers
    ahead: Located  # KS+: the largest lead of the earlier scale over the later, share of rise
    behind: Located  # KS-: of the later over the earlier; curves that cross have both
    reason: str  # why it is undefined; empty if defined


@dataclass(frozen=True)
class FunctionalRepeat(Record):
    """What a part of the evidence says alone."""

    what: str  # half 1 of the documents | readers of deal 1 | …
    documents: int  # in that part
    verdict: str  # of both order tests, in words
    LI: int | None  # layer of the boundary; null where undefined
    IG: int | None  # layer of the boundary; null where undefined
    LI_reason: str  # why it is undefined; empty if defined
    IG_reason: str  # why it is undefined; empty if defined


@dataclass(frozen=True)
class FunctionalScales(Record):
    """Functional scales of one model: where each kind of context is usable (docs/scales.md)."""

    unit: str  # what was resampled: document | sentence
    documents: int  # behind the intervals
    seeds: int  # deals of the documents to readers
    draws: int  # of the bootstrap over them
    declared: list[dict[str, str]]  # the task list, frozen in the plan's hash
    tasks: dict[str, FunctionalTask]  # by name
    scales: dict[str, FunctionalScale]  # L, I, S, G
    order: dict[str, FunctionalOrder]  # LI, IG
    verdict: str  # of both order tests, in words
    LI: FunctionalBoundary  # where Local hands over to Intermediate
    IG: FunctionalBoundary  # where Intermediate hands over to Global
    block_share: Located  # Q: share of each rise in its own block; 1/3 no blocks, 1 perfect
    without: dict[str, dict[str, float | None]]  # task left out → LI, IG (soft), centres of its scale
    twin: dict[str, Any] | None  # comparison by task; scales that are defined in the twin
    off: dict[str, str]  # task → why it could not be asked
    about: dict[str, Any]  # words read, sinks, start token, …
    notes: list[str]  # what a reader must be told
    # Halves of the documents and deals of the readers, each alone; null in runs made before they were asked.
    repeated: list[FunctionalRepeat] | None = None

    def of(self, which: str) -> FunctionalBoundary:
        """LI or IG by its name."""
        return self.LI if which == "LI" else self.IG

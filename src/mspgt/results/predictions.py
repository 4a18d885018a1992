"""Verdicts on the predictions of the theory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mspgt.results.record import HalfOpen, Record

Outcome = Literal["supported", "refuted", "inconclusive", "not testable"]


@dataclass(frozen=True)
class PaperClaim(Record):
    """The paper's claim, where it stands, and what its own numbers say when they are read again."""

    text: str  # what is claimed, in short
    source: str  # section, table or equation of the paper
    paper_verdict: str  # supported | assumed | derived: what the paper says of it
    rereading: str  # in words


@dataclass(frozen=True)
class Unit(Record):
    """One test behind a verdict: a family, a model, a pair of families."""

    always = ("note",)

    name: str  # of the unit
    statistic: float | None  # in the unit of `statistic_name`
    ci: HalfOpen | None  # 95 %, of the statistic
    # Chance of evidence this strong for the prediction if it does not hold here; 1 where the unit cannot speak so
    p_support: float
    p_refute: float  # the same of evidence against it, if it does hold
    evidence: str  # dotted path into results.json
    note: str = ""  # what the reader should know of it


@dataclass(frozen=True)
class UnitResult(Unit):
    """One test behind a verdict, with its p-values as adjusted within this family of tests (Benjamini–Hochberg)."""

    p_support_bh: float | None = field(kw_only=True)  # of `p_support`
    p_refute_bh: float | None = field(kw_only=True)  # of `p_refute`


@dataclass(frozen=True)
class Share(Record):
    """In how many units, of those that are needed."""

    in_: int  # units
    needed: int  # units


@dataclass(frozen=True)
class DecidedBy(Record):
    """In how many units a claim holds or fails beyond the error that so many tests are allowed together.

    Without units there are no keys.
    """

    sparse = ("units", "shown", "unit", "supported", "refuted")

    units: int | None = None  # how many were tested
    shown: str | None = None  # largest | smallest | middle: whose statistic stands for all
    unit: str | None = None  # its name
    supported: Share | None = None  # in how many it holds
    refuted: Share | None = None  # in how many it fails


@dataclass(frozen=True)
class PaperRule(Record):
    """What the paper's own rule says of the same results; never a verdict."""

    rule: str  # in words
    says: str  # supported | not supported | nothing
    statistic: float | None  # as the paper computes it
    why: str  # what it read, or why it says nothing
    null_rate: float | None  # of "supported" where nothing is there


@dataclass(frozen=True)
class SpecifiedReading(Record):
    """The verdict under one reading of the methods."""

    reading: dict[str, str]  # what differs from the primary one
    verdict: str  # as above; of the paper's arithmetic: supported | not supported | nothing
    statistic: float | None  # in the unit of `statistic_name`
    testable: bool  # whether these results allow that reading


@dataclass(frozen=True)
class Specification(Record):
    """The verdict, before Holm, under every reading of the methods that these results allow."""

    readings: list[SpecifiedReading]  # the primary one first
    counts: dict[str, int]  # of verdicts
    # Share of the other testable readings with the primary's verdict; null: it, or every other, is not testable
    agree: float | None
    supported: float | None  # share of them that support


@dataclass(frozen=True)
class NullRate(Record):
    """Rates of verdicts in one kind of world where the prediction is false."""

    worlds: int  # that were planted
    testable: int  # of them
    # Rate of each verdict, and `supported_upper`, its one-sided 95 % bound; null where nothing was testable
    ours: dict[str, float] | None
    paper: dict[str, float] | None  # of the paper's rule, where it has one


@dataclass(frozen=True)
class PredictionResult(Record):
    """A prediction after a study."""

    verdict: Outcome  # supported | refuted | inconclusive | not testable
    statistic: float | None  # of the unit that stands for all
    threshold: float  # that the statistic is held against
    ci: HalfOpen | None  # 95 %, of the statistic
    rule: str  # in words, fixed in advance
    paper_claim: PaperClaim  # what the paper says of it
    null_rate: float | None  # of "supported" where nothing is there, the highest over kinds of worlds
    evidence: list[str]  # dotted paths into results.json
    missing: list[str]  # what would be needed
    power: str  # what the study could show, in words
    id: str  # P1.1, eq23, ...
    title: str  # the prediction in one sentence
    tier: str  # 1 | 2 | 3 | assumption | theory
    headline: bool  # one of the paper's own predictions, over which error is controlled together
    statistic_name: str  # the statistic in words, with its unit
    p_support: float | None  # of all units together, for the prediction; null: not testable
    p_refute: float | None  # against it
    p_support_holm: float | None  # over the headline predictions (Holm); null of the others
    p_refute_holm: float | None  # the same
    why: list[str]  # what the reader must know of the verdict
    units: list[UnitResult]  # every test behind it
    decided_by: DecidedBy  # how many units, and which one stands for all
    paper_rule: PaperRule  # the paper's own rule on the same results
    null_rates: dict[str, NullRate]  # by kind and design of world
    specification: Specification  # under other readings of the methods
    excluded: str  # what "refuted" excludes, in words
    positions: str  # whose boundaries it rests on: functional | shocks | phases

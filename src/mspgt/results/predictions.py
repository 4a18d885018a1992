"""Verdicts on the predictions of the theory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mspgt.results.record import HalfOpen, Record


@dataclass(frozen=True)
class PaperClaim(Record):
    """The paper's claim, where it stands, and what its own numbers say when they are read again."""

    text: str = ""
    source: str = ""
    paper_verdict: str = ""
    rereading: str = ""


@dataclass(frozen=True)
class UnitResult(Record):
    """One test behind a verdict: a family, a model, a pair of families."""

    name: str
    statistic: float | None
    ci: HalfOpen | None
    p_support: float
    p_refute: float
    evidence: str  # dotted path into results.json
    note: str = ""
    p_support_bh: float | None = None  # adjusted within this family of tests
    p_refute_bh: float | None = None


@dataclass(frozen=True)
class Share(Record):
    """In how many units, of those that are needed."""

    in_: int
    needed: int


@dataclass(frozen=True)
class DecidedBy(Record):
    """In how many units a claim holds or fails beyond the error that so many tests are allowed together."""

    sparse = ("units", "shown", "unit", "supported", "refuted")

    units: int | None = None  # null: none was tested
    shown: str | None = None  # largest | smallest | middle: whose statistic stands for all
    unit: str | None = None  # its name
    supported: Share | None = None
    refuted: Share | None = None


@dataclass(frozen=True)
class PaperRule(Record):
    """What the paper's own rule says of the same results; never a verdict."""

    rule: str = ""
    says: str = ""  # supported | not supported | nothing
    statistic: float | None = None
    why: str = ""
    null_rate: float | None = None  # of "supported" where nothing is there


@dataclass(frozen=True)
class SpecifiedReading(Record):
    """The verdict under one reading of the methods."""

    reading: dict[str, str]  # what differs from the primary one
    verdict: str
    statistic: float | None
    testable: bool


@dataclass(frozen=True)
class Specification(Record):
    """The verdict, before Holm, under every reading of the methods that these results allow."""

    readings: list[SpecifiedReading] = field(default_factory=list)  # the primary one first
    counts: dict[str, int] = field(default_factory=dict)  # of verdicts
    agree: float | None = None  # share of the other testable readings with the primary's verdict
    supported: float | None = None  # share of them that support


@dataclass(frozen=True)
class NullRate(Record):
    """Rates of verdicts in one kind of world where the prediction is false."""

    worlds: int
    testable: int
    ours: dict[str, float] | None  # rate of each verdict; null where nothing was testable
    paper: dict[str, float] | None  # of the paper's rule, where it has one


@dataclass(frozen=True)
class PredictionResult(Record):
    """A prediction after a study."""

    verdict: Literal["supported", "refuted", "inconclusive", "not testable"]
    statistic: float | None
    threshold: float
    ci: HalfOpen | None
    rule: str
    paper_claim: PaperClaim
    null_rate: float | None  # of "supported" where nothing is there
    evidence: list[str]  # dotted paths into results.json
    missing: list[str]  # what would be needed
    power: str = ""  # what the study could show, in words
    id: str = ""
    title: str = ""
    tier: str = ""
    headline: bool = False  # one of the paper's own predictions, over which error is controlled together
    statistic_name: str = ""
    p_support: float | None = None
    p_refute: float | None = None
    p_support_holm: float | None = None
    p_refute_holm: float | None = None
    why: list[str] = field(default_factory=list)
    units: list[UnitResult] = field(default_factory=list)
    decided_by: DecidedBy = field(default_factory=DecidedBy)
    paper_rule: PaperRule = field(default_factory=PaperRule)
    null_rates: dict[str, NullRate] = field(default_factory=dict)  # by kind and design of world
    specification: Specification = field(default_factory=Specification)
    excluded: str = ""  # what "refuted" excludes, in words
    positions: str = ""  # whose boundaries it rests on: functional | shocks | phases

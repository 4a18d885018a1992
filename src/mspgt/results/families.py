"""Experiment 3: how consistent boundary positions are within a family, and how families differ."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.record import HalfOpen, Interval, Record


@dataclass(frozen=True)
class DriftResult(Record):
    """Distance |ρ_second − ρ_first| between two members of one family."""

    first: str  # a model
    second: str  # another one of the family
    drift: float  # in relative depth
    same_architecture: bool | None = None  # null in runs of old


@dataclass(frozen=True)
class OffsetResult(Record):
    """Mean position less that of another family."""

    offset: float  # in relative depth
    ci: Interval | None  # Welch, 95 %
    offset_paper: float  # percent, as the paper rounds


@dataclass(frozen=True)
class DriftPart(Record):
    """How far one thing that training runs differ in moves a boundary, the others being equal (equation 2)."""

    sd: float | None  # of relative positions among runs that differ in it alone
    ci: Interval | None  # 95 %, for normal positions
    freedom: int  # runs less groups
    rounding: float | None  # the SD that errors of the positions give by themselves
    groups: list[list[str]]  # runs that differ in it alone
    reason: str = ""  # why there is none, or which runs are left out


@dataclass(frozen=True)
class Consistency(Record):
    """One boundary over the members of one family, by one account. Positions are relative, ρ = layer / layers."""

    members: dict[str, float]  # model → ρ
    missing: list[str]  # members without it
    mean: float | None  # of ρ; null: no member has it
    sd: float | None  # n − 1
    cv: float | None  # sd over mean
    ci: HalfOpen | None  # 95 % of the CV (Vangel 1996)
    percent_paper: dict[str, float]  # rounded half-up to one decimal
    mean_paper: float | None  # percent, of the rounded positions
    cv_paper: float | None  # divides by n
    drift: list[DriftResult]  # every two members
    max_drift: float | None  # the largest; null: fewer than two members
    underpowered: bool  # fewer than three members
    reasons: list[str] = field(default_factory=list)  # why numbers are null
    offsets: dict[str, OffsetResult] = field(default_factory=dict)  # by other family
    # seed | data | optimiser → its part in the drift; null where no run declares what it was trained with
    split: dict[str, DriftPart] | None = None


@dataclass(frozen=True)
class FamilyResult(Consistency):
    """The shocks of the calibrated detector, with the other accounts beside them: those that were asked."""

    sparse = ("paper", "functional", "phases")

    paper: Consistency | None = None  # boundaries of paper mode
    functional: Consistency | None = None  # boundaries of functional scales
    phases: Consistency | None = None  # boundaries of phases

"""The thresholds of every verdict. They are part of the plan's hash: nothing here can follow a result."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Literal


@dataclass(frozen=True)
class Rules:
    """What a verdict is held against. Thresholds named by the paper keep its values."""

    # An unknown key in a study file is an error, as everywhere else in it.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    # Where functional scales were measured in no model of a study, shocks are read, and every verdict says so.
    positions: Literal["functional", "shocks", "phases"] = "functional"  # whose boundaries are judged
    level: float = 0.05  # chance of a false "supported", over all headline predictions together (Holm)
    cv: float = 0.2  # P1.1: coefficient of variation of the L–I position within a family
    members: int = (
        3  # P1.1, P3.1, A3: least training runs of a family, whose spread is part of every interval
    )
    ratio: float = 5.0  # P3.1: local brittleness of one family over another's
    drift: float = 0.3  # P3.2: distance of the I–G positions of two runs, in relative depth
    runs: int = 3  # P3.2: least training runs of one architecture, in all of which boundaries match
    drifting_pairs: float = 0.05  # P3.2 is refuted where fewer pairs of runs than this can drift so far
    kink: float = 4.0  # P1.2 is refuted where a kink of so many SDs of the other layers' bends is excluded
    markov: float = 0.05  # A2: conditional over plain mutual information
    slope_margin: float = 0.5  # eq. 23: log–log slope of β on entropy, around −1
    fisher_margin: float = (
        0.25  # eq. 30: loss slope over half the Fisher trace, between 1/(1 + this) and 1 + this
    )
    architectures: int = 8  # eq. 31, β_G: least architectures over which a rank correlation is told
    association: float = 0.5  # eq. 31, β_G: rank correlation over architectures that "refuted" excludes
    exponent_margin: float = 0.1  # eq. 34: exponent of interval width on draws, at most −1/2 and this

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, str) and not value > 0:
                raise ValueError(f"{field.name} must be positive, found {value}")
        for name in ("level", "drift", "drifting_pairs", "association"):
            if not getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1, found {getattr(self, name)}")
        for name in ("members", "runs"):
            if getattr(self, name) < 3:
                raise ValueError(
                    f"{name} must be at least 3 (two say almost nothing), found {getattr(self, name)}"
                )
        if self.architectures < 5:
            raise ValueError(
                f"architectures must be at least 5 (four may always be chance), found {self.architectures}"
            )
        if self.level > 0.05:
            raise ValueError(f"level is at most 0.05, found {self.level}")
        if not self.ratio > 1:
            raise ValueError(f"ratio must exceed 1, found {self.ratio}")

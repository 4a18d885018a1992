"""What rounding does to a model that computes in half precision."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.record import Numbers, Record


@dataclass(frozen=True)
class SignalPrecision(Record):
    """One signal of calibrated mode on the same sentences in both types, over transitions 1..L−1."""

    own: Numbers  # in the model's type
    float32: Numbers  # in float32
    difference: Numbers  # own less float32, in the units of the signal
    digits: Numbers  # decimal digits that agree, 0 to 7


@dataclass(frozen=True)
class PrecisionResult(Record):
    """Some sentences of a model that computes in bfloat16 or float16, read in float32 too."""

    dtype: str  # bfloat16 | float16
    documents: int  # behind the sentences
    sentences: int  # read in both types
    tokens: int  # that S1 of these sentences is computed on
    statement: str  # what follows, in words
    states: Numbers = field(default_factory=list)  # layer 0..L: |h − h32| / |h32|, median over tokens
    signals: dict[str, SignalPrecision] = field(default_factory=dict)  # S1, S3
    # S1, S3 → transitions where fewer than three digits agree: 0.1 % apart or more
    lost: dict[str, list[int]] = field(default_factory=dict)
    # S1, S3 → the largest difference over half of the 95 % interval at its transition; null without an interval
    of_interval: dict[str, float | None] = field(default_factory=dict)
    reason: str = ""  # why it could not be estimated; lists are empty then

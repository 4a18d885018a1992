"""How many digits of a half-precision model's signals can be believed, for results and for the reader."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mspgt.results import Notice, PrecisionResult, SignalPrecision, numbers
from mspgt.results.record import Rows
from mspgt.signals.precision import Precision
from mspgt.study import codec
from mspgt.study.identity import Identity
from mspgt.study.stages import Addresses

Intervals = Mapping[str, Mapping[str, Rows | None]]


def precision_result(
    identity: Identity, where: Addresses, intervals: Intervals
) -> tuple[PrecisionResult | None, list[Notice]]:
    """What rounding does to one model, from the store, and the notice where three digits are lost.

    Args:
        intervals: S1, S3 → mode → 95 % intervals over transitions (`ModelResult.signals_ci`).
    """
    if where.precision is None:
        return None, []
    place = f"models.{identity.label}.precision"
    stored = where.precision.load()
    if reason := stored.meta.get("reason", ""):
        told = f"not compared with float32: {reason}"
        empty = PrecisionResult(identity.dtype, 0, 0, 0, told, reason=reason)
        return empty, [Notice(place, f"{identity.dtype}: {told}", "how many digits hold is not known")]
    found = codec.unpack_precision(stored)
    shares = {name: _of_interval(found, name, intervals) for name in found.own}
    lost = {name: found.lost(name) for name in found.own}
    statement = _statement(identity.dtype, found, lost, shares)
    result = PrecisionResult(
        dtype=identity.dtype,
        documents=found.documents,
        sentences=found.sentences,
        tokens=found.tokens,
        states=numbers(found.states),
        signals={
            name: SignalPrecision(
                own=numbers(found.own[name]),
                float32=numbers(found.float32[name]),
                difference=numbers(found.difference(name)),
                digits=numbers(found.digits(name)),
            )
            for name in found.own
        },
        lost=lost,
        of_interval=shares,
        statement=statement,
    )
    if not any(lost.values()):
        return result, []
    return result, [
        Notice(place, statement, f"read them to as many digits, or measure with dtype float32 ({place})")
    ]


def _of_interval(found: Precision, signal: str, intervals: Intervals) -> float | None:
    """The largest difference over half of the interval at its transition."""
    ends = intervals.get(signal, {}).get("calibrated")
    shares = [
        2 * abs(difference) / (pair[1] - pair[0])
        for difference, pair in zip(found.difference(signal), ends or [], strict=bool(ends))
        if pair is not None and np.isfinite(difference) and pair[1] > pair[0]
    ]
    return float(max(shares)) if shares else None


def _statement(
    dtype: str, found: Precision, lost: Mapping[str, list[int]], shares: Mapping[str, float | None]
) -> str:
    layer = int(np.argmax(found.states))
    told = [
        f"{found.sentences} sentences read in {dtype} and in float32: states differ by {found.states[layer]:.1%} "
        f"of their length at layer {layer}, where most (median over tokens)"
    ]
    for name, transitions in lost.items():
        digits = found.digits(name)
        known = np.isfinite(digits)
        if not known.any():
            told.append(f"{name} has no value on these sentences")
            continue
        if not transitions:
            told.append(f"three digits of {name} agree everywhere")
            continue
        worst = int(np.nanargmin(digits))
        words = (
            f"fewer than three digits of {name} agree at {len(transitions)} of {known.sum()} transitions "
            f"({digits[worst]:.1f} at transition {worst + 1}: {found.own[name][worst]:.4g}, in float32 "
            f"{found.float32[name][worst]:.4g})"
        )
        share = shares[name]
        told.append(words + ("" if share is None else f", at most {share:.2f} of half a 95 % interval apart"))
    return "; ".join(told)

"""The calibrated detector: boundaries shared by the signals, at a known family-wise error rate.

Up to four spikes, bumps, steps and kinks, none as often as none is what wins: over the null family of
`mspgt.stats.nulls` a profile without a boundary yields a claim in at most 5 % of cases.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.boundaries.confidence import confidence_set, score_curve, support
from mspgt.boundaries.contrasts import Array
from mspgt.boundaries.noise import scaled
from mspgt.boundaries.power import noise_share, power_statement
from mspgt.boundaries.search import Path, climb
from mspgt.boundaries.tables import LEVEL, Row, drop_at, row
from mspgt.errors import InputError, NumericsError
from mspgt.results.boundaries import PowerStatement, Rival
from mspgt.stats.nulls import SIGNALS
from mspgt.vocabulary import KINDS


@dataclass(frozen=True)
class Claim:
    """One boundary."""

    kind: str
    layer: int  # l, from 1: layers 1..l lie before it
    relative: float  # l / L
    set: tuple[int, ...]  # 95 % confidence set of layers; may have gaps
    score: float
    critical: float
    support: int  # signals with a peak of their own within one layer


@dataclass(frozen=True)
class CalibratedBoundaries:
    """What was found, what was chosen, what else could be said, and what could not have been seen."""

    spike: tuple[Claim, ...]
    bump: tuple[Claim, ...]
    step: tuple[Claim, ...]
    kink: tuple[Claim, ...]
    chosen: dict[str, Claim | None]  # LI, IG
    noise_ratio: tuple[float, ...]  # se/τ by signal; NaN without a bootstrap
    power: dict[str, PowerStatement]  # by kind
    rivals: dict[str, list[Rival]]  # "1", "4": the best one and the best four places, passed or not
    evidence: (
        NDArray[np.float64] | None
    )  # (transitions,): fused score of a spike; NaN where none can be claimed
    reasons: list[str] = field(default_factory=list)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """All claims by depth."""
        return tuple(sorted((c for k in KINDS for c in getattr(self, k)), key=lambda claim: claim.layer))


def detect_calibrated(
    signals: ArrayLike,
    *,
    scale_floor: ArrayLike | None = None,
    level: float = LEVEL,
    replicated: bool = False,
) -> CalibratedBoundaries:
    """Find boundaries in signal profiles at family-wise error `level`.

    Args:
        signals: `(3, transitions)`, variance-stabilised (`stabilise`), a row of NaN where not measured; with
            `replicated`, `(replicates, 3, transitions)`: training runs of one configuration, whose mean is
            read with the critical values of a single run.
        scale_floor: sentence noise over document resamples, the least that counts as roughness: its covariance
            between transitions `(3, transitions, transitions)`, or its SDs `(3, transitions)` if uncorrelated. A
            measured row of NaN was not resampled: its noise ratio is NaN and its roughness has no floor.
        level: 0.05 is what the shipped table holds.

    LI and IG are the two claims with the highest score over critical value, in order of depth. One claim
    alone is a boundary, but which of the two it is cannot be known: both stay None, and a reason says so.

    Raises:
        InputError: wrong shapes, a row partly NaN, another level, or more transitions than the table holds.
        NumericsError: a signal that is the same at every transition.
    """
    if level != LEVEL:
        raise InputError(
            f"the shipped table holds level {LEVEL}; found {level}. Calibrate another with `calibration`"
        )
    values = _profiles(signals, replicated)
    transitions = values.shape[-1]
    measured = np.asarray(~np.isnan(values).all(axis=1))
    known = values[measured]
    floor = _floor(scale_floor, values.shape, measured)
    if replicated and floor is not None:
        floor = scaled(floor, np.shape(signals)[0] ** -0.5)
    limits = row(transitions, len(known))
    constant = [f"S{i + 1}" for i in np.flatnonzero(measured) if limits.critical and np.ptp(values[i]) == 0]
    if constant:
        raise NumericsError(
            f"{' and '.join(constant)} is the same at all {transitions} transitions, so it has no roughness "
            "to hold a boundary against; mark it as not measured (NaN) if it was not"
        )
    noise = np.full(len(values), np.nan)
    if floor is not None:
        noise[measured] = noise_share(known, floor)
        floor = np.nan_to_num(floor)
    power = _power(transitions, len(known), noise[measured])
    if not limits.critical:
        nothing: dict[str, Claim | None] = {"LI": None, "IG": None}
        why = [f"no boundary could have been seen: {transitions} transitions are too few for any kind"]
        return CalibratedBoundaries((), (), (), (), nothing, tuple(noise), power, {}, None, why)
    path = climb(known[None], limits.critical, scale_floor=floor)
    accepted = int(path.accepted[0])
    claims = [_claim(known, path, i, accepted, limits, floor) for i in range(accepted)]
    chosen, reasons = _choose(claims, path.ratio[0])
    blind = [kind for kind in KINDS if power[kind].size80 is None]
    if blind:
        reasons.append(f"could not have been seen at this depth: {', '.join(blind)}")
    evidence = _evidence(known, path.elements[:, :, :accepted], floor)
    by_kind = {
        kind: tuple(sorted((c for c in claims if c.kind == kind), key=lambda c: c.layer)) for kind in KINDS
    }
    return CalibratedBoundaries(
        **by_kind,
        chosen=chosen,
        noise_ratio=tuple(float(value) for value in noise),
        power=power,
        rivals={"1": _rivals(path, limits.critical, 1), "4": _rivals(path, limits.critical, 4)},
        evidence=evidence,
        reasons=reasons,
    )


def _profiles(signals: ArrayLike, replicated: bool) -> Array:
    values = np.asarray(signals, dtype=np.float64)
    expected = ("replicates", SIGNALS, "transitions") if replicated else (SIGNALS, "transitions")
    if values.ndim != len(expected) or values.shape[-2] != SIGNALS or 0 in values.shape:
        raise InputError(f"expected signals of shape {expected}, rows S1, S2, S3; found {values.shape}")
    gaps = np.isnan(values)
    if np.isinf(values).any() or (gaps.any(axis=-1) != gaps.all(axis=-1)).any():
        raise InputError(
            "expected finite signals, or a whole row of NaN where one was not measured; found a mixture"
        )
    if replicated:
        values = values.mean(axis=0)
    if np.isnan(values).all():
        raise InputError("expected at least one measured signal; found none")
    return values


def _floor(
    scale_floor: ArrayLike | None, shape: tuple[int, ...], measured: NDArray[np.bool_]
) -> Array | None:
    if scale_floor is None:
        return None
    floor = np.asarray(scale_floor, dtype=np.float64)
    if floor.shape not in (shape, (*shape, shape[-1])):
        raise InputError(
            f"expected a scale floor of shape {shape}, or a covariance {(*shape, shape[-1])}; found {floor.shape}"
        )
    known = floor[measured]
    size = known if floor.ndim == 2 else np.diagonal(known, axis1=1, axis2=2)
    if not ((size >= 0).all(axis=1) | np.isnan(size).all(axis=1)).all():
        raise InputError(
            "expected a scale floor of 0 or more in measured rows, or a row of NaN where nothing was resampled; "
            f"found {size.tolist()}"
        )
    return known


def _power(transitions: int, signals: int, noise: Array) -> dict[str, PowerStatement]:
    """What could have been found, with the noise of each signal; noise that is not known counts as none."""
    ratios = [0.0 if np.isnan(ratio) else float(ratio) for ratio in noise]
    return {kind: power_statement(transitions, kind, noise_ratio=ratios, signals=signals) for kind in KINDS}


def _claim(known: Array, path: Path, i: int, accepted: int, limits: Row, floor: Array | None) -> Claim:
    kind, place = KINDS[path.kind[0, i]], int(path.place[0, i])
    others = np.delete(path.elements[:, :, :accepted], i, axis=2)
    curve, own = score_curve(known[None], kind, path.elements[:, :, i : i + 1], others, scale_floor=floor)
    score, critical = float(path.score[0, i]), limits.critical[kind]
    within = confidence_set(curve[0], place, drop_at(limits.drop[kind], score / critical))
    return Claim(
        kind=kind,
        layer=place + 1,
        relative=(place + 1) / (known.shape[-1] + 1),
        set=tuple(t + 1 for t in within),
        score=score,
        critical=critical,
        support=support(own[0], place),
    )


def _choose(claims: list[Claim], ratios: Array) -> tuple[dict[str, Claim | None], list[str]]:
    if len(claims) < 2:
        why = (
            "one boundary was found, so which of L–I and I–G it is stays open"
            if claims
            else "no boundary was found"
        )
        return {"LI": None, "IG": None}, [why]
    strongest = sorted(range(len(claims)), key=lambda i: -ratios[i])[:2]
    first, second = sorted((claims[i] for i in strongest), key=lambda claim: claim.layer)
    reasons = (
        []
        if len(claims) == 2
        else [f"{len(claims)} boundaries were found; L–I and I–G are the two strongest"]
    )
    return {"LI": first, "IG": second}, reasons


def _rivals(path: Path, critical: Mapping[str, float], count: int) -> list[Rival]:
    return [
        Rival(
            kind=KINDS[path.kind[0, i]],
            layer=int(path.place[0, i]) + 1,
            score=float(path.score[0, i]),
            critical=critical[KINDS[path.kind[0, i]]],
        )
        for i in range(count)
        if path.kind[0, i] >= 0
    ]


def _evidence(known: Array, claimed: NDArray[np.int64], floor: Array | None) -> Array:
    nothing = claimed[..., :0]
    curve, _ = score_curve(known[None], "spike", claimed, nothing, scale_floor=floor)
    return curve[0]

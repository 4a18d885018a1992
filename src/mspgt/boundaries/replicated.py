"""Several training runs of one configuration, judged on the mean of their profiles.

What is common to the runs stays in the mean, and the layer-to-layer roughness that each run has of its own falls
with the root of their number: the way to see anything in a shallow model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.contrasts import bank
from mspgt.boundaries.detector import detect_calibrated
from mspgt.boundaries.embedding import calibrated_from_embedding
from mspgt.boundaries.find import Findings, calibrated_result
from mspgt.boundaries.noise import noise_covariance, scaled
from mspgt.boundaries.robustness import robustness
from mspgt.boundaries.stabilise import restabilise
from mspgt.errors import InputError
from mspgt.results import ReplicatedResult
from mspgt.stats.bootstrap import LEAST_SHARE
from mspgt.vocabulary import SIGNALS

Array = NDArray[np.float64]


def find_replicated(runs: Mapping[str, Findings], family: str, *, level: float = 0.05) -> ReplicatedResult:
    """Boundaries of the mean profile of two runs or more, with critical values of a single one.

    Args:
        runs: label → `find_boundaries` of that run; all of one depth. A signal counts if every run has it.
            Bootstrap draws must be of the same documents in the same order, as those of one study are.
        family: that the runs belong to.

    Raises:
        InputError: fewer than two runs, or of different depths.
    """
    found = _of_one_floor(list(runs.values()))
    profiles = [one.stabilised for one in found]
    if len(found) < 2 or len({profile.shape for profile in profiles}) > 1:
        shapes = {label: one.stabilised.shape[-1] + 1 for label, one in runs.items()}
        raise InputError(f"expected two runs or more of one depth; found layers {shapes}")
    seen = np.stack(profiles)
    mean = seen.mean(axis=0)
    noise, doubts = _noise(found)
    if np.isnan(mean).all():
        raise InputError(f"no signal was measured in all of {', '.join(runs)}; judge each run by itself")
    calibrated = detect_calibrated(
        seen,
        # The detector takes the noise of one run and divides it by the root of their number.
        scale_floor=None if noise is None else scaled(noise, len(found) ** 0.5),
        level=level,
        replicated=True,
    )
    halves = [one.halves for one in found if one.halves is not None]
    stands = robustness(
        calibrated,
        mean,
        with_sinks=_mean([one.with_sinks for one in found]),
        token_sets={name: _mean([one.token_sets.get(name) for one in found]) for name in found[0].token_sets},
        halves=(np.mean([h[0] for h in halves], axis=0), np.mean([h[1] for h in halves], axis=0))
        if len(halves) == len(found)
        else None,
        scale_floor=noise,
        level=level,
    )
    first = found[0].first
    layers = mean.shape[-1] + first
    result = calibrated_result(calibrated, stands)
    result = replace(result, reasons=[*result.reasons, *doubts])
    if first == 0:
        result = calibrated_from_embedding(result, layers)
    ratio = _roughness(mean) / np.median([_roughness(profile) for profile in profiles], axis=0)
    known = ratio[np.isfinite(ratio)]
    typical = float(np.median(known)) if len(known) else None
    size80 = {
        kind: None if typical is None or power.size80 is None else power.size80 * typical
        for kind, power in result.power.items()
    }
    return ReplicatedResult(
        runs=list(runs),
        family=family,
        layers=layers,
        signals={
            name: None if np.isnan(row).all() else [float(v) for v in row[1 - first :]]
            for name, row in zip(SIGNALS, mean, strict=True)
        },
        roughness_ratio={
            name: float(value) if np.isfinite(value) else None
            for name, value in zip(SIGNALS, ratio, strict=True)
        },
        calibrated=result,
        size80=size80,
        statement=_statement(len(found), size80),
    )


def _of_one_floor(found: list[Findings]) -> list[Findings]:
    """The runs on one scale: each has the floor of its own noise, and a mean needs one, the median of theirs.

    Of runs that are not of one depth nothing is made: they are refused by their shapes.
    """
    floors = np.stack([one.floors for one in found])
    common = np.median(floors, axis=0)

    def again(values: Array, own: Array) -> Array:
        return restabilise(values, own, common)

    return [
        replace(
            one,
            stabilised=again(one.stabilised, one.floors),
            shaken=None if one.shaken is None else again(one.shaken, one.floors),
            with_sinks=None if one.with_sinks is None else again(one.with_sinks, one.floors),
            token_sets={
                name: None if profile is None else again(profile, one.floors)
                for name, profile in one.token_sets.items()
            },
            halves=None
            if one.halves is None
            else (again(one.halves[0], one.floors), again(one.halves[1], one.floors)),
            floors=common,
        )
        for one in found
    ]


def _mean(profiles: Sequence[Array | None]) -> Array | None:
    """The mean of a variant that every run has; None where one lacks it."""
    known = [profile for profile in profiles if profile is not None]
    return np.asarray(np.mean(known, axis=0)) if len(known) == len(profiles) else None


def _noise(found: Sequence[Findings]) -> tuple[Array | None, list[str]]:
    """Covariance of the mean profile over the draws that all runs have; None without, with the reason."""
    shaken = [one.shaken for one in found if one.shaken is not None]
    if len(shaken) < len(found):
        return None, []
    drawn = [
        np.arange(len(draws)) if one.drawn is None else one.drawn
        for one, draws in zip(found, shaken, strict=True)
    ]
    common = reduce(np.intersect1d, drawn)
    if len(common) < LEAST_SHARE * max(map(len, drawn)):
        return None, [f"only {len(common)} bootstrap draws are common to the runs: noise is not floored"]
    # Runs are measured on the same documents, so their noise does not average out: resample the mean itself.
    rows = [draws[np.isin(which, common)] for which, draws in zip(drawn, shaken, strict=True)]
    return noise_covariance(np.mean(rows, axis=0)), []


def _roughness(profile: Array) -> Array:
    """Median absolute contrast of a spike: (signals,), NaN where not measured or too short for one."""
    store = bank(profile.shape[-1])
    filters = store.filters[store.elements["spike"]]
    if not len(filters):
        return np.full(len(profile), np.nan)
    return np.asarray(np.median(np.abs(profile @ filters.T), axis=1))


def _statement(runs: int, size80: Mapping[str, float | None]) -> str:
    seen = [f"a {kind} of {size:.1f}" for kind, size in size80.items() if size is not None]
    blind = [kind for kind, size in size80.items() if size is None]
    parts = []
    if seen:
        parts.append(
            f"common to {runs} runs, {', '.join(seen)} SD of one run's roughness is found in 80 % of cases"
        )
    if blind:
        parts.append(f"could not have been seen in {runs} runs: {', '.join(blind)}")
    return "; ".join(parts)

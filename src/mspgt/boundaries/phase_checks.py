"""Whether a boundary of phases stands when tokens, metric or documents change: a claim that does not is a candidate.

Documents are not enough: the strongest place of a real model can pass in every half of the documents and still be
one word, whose tokens have a life of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.boundaries.caterpillar import fit_chain
from mspgt.boundaries.phases import (
    LEAST_ERROR,
    LEAST_SIMILARITY,
    SHALLOWEST,
    Phase,
    Phases,
    find_phases,
)
from mspgt.signals.similarity import LIMIT_2, MAIN, STANDARDISED, WITHOUT_TOP_WORD, UpdateSimilarity

Array = NDArray[np.float64]

ODD, EVEN = "odd_documents", "even_documents"
# What it means that a claim is not made again; in the order in which reasons are told.
CHECKS: Mapping[str, str] = {
    WITHOUT_TOP_WORD: "one word",
    LIMIT_2: "a few tokens of large norm",
    STANDARDISED: "metric-dependent",
    ODD: "not in the odd documents alone",
    EVEN: "not in the even documents alone",
}
WITHIN = 1  # layers


@dataclass(frozen=True)
class Standing:
    """A place over the threshold: which checks claim it again within one layer; None where one could not be made."""

    phase: Phase
    robust: dict[str, bool | None]

    @property
    def reasons(self) -> list[str]:
        """Why it is a candidate and no boundary; empty where it is one."""
        return [CHECKS[name] for name, stands in self.robust.items() if stands is False]


@dataclass(frozen=True)
class ModelPhases:
    """Phases of one model: `boundaries` stand in every check, `candidates` are over the threshold and do not.

    `main` is what the similarity over all word-final tokens without sinks says, `checks` what each variant does;
    `unmade`: check → why it could not be made. `document_error` (L−1,): bootstrap SD of a step over documents; None
    where there was no bootstrap.
    """

    main: Phases
    boundaries: tuple[Standing, ...]
    candidates: tuple[Standing, ...]
    checks: dict[str, Phases]
    unmade: dict[str, str]
    document_error: Array | None


def model_phases(
    seen: UpdateSimilarity, *, weights: ArrayLike | None = None, level: float = 0.05
) -> ModelPhases:
    """Find phases, and make every check of section "what a claim must stand" on them.

    Args:
        seen: similarity of what blocks write, with its variants.
        weights: (draws, documents) bootstrap multiplicities; a step's error is never below its SD over them.
        level: family-wise error, 0.05 or 0.01.

    Raises:
        InputError: a block whose update is the same for every token.
    """
    deep = seen.layers >= SHALLOWEST
    shaken = document_error(seen, weights) if weights is not None and deep else None
    least = LEAST_ERROR if shaken is None else np.maximum(LEAST_ERROR, shaken)
    main = find_phases(seen.matrices[MAIN], level=level, least_error=least)
    checks, unmade = {}, {}
    for name in (WITHOUT_TOP_WORD, LIMIT_2, STANDARDISED):
        matrix = seen.matrices.get(name)
        if matrix is None or not np.isfinite(matrix).all():
            unmade[name] = (
                "no such tokens" if matrix is None else "its tokens come from fewer than two documents"
            )
        else:
            checks[name] = find_phases(matrix, level=level, least_error=least)
    documents = np.arange(len(seen.sizes))
    for name, chosen in ((ODD, documents % 2 == 0), (EVEN, documents % 2 == 1)):
        half = from_band(seen.band(chosen.astype(np.float64)))
        near = np.isfinite(seen.band(chosen.astype(np.float64))[:, 0])
        if not near.all():
            unmade[name] = "it holds no pair of documents"
        else:
            checks[name] = find_phases(half, level=level, least_error=np.sqrt(2) * least)
    standing = [
        Standing(
            phase,
            {name: None if name in unmade else _again(checks[name], phase.layer) for name in CHECKS},
        )
        for phase in main.boundaries
    ]
    return ModelPhases(
        main=main,
        boundaries=tuple(one for one in standing if not one.reasons),
        candidates=tuple(one for one in standing if one.reasons),
        checks=checks,
        unmade=unmade,
        document_error=shaken,
    )


def document_error(seen: UpdateSimilarity, weights: ArrayLike) -> Array:
    """Bootstrap SD of each step over documents, (L−1,); NaN counts as none, where draws leave no pair."""
    matrices = from_band(seen.band(weights))
    known = np.isfinite(matrices[:, np.arange(seen.layers), np.arange(seen.layers)]).all(axis=1)
    usual = np.nan_to_num(matrices[known], nan=1.0)
    steps = fit_chain(-np.log(np.clip(usual, LEAST_SIMILARITY, 1.0))).step
    return np.asarray(steps.std(axis=0))


def from_band(band: Array) -> Array:
    """(…, L, lags) similarity of block i and i + lag → (…, L, L), NaN where pairs are further apart."""
    layers, lags = band.shape[-2:]
    matrix = np.full((*band.shape[:-1], layers), np.nan)
    for lag in range(lags):
        first = np.arange(layers - lag)
        matrix[..., first, first + lag] = matrix[..., first + lag, first] = band[..., first, lag]
    return matrix


def _again(found: Phases, layer: int) -> bool:
    return any(abs(one.layer - layer) <= WITHIN for one in found.boundaries)

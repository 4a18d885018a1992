"""Values of the theory with their intervals over documents, as its blocks hold them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.stats.bootstrap import LEAST_DOCUMENTS, document_weights, expanded_interval
from mspgt.study.parts import Given

Array = NDArray[np.float64]


def draws_and_seed(given: Given) -> tuple[int, int]:
    """Bootstrap draws, and the seed of the study."""
    assert given.config.theory is not None
    return given.config.theory.draws, given.config.seed


def weights_of(given: Given, documents: int) -> Array | None:
    """Bootstrap draws of so many documents, (draws, documents); None where they are too few for an interval."""
    draws, seed = draws_and_seed(given)
    return document_weights(documents, draws, seed) if documents >= LEAST_DOCUMENTS else None


def with_interval(value: Callable[[Array | None], Array], weights: Array | None) -> dict[str, Any]:
    """`value` and its 95 % `ci`, from a value (...) without weights that is (draws, ...) under them."""
    point = np.asarray(value(None))
    if weights is None:
        return {"value": point.tolist(), "ci": None}
    low, high = expanded_interval(value(weights), weights.shape[1])
    return {"value": point.tolist(), "ci": np.stack([low, high], axis=-1).tolist()}

"""The whole rule of phases, checks and all, on stacks of tokens whose similarity of updates is known."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mspgt.boundaries.phase_checks import model_phases
from mspgt.planted.updates import measured, tokens_of
from mspgt.stats.bootstrap import document_weights

DRAWS = 100


def token_stacks(layers: int, runs: int, seed: Sequence[int]) -> list[dict[str, Any]]:
    """The whole rule, checks and all, on stacks of tokens: claims before and after the checks."""
    rng = np.random.default_rng(list(seed))
    rows = []
    cells: dict[str, dict[str, Any]] = {
        "no boundary": {},
        "no boundary, 20 documents, 400 tokens": {"documents": 20, "tokens": 400},
        "a boundary of 0.4": {"jump": 0.4},
        "a boundary of 0.6": {"jump": 0.6},
        "a boundary of one word only": {"word_jump": 6.0},
    }
    for name, cell in cells.items():
        sizes = {key: cell[key] for key in ("documents", "tokens") if key in cell}
        row = {"stack": name, "runs": runs, "over_threshold": 0, "claimed": 0, "right": 0}
        for _ in range(runs):
            place = int(rng.integers(4, layers - 4))
            steps = np.exp(0.25 * rng.standard_normal(layers - 1)) / (layers - 1)
            word = np.zeros(layers - 1) if "word_jump" in cell else None
            steps[place - 1] += cell.get("jump", 0.0)
            if word is not None:
                word[place - 1] += cell["word_jump"]
            seen = measured(tokens_of(steps, word_steps=word, rng=rng, **sizes), rng)
            found = model_phases(
                seen, weights=document_weights(len(seen.sizes), DRAWS, int(rng.integers(1 << 30)))
            )
            row["over_threshold"] += bool(found.main.boundaries)
            row["claimed"] += bool(found.boundaries)
            row["right"] += any(abs(one.phase.layer - place) <= 1 for one in found.boundaries)
        rows.append(row)
    return rows

"""What parts of the same evidence say alone: each half of the documents, each deal of the readers.

A boundary that one half of the documents shows and the other does not is not yet known; neither is one that depends
on which documents the readers happened to learn from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mspgt.results import FunctionalRepeat, FunctionalScales
from mspgt.scales.decide import decide_scales
from mspgt.scales.gains import Gains
from mspgt.scales.tasks import TASKS, Task

DRAWS = 300  # of each part: enough for a verdict at 5 %, and no interval is given
LEAST = 10  # documents a half


def repeat_scales(
    gains: Gains,
    *,
    tasks: Sequence[Task] = TASKS,
    twin: Gains | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[FunctionalRepeat]:
    """The verdict of `decide_scales` on two random halves of the documents, and on each deal of the readers.

    Readers learn from documents of both halves: a half says how much its documents decide, not what a run on half as
    many would give. Empty for fewer than 20 documents.
    """
    return [
        _said(what, decide_scales(part, tasks=tasks, twin=other, draws=draws, seed=seed))
        for what, part, other in _parts(gains, twin, seed)
    ]


def halves(documents: int, seed: int) -> list[NDArray[np.int64]]:
    """Numbers of the documents of two random halves, (documents / 2,) each."""
    return np.array_split(np.random.default_rng([seed, 2]).permutation(documents), 2)


def _parts(gains: Gains, twin: Gains | None, seed: int) -> Iterator[tuple[str, Gains, Gains | None]]:
    deals, documents = gains.sums.shape[:2]
    if documents >= 2 * LEAST:
        for number, own in enumerate(halves(documents, seed), 1):
            yield f"half {number} of the documents", _of(gains, own), _of(twin, own) if twin else None
    if documents >= LEAST and deals > 1:
        for number in range(deals):
            yield f"readers of deal {number + 1}", _dealt(gains, number), twin


def _of(gains: Gains, documents: NDArray[np.int64]) -> Gains:
    return replace(
        gains,
        sums=gains.sums[:, documents],
        counts=gains.counts[documents],
        baseline=gains.baseline[:, documents],
    )


def _dealt(gains: Gains, number: int) -> Gains:
    return replace(gains, sums=gains.sums[[number]], baseline=gains.baseline[[number]])


def _said(what: str, found: FunctionalScales) -> FunctionalRepeat:
    return FunctionalRepeat(
        what=what,
        documents=found.documents,
        verdict=found.verdict,
        LI=found.LI.layer,
        IG=found.IG.layer,
        LI_reason=found.LI.reason,
        IG_reason=found.IG.reason,
    )

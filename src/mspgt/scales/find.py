"""Functional scales of one model, from a treebank to depths, order and boundaries: what `mspgt.find_scales` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mspgt.lm.start import AUTO
from mspgt.lm.twin import random_twin
from mspgt.results import FunctionalScales
from mspgt.scales.decide import DRAWS, decide_scales
from mspgt.scales.documents import draw_documents
from mspgt.scales.gains import SEEDS, Gains, measure_gains
from mspgt.scales.repeated import repeat_scales
from mspgt.scales.tasks import TASKS, Task
from mspgt.text.treebank import Treebank
from mspgt.vocabulary import SINK_RATIO

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel
    from mspgt.vocabulary import Progress


def find_scales(
    lm: LanguageModel,
    treebank: Treebank,
    *,
    documents: int = 240,
    words: int = 90,
    seeds: int = SEEDS,
    draws: int = DRAWS,
    sink_ratio: float = SINK_RATIO,
    twin: bool = True,
    seed: int = 0,
    tasks: Sequence[Task] = TASKS,
    start: str = AUTO,
    batch_tokens: int = 2048,
    progress: Progress | None = None,
) -> FunctionalScales:
    """At which depth a model holds what context tells of words: Local, Intermediate and Global scales.

    Of every task (previous words and parts of speech; syntax; genre and topic) each layer's gain is measured in bits
    beyond what the word alone tells, on running documents; docs/scales.md has the definition.

    Args:
        treebank: with documents (`# newdoc`); sentences stand for them where there are none, and the result says so.
        documents: how many; about 60 are needed for Local–Intermediate, several hundred for
            Intermediate–Global.
        words: most words of a document. Part of what is measured: keep it equal across models.
        seeds: deals of the documents to readers; 2 or more, so that intervals cover the readers.
        draws: of the bootstrap over documents.
        sink_ratio: a word whose norm exceeds so many medians of a layer is left out.
        twin: measure the random twin too (as long again); without it no level is held against random weights.
        seed: of the draw of documents, of the twin and of the bootstrap.
        start: the start token, as in `lm.start.start_token`.
        batch_tokens: tokens of a forward pass; changes speed and memory, not results.

    Raises:
        InputError: fewer than ten documents, no running text, or no task with labels.
        NumericsError: the model yields NaN or infinity.

    Example:
        >>> from mspgt.lm.load import load
        >>> from mspgt.synthetic.corpora import sample_treebank
        >>> from mspgt.synthetic.triscale import TriScale
        >>> from mspgt.zoo.bundled import path
        >>> treebank = sample_treebank(TriScale(), 0, train=120, dev=40, test=60)
        >>> lm = load(path("triscale-llama-1"))
        >>> found = find_scales(lm, treebank, documents=12, words=40, draws=50, twin=False)
        >>> found.documents, found.tasks["previous"].scale, len(found.tasks["previous"].gain)  # layers 0 to L
        (12, 'L', 25)
    """
    text = draw_documents(treebank, documents=documents, words=words, seed=seed)

    def measured(model: LanguageModel) -> Gains:
        return measure_gains(
            model,
            text,
            tasks=tasks,
            seeds=seeds,
            sink_ratio=sink_ratio,
            start=start,
            batch_tokens=batch_tokens,
            progress=progress,
        )

    gains = measured(lm)
    other = measured(random_twin(lm, seed)) if twin else None
    found = decide_scales(
        gains, tasks=tasks, twin=other, unit=text.unit, draws=draws, seed=seed, notes=text.notes
    )
    return replace(found, repeated=repeat_scales(gains, tasks=tasks, twin=other, seed=seed))

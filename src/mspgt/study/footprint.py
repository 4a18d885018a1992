"""What a study holds in memory at its peak: the weights, the text, and the largest stage beside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mspgt.lm.memory import BYTES
from mspgt.lm.shape import Shape
from mspgt.study.config import StudyConfig
from mspgt.study.estimate import words_by_split
from mspgt.study.plan import PlannedStage
from mspgt.study.stages import Data

LIBRARIES = 0.6 * 2**30  # bytes, before any model is there
TABLES = 2**28  # bytes of standardised features that probes hold at a time
NOT_GIVEN_BACK = 0.5  # share of what passes took that the allocator keeps afterwards, as four runs had it
COMPARED = 1500  # tokens whose updates are compared (signals.similarity, which would load torch)
SAMPLE = 2**30  # bytes of states that scales are taken from (signals.measure)
SINGLE, DOUBLE = 4, 8  # bytes of a number


@dataclass(frozen=True)
class Weights:
    """How a model's weights lie. dtype: that it computes in. stored: the checkpoint's own, None where not known.

    within: bytes that they may take, the rest being read from disk; None for all of them.
    """

    dtype: str
    stored: str | None = None
    within: int | None = None

    def held(self, shape: Shape) -> float:
        """Bytes while a model runs; a block that is read from disk is there for as long as it runs."""
        size = BYTES.get(self.dtype, SINGLE)
        if self.within is None or self.within >= shape.parameters * size:
            return float(shape.parameters * size)
        outside = shape.parameters - shape.inside
        read = shape.inside / shape.layers
        return self.within + size * (max(read, outside) if self.converted(shape) else read)

    def converted(self, shape: Shape) -> float:
        """Bytes of the checkpoint, where it is of another type than the model computes in."""
        if self.stored in (None, self.dtype):
            return 0.0
        return float(shape.parameters * BYTES.get(self.stored, SINGLE))


@dataclass(frozen=True)
class Drawn:
    """tokens: that go through a model at a time. states: bytes of one token's, of all layers.

    paper, calibrated: tokens whose states are kept until they are reduced.
    """

    tokens: float
    states: float
    paper: float
    calibrated: float

    @classmethod
    def of(cls, shape: Shape, dtype: str, config: StudyConfig, data: Data, tokens: float) -> Drawn:
        """What is drawn of a text: as many tokens as are asked for, where it has so many."""
        sentences = [sentence for document in data.corpus.documents for sentence in document.sentences]
        words = float(sum(len(sentence.split()) for sentence in sentences))
        asked = config.measure.cka_tokens
        return cls(
            tokens=min(config.measure.batch_tokens, tokens),
            states=(shape.layers + 1) * shape.width * BYTES.get(dtype, SINGLE),
            paper=min(asked, tokens),
            calibrated=min(asked, words if config.measure.unit == "token" else len(sentences)),
        )

    @property
    def bytes(self) -> float:
        """Of all states that are kept."""
        return (self.paper + self.calibrated) * self.states


def memory(
    shape: Shape,
    weights: Weights,
    config: StudyConfig,
    data: Data,
    stages: Iterable[PlannedStage],
    *,
    tokens: float,
    twins: bool,
) -> float:
    """Bytes at the peak.

    Args:
        tokens: of the corpus in `data`.
        twins: whether there are any; one is drawn in float32, after the weights of the model are let go of.
    """
    stages = list(stages)
    held = weights.held(shape)
    # Both are there while one is made of the other.
    loading = held + (weights.converted(shape) if weights.within is None else 0.0)
    drawn = Drawn.of(shape, weights.dtype, config, data, tokens)
    passes = max(_scaling(config, data, drawn, tokens), _observing(shape, config, data, drawn, tokens))
    each = [
        passes,
        _reducing(shape, drawn),
        *(float(s.memory) for s in stages),
    ]
    if any(stage.stage.split()[0] == "precision" for stage in stages):
        outside = shape.parameters - shape.inside
        each.append(SINGLE * (outside + shape.inside / shape.layers) + NOT_GIVEN_BACK * passes)
    if data.treebank is not None:
        features = sum(words_by_split(data).values()) * drawn.states
        each.append(features + TABLES + NOT_GIVEN_BACK * passes)
    drawing = float(SINGLE * shape.parameters) if twins else 0.0
    return LIBRARIES + max(loading, drawing, held + max(each))


def _scaling(config: StudyConfig, data: Data, drawn: Drawn, tokens: float) -> float:
    """A batch's states and those of a sample of sentences, which are kept up to some bytes."""
    share = min(1.0, config.measure.scale_sentences / max(1, data.corpus.n_sentences))
    return (drawn.tokens + min(share * tokens, SAMPLE / drawn.states)) * drawn.states


def _observing(shape: Shape, config: StudyConfig, data: Data, drawn: Drawn, tokens: float) -> float:
    """A batch's states and maps, mean over heads, twice while layers are compared; beside what its shard keeps."""
    documents = len(data.corpus.documents)
    length = min(tokens, shape.window)
    if config.measure.context == "sentence":
        length = tokens / max(1, data.corpus.n_sentences)
    batch = drawn.tokens * (drawn.states + 2 * SINGLE * shape.layers * length)
    share = min(1.0, config.measure.shard_documents / max(1, documents))
    return batch + 2 * share * drawn.bytes


def _reducing(shape: Shape, drawn: Drawn) -> float:
    """All that was kept, one set of it twice, with what two layers or the updates need at a time."""
    held = drawn.bytes + max(drawn.paper, drawn.calibrated) * drawn.states
    layers = 2 * (DOUBLE + SINGLE) * drawn.paper * shape.width
    moments = 8 * DOUBLE * shape.width**2
    updates = min(COMPARED, drawn.calibrated) * (drawn.states + 2 * SINGLE * shape.layers * shape.width)
    return held + max(layers + moments, updates)

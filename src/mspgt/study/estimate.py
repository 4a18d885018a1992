"""What the stages of a study cost, in floating-point operations, and the memory that they need at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mspgt.lm.identity import Card
from mspgt.lm.memory import BYTES
from mspgt.lm.windows import WINDOW
from mspgt.signals.labels import SPLITS
from mspgt.study.config import StudyConfig
from mspgt.study.plan import PlannedStage
from mspgt.study.stages import Data

TOKENS_A_WORD = 1.3  # of English, where no tokenizer is at hand
PROBE_UNITS = 128  # of a probe's hidden layer
FORWARD_AND_BACK = 3  # forward passes that a step of training is worth
ONLINE_CODE = 2.0  # trainings on everything that the growing parts of an online code are worth, about
LIBRARIES = 0.6 * 2**30  # bytes, before any model is there
TABLES = 2**28  # bytes of standardised features that probes hold at a time
# Share of the speed of one large product that a stage gets. Of a study of SmolLM2 (120 sentences, 600 of a treebank,
# one thread), whose stages were counted as here against its processor time. Held since against whole runs: SmolLM2
# with all parts 1.1 times what it took, its quick look .7, two models of 24 layers and 4 million parameters .6,
# Qwen2.5-Coder-0.5B 1.4 times, 200 texts an arm with SmolLM2 1.4 times.
ACHIEVED = 0.38
# Passes and little else, many texts at a time: 200 texts of 23 arms with SmolLM2, and its dose audit.
ACHIEVED_WRITING = 0.75
WRITING = ("texts", "audit", "response")


@dataclass(frozen=True)
class Shape:
    """What the cost of a pass depends on. inside: parameters of the blocks, those that every token meets."""

    layers: int
    width: int
    inside: int
    parameters: int
    window: int

    @classmethod
    def of(cls, card: Card, window: int | None = None) -> Shape:
        """Vectors of the vocabulary multiply nothing: the measuring pass ends before the output is scored."""
        outside = card.vocabulary * card.width * (1 if card.tied else 2)
        inside = card.parameters - outside if card.parameters > outside else card.parameters
        return cls(card.layers, card.width, inside, card.parameters, window or WINDOW)

    def forward(self, tokens: float, length: float) -> float:
        """Operations of one pass over so many tokens, in sequences of such a length."""
        return tokens * (2.0 * self.inside + 4.0 * self.layers * self.width * length)


def share_of_speed(stage: PlannedStage) -> float:
    """What a stage gets of the speed at which large matrices are multiplied."""
    return ACHIEVED_WRITING if stage.stage.split()[0] in WRITING else ACHIEVED


def stage_work(
    stage: PlannedStage, shape: Shape, config: StudyConfig, data: Data, tokens: float, *, twin: bool
) -> float:
    """Operations of one stage.

    Args:
        tokens: of the corpus in `data`.
    """
    length = tokens / max(1, data.corpus.n_sentences)
    name = stage.stage.split()[0]
    if name == "observe":
        return _observed(shape, config, tokens, length, data.corpus.n_sentences)
    if name == "geometry":
        # Cross-products of the sampled states of neighbouring layers, raw and normalised, in both token sets.
        drawn = min(tokens, config.measure.cka_tokens)
        return 2 * 2 * 3 * 2.0 * shape.layers * drawn * shape.width**2
    if name == "probes":
        return _probed(shape, config, data, twin=twin)
    work = shape.forward(stage.passes * length, length)
    if name == "functional" and data.running is not None and config.scales is not None:
        wide = min(shape.width, 1024)
        readers = config.scales.seeds * shape.layers * 5  # folds
        words = data.running.n_words
        work += readers * 3 * (wide**3 / 3 + 2.0 * words * wide * 64) + readers * 2.0 * words * wide**2 / 5
    return work


def _observed(shape: Shape, config: StudyConfig, tokens: float, length: float, sentences: int) -> float:
    """The paper's pass, sentence by sentence; calibrated mode's in its own context, with attention computed again."""
    context = length if config.measure.context == "sentence" else shape.window
    sampled = tokens * min(1.0, config.measure.scale_sentences / max(1, sentences))
    # Median norms; each dimension's scale; the scale over all tokens, as the paper reads them.
    scales = 2 * shape.forward(sampled, context) + shape.forward(sampled, length)
    again = 4.0 * shape.layers * shape.width * tokens * (context + length)
    return scales + shape.forward(tokens, length) + shape.forward(tokens, context) + again


def _probed(shape: Shape, config: StudyConfig, data: Data, *, twin: bool) -> float:
    """Features of every word at every layer, then probes on each of them."""
    if data.treebank is None:
        return 0.0
    words = _words(data)
    examples = min(words["train"], config.probes.max_examples or words["train"])
    seeds = config.twins.probe_seeds if twin else config.probes.seeds
    trainings = seeds + (1 + ONLINE_CODE if config.probes.controls and not twin else 0)
    one = FORWARD_AND_BACK * 2.0 * shape.width * PROBE_UNITS * examples * config.probes.epochs
    read = shape.forward(TOKENS_A_WORD * sum(words.values()), shape.window)
    return read + one * trainings * (shape.layers + 1) * len(data.treebank.tasks)


def memory(
    shape: Shape, dtype: str, config: StudyConfig, data: Data, stages: Iterable[PlannedStage], *, twins: bool
) -> float:
    """Bytes at the peak: the libraries, one set of weights and the largest stage beside.

    A twin is drawn in float32, after the weights of the model are let go of.
    """
    held = LIBRARIES + shape.parameters * max(BYTES.get(dtype, 4), 4 if twins else 0)
    states = 2 * config.measure.cka_tokens * (shape.layers + 1) * shape.width * BYTES.get(dtype, 4)
    batch = config.measure.batch_tokens * (shape.layers + 1) * (4 * shape.width + 2 * 4 * shape.window)
    features = sum(_words(data).values()) * (shape.layers + 1) * shape.width * BYTES.get(dtype, 4)
    each = [2.0 * states, float(batch), features + float(TABLES), *(float(stage.memory) for stage in stages)]
    return held + max(each)


def _words(data: Data) -> dict[str, int]:
    """Words of the treebank, by split."""
    if data.treebank is None:
        return {}
    return {split: sum(len(sentence.words) for sentence in getattr(data.treebank, split)) for split in SPLITS}

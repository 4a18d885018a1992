"""What the stages of a study cost, in floating-point operations."""

from __future__ import annotations

from mspgt.lm.shape import Shape
from mspgt.signals.labels import SPLITS
from mspgt.study.config import StudyConfig
from mspgt.study.plan import PlannedStage
from mspgt.study.stages import Data

TOKENS_A_WORD = 1.3  # of English, where no tokenizer is at hand
PROBE_UNITS = 128  # of a probe's hidden layer
FORWARD_AND_BACK = 3  # forward passes that a step of training is worth
ONLINE_CODE = 2.0  # trainings on everything that the growing parts of an online code are worth, about
# Share of the speed of one large product that a stage gets. Of a study of SmolLM2 (120 sentences, 600 of a treebank,
# one thread), whose stages were counted as here against its processor time. Held since against whole runs: SmolLM2
# with all parts 1.1 times what it took, its quick look .7, two models of 24 layers and 4 million parameters .6,
# Qwen2.5-Coder-0.5B 1.4 times, 200 texts an arm with SmolLM2 1.4 times.
ACHIEVED = 0.38
# Passes and little else, many texts at a time: 200 texts of 23 arms with SmolLM2, and its dose audit.
ACHIEVED_WRITING = 0.75
WRITING = ("texts", "audit", "response")


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
    # Norms and each dimension's scale; the scale over all tokens, as the paper reads them.
    scales = shape.forward(sampled, context) + shape.forward(sampled, length)
    again = 4.0 * shape.layers * shape.width * tokens * (context + length)
    return scales + shape.forward(tokens, length) + shape.forward(tokens, context) + again


def _probed(shape: Shape, config: StudyConfig, data: Data, *, twin: bool) -> float:
    """Features of every word at every layer, then probes on each of them."""
    if data.treebank is None:
        return 0.0
    words = words_by_split(data)
    examples = min(words["train"], config.probes.max_examples or words["train"])
    seeds = config.twins.probe_seeds if twin else config.probes.seeds
    trainings = seeds + (1 + ONLINE_CODE if config.probes.controls and not twin else 0)
    one = FORWARD_AND_BACK * 2.0 * shape.width * PROBE_UNITS * examples * config.probes.epochs
    read = shape.forward(TOKENS_A_WORD * sum(words.values()), shape.window)
    return read + one * trainings * (shape.layers + 1) * len(data.treebank.tasks)


def words_by_split(data: Data) -> dict[str, int]:
    """Words of the treebank, by split."""
    if data.treebank is None:
        return {}
    return {split: sum(len(sentence.words) for sentence in getattr(data.treebank, split)) for split in SPLITS}

"""A plan for a study whose models or data are elsewhere: what to fetch, how large it is, how long it takes on a GPU.

Nothing is read but what lies here; the sizes of known files and models stand in for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mspgt.errors import MspgtError
from mspgt.lm.cards import CARDS
from mspgt.lm.hub import commit_of, reachable
from mspgt.lm.identity import Card
from mspgt.lm.memory import BYTES
from mspgt.lm.shape import Shape
from mspgt.scales.documents import RunningDocument, RunningText
from mspgt.study.config import ModelConfig, StudyConfig
from mspgt.study.describe import in_bytes, in_time, later_stages
from mspgt.study.estimate import TOKENS_A_WORD, WRITING, share_of_speed, stage_work
from mspgt.study.fetching import Needed, needed
from mspgt.study.footprint import Weights, memory
from mspgt.study.jobs import local_id
from mspgt.study.looking import identity_of, look
from mspgt.study.plan import Plan
from mspgt.study.reading import read_data
from mspgt.study.stages import Data
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document
from mspgt.text.treebank import FIELD_OF_TASK, Treebank
from mspgt.text.trees import LabelledSentence

GPU = "H200"
# By its data sheet: products of bfloat16 a second, bytes of memory a second. Large products reach about 0.7 of it.
PRODUCTS, BANDWIDTH, LARGE = 989e12, 4.8e12, 0.7
# What the known files hold: the corpus as it is read, the treebank by split, before limits.
DOCUMENTS, SENTENCES, WORDS_A_SENTENCE = 60, 7824, 22.7
TREEBANK = {"train": (12544, 16.1), "dev": (2001, 12.4), "test": (2077, 12.4)}  # sentences, words of each


def elsewhere(config: StudyConfig) -> tuple[list[Needed], list[ModelConfig]]:
    """Files that are not here though their source is known, and models that are neither here nor within reach."""
    return needed(config), [model for model in config.models if not _within_reach(model)]


def _within_reach(model: ModelConfig) -> bool:
    source = local_id(model.id)
    if source != model.id or Path(source).expanduser().exists() or model.id.lower().endswith(".gguf"):
        return True
    if model.id not in CARDS or reachable():
        return True  # what it is, its own look will say, or why it cannot
    try:
        commit_of(model.id, model.revision, kept=True)
    except (OSError, ValueError):
        return False
    return True


def describe_afar(config: StudyConfig, files: list[Needed], models: list[ModelConfig]) -> Iterator[str]:
    """Lines of what to fetch, and of what the study would need on one H200."""
    yield f"study   {config.name}: not everything is here, so no stage is planned yet"
    for one in files:
        yield f"fetch   {one.line}"
    for model in models:
        size = CARDS[model.id].parameters * 2
        yield f"fetch   {model.id}: weights of about {in_bytes(size)}, hf download {model.id}"
    if files:
        yield f"how     mspgt fetch {config.name}, where a network is; into the folder that you run the study in"
    if models:
        yield "        models of meta-llama ask for their licence first: hf auth login"
    yield from _on_one_gpu(config, bool(files), {model.id for model in models})


def _on_one_gpu(config: StudyConfig, stand_in: bool, absent: set[str]) -> Iterator[str]:
    data, twin_data = _stand_ins(config) if stand_in else read_data(config)
    total, known = 0.0, 0
    for model in config.models:
        try:
            card = CARDS[model.id] if model.id in absent else look(model).card
        except MspgtError as error:
            yield f"needs   {model.label}: not known. {str(error).splitlines()[0]}"
            continue
        seconds, peak = on_one_gpu(config, model, card, data, twin_data)
        total, known = total + seconds, known + 1
        yield f"needs   {model.label}: about {in_time(seconds)} of one {GPU}, {in_bytes(peak)} of memory"
    which = (
        "all models" if known == len(config.models) else f"the {known} of {len(config.models)} that are known"
    )
    if known:
        yield (
            f"time    about {in_time(total)} of one {GPU} for {which}, by its data sheet, not measured; what "
            "runs on the processor beside comes on top"
        )


def on_one_gpu(
    config: StudyConfig, model: ModelConfig, card: Card, data: Data, twin_data: Data
) -> tuple[float, float]:
    """Seconds on one H200 by its data sheet, and bytes at the peak, of one model of a study."""
    identity, shape = identity_of(model, card), Shape.of(card, config.measure.window)
    plan = Plan(config.model_copy(update={"models": (model,)}), data, twin_data, (identity,))
    stages = [*plan.stages(Path(config.name)), *later_stages(plan)]
    dtype = identity.dtype
    rows = 1 if config.interventions is None else config.interventions.batch_rows
    seconds = 0.0
    for stage in stages:
        twin = " (twin" in stage.subject
        own = twin_data if twin else data
        tokens = _tokens(own)
        work = stage_work(stage, shape, config, own, tokens, twin=twin)
        computing = work / share_of_speed(stage) / (PRODUCTS * LARGE)
        if stage.stage.split()[0] in WRITING:
            # Word by word every weight is read for each batch of texts.
            steps = stage.passes * tokens / max(1, own.corpus.n_sentences) / rows
            computing = max(computing, steps * card.parameters * BYTES.get(dtype, 2) / BANDWIDTH)
        seconds += computing
    peak = memory(
        shape, Weights(dtype, card.dtype), config, data, stages,
        tokens=_tokens(data), twins=config.twins.seeds > 0,
    )  # fmt: skip
    return seconds, peak


def _tokens(data: Data) -> float:
    return TOKENS_A_WORD * sum(
        len(sentence.split()) for document in data.corpus.documents for sentence in document.sentences
    )


def _stand_ins(config: StudyConfig) -> tuple[Data, Data]:
    """Text and labels of the size of the known files, for the models and for their twins."""
    twins = config.twins
    full = _stand_in(config, config.corpus.max_sentences, None, None)
    return full, _stand_in(config, twins.max_sentences, twins.max_train, twins.max_eval)


def _stand_in(config: StudyConfig, sentences: int | None, train: int | None, evaluated: int | None) -> Data:
    count = min(SENTENCES, sentences or SENTENCES)
    documents = min(DOCUMENTS, config.corpus.max_documents or DOCUMENTS)
    text = " ".join(["word"] * round(WORDS_A_SENTENCE))
    each = [count // documents + (i < count % documents) for i in range(documents)]
    corpus = Corpus(
        "stand-in", tuple(Document(str(i), "", (text,) * n) for i, n in enumerate(each)), "stand-in"
    )
    if config.treebank is None:
        return Data(corpus, None)
    labels = config.treebank
    most = {"train": labels.max_train, "dev": labels.max_eval, "test": labels.max_eval}
    fewer = {"train": train, "dev": evaluated, "test": evaluated}
    splits = {
        split: (_sentence(split, round(words)),) * min(found, most[split] or found, fewer[split] or found)
        for split, (found, words) in TREEBANK.items()
    }
    off = {} if labels.roles else {"srl": "no file"}
    off |= {} if labels.entities else {"ner": "no file"}
    treebank = _treebank(splits, off)
    if config.scales is None:
        return Data(corpus, treebank)
    limit = config.scales.words
    document = RunningDocument("stand-in", (_sentence("running", limit),), limit)
    running = RunningText((document,) * config.scales.documents, "document", config.scales.documents)
    return Data(corpus, treebank, running)


def _treebank(splits: Mapping[str, tuple[LabelledSentence, ...]], off: dict[str, str]) -> Treebank:
    tasks = tuple(task for task in FIELD_OF_TASK if task not in off)
    return Treebank("stand-in", splits["train"], splits["dev"], splits["test"], "stand-in", tasks, {}, off)


def _sentence(name: str, words: int) -> LabelledSentence:
    spans = tuple((5 * i, 5 * i + 4) for i in range(words))
    return LabelledSentence(
        name, name, " ".join(["word"] * words), ("word",) * words, spans, None, None, None
    )

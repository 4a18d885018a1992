"""The stages of a study, each a pure function of a model and what it reads, and the address of each result.

    scales ─► (pairing of heads) ─► observe (shards of documents) ─► geometry
           └► precision (a trained model in bfloat16 or float16)
    probes (treebank)

Every subject (a model, or a random twin of it) goes through the same stages. An address holds everything that can
change its result; batch sizes and worker counts cannot, and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mspgt.scales.documents import RunningText
from mspgt.signals.labels import probe_tasks
from mspgt.stats.bootstrap import document_clusters
from mspgt.study.config import StudyConfig
from mspgt.study.identity import Subject
from mspgt.study.keys import code_of, stage_address
from mspgt.study.store import Address, StageResult
from mspgt.study.tasks import Piece, Task, fill
from mspgt.text.corpus import Corpus
from mspgt.text.treebank import Treebank
from mspgt.vocabulary import Progress

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel
    from mspgt.signals.measure import Scales
    from mspgt.signals.tokens import CorpusTokens

HALF_TYPES = ("bfloat16", "float16")


@dataclass(frozen=True)
class Data:
    """What a subject is measured on."""

    corpus: Corpus
    treebank: Treebank | None
    running: RunningText | None = None  # documents for functional scales
    no_running: str = ""  # why there are none


@dataclass(frozen=True)
class Addresses:
    """Where the results of one subject live."""

    scales: Address
    shards: tuple[tuple[range, Address], ...]  # documents of each shard
    geometry: Address
    probes: Address | None
    pairing: Address | None = None  # of heads, where S3 matches them
    precision: Address | None = None  # of a trained model that computes in half precision


def addresses(root: Path, config: StudyConfig, subject: Subject, data: Data) -> Addresses:
    """All addresses of one subject. Needs no model in memory."""
    identity, measure = subject.identity, config.measure

    def at(stage: str, function: Callable[..., Any], inputs: dict[str, Any]) -> Address:
        return stage_address(root, identity, stage, inputs, function)

    who = who_is(subject)
    reading = {
        **who,
        "corpus": data.corpus.sha256,
        "too_long": measure.too_long,
        **reading_settings(config),
        "scale_sentences": measure.scale_sentences,
        "sink_ratio": measure.sink_ratio,
    }
    scales = at("scales", activation_scales, reading)
    matched = measure.heads == "matched" and identity.has_attention and identity.layers > 1
    pairing = at("pairing", head_pairing, {**reading, "scales": scales.key}) if matched else None
    drawing = {
        **reading,
        "scales": scales.key,
        "pairing": None if pairing is None else pairing.key,
        "cka_tokens": measure.cka_tokens,
        "unit": measure.unit,
        "heads": measure.heads,
        "seed": config.seed,
    }
    count, step = len(data.corpus.documents), measure.shard_documents
    shards = tuple(
        (part, at("observe", observed_shard, {**drawing, "documents": [part.start, part.stop]}))
        for part in (range(start, min(start + step, count)) for start in range(0, count, step))
    )
    # How documents are cut into shards changes nothing, and is left out.
    geometry = at("geometry", reduced_geometry, {**drawing, "observe": code_of(observed_shard)})
    probes = None
    if data.treebank is not None and data.treebank.tasks:
        asked = {
            **who,
            "treebank": data.treebank.sha256,
            **reading_settings(config),
            "probes": probe_settings(config, subject),
            "seed": config.seed,
        }
        probes = at("probes", trained_probes, asked)
    precision = None
    if identity.dtype in HALF_TYPES and subject.twin is None and measure.precision_sentences:
        asked = {**reading, "scales": scales.key, "sentences": measure.precision_sentences}
        precision = at("precision", estimated_precision, asked)
    return Addresses(scales, shards, geometry, probes, pairing, precision)


def reading_settings(config: StudyConfig) -> dict[str, Any]:
    """How calibrated mode reads text. With both contexts the window's figures come first (see `contexts`)."""
    measure = config.measure
    context = "sentence" if measure.context == "sentence" else "window"
    return {
        "context": context,
        "start": measure.start,
        "window": measure.window if context == "window" else None,
    }


def contexts(config: StudyConfig) -> dict[str, StudyConfig]:
    """The study as it is measured, by context: the one that everything follows from, then the one beside it."""
    if config.measure.context != "both":
        return {config.measure.context: config}
    sentence = config.measure.model_copy(update={"context": "sentence"})
    return {"window": config, "sentence": config.model_copy(update={"measure": sentence})}


def measured(
    root: Path, config: StudyConfig, subject: Subject, data: Data
) -> list[tuple[StudyConfig, Addresses]]:
    """Everything that is measured of one subject: a trained model in each context, a twin in the first alone."""
    configs = list(contexts(config).values())[: 1 if subject.twin is not None else None]
    return [(one, addresses(root, one, subject, data)) for one in configs]


def who_is(subject: Subject) -> dict[str, Any]:
    """What tells one subject from another in the keys of whatever is computed with it."""
    identity = subject.identity
    return {
        "weights": identity.weights_sha256,
        "revision": identity.revision,
        "dtype": identity.dtype,
        "blocks": identity.blocks,
        "twin": None if subject.twin is None else [subject.twin, code_of("mspgt.lm.twin:random_twin")],
    }


def probe_settings(config: StudyConfig, subject: Subject) -> dict[str, Any]:
    """Knobs of the probes; twins use fewer seeds and no control tasks."""
    settings = config.probes.model_dump()
    if subject.twin is not None:
        settings |= {"seeds": config.twins.probe_seeds, "controls": False}
    return settings


def document_groups(corpus: Corpus) -> np.ndarray:
    """The cluster of each document: (documents,)."""
    return document_clusters([len(d.sentences) for d in corpus.documents])


class Measuring:
    """What the stages of one subject share, each thing made when first asked for."""

    def __init__(
        self,
        config: StudyConfig,
        subject: Subject,
        data: Data,
        model: Callable[[], LanguageModel],
        where: Addresses | None = None,
    ) -> None:
        """where: the results lie that stages start from; None: for one that starts from none."""
        self.config, self.subject, self.data, self.model, self.where = config, subject, data, model, where

    @cached_property
    def tokens(self) -> CorpusTokens:
        from mspgt.signals.tokens import read_corpus

        measure = self.config.measure
        return read_corpus(
            self.model(),
            self.data.corpus,
            limit=measure.cka_tokens,
            unit=measure.unit,
            seed=self.config.seed,
            too_long=measure.too_long,
            **reading_settings(self.config),
        )

    @cached_property
    def activation_scales(self) -> Scales:
        from mspgt.study import codec

        assert self.where is not None
        return codec.unpack_scales(self.where.scales.load())

    @cached_property
    def pairing(self) -> NDArray[np.intp] | None:
        from mspgt.study import codec

        assert self.where is not None
        return None if self.where.pairing is None else codec.unpack_pairing(self.where.pairing.load())


def activation_scales(work: Measuring) -> StageResult:
    """Median norms and standard deviations of the layers."""
    from mspgt.signals.measure import measure_scales
    from mspgt.study import codec

    measure = work.config.measure
    scales = measure_scales(
        work.model(),
        work.tokens.readings["calibrated"],
        sample=measure.scale_sentences,
        sink_ratio=measure.sink_ratio,
        batch_tokens=measure.batch_tokens,
        plainly=work.tokens.readings["paper"],
    )
    return codec.pack_scales(scales)


def head_pairing(work: Measuring) -> StageResult:
    """Which head of a layer is most like which of the next."""
    from mspgt.signals.heads import match_heads
    from mspgt.study import codec

    measure = work.config.measure
    found = match_heads(
        work.model(),
        work.tokens.readings["calibrated"],
        work.activation_scales,
        sample=measure.scale_sentences,
        sink_ratio=measure.sink_ratio,
        batch_tokens=measure.batch_tokens,
    )
    return codec.pack_pairing(found)


def observed_shard(work: Measuring, documents: range, progress: Progress) -> StageResult:
    """The measuring pass over some documents."""
    from mspgt.signals.measure import measure_shard
    from mspgt.study import codec

    measure = work.config.measure
    shard = measure_shard(
        work.model(),
        work.tokens,
        documents,
        work.activation_scales,
        sink_ratio=measure.sink_ratio,
        batch_tokens=measure.batch_tokens,
        unit=measure.unit,
        pairing=work.pairing,
        progress=progress,
    )
    return codec.pack_shard(shard)


def reduced_geometry(work: Measuring, observed: list[StageResult], seconds: float) -> StageResult:
    """Statistics of documents, from all shards. seconds: that the measuring pass took."""
    from mspgt.lm.norms import reading_norms
    from mspgt.signals.geometry import reduce_shards
    from mspgt.study import codec

    shards = [codec.unpack_shard(one) for one in observed]
    lm = work.model()
    geometry = reduce_shards(
        shards,
        document_groups(work.data.corpus),
        norms=reading_norms(lm),
        sink_ratio=work.config.measure.sink_ratio,
        device=lm.device,
    )
    tokens, scales = work.tokens, asdict(work.activation_scales)
    meta = {
        "real_tokens": tokens.real,
        "word_final_tokens": tokens.word_final,
        "frequent_words": list(tokens.words.forms),
        "sinks": sum(shard.sinks for shard in shards),
        "cut_sentences": max(
            sum(e.cut > 0 for e in reading.sentences) for reading in tokens.readings.values()
        ),
        "sentences": len(tokens.document),
        "drawn": {name: int(sum(len(s.token_document[name]) for s in shards)) for name in tokens.drawn},
        "scales": {key: value for key, value in scales.items() if key not in ("tokens", "std_dimension")},
        "measuring_seconds": seconds,
    }
    return codec.pack_geometry(geometry, meta)


def estimated_precision(work: Measuring) -> StageResult:
    """What rounding does to states, S1 and S3: some sentences in the model's own type and in float32."""
    from mspgt.lm.float32 import why_not_in_float32
    from mspgt.signals.precision import measure_precision, precision_sample
    from mspgt.study import codec

    measure, lm = work.config.measure, work.model()
    if reason := why_not_in_float32(lm):
        return StageResult({}, {"reason": reason})
    found = measure_precision(
        lm,
        precision_sample(work.data.corpus, measure.precision_sentences),
        work.activation_scales,
        sink_ratio=measure.sink_ratio,
        batch_tokens=measure.batch_tokens,
        too_long=measure.too_long,
        **reading_settings(work.config),
    )
    return codec.pack_precision(found)


def trained_probes(work: Measuring, progress: Progress) -> StageResult:
    """Probes of every layer, task and seed."""
    from mspgt.signals.features import word_features
    from mspgt.signals.probes import train_probes
    from mspgt.study import codec

    treebank = work.data.treebank
    assert treebank is not None
    features = {}
    for split in ("train", "dev", "test"):
        progress(0, 1, f"probe features ({split})")
        features[split] = word_features(
            work.model(),
            getattr(treebank, split),
            batch_tokens=work.config.measure.batch_tokens,
            **reading_settings(work.config),
        )
    results = train_probes(
        features["train"],
        features["dev"],
        features["test"],
        probe_tasks(treebank),
        **probe_settings(work.config, work.subject),
        seed=work.config.seed,
        progress=progress,
    )
    return codec.pack_probes(results)


def tasks(work: Measuring, where: Addresses, report: Progress, context: int = 0) -> Iterator[Task]:
    """What is measured of one subject in one context, in order: nothing that no missing result needs."""

    def task(
        stage: str, address: Address, made: Any, wave: int | None = None, shard: int | None = None
    ) -> Task:
        return Task(Piece(stage, shard, context), address, made, wave, work.subject.twin)

    measured = where.geometry.status().done
    wave = 1 if where.pairing is None else 2
    if not measured or not (where.precision is None or where.precision.status().done):
        yield task("scales", where.scales, partial(activation_scales, work), 0)
    if not measured and where.pairing is not None:
        yield task("pairing", where.pairing, partial(head_pairing, work), 1)
    # The longest first, so that no worker is left alone with it.
    if where.probes is not None:
        yield task("probes", where.probes, partial(trained_probes, work, report), wave)
    if where.precision is not None:
        yield task("precision", where.precision, partial(estimated_precision, work), wave)
    if not measured:
        for number, (documents, address) in enumerate(where.shards):
            yield task("observe", address, partial(_observed, work, documents, report), wave, number)
        yield task("geometry", where.geometry, partial(_reduced, work, where))


def compute(work: Measuring, where: Addresses, report: Progress) -> None:
    """Compute what is missing of one subject; activations go when they are reduced, unless they are to be kept."""
    fill(tasks(work, where, report), report)
    if not work.config.run.keep_activations:
        for _, address in where.shards:
            address.discard()


def _observed(work: Measuring, documents: range, report: Progress) -> StageResult:
    """One shard; `report` counts sentences of the whole."""
    document = work.tokens.document
    before = int((document < documents.start).sum())

    def step(done: int, _: int, what: str) -> None:
        report(before + done, len(document), f"measuring pass, {what}")

    return observed_shard(work, documents, step)


def _reduced(work: Measuring, where: Addresses) -> StageResult:
    shards = [address.load() for _, address in where.shards]
    return reduced_geometry(work, shards, sum(address.seconds() for _, address in where.shards))

"""The stages of a study, each a pure function of a model and what it reads, and the address of each result.

    scales ─► (pairing of heads) ─► observe (shards of documents) ─► geometry
    probes (treebank)

Every subject (a model, or a random twin of it) goes through the same stages. An address holds everything that can
change its result; batch sizes and worker counts cannot, and are left out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mspgt.errors import InputError
from mspgt.signals.labels import probe_tasks
from mspgt.stats.bootstrap import MAX_CLUSTERS, document_clusters
from mspgt.study.config import StudyConfig
from mspgt.study.store import Address, code_version
from mspgt.text.corpus import Corpus
from mspgt.text.treebank import Treebank

if TYPE_CHECKING:
    from mspgt.signals.measure import Progress


@dataclass(frozen=True)
class Data:
    """What a subject is measured on."""

    corpus: Corpus
    treebank: Treebank | None


@dataclass(frozen=True)
class Identity:
    """What is known of a model before it is measured; everything here enters its addresses."""

    label: str  # how the study calls it
    folder: str  # safe folder name
    family: str
    revision: str
    weights_sha256: str
    dtype: str
    layers: int
    width: int
    heads: int | None
    parameters: int
    has_attention: bool
    no_attention: str


@dataclass(frozen=True)
class Subject:
    """A model as trained (twin None) or its random twin of a seed."""

    identity: Identity
    twin: int | None = None

    @property
    def name(self) -> str:
        return self.identity.label if self.twin is None else f"{self.identity.label} (twin {self.twin})"


@dataclass(frozen=True)
class Addresses:
    """Where the results of one subject live."""

    scales: Address
    shards: tuple[tuple[range, Address], ...]  # documents of each shard
    geometry: Address
    probes: Address | None
    pairing: Address | None = None  # of heads, where S3 matches them


def addresses(root: Path, config: StudyConfig, subject: Subject, data: Data) -> Addresses:
    """All addresses of one subject. Needs no model in memory."""
    identity = subject.identity
    measure = config.measure
    who = {
        "weights": identity.weights_sha256,
        "revision": identity.revision,
        "dtype": identity.dtype,
        "twin": subject.twin,
    }
    reading = {"corpus": data.corpus.sha256, "too_long": measure.too_long}
    scales_inputs = {
        **who,
        **reading,
        "scale_sentences": measure.scale_sentences,
        "sink_ratio": measure.sink_ratio,
        "code": code_version("text", "lm", "signals/measure.py"),
    }
    drawing = {
        **scales_inputs,
        "cka_tokens": measure.cka_tokens,
        "unit": measure.unit,
        "heads": measure.heads,
        "seed": config.seed,
        "code": code_version(
            "text", "lm", *(f"signals/{m}.py" for m in ("measure", "tokens", "attention", "heads"))
        ),
    }

    def at(stage: str, inputs: dict[str, Any]) -> Address:
        return Address(root, identity.folder, identity.revision, stage, inputs)

    count, step = len(data.corpus.documents), measure.shard_documents
    shards = tuple(
        (part, at("observe", {**drawing, "documents": [part.start, part.stop]}))
        for part in (range(start, min(start + step, count)) for start in range(0, count, step))
    )
    geometry = at(
        "geometry", {**drawing, "clusters": MAX_CLUSTERS, "reduce": code_version("signals", "stats")}
    )
    matched = measure.heads == "matched" and identity.has_attention and identity.layers > 1
    return Addresses(
        at("scales", scales_inputs),
        shards,
        geometry,
        _probes_address(at, config, subject, data, who),
        at("pairing", {**scales_inputs, "heads": code_version("signals")}) if matched else None,
    )


def _probes_address(
    at: Any, config: StudyConfig, subject: Subject, data: Data, who: dict[str, Any]
) -> Address | None:
    if data.treebank is None or not data.treebank.tasks:
        return None
    return at(
        "probes",
        {
            **who,
            "treebank": data.treebank.sha256,
            "probes": probe_settings(config, subject),
            "seed": config.seed,
            "code": code_version(
                "text",
                "lm",
                *(f"signals/{m}.py" for m in ("labels", "features", "probes", "classifier", "codelength")),
            ),
        },
    )


def probe_settings(config: StudyConfig, subject: Subject) -> dict[str, Any]:
    """Knobs of the probes; twins use fewer seeds and no control tasks."""
    settings = config.probes.model_dump()
    if subject.twin is not None:
        settings |= {"seeds": config.twins.probe_seeds, "controls": False}
    return settings


def document_groups(corpus: Corpus) -> np.ndarray:
    """The cluster of each document: (documents,)."""
    return document_clusters([len(d.sentences) for d in corpus.documents])


def require_measurable(data: Data) -> None:
    """Refuse data on which nothing could be measured.

    Raises:
        InputError: no documents.
    """
    if not data.corpus.documents:
        raise InputError("The corpus has no documents with a sentence to measure; give a longer text.")
    if data.treebank is not None:
        probe_tasks(data.treebank)


def compute(
    config: StudyConfig,
    subject: Subject,
    data: Data,
    where: Addresses,
    model: Any,
    report: Progress,
) -> None:
    """Compute what is missing of one subject, in order; `model()` loads it when first needed."""
    import time

    from mspgt.lm.tokenize import encode
    from mspgt.signals.features import word_features
    from mspgt.signals.geometry import reduce_shards
    from mspgt.signals.heads import match_heads
    from mspgt.signals.measure import measure_scales, measure_shard
    from mspgt.signals.probes import train_probes
    from mspgt.signals.tokens import draw_tokens
    from mspgt.study import codec

    measure = config.measure
    ratio, batch = measure.sink_ratio, measure.batch_tokens

    if not where.geometry.status().done:
        lm = model()
        texts = [sentence for d in data.corpus.documents for sentence in d.sentences]
        encoded = encode(lm, texts, too_long=measure.too_long)
        tokens = draw_tokens(
            data.corpus, encoded, limit=measure.cka_tokens, unit=measure.unit, seed=config.seed
        )
        if not where.scales.status().done:
            report(0, 1, "scales")
            started = time.perf_counter()
            scales = measure_scales(
                lm, encoded, sample=measure.scale_sentences, sink_ratio=ratio, batch_tokens=batch
            )
            where.scales.save(codec.pack_scales(scales), time.perf_counter() - started)
        scales = codec.unpack_scales(where.scales.load())
        pairing = None
        if where.pairing is not None:
            if not where.pairing.status().done:
                report(0, 1, "matching heads")
                started = time.perf_counter()
                found = match_heads(
                    lm,
                    encoded,
                    scales,
                    sample=measure.scale_sentences,
                    sink_ratio=ratio,
                    batch_tokens=batch,
                )
                where.pairing.save(codec.pack_pairing(found), time.perf_counter() - started)
            pairing = codec.unpack_pairing(where.pairing.load())
        finished = 0
        for documents, address in where.shards:
            sentences = int(np.isin(tokens.document, np.arange(documents.start, documents.stop)).sum())
            if not address.status().done:
                started = time.perf_counter()
                before = finished

                def step(done: int, total: int, _: str, before: int = before) -> None:
                    report(before + done, len(texts), "measuring pass, sentences")

                shard = measure_shard(
                    lm,
                    tokens,
                    documents,
                    scales,
                    sink_ratio=ratio,
                    batch_tokens=batch,
                    unit=measure.unit,
                    pairing=pairing,
                    progress=step,
                )
                address.save(codec.pack_shard(shard), time.perf_counter() - started)
            finished += sentences
            report(finished, len(texts), "measuring pass, sentences")
        report(0, 1, "reducing to document statistics")
        started = time.perf_counter()
        shards = [codec.unpack_shard(address.load()) for _, address in where.shards]
        geometry = reduce_shards(shards, document_groups(data.corpus), device=lm.device)
        meta = {
            "real_tokens": tokens.real,
            "word_final_tokens": tokens.word_final,
            "sinks": sum(shard.sinks for shard in shards),
            "cut_sentences": sum(e.cut > 0 for e in encoded),
            "sentences": len(texts),
            "drawn": {name: int(sum(len(s.token_document[name]) for s in shards)) for name in tokens.drawn},
            "scales": {
                key: value for key, value in asdict(scales).items() if key not in ("tokens", "std_dimension")
            },
            "measuring_seconds": sum(address.seconds() for _, address in where.shards),
        }
        where.geometry.save(codec.pack_geometry(geometry, meta), time.perf_counter() - started)
    if not config.run.keep_activations:
        for _, address in where.shards:
            address.discard()

    if where.probes is not None and not where.probes.status().done:
        assert data.treebank is not None
        lm = model()
        started = time.perf_counter()
        features = {}
        for split in ("train", "dev", "test"):
            report(0, 1, f"probe features ({split})")
            features[split] = word_features(
                lm, getattr(data.treebank, split), batch_tokens=measure.batch_tokens
            )
        settings = probe_settings(config, subject)
        results = train_probes(
            features["train"],
            features["dev"],
            features["test"],
            probe_tasks(data.treebank),
            **settings,
            seed=config.seed,
            progress=report,
        )
        where.probes.save(codec.pack_probes(results), time.perf_counter() - started)

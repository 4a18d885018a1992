"""What a study reads: its corpus and treebank, for the models and, smaller, for their twins. Loads no torch."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from mspgt.errors import InputError
from mspgt.results import Notice
from mspgt.signals.labels import probe_tasks
from mspgt.study.config import StudyConfig, TreebankConfig, TwinsConfig
from mspgt.study.fetching import require_here
from mspgt.study.scaling import draw_running
from mspgt.study.stages import Data
from mspgt.study.store import digest
from mspgt.synthetic.bounds import bounds
from mspgt.synthetic.corpora import sample_corpus, sample_treebank
from mspgt.synthetic.triscale import TriScale
from mspgt.text.corpus import Corpus, limit_sentences, load_corpus
from mspgt.text.treebank import Treebank, limited, load_treebank


def read_data(config: StudyConfig) -> tuple[Data, Data]:
    """Corpus and treebank, for the models and (smaller) for the twins.

    Raises:
        InputError: a file is missing or malformed; of files whose source is known it says how to get them.
    """
    require_here(config)
    corpus = _corpus(config)
    treebank = _treebank(config, corpus)
    running, why = draw_running(config, treebank)
    # Whole splits are needed for drawing alone, and every worker would be sent them.
    full = Data(corpus, None if treebank is None else replace(treebank, whole={}), running, why)
    require_measurable(full)
    if not config.twins.seeds:
        return full, full
    twins = config.twins
    return full, Data(_fewer_sentences(full.corpus, twins.max_sentences), _fewer_labels(full.treebank, twins))


def require_measurable(data: Data) -> None:
    """Refuse data on which nothing could be measured.

    Raises:
        InputError: no documents.
    """
    if not data.corpus.documents:
        raise InputError("The corpus has no documents with a sentence to measure; give a longer text.")
    if data.treebank is not None:
        probe_tasks(data.treebank)


def _corpus(config: StudyConfig) -> Corpus:
    corpus = config.corpus
    if corpus.format == "triscale":
        planted = sample_corpus(TriScale(), corpus.max_documents or 400, config.seed)
        return _fewer_sentences(planted, corpus.max_sentences)
    return load_corpus(
        corpus.source,
        format=corpus.format,
        min_words=corpus.min_words,
        max_documents=corpus.max_documents,
        max_sentences=corpus.max_sentences,
        language=corpus.language,
    )


def _treebank(config: StudyConfig, corpus: Corpus) -> Treebank | None:
    treebank = config.treebank
    if treebank is None:
        return None
    if treebank.planted is not None:
        size = treebank.max_eval or 1000
        return sample_treebank(TriScale(), config.seed, train=treebank.max_train or 2000, dev=size, test=size)
    if treebank.tagger is not None:
        from mspgt.text.tagging import tag_corpus

        return tag_corpus(corpus, treebank.tagger, max_train=treebank.max_train, max_eval=treebank.max_eval)
    return load_treebank(
        treebank.conllu,
        entities=treebank.entities,
        roles=treebank.roles,
        max_train=treebank.max_train,
        max_eval=treebank.max_eval,
        min_agreement=treebank.min_agreement,
    )


def ceilings(config: StudyConfig) -> dict[str, float]:
    """Task → F1 of the exact reader, where the language of the treebank is known; {} for any other."""
    if config.treebank is None or config.treebank.planted is None:
        return {}
    return _planted_ceilings(config.seed)


@cache
def _planted_ceilings(seed: int) -> dict[str, float]:
    return {task: found.ceiling for task, found in bounds(TriScale(), seed=seed).items()}


def _fewer_sentences(corpus: Corpus, limit: int | None) -> Corpus:
    """The corpus with at most `limit` sentences, the first of every document in proportion."""
    if limit is None or limit >= corpus.n_sentences:
        return corpus
    documents = tuple(limit_sentences(corpus.documents, limit))
    return replace(corpus, documents=documents, sha256=digest([corpus.sha256, limit]))


def _fewer_labels(treebank: Treebank | None, twins: TwinsConfig) -> Treebank | None:
    if treebank is None:
        return None
    return replace(
        treebank,
        train=tuple(limited(treebank.train, twins.max_train)),
        dev=tuple(limited(treebank.dev, twins.max_eval)),
        test=tuple(limited(treebank.test, twins.max_eval)),
        sha256=digest([treebank.sha256, twins.max_train, twins.max_eval]),
    )


def data_warnings(config: StudyConfig, data: Data) -> list[Notice]:
    notices = []
    if len(data.corpus.documents) == 1:
        notices.append(
            Notice(
                "provenance.data",
                "the corpus is one document",
                "no interval can be given: nothing to resample",
            )
        )
    notices += _corpus_warnings(data.corpus)
    treebank = data.treebank
    if treebank is None:
        notices.append(
            Notice("models.*.signals.S2", "no treebank was given", "S2 is null; S1 and S3 stand alone")
        )
        return notices
    if treebank.labels != "gold":
        notices.append(
            Notice(
                "models.*.signals.S2",
                f"labels are silver: {treebank.name}",
                "probes are measured against a tagger's opinion, not against the truth",
            )
        )
    for task, why in treebank.off.items():
        notices.append(
            Notice(f"models.*.probes.{task}", f"task is off: {why}", "S2 is the mean over the others")
        )
    if not config.probes.controls:
        for what in ("selectivity", "codelength"):
            notices.append(Notice(f"models.*.probes.*.{what}", "probes.controls is false", f"{what} is null"))
    notices += [Notice("provenance.data.treebank", note, "") for note in treebank.notes]
    for why, count in treebank.dropped.items():
        if count:
            notices.append(Notice("provenance.data.treebank", f"{count} sentences: {why}", "left out"))
    return notices


def _corpus_warnings(corpus: Corpus) -> list[Notice]:
    place, record, notices = "provenance.data", corpus.record, []
    if count := record.get("sentences_with_marks", 0):
        what = (
            f"{count} sentences hold marks of tokenised or generated text (<unk>, @-@, <|endoftext|>, </s>)"
        )
        notices.append(Notice(place, what, "they were measured as they stand"))
    if count := record.get("files_ignored", 0):
        what = f"{count} entries of the folder are no .txt files (or hidden, or folders)"
        notices.append(Notice(place, what, "left out"))
    return notices


def limits(config: StudyConfig, data: Data) -> list[str]:
    """Where a limit that the user set cut what was read, in words; a run with any is a sketch of the whole."""
    record, cut = data.corpus.record, []
    if record:
        there = {
            "documents": (
                record["documents_found"] - record["documents_without_sentences"],
                data.corpus.n_documents,
            ),
            "sentences": (record["sentences_found"] - record["sentences_too_short"], data.corpus.n_sentences),
        }
        for what, (found, used) in there.items():
            if getattr(config.corpus, f"max_{what}") is not None and used < found:
                cut.append(f"{used:,} of {found:,} {what} of the corpus (corpus.max_{what})")
    treebank, usual = data.treebank, TreebankConfig.model_fields
    for split, key in (("train", "max_train"), ("dev", "max_eval"), ("test", "max_eval")):
        limit = getattr(config.treebank, key, None)
        if treebank is not None and limit is not None and limit < usual[key].default:
            used, found = len(getattr(treebank, split)), treebank.found.get(split, 0)
            if used < found:
                cut.append(f"{used:,} of {found:,} {split} sentences of the treebank (treebank.{key})")
    return cut

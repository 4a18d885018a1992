"""Silver labels: a treebank made of the corpus itself by an installed spaCy pipeline (extra `tag`)."""

import hashlib
import json
from collections.abc import Container, Sequence
from typing import Any

from mspgt.errors import InputError, MissingExtraError
from mspgt.text.corpus import Corpus
from mspgt.text.limits import in_stretches
from mspgt.text.treebank import FIELD_OF_TASK, Treebank
from mspgt.text.trees import LabelledSentence

# Of every ten documents: train, dev and test must share no document.
_SHARES = {"train": (0, 1, 3, 4, 6, 8, 9), "dev": (5,), "test": (2, 7)}
LEAST_DOCUMENTS = 6


def tag_corpus(
    corpus: Corpus, pipeline: str, *, max_train: int | None = None, max_eval: int | None = None
) -> Treebank:
    """Label sentences of a corpus with parts of speech, dependencies and entities, as far as the pipeline gives them.

    The labels are the tagger's opinion, not the truth, and say so (`labels` = "silver"): a probe then measures how
    well a layer predicts the tagger. Documents are dealt to the splits in turn, seven to train, one to dev, two to
    test. Semantic roles are never given.

    Args:
        pipeline: name of an installed spaCy pipeline, or a folder with one.
        max_train, max_eval: sentences to tag, running text of evenly spread documents; of dev and test each.

    Raises:
        MissingExtraError: spaCy is not installed.
        InputError: no such pipeline, one that gives no label at all, or too few documents to split.
    """
    nlp = _pipeline(pipeline)
    if len(corpus.documents) < LEAST_DOCUMENTS:
        raise InputError(
            f"expected {LEAST_DOCUMENTS} documents or more to make silver labels of, found {len(corpus.documents)}: "
            "train, dev and test may not share a document; give a longer corpus, or a treebank"
        )
    limits = {"train": max_train, "dev": max_eval, "test": max_eval}
    splits, found = {}, {}
    for split, share in _SHARES.items():
        sentences = _dealt(corpus, share)
        found[split] = len(sentences)
        kept = in_stretches([document for document, _, _ in sentences], limits[split])
        splits[split] = _tag(nlp, [sentences[place] for place in kept])
    off = {
        task: f"the pipeline {pipeline} gives no such labels"
        for task, part in FIELD_OF_TASK.items()
        if not all(any(getattr(s, part) is not None for s in sentences) for sentences in splits.values())
    }
    if len(off) == len(FIELD_OF_TASK):
        raise InputError(
            f"expected a pipeline that tags, parses or finds entities, found {pipeline} with "
            f"{', '.join(nlp.pipe_names) or 'no components'}; install another "
            "(python -m spacy download en_core_web_sm)"
        )
    version = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"
    content = json.dumps(
        [version, *(list(map(vars, sentences)) for sentences in splits.values())], default=vars
    )
    return Treebank(
        name=f"silver labels of spaCy {version}",
        train=splits["train"],
        dev=splits["dev"],
        test=splits["test"],
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        tasks=tuple(task for task in FIELD_OF_TASK if task not in off),
        dropped={},
        off=off,
        found=found,
        labels="silver",
        # Sentences that a limit left are no running text.
        whole=splits if found == {split: len(sentences) for split, sentences in splits.items()} else {},
    )


def _dealt(corpus: Corpus, share: Container[int]) -> list[tuple[str, str, str]]:
    """Document, name and text of the sentences of a split, whose documents are those of a share of every ten."""
    return [
        (document.id, f"{document.id}-{number}", text)
        for place, document in enumerate(corpus.documents)
        if place % 10 in share
        for number, text in enumerate(document.sentences)
    ]


def _pipeline(name: str) -> Any:
    try:
        import spacy
    except ImportError as error:
        raise MissingExtraError(
            "silver labels need a tagger, which is not installed: pip install 'mspgt[tag]', then "
            "python -m spacy download en_core_web_sm (or any other pipeline)"
        ) from error
    try:
        return spacy.load(name)
    except (OSError, ValueError, ImportError) as error:
        installed = ", ".join(spacy.util.get_installed_models()) or "none"
        raise InputError(
            f"expected an installed spaCy pipeline or a folder with one, found {name!r} (installed: {installed}): "
            f"{str(error).splitlines()[0][:200]}. Fetch one: python -m spacy download en_core_web_sm"
        ) from error


def _tag(nlp: Any, sentences: Sequence[tuple[str, str, str]]) -> tuple[LabelledSentence, ...]:
    tagged = []
    for (document, name, text), doc in zip(sentences, nlp.pipe(text for *_, text in sentences), strict=True):
        tokens = [token for token in doc if not token.is_space]
        if not tokens:
            continue
        place = {token.i: number for number, token in enumerate(tokens)}
        parsed = doc.has_annotation("DEP") and all(token.head.i in place for token in tokens)
        tagged.append(
            LabelledSentence(
                sent_id=name,
                document=document,
                text=text,
                words=tuple(token.text for token in tokens),
                spans=tuple((token.idx, token.idx + len(token.text)) for token in tokens),
                upos=tuple(token.pos_ for token in tokens) if all(token.pos_ for token in tokens) else None,
                heads=tuple(-1 if t.head.i == t.i else place[t.head.i] for t in tokens) if parsed else None,
                deprels=tuple(token.dep_ for token in tokens) if parsed else None,
                entities=_entities(tokens) if doc.has_annotation("ENT_IOB") else None,
            )
        )
    return tuple(tagged)


def _entities(tokens: Sequence[Any]) -> tuple[str, ...]:
    """BIO tags; a space inside an entity, which is no word here, does not break it."""
    return tuple(
        "O" if token.ent_iob_ in ("O", "") else f"{token.ent_iob_}-{token.ent_type_}" for token in tokens
    )

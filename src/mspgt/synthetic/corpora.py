"""TriScale as text: a corpus of documents, and a treebank whose labels are true by construction."""

import hashlib
import json
from collections.abc import Iterator

import numpy as np

from mspgt.errors import InputError
from mspgt.synthetic.grammar import TEMPLATES
from mspgt.synthetic.lexicon import TOPICS
from mspgt.synthetic.triscale import TriScale
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document
from mspgt.text.treebank import LabelledSentence, Proposition, Treebank

# Third words of the random seed; training streams have two words, so no text here was trained on.
_CORPUS, _SPLITS = 1, {"train": 2, "dev": 3, "test": 4}


def sample_corpus(language: TriScale, documents: int, seed: int) -> Corpus:
    """`documents` documents of a language; a document's title is its topic."""
    sample = language.sample(documents, [seed, documents, _CORPUS])
    found = tuple(
        Document(
            f"{language.name}-{seed}-{i}", TOPICS[topic], tuple(_text(_words(language, s)) for s in sentences)
        )
        for i, (topic, sentences) in enumerate(zip(sample.topics, sample.words, strict=True))
    )
    return Corpus(language.name, found, _hash([list(vars(document).values()) for document in found]))


def sample_treebank(
    language: TriScale, seed: int, *, train: int = 1000, dev: int = 250, test: int = 500
) -> Treebank:
    """A treebank of so many sentences a split, with gold labels of all four tasks."""
    sizes = {"train": train, "dev": dev, "test": test}
    if min(sizes.values()) < 1:
        raise InputError(f"every split needs at least one sentence, got {sizes}")
    splits = {name: tuple(_labelled(language, seed, name, size)) for name, size in sizes.items()}
    content = [[list(vars(s).values()) for s in sentences] for sentences in splits.values()]
    return Treebank(
        name=language.name,
        train=splits["train"],
        dev=splits["dev"],
        test=splits["test"],
        sha256=_hash(content),
        tasks=("pos", "dep", "ner", "srl"),
        dropped={},
        off={},
        found=sizes,
        whole=splits,
    )


def _labelled(language: TriScale, seed: int, split: str, size: int) -> Iterator[LabelledSentence]:
    documents = -(-size // language.sentences)
    sample = language.sample(documents, [seed, documents, _SPLITS[split]])
    for i in range(size):
        document, place = divmod(i, language.sentences)
        template = TEMPLATES[sample.templates[document, place]]
        words = _words(language, sample.words[document, place])
        ends = np.cumsum([len(word) + 1 for word in words]) - 1
        starts = [end - len(word) for word, end in zip(words, ends, strict=True)]
        spans = [(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]
        spans[-1] = (spans[-1][0] - 1, spans[-1][1] - 1)  # no space before the full stop
        yield LabelledSentence(
            sent_id=f"{split}-{i}",
            document=f"{split}-{document}",
            text=_text(words),
            words=words,
            spans=tuple(spans),
            upos=template.upos,
            heads=template.heads,
            deprels=template.deprels,
            entities=template.entities,
            propositions=tuple(Proposition(verb, arguments) for verb, arguments in template.propositions),
            topic=TOPICS[sample.topics[document]],
        )


def _words(language: TriScale, indices: np.ndarray) -> tuple[str, ...]:
    return tuple(language.vocabulary[i] for i in indices if i >= 0)


def _text(words: tuple[str, ...]) -> str:
    return " ".join(words[:-1]) + words[-1]


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, default=vars).encode()).hexdigest()

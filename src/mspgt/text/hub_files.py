"""Data sets of the hub written as the files that a study names: WikiText, CoNLL-U, entities in IOB2."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from mspgt.text.hub import read_rows
from mspgt.text.hub_treebank import HUB_SPLITS, hub_entities, hub_sentences
from mspgt.text.labels import SentenceLabels
from mspgt.text.trees import LabelledSentence


def wikitext_file(source: str) -> str:
    """A split of WikiText as its raw file: the hub keeps a line a row, and nothing of an empty line."""
    return _lines(read_rows(source))


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(
        str(row["text"]).rstrip("\n") + "\n" if str(row["text"]).strip() else " \n" for row in rows
    )


def treebank_files(source: str) -> dict[str, str]:
    """Split (train, dev, test) to CoNLL-U text, of a data set laid out as Universal Dependencies on the hub."""
    return {
        split: conllu_text([sentence for _, sentence in hub_sentences(source, split, Counter())])
        for split in HUB_SPLITS
    }


def entity_file(source: str) -> str:
    """All splits of a data set laid out as Universal NER on the hub, as one IOB2 file; joined by sent_id anyway."""
    return iob2_text(hub_entities(source))


def conllu_text(sentences: Sequence[LabelledSentence]) -> str:
    """CoNLL-U that reads back as the same sentences; what a sentence does not have is `_`."""
    return "\n".join(_sentence_lines(sentences))


def _sentence_lines(sentences: Sequence[LabelledSentence]) -> Iterator[str]:
    document = None
    for sentence in sentences:
        if sentence.marked and sentence.document != document:
            document = sentence.document
            yield f"# newdoc id = {document}"
        yield f"# sent_id = {sentence.sent_id}"
        yield f"# text = {sentence.text}"
        # A space that does not stand behind a word is said, one that does is the rule.
        glued = [end == start for (_, end), (start, _) in pairwise(sentence.spans)] + [False]
        for i, word in enumerate(sentence.words):
            columns = [
                str(i + 1),
                word,
                _of(sentence.lemmas, i),
                _of(sentence.upos, i),
                _of(sentence.xpos, i),
                "_",
                "_" if sentence.heads is None else str(sentence.heads[i] + 1),
                _of(sentence.deprels, i),
                "_",
                "SpaceAfter=No" if glued[i] else "_",
            ]
            yield "\t".join(columns)
        yield ""
    yield ""


def _of(column: Sequence[str] | None, place: int) -> str:
    return "_" if column is None else column[place]


def iob2_text(labels: Iterable[SentenceLabels]) -> str:
    """IOB2 with a comment `# sent_id` before every sentence."""
    blocks = []
    for each in labels:
        rows = [
            f"{i}\t{word}\t{tag}"
            for i, (word, tag) in enumerate(zip(each.words, each.labels, strict=True), 1)
        ]
        blocks.append("\n".join([f"# sent_id = {each.sent_id}", *rows]))
    return "\n\n".join(blocks) + "\n\n"


def content_sha256(text: str) -> str:
    """SHA-256 of a text's lines without blank ones and space around them: equal for two copies that say the same."""
    lines = (line.strip() for line in text.splitlines())
    return hashlib.sha256("\n".join(line for line in lines if line).encode()).hexdigest()

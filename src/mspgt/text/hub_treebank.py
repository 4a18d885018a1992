"""Treebanks of the hub: Universal Dependencies and Universal NER by id, a row a sentence."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from mspgt.errors import InputError
from mspgt.text.columns import spell
from mspgt.text.hub import read_split
from mspgt.text.labels import SentenceLabels
from mspgt.text.trees import LabelledSentence

# The hub's names of the splits.
HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}
_NOTHING = (None, "", "_", "None")
_NUMBER = re.compile(r"[-_.]\d+$")


def hub_sentences(source: str, split: str, dropped: Counter[str]) -> Iterator[tuple[str, LabelledSentence]]:
    """(source, row) and sentence of each row of a split: columns text, tokens, and of upos, head, deprel those there.

    Rows of Universal Dependencies also list multiword tokens ("don't" before "do", "n't"), which have no head and are
    left out; a sentence whose words then do not spell its text is left out and counted in `dropped`. A document is
    what stands before the number at the end of `idx` ("weblog-…-0003"); without one the split is one document.
    Raises InputError where the columns are not such, or no row is left.
    """
    rows = read_split(source, HUB_SPLITS[split])
    found = False
    for number, row in enumerate(rows):
        where = f"{source}, {split}, row {number}"
        tokens, text = _column(row, "tokens", where), row.get("text")
        heads = row.get("head")
        kept = [i for i in range(len(tokens)) if heads is None or heads[i] not in _NOTHING]
        words = tuple(str(tokens[i]) for i in kept)
        text = str(text) if isinstance(text, str) and text.strip() else " ".join(words)
        spans = spell(text, words)
        if spans is None or not words:
            dropped["treebank: words do not spell the sentence"] += 1
            continue
        name = str(row.get("idx") or f"{split}-{number}")
        document = _NUMBER.sub("", name)
        found = True
        places = None if heads is None else _heads([heads[i] for i in kept], where)
        relations = _labels(row, "deprel", kept)
        yield (
            where,
            LabelledSentence(
                sent_id=name,
                document=document if document != name else split,
                text=text,
                words=words,
                spans=tuple(spans),
                upos=_labels(row, "upos", kept),
                heads=places if relations else None,
                deprels=tuple(r.split(":")[0] for r in relations) if relations and places else None,
                xpos=_labels(row, "xpos", kept),
                lemmas=_labels(row, "lemmas", kept),
                marked=document != name,
            ),
        )
    if not found:
        raise InputError(f"expected sentences in {source}, split {split}, found none; name another data set")


def hub_entities(source: str) -> Iterator[SentenceLabels]:
    """BIO tags of every split of a data set with columns idx, tokens, ner_tags, as Universal NER has them."""
    for split in HUB_SPLITS.values():
        for number, row in enumerate(read_split(source, split)):
            where = f"{source}, {split}, row {number}"
            words = tuple(map(str, _column(row, "tokens", where)))
            tags = tuple(map(str, _column(row, "ner_tags", where)))
            if len(words) != len(tags) or not row.get("idx"):
                raise InputError(
                    f"{where}: expected an idx and as many ner_tags as tokens, found {row.get('idx')!r}, {len(tags)} "
                    f"and {len(words)}; name another data set"
                )
            yield SentenceLabels(where, str(row["idx"]), words, tags)


def _column(row: Mapping[str, Any], name: str, where: str) -> list[Any]:
    found = row.get(name)
    if not isinstance(found, list):
        raise InputError(
            f"{where}: expected a list in column {name}, found columns {', '.join(row)}; name a treebank in the "
            "layout of universal-dependencies/universal_dependencies (entities: universalner/universal_ner)"
        )
    return found


def _labels(row: Mapping[str, Any], name: str, kept: list[int]) -> tuple[str, ...] | None:
    column = row.get(name)
    if not isinstance(column, list) or any(column[i] in _NOTHING for i in kept):
        return None
    return tuple(str(column[i]) for i in kept)


def _heads(column: list[Any], where: str) -> tuple[int, ...]:
    """Word indices from 0, the root -1, from ids counted from 1, the root 0."""
    heads = tuple(int(head) - 1 for head in column)
    if not all(-1 <= head < len(heads) and head != i for i, head in enumerate(heads)):
        raise InputError(
            f"{where}: expected heads among its {len(heads)} words, found {column}; leave the row out"
        )
    return heads

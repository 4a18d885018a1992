"""Labels beside a treebank: entities (IOB2) and semantic roles (PropBank-style JSONL), by sent_id."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mspgt.errors import InputError
from mspgt.text.columns import read_blocks
from mspgt.text.files import read_text

_CHUNK_TAG = re.compile(r"([BI])-(\S+)")
# The predicate itself and its particle are no arguments.
_PREDICATE_LABELS = ("V", "C-V")


@dataclass(frozen=True)
class Proposition:
    """A predicate (word index) and its arguments (label, start, end): word indices, end exclusive."""

    predicate: int
    arguments: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class SentenceLabels:
    """What one file says of one sentence: BIO tags or propositions, over its own words."""

    where: str
    sent_id: str
    words: tuple[str, ...]
    labels: tuple[Any, ...]
    agreement: float | None = None


def read_entities(path: Path) -> Iterator[SentenceLabels]:
    """BIO tags of an IOB2 file: tab-separated columns id, word, tag, a comment `# sent_id = ...`.

    Raises InputError for lines that are not such, tags that are not valid BIO, and a file cut off.
    """
    for block in read_blocks(path):
        words: list[str] = []
        tags: list[str] = []
        inside = ""
        for number, line in block.rows:
            columns = line.split("\t")
            if len(columns) < 3:
                raise InputError(
                    f"{path}:{number}: expected tab-separated columns id, word, tag, found {line[:60]!r}; "
                    "correct the line, or fetch the file again if it was cut off"
                )
            word, tag = columns[1:3]
            chunk = _CHUNK_TAG.fullmatch(tag)
            if tag != "O" and (chunk is None or (chunk[1] == "I" and chunk[2] != inside)):
                raise InputError(
                    f"{path}:{number}: expected a BIO tag (O, B-X, or I-X inside an entity X), found {tag!r} "
                    f"after {tags[-1] if tags else 'the start of the sentence'}; convert the file to IOB2"
                )
            inside = chunk[2] if chunk else ""
            words.append(word)
            tags.append(tag)
        block.check_whole(block.comment("text"), words)
        sent_id = block.comment("sent_id")
        if not sent_id:
            raise InputError(f"{block.where}: expected a line `# sent_id = ...`, found none; add it")
        yield SentenceLabels(block.where, sent_id, tuple(words), tuple(tags))


def read_roles(path: Path) -> Iterator[SentenceLabels]:
    """Propositions of a JSONL file, an object a line: `{sent_id, words, props, pos_agree?}`.

    A proposition is `{pred, spans: [[label, start, end), ...]}`; spans labelled V or C-V are the predicate
    itself and left out. Raises InputError for anything else, and for indices outside the sentence.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = json.loads(line)
            words = tuple(map(str, record["words"]))
            sentence = SentenceLabels(
                where=where,
                sent_id=str(record["sent_id"]),
                words=words,
                labels=tuple(_proposition(each, where, len(words)) for each in record["props"]),
                agreement=float(record["pos_agree"]) if "pos_agree" in record else None,
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"{where}: expected a JSON object with sent_id, words and props [{{pred, spans}}], found "
                f"{line[:60]!r} ({error!r}); correct the line, or fetch the file again if it was cut off"
            ) from error
        yield sentence


def _proposition(record: Any, where: str, n_words: int) -> Proposition:
    predicate = int(record["pred"])
    arguments = tuple((str(label), int(start), int(end)) for label, start, end in record["spans"])
    if not 0 <= predicate < n_words or not all(0 <= start < end <= n_words for _, start, end in arguments):
        raise InputError(
            f"{where}: expected a predicate and spans [start, end) within the {n_words} words, found "
            f"predicate {predicate} with {arguments}; correct them"
        )
    return Proposition(predicate, tuple(each for each in arguments if each[0] not in _PREDICATE_LABELS))

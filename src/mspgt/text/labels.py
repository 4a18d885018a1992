"""Labels beside a treebank: entities (IOB2) and semantic roles (PropBank-style JSONL), by sent_id."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mspgt.errors import InputError
from mspgt.text.columns import Block, read_blocks
from mspgt.text.entity_schemes import scheme_of, to_iob2
from mspgt.text.files import read_text

_CHUNK_TAG = re.compile(r"([BI])-(\S+)")
_TAGGED = re.compile(r"[BIES]-.+")
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


def read_entities(path: Path) -> tuple[list[SentenceLabels], str]:
    """BIO tags of a file of tab-separated columns id, word, tag with comments `# sent_id = ...`, and its scheme.

    Tags are IOB2; a file in IOB1, BIOES or BILOU is turned into it. Blocks of `-DOCSTART-` are passed over.
    Raises InputError for lines that are not such, tags that no scheme allows, and a file cut off.
    """
    blocks = [block for block in read_blocks(path) if not _is_mark(block)]
    given = [_word_tags(block) for block in blocks]
    scheme = scheme_of([tags for _, tags in given])
    found = []
    for block, (words, tags) in zip(blocks, given, strict=True):
        labels = to_iob2(tags, scheme)
        _check_tags(block, tags, labels, scheme)
        block.check_whole(block.comment("text"), words)
        sent_id = block.comment("sent_id")
        if not sent_id:
            raise InputError(f"{block.where}: expected a line `# sent_id = ...`, found none; add it")
        found.append(SentenceLabels(block.where, sent_id, tuple(words), tuple(labels)))
    return found, scheme


def _is_mark(block: Block) -> bool:
    return bool(block.rows) and all("-DOCSTART-" in line.split() for _, line in block.rows)


def _word_tags(block: Block) -> tuple[list[str], list[str]]:
    rows = []
    for number, line in block.rows:
        columns = line.split("\t")
        if len(columns) < 3:
            raise InputError(
                f"{block.path}:{number}: expected tab-separated columns id, word, tag, found {line[:60]!r}; "
                "correct the line, or fetch the file again if it was cut off"
            )
        rows.append((columns[1], columns[2]))
    return [word for word, _ in rows], [tag for _, tag in rows]


def _check_tags(block: Block, given: list[str], tags: list[str], scheme: str) -> None:
    inside = ""
    for (number, _), tag, label, before in zip(block.rows, given, tags, ["", *given], strict=False):
        chunk = _CHUNK_TAG.fullmatch(label)
        if label != "O" and (chunk is None or (chunk[1] == "I" and chunk[2] != inside)):
            raise InputError(
                f"{block.path}:{number}: expected a BIO tag (O, B-X, or I-X inside an entity X; the file reads as "
                f"{scheme}), found {tag!r} after {before or 'the start of the sentence'}; convert the file to IOB2"
            )
        inside = chunk[2] if chunk else ""


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
                agreement=_agreement(record.get("pos_agree"), where),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"{where}: expected a JSON object with sent_id, words and props [{{pred, spans}}], found "
                f"{line[:60]!r} ({error!r}); correct the line, or fetch the file again if it was cut off"
            ) from error
        yield sentence


def _agreement(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise InputError(f"{where}: expected pos_agree to be a number in [0, 1], found {value!r}; correct it")
    return float(value)


def _proposition(record: Any, where: str, n_words: int) -> Proposition:
    predicate, spans = record["pred"], [(label, start, end) for label, start, end in record["spans"]]
    numbers = [predicate, *(place for _, *span in spans for place in span)]
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        raise InputError(
            f"{where}: expected whole word indices, found pred {predicate!r} with {spans}; correct them"
        )
    for label, _, _ in spans:
        if not isinstance(label, str) or _TAGGED.fullmatch(label):
            raise InputError(
                f"{where}: expected the name of a role (ARG0), found {label!r}; a span has its ends beside it, so "
                "take the tag's first letter away"
            )
    if not 0 <= predicate < n_words or not all(0 <= start < end <= n_words for _, start, end in spans):
        raise InputError(
            f"{where}: expected a predicate and spans [start, end) within the {n_words} words, found "
            f"predicate {predicate} with {spans}; correct them"
        )
    return Proposition(predicate, tuple(each for each in spans if each[0] not in _PREDICATE_LABELS))

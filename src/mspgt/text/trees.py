"""CoNLL-U sentences: words, where they stand in the text, parts of speech and dependencies."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conllu import TokenList, parse_token_and_metadata
from conllu.exceptions import ParseException
from conllu.parser import parse_id_value

from mspgt.errors import InputError
from mspgt.text.columns import Block, Span, read_blocks, spell
from mspgt.text.labels import Proposition


@dataclass(frozen=True)
class LabelledSentence:
    """One sentence; every label field runs over its words, and is None where it has no such labels.

    `spans` are the character offsets of each word in `text`; `heads` are word indices, -1 for the root;
    `deprels` are universal relations without subtype; `entities` are BIO tags. `genre` and `topic` are what the
    file says of the document. `marked` is false where the file does not say which sentences make a document.
    """

    sent_id: str
    document: str
    text: str
    words: tuple[str, ...]
    spans: tuple[Span, ...]
    upos: tuple[str, ...] | None
    heads: tuple[int, ...] | None
    deprels: tuple[str, ...] | None
    entities: tuple[str, ...] | None = None
    propositions: tuple[Proposition, ...] | None = None
    xpos: tuple[str, ...] | None = None
    lemmas: tuple[str, ...] | None = None
    genre: str | None = None
    topic: str | None = None
    marked: bool = True


# Comments `# genre = …` or, as some treebanks have it, `# meta::genre = …`.
_ABOUT_DOCUMENTS = ("genre", "topic")


def read_conllu(path: Path, dropped: Counter[str] | None = None) -> Iterator[tuple[str, LabelledSentence]]:
    """(file:line, sentence) of a CoNLL-U file.

    Words are syntactic words: the parts of a multiword token share out its characters where they spell it,
    and have all of them where not ("du" = "de le"); empty nodes are left out. Relations lose their subtype
    (`nsubj:pass`), which a parse need not have and which splits classes thinly: EWT's 51 become 36. Without
    `# newdoc` the whole file is one document, which is not `marked`. A sentence whose words do not spell its `# text`
    is left out and counted in `dropped`. Raises InputError for columns, ids or heads that cannot be right, for a file
    cut off, and for one of which no sentence is left.
    """
    document = path.stem
    lost, kept = "", 0
    marked, about = False, dict.fromkeys(_ABOUT_DOCUMENTS)
    for block in read_blocks(path):
        # Not the path: it would make the treebank's hash depend on where the file lies.
        unnamed = f"{path.stem}:{block.lines[0][0]}"
        tokens = _parse(block)
        words = [token for token in tokens if isinstance(token["id"], int)]
        _check_tree(block, tokens, len(words))
        if "newdoc" in tokens.metadata or "newdoc id" in tokens.metadata:
            document = tokens.metadata.get("newdoc id") or unnamed
            marked, about = True, dict.fromkeys(_ABOUT_DOCUMENTS)
        for key in about:  # a comment holds until the next document
            about[key] = tokens.metadata.get(key) or tokens.metadata.get(f"meta::{key}") or about[key]
        located = _locate(block, tokens)
        if located is None:
            lost = lost or block.where
            if dropped is not None:
                dropped["treebank: words do not spell the sentence"] += 1
            continue
        kept += 1
        text, spans = located
        heads = _complete([None if token["head"] is None else token["head"] - 1 for token in words])
        deprels = _complete([token["deprel"].split(":")[0] for token in words])
        yield (
            block.where,
            LabelledSentence(
                sent_id=tokens.metadata.get("sent_id") or unnamed,
                document=document,
                text=text,
                words=tuple(token["form"] for token in words),
                spans=spans,
                upos=_complete([token["upos"] for token in words]),
                heads=heads if deprels else None,
                deprels=deprels if heads else None,
                xpos=_complete([token["xpos"] for token in words]),
                # A lemma may be "_" itself (the word is an underscore); the column is absent where all are.
                lemmas=tuple(token["lemma"] for token in words)
                if any(token["lemma"] != "_" for token in words)
                else None,
                marked=marked,
                **about,
            ),
        )
    if not kept:
        raise InputError(
            f"{lost}: expected the words to spell the sentence's `# text`, found none in {path.name} that do; "
            "correct them, or remove the `# text` lines to have the text made from the words"
        )


_LONGEST_ID = 20  # characters; a sentence has no 10^19 words


def _as_is(columns: list[str], i: int) -> str:
    return columns[i]


def _word_id(columns: list[str], i: int) -> Any:
    if len(columns[i]) > _LONGEST_ID:
        raise ParseException(f"an id of {len(columns[i])} characters")
    return int(columns[i]) if columns[i].isdecimal() else parse_id_value(columns[i])


# Leaving the columns that nobody reads unparsed takes a third of the time of parsing them.
_FIELDS = {"id": _word_id, **dict.fromkeys(("xpos", "feats", "deps", "misc"), _as_is)}


def _parse(block: Block) -> TokenList:
    for number, line in block.rows:
        columns = line.split("\t")
        if len(columns) != 10 or not all(map(str.strip, columns)):
            raise InputError(
                f"{block.path}:{number}: expected 10 tab-separated CoNLL-U columns, none empty, found "
                f"{line[:60]!r}; correct the line, or fetch the file again if it was cut off"
            )
        if line.lstrip().startswith("#"):  # which the library would pass over as a comment
            raise InputError(
                f"{block.path}:{number}: expected the number of a word in the first column, found {line[:60]!r}; "
                "a comment begins with # at once: correct the line"
            )
    try:
        return parse_token_and_metadata("\n".join(line for _, line in block.lines), field_parsers=_FIELDS)
    except ParseException as error:
        raise InputError(f"{block.where}: expected a CoNLL-U sentence: {error}; correct it") from error


def _check_tree(block: Block, tokens: TokenList, n_words: int) -> None:
    position = 0
    for (number, _), token in zip(block.rows, tokens, strict=True):
        if token["id"] is None:
            raise InputError(
                f"{block.path}:{number}: expected the number of a word in the first column (2, 2-3 or 2.1), found _; "
                "correct it"
            )
        if not isinstance(token["id"], int):
            continue
        position += 1
        if token["id"] != position:
            raise InputError(
                f"{block.path}:{number}: expected word {position}, found {token['id']}; words are numbered "
                "from 1 without gaps: restore the missing line"
            )
        head = token["head"]
        if head is not None and (not 0 <= head <= n_words or head == position):
            raise InputError(
                f"{block.path}:{number}: expected the head of word {position} to be another of 0..{n_words}, "
                f"found {head}; correct it, or fetch the file again if it was cut off"
            )


def _locate(block: Block, tokens: TokenList) -> tuple[str, tuple[Span, ...]] | None:
    """The text and the span of every word in it, by spelling it with the surface tokens; None if they do not."""
    forms: list[str] = []
    parts: list[list[str]] = []
    rebuilt = ""
    inside = 0
    for token in tokens:
        is_word = isinstance(token["id"], int)
        if is_word and token["id"] <= inside:
            parts[-1].append(token["form"])
        elif is_word or token["id"][1] == "-":
            forms.append(token["form"])
            parts.append([token["form"]] if is_word else [])
            rebuilt += token["form"] + ("" if "SpaceAfter=No" in token["misc"].split("|") else " ")
            inside = inside if is_word else token["id"][2]
    given = tokens.metadata.get("text")
    block.check_whole(given, forms)
    text = given or rebuilt.strip()
    placed = spell(text, forms)
    if placed is None:
        return None
    spans: list[Span] = []
    for (start, end), form, words in zip(placed, forms, parts, strict=True):
        shared = "".join(words) == form
        for word in words:
            spans.append((start, start + len(word)) if shared else (start, end))
            start += len(word) if shared else 0
    return text, tuple(spans)


def _complete(column: list[Any]) -> tuple[Any, ...] | None:
    return None if None in column or "_" in column else tuple(column)

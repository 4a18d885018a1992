"""Corpora: documents of plain sentences, from files, folders or the Hugging Face hub."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from mspgt.errors import InputError
from mspgt.text.files import read_text
from mspgt.text.hub import is_hub_id, read_rows
from mspgt.text.limits import evenly_spread
from mspgt.text.sentences import split_sentences
from mspgt.text.wikitext import articles, heading

FORMATS = ("auto", "wikitext", "text", "jsonl", "hub")

_END_OF_TEXT = re.compile(r"^[^\S\n]*<\|endoftext\|>[^\S\n]*$", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_LINE = re.compile(r"\n")
_WORD = re.compile(r"\w\S*")


@dataclass(frozen=True)
class Document:
    """One text; documents are the clusters over which every confidence interval is taken."""

    id: str
    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Corpus:
    """Documents in order, as used: after the word minimum and the limits.

    `sha256` is over ids, titles and sentences, so anything computed from the corpus may be keyed by it.
    `record` counts what was found and what was left out on the way.
    """

    name: str
    documents: tuple[Document, ...]
    sha256: str
    record: dict[str, int] = field(default_factory=dict, compare=False)

    @property
    def n_documents(self) -> int:
        return len(self.documents)

    @property
    def n_sentences(self) -> int:
        return sum(len(document.sentences) for document in self.documents)


def load_corpus(
    source: str | Path,
    *,
    format: str = "auto",
    min_words: int = 5,
    max_documents: int | None = None,
    max_sentences: int | None = None,
) -> Corpus:
    """Documents and sentences of a corpus.

    - `wikitext`: a file in WikiText's raw form; a document per level-1 heading ` = Title = `, headings left
      out, tokenisation undone.
    - `text`: a folder (a document per .txt file), or a file: lines `<|endoftext|>` separate documents if
      there are any; otherwise blank lines do, if there are any; otherwise every line is a document.
    - `jsonl`: an object a line, with `text` or `sentences` (used as they are), and optionally `id`, `title`.
    - `hub`: `owner/name[:configuration[:split]]`, split `validation` unless given, with a column `text` or
      `sentences`. The network is used for nothing else, and never if `source` exists as a file.
    - `auto`: by what `source` is, its ending, and whether it begins with a level-1 heading.

    Sentences of fewer than `min_words` words are left out, then documents without sentences. `max_documents`
    and then `max_sentences` (over the whole corpus) take evenly spread ones.

    Raises InputError for input that cannot be read or leaves no sentence, MissingExtraError for the hub
    without the `hub` extra.
    """
    if format not in FORMATS:
        raise InputError(f"expected a format among {', '.join(FORMATS)}, found {format!r}")
    name, found = _read(source, format)
    kept = [
        replace(doc, sentences=tuple(s for s in doc.sentences if len(_WORD.findall(s)) >= min_words))
        for doc in found
    ]
    kept = [document for document in kept if document.sentences]
    n_found = sum(len(document.sentences) for document in found)
    n_kept = sum(len(document.sentences) for document in kept)
    if not kept:
        raise InputError(
            f"expected sentences of at least {min_words} words in {name}, found {len(found)} documents with "
            f"{n_found} sentences, all shorter; lower min_words or use another corpus"
            if n_found
            else f"expected text in {name}, found none; use another corpus"
        )
    documents = tuple(_limit_sentences(evenly_spread(kept, max_documents), max_sentences))
    record = {
        "documents_found": len(found),
        "documents_without_sentences": len(found) - len(kept),
        "sentences_found": n_found,
        "sentences_too_short": n_found - n_kept,
    }
    content = [[document.id, document.title, document.sentences] for document in documents]
    return Corpus(name, documents, hashlib.sha256(json.dumps(content).encode()).hexdigest(), record)


def _read(source: str | Path, format: str) -> tuple[str, list[Document]]:
    path = Path(source)
    try:
        name, exists, is_folder = path.resolve().name, path.exists(), path.is_dir()
    except (OSError, ValueError) as error:
        raise InputError(
            f"expected a path or a hub id, found {str(source)[:60]!r}, which is neither; put text in a file"
        ) from error
    if not exists and (format == "hub" or (format == "auto" and is_hub_id(source))):
        return str(source), _from_hub(str(source))
    if format == "hub":
        raise InputError(
            f"expected a hub data set `owner/name`, found a file or folder {path}; leave format out"
        )
    if is_folder:
        return name, _from_folder(path, format)
    text = read_text(path)
    if format == "jsonl" or (format == "auto" and path.suffix.lower() in (".jsonl", ".ndjson")):
        return name, _from_jsonl(path, text)
    if format == "wikitext" or (format == "auto" and _is_wikitext(text)):
        return name, _from_wikitext(name, text)
    return name, _from_text(text)


def _is_wikitext(text: str) -> bool:
    first, *rest = text.strip().split("\n", 2)
    level, _ = heading(first) or (0, "")
    return level == 1 and (not rest or not rest[0].strip())


def _sentences(text: str) -> tuple[str, ...]:
    return tuple(sentence.replace("\n", " ") for sentence in split_sentences(text))


def _from_wikitext(name: str, text: str) -> list[Document]:
    found = articles(text)
    if not any(title for title, _ in found):
        raise InputError(
            f"expected level-1 headings (` = Title = ` between blank lines) in {name}, found none; "
            "use format='text' for plain text"
        )
    return [
        Document(
            f"{i:06d}", title, tuple(sentence for paragraph in body for sentence in _sentences(paragraph))
        )
        for i, (title, body) in enumerate(found)
    ]


def _from_text(text: str) -> list[Document]:
    separators = (_END_OF_TEXT, _BLANK_LINE, _LINE)
    separator = next((each for each in separators if each.search(text.strip())), _LINE)
    texts = [part for part in separator.split(text) if part.strip()]
    return [Document(f"{i:06d}", "", _sentences(part)) for i, part in enumerate(texts)]


def _from_folder(path: Path, format: str) -> list[Document]:
    if format not in ("auto", "text"):
        raise InputError(
            f"expected a file for format {format!r}, found a folder at {path}; name one file in it"
        )
    files = sorted(path.glob("*.txt"))
    if not files:
        raise InputError(f"expected .txt files (a document each) in {path}, found none; name another folder")
    return [Document(file.stem, "", _sentences(read_text(file))) for file in files]


def _from_jsonl(path: Path, text: str) -> list[Document]:
    documents = []
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{where}: expected a JSON object on one line, found {line[:60]!r} ({error}); "
                "correct the line, or fetch the file again if it was cut off"
            ) from error
        document = _from_record(record, where, f"{number:06d}")
        if document.id in lines:
            raise InputError(
                f"{where}: expected every id once, found {document.id!r} again (first on line "
                f"{lines[document.id]}); a document is a cluster of every interval, so give each its own id"
            )
        lines[document.id] = number
        documents.append(document)
    return documents


def _from_hub(source: str) -> list[Document]:
    rows = read_rows(source)
    text = "\n".join(row["text"].rstrip("\n") for row in rows if isinstance(row.get("text"), str))
    if _is_wikitext(text):
        return _from_wikitext(source, text)
    return [_from_record({**row, "id": f"{i:06d}"}, f"{source}, row {i}") for i, row in enumerate(rows)]


def _from_record(record: Any, where: str, default_id: str = "") -> Document:
    if not isinstance(record, dict):
        raise InputError(
            f"{where}: expected a JSON object with `text` or `sentences`, found {type(record).__name__}"
        )
    if "sentences" in record:
        given = record["sentences"]
        if not isinstance(given, list) or not all(isinstance(sentence, str) for sentence in given):
            raise InputError(
                f"{where}: expected `sentences` to be a list of strings, found something else; correct it"
            )
        sentences = tuple(sentence for sentence in given if sentence.strip())
    elif isinstance(record.get("text"), str):
        sentences = _sentences(record["text"])
    else:
        raise InputError(
            f"{where}: expected a string `text` or a list `sentences`, found {sorted(map(str, record))}; "
            "rename the field that holds the text"
        )
    given_id, title = record.get("id"), record.get("title")
    document = Document(
        default_id if given_id is None else str(given_id), "" if title is None else str(title), sentences
    )
    try:
        "".join((document.id, document.title, *sentences)).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where}: expected Unicode text, found half a surrogate pair ({error.object[error.start]!r}); "
            "write the file again from properly decoded text"
        ) from error
    return document


def _limit_sentences(documents: list[Document], limit: int | None) -> Iterator[Document]:
    everything = [(i, sentence) for i, document in enumerate(documents) for sentence in document.sentences]
    for i, group in groupby(evenly_spread(everything, limit), key=itemgetter(0)):
        yield replace(documents[i], sentences=tuple(sentence for _, sentence in group))

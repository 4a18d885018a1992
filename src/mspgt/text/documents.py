"""Files, folders and data sets of many kinds to documents of sentences."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mspgt.errors import InputError
from mspgt.text.files import read_text
from mspgt.text.hub import is_hub_id, read_rows
from mspgt.text.sentences import split_sentences
from mspgt.text.wikitext import articles, is_wikitext
from mspgt.text.words import composed

FORMATS = ("auto", "wikitext", "text", "jsonl", "json", "parquet", "hub")
_OF_ENDING = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".parquet": "parquet"}
# Read as text these would give sentences that nobody wrote.
_NOT_TEXT = {
    ".csv": 'a table: write its text column as JSONL ({"text": …} a line) or Parquet',
    ".tsv": 'a table: write its text column as JSONL ({"text": …} a line) or Parquet',
    ".conllu": "a treebank: give it as labels (--treebank), and its text as plain text",
    ".conll": "a treebank: give it as labels (--treebank), and its text as plain text",
    ".iob2": "entity labels: give them with --entities, and their text as plain text",
    ".zip": "an archive: unpack it",
    ".tar": "an archive: unpack it",
    ".html": "a web page: extract its text",
    ".htm": "a web page: extract its text",
    ".xml": "marked-up text: extract the text",
}
_END_OF_TEXT = re.compile(r"^[^\S\n]*<\|endoftext\|>[^\S\n]*$", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_LINE = re.compile(r"\n")


@dataclass(frozen=True)
class Document:
    """One text; documents are the clusters over which every confidence interval is taken."""

    id: str
    title: str
    sentences: tuple[str, ...]


def read_documents(source: str | Path, format: str) -> tuple[str, list[Document], int]:
    """Name of a source, its documents, and how many files of a folder were passed over.

    Raises InputError for what cannot be read, or is not text.
    """
    path = Path(source)
    try:
        name, exists, is_folder = path.resolve().name, path.exists(), path.is_dir()
    except (OSError, ValueError) as error:
        raise InputError(
            f"expected a path or a hub id, found {str(source)[:60]!r}, which is neither; put text in a file"
        ) from error
    if not exists and (format == "hub" or (format == "auto" and is_hub_id(source))):
        return str(source), _from_rows(str(source), read_rows(str(source))), 0
    if format == "hub":
        raise InputError(
            f"expected a hub data set `owner/name`, found a file or folder {path}; leave format out"
        )
    if is_folder:
        return name, *_from_folder(path, format)
    return name, _from_file(path, name, format), 0


def _from_file(path: Path, name: str, format: str) -> list[Document]:
    ending = Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if format == "auto" and ending in _NOT_TEXT and path.exists():
        raise InputError(f"expected a corpus, found {path}, which is {_NOT_TEXT[ending]}")
    kind = _OF_ENDING.get(ending, "text") if format == "auto" else format
    if kind == "parquet":
        return _from_rows(str(path), _parquet_rows(path))
    text = read_text(path)
    readers: Mapping[str, Callable[[Path, str], list[Document]]] = {"jsonl": _from_jsonl, "json": _from_json}
    if kind in readers:
        return readers[kind](path, text)
    if kind == "wikitext" or (format == "auto" and is_wikitext(text)):
        return _from_wikitext(name, text)
    return _from_text(text)


def _sentences(text: str) -> tuple[str, ...]:
    return tuple(sentence.replace("\n", " ") for sentence in split_sentences(composed(text)))


def _from_wikitext(name: str, text: str) -> list[Document]:
    found = articles(text)
    if not any(title for title, _ in found):
        raise InputError(
            f"expected level-1 headings (` = Title = `) in {name}, found none; use format='text' for plain text"
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


def _from_folder(path: Path, format: str) -> tuple[list[Document], int]:
    """A document a text file; hidden files, other files and folders in it are passed over and counted."""
    if format not in ("auto", "text"):
        raise InputError(
            f"expected a file for format {format!r}, found a folder at {path}; name one file in it"
        )
    found = sorted(path.iterdir())
    files = [
        each
        for each in found
        if each.suffix.lower() == ".txt" and not each.name.startswith(".") and each.is_file()
    ]
    if not files:
        raise InputError(f"expected .txt files (a document each) in {path}, found none; name another folder")
    return [Document(file.stem, "", _sentences(read_text(file))) for file in files], len(found) - len(files)


def _from_jsonl(path: Path, text: str) -> list[Document]:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{path}:{number}"
            try:
                rows.append((where, f"{number:06d}", json.loads(line)))
            except (ValueError, RecursionError) as error:
                raise InputError(
                    f"{where}: expected a JSON object on one line, found {line[:60]!r} ({error}); "
                    "correct the line, or fetch the file again if it was cut off"
                ) from error
    return _from_records(path.name, rows)


def _from_json(path: Path, text: str) -> list[Document]:
    """A list of texts or objects; failing that, an object a line, as many `.json` files are."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if "\n" in text.strip() and text.lstrip().startswith("{"):
            return _from_jsonl(path, text)
        raise InputError(
            f"{path}: expected JSON, found {text[:60]!r} ({error}); fetch the file again if it was cut off"
        ) from error
    if isinstance(value, dict):
        lists = [each for each in value.values() if isinstance(each, list)]
        value = lists[0] if len(lists) == 1 and not {"text", "sentences"} & value.keys() else [value]
    if not isinstance(value, list):
        raise InputError(f"{path}: expected a list of texts or objects, found {type(value).__name__}")
    rows = [{"text": each} if isinstance(each, str) else each for each in value]
    return _from_records(path.name, [(f"{path}, item {i}", f"{i:06d}", row) for i, row in enumerate(rows)])


def _parquet_rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        names = set(pyarrow.parquet.read_schema(path).names)
        columns = [name for name in ("id", "title", "text", "sentences") if name in names]
        return list(pyarrow.parquet.read_table(path, columns=columns or None).to_pylist())
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"expected a Parquet file, but {path} cannot be read: {error}") from error


def _from_rows(source: str, rows: Iterable[Mapping[str, Any]]) -> list[Document]:
    return _from_records(source, [(f"{source}, row {i}", f"{i:06d}", row) for i, row in enumerate(rows)])


def _from_records(name: str, rows: list[tuple[str, str, Any]]) -> list[Document]:
    """Documents of records (where, default id, record); rows of WikiText are joined into its articles."""
    texts = [
        row["text"]
        for _, _, row in rows
        if isinstance(row, Mapping) and isinstance(row.get("text"), str) and row.get("id") is None
    ]
    if texts and len(texts) == len(rows):
        joined = "\n".join(text.rstrip("\n") for text in texts)
        if is_wikitext(joined):
            return _from_wikitext(name, joined)
    documents, places = [], dict[str, str]()
    for where, default_id, row in rows:
        document = _from_record(row, where, default_id)
        if document.id in places:
            raise InputError(
                f"{where}: expected every id once, found {document.id!r} again (first in {places[document.id]}); "
                "a document is a cluster of every interval, so give each its own id"
            )
        places[document.id] = where
        documents.append(document)
    return documents


def _from_record(record: Any, where: str, default_id: str = "") -> Document:
    if not isinstance(record, Mapping):
        raise InputError(
            f"{where}: expected a JSON object with `text` or `sentences`, found {type(record).__name__}"
        )
    if "sentences" in record:
        given = record["sentences"]
        if not isinstance(given, list) or not all(isinstance(sentence, str) for sentence in given):
            raise InputError(
                f"{where}: expected `sentences` to be a list of strings, found something else; correct it"
            )
        sentences = tuple(composed(sentence) for sentence in given if sentence.strip())
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

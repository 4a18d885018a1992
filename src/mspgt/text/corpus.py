"""Corpora: documents of plain sentences, as a study uses them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mspgt.errors import InputError
from mspgt.text.documents import FORMATS, Document, read_documents
from mspgt.text.limits import evenly_spread, from_every_group
from mspgt.text.wikitext import LEFTOVER
from mspgt.text.words import count_words, script_shares


@dataclass(frozen=True)
class Corpus:
    """Documents in order, as used: after the word minimum and the limits.

    `sha256` is over ids, titles and sentences, so anything computed from the corpus may be keyed by it.
    `record` counts what was found and what was left out on the way. `language` is what the user calls it; `scripts`
    the share of its letters in each script that has any, in [0, 1].
    """

    name: str
    documents: tuple[Document, ...]
    sha256: str
    record: dict[str, int] = field(default_factory=dict, compare=False)
    language: str | None = field(default=None, compare=False)
    scripts: dict[str, float] = field(default_factory=dict, compare=False)

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
    language: str | None = None,
) -> Corpus:
    """Documents and sentences of a corpus.

    - `wikitext`: WikiText's raw form; a document per level-1 heading ` = Title = `, headings left out, tokenisation
      undone. Rows of WikiText (JSONL, JSON, Parquet, the hub) are joined into articles first.
    - `text`: a folder (a document per .txt file), or a file: lines `<|endoftext|>` separate documents if
      there are any; otherwise blank lines do, if there are any; otherwise every line is a document.
    - `jsonl`: an object a line, with `text` or `sentences` (used as they are), and optionally `id`, `title`.
    - `json`: a list of such objects or of texts. `parquet`: a table with such columns.
    - `hub`: `owner/name[:configuration[:split]]`, split `validation` unless given, with a column `text` or
      `sentences`. The network is used for nothing else, and never if `source` exists as a file.
    - `auto`: by what `source` is, its ending, and whether it has WikiText's headings. Files may be gzipped.

    Sentences of fewer than `min_words` words are left out, then documents without sentences. `max_documents`
    takes evenly spread ones; `max_sentences` (over the whole corpus) the first of every document, in proportion.
    `language` is carried into results.

    Raises InputError for input that cannot be read or leaves no sentence, MissingExtraError for the hub
    without the `hub` extra.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder) / "text.txt"
        ...     lines = "A line is a document. It has two sentences here.", "Another document has one sentence."
        ...     _ = file.write_text(chr(10).join(lines))
        ...     corpus = load_corpus(file)
        >>> [len(document.sentences) for document in corpus.documents]
        [2, 1]
    """
    if format not in FORMATS:
        raise InputError(f"expected a format among {', '.join(FORMATS)}, found {format!r}")
    name, found, ignored = read_documents(source, format)
    kept = [
        replace(doc, sentences=tuple(s for s in doc.sentences if count_words(s) >= min_words))
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
    documents = tuple(limit_sentences(evenly_spread(kept, max_documents), max_sentences))
    record = {
        "documents_found": len(found),
        "documents_without_sentences": len(found) - len(kept),
        "sentences_found": n_found,
        "sentences_too_short": n_found - n_kept,
        "sentences_with_marks": sum(
            LEFTOVER.search(sentence) is not None for doc in documents for sentence in doc.sentences
        ),
        "files_ignored": ignored,
    }
    content = [[document.id, document.title, document.sentences] for document in documents]
    sha256 = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    scripts = script_shares(sentence for document in documents for sentence in document.sentences)
    return Corpus(name, documents, sha256, record, language, scripts)


def limit_sentences(documents: Sequence[Document], limit: int | None) -> Iterator[Document]:
    """The first sentences of every document, in proportion, so that what is left is still running text."""
    counts = from_every_group([len(document.sentences) for document in documents], limit)
    for document, count in zip(documents, counts, strict=True):
        if count:
            yield replace(document, sentences=document.sentences[:count])

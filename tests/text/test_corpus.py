import json
import socket
import sys

import pytest

from mspgt.errors import InputError, MissingExtraError
from mspgt.text.corpus import load_corpus

LONG = "This sentence has six whole words."


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_args):
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def documents(corpus):
    return [document.sentences for document in corpus.documents]


def test_wikitext_is_recognised_and_counted(data):
    corpus = load_corpus(data / "wikitext" / "wiki.valid.raw")
    assert corpus.n_documents == 60
    assert corpus.documents[2].title == "M-82 (Michigan highway)"
    assert 7_500 < corpus.n_sentences < 8_500
    assert corpus.record["sentences_found"] == corpus.n_sentences + corpus.record["sentences_too_short"]
    words = [len(sentence.split()) for document in corpus.documents for sentence in document.sentences]
    assert sum(words) / len(words) == pytest.approx(22, abs=3)


def test_text_documents_by_the_first_separator_that_occurs(tmp_path):
    by_mark = write(tmp_path / "a.txt", f"{LONG}\n\n{LONG}\n<|endoftext|>\n{LONG}\n<|endoftext|>\n")
    assert documents(load_corpus(by_mark)) == [(LONG, LONG), (LONG,)]
    by_blank = write(tmp_path / "b.txt", f"\n\n{LONG} Its second line goes\non to the next.\n \n\n{LONG}\n")
    assert documents(load_corpus(by_blank)) == [(LONG, "Its second line goes on to the next."), (LONG,)]
    by_line = write(tmp_path / "c.txt", f"{LONG} {LONG}\n{LONG}\n")
    assert documents(load_corpus(by_line)) == [(LONG, LONG), (LONG,)]


def test_folder_is_a_document_a_file(tmp_path):
    for name in ("b", "a"):
        write(tmp_path / f"{name}.txt", f"{LONG}\n\n{LONG}")
    write(tmp_path / "notes.md", LONG)
    corpus = load_corpus(tmp_path)
    assert [(document.id, document.sentences) for document in corpus.documents] == [
        ("a", (LONG, LONG)),
        ("b", (LONG, LONG)),
    ]


def test_jsonl_takes_text_or_sentences_with_ids_and_titles(tmp_path):
    records = [
        {"text": f"{LONG} {LONG}", "id": 7, "title": "Seven"},
        {"sentences": [f"{LONG} {LONG}", "Too short."]},
        {"text": "Too short."},
    ]
    corpus = load_corpus(write(tmp_path / "c.jsonl", "\n".join(map(json.dumps, records)) + "\n\n"))
    assert [(document.id, document.title, document.sentences) for document in corpus.documents] == [
        ("7", "Seven", (LONG, LONG)),
        ("000002", "", (f"{LONG} {LONG}",)),
    ]
    assert corpus.record == {
        "documents_found": 3,
        "documents_without_sentences": 1,
        "sentences_found": 5,
        "sentences_too_short": 2,
    }


def test_words_are_what_has_a_letter_or_figure(tmp_path):
    file = write(tmp_path / "a.txt", "One - two - three - .\nOne, two, three - 4!\n")
    assert documents(load_corpus(file, min_words=4)) == [("One, two, three - 4!",)]


def test_limits_spread_evenly_and_repeat(tmp_path):
    texts = [" ".join(f"Sentence {i} of document {d} here." for i in range(10)) for d in range(20)]
    file = write(tmp_path / "a.txt", "\n".join(texts))
    few = load_corpus(file, max_documents=5)
    assert [document.id for document in few.documents] == ["000002", "000006", "000010", "000014", "000018"]
    fewer = load_corpus(file, max_documents=5, max_sentences=15)
    assert [len(document.sentences) for document in fewer.documents] == [3] * 5
    assert fewer.n_sentences == 15
    assert fewer.record["documents_found"] == 20
    assert fewer == load_corpus(file, max_documents=5, max_sentences=15)
    assert load_corpus(file, max_sentences=1).n_documents == 1
    with pytest.raises(InputError, match="at least 1"):
        load_corpus(file, max_documents=0)


def test_hash_is_of_the_content_used(tmp_path):
    one = load_corpus(write(tmp_path / "a.txt", f"{LONG} Short.\n{LONG}"))
    same = load_corpus(write(tmp_path / "b.txt", f"{LONG}\r\n{LONG}\r\n"))
    assert one.sha256 == same.sha256
    assert one.name != same.name
    parted = write(tmp_path / "c.jsonl", json.dumps({"id": "000000", "sentences": [LONG, LONG]}))
    others = [
        load_corpus(write(tmp_path / "d.txt", f"{LONG}\n{LONG[:-1]}!")),
        load_corpus(parted),
        load_corpus(tmp_path / "a.txt", max_sentences=1),
        load_corpus(tmp_path / "a.txt", min_words=1),
    ]
    assert len({one.sha256, *(other.sha256 for other in others)}) == 5


def test_hostile_text_passes_through(tmp_path):
    hostile = (
        "Bell \x07 and NUL \x00 and <script>alert('x')</script> {{ 7*7 }} \u202eright to left\u2028 end."
    )
    giant = "endless words " * 70_000
    documents_ = [{"text": hostile}, {"text": giant}, {"sentences": [hostile]}]
    corpus = load_corpus(write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, documents_))))
    assert documents(corpus) == [(hostile,), (giant.strip(),), (hostile,)]
    assert documents(load_corpus(write(tmp_path / "a.txt", hostile + "\n\n" + giant))) == [
        (hostile,),
        (giant.strip(),),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "cut o', r"a\.jsonl:2: expected a JSON object"),
        ("[" * 100_000, r"a\.jsonl:2: expected a JSON object"),
        ('["text"]', r"a\.jsonl:2: .*found list"),
        ('{"body": "text"}', r"a\.jsonl:2: .*\['body'\]"),
        ('{"sentences": "not a list"}', r"a\.jsonl:2: .*list of strings"),
        ('{"text": "half a pair \\ud83d of surrogates"}', r"a\.jsonl:2: .*surrogate"),
        ('{"text": "again", "id": "x"}', r"a\.jsonl:2: .*'x' again \(first on line 1\)"),
    ],
)
def test_bad_jsonl_names_the_line(tmp_path, line, message):
    file = write(tmp_path / "a.jsonl", json.dumps({"text": LONG, "id": "x"}) + "\n" + line + "\n")
    with pytest.raises(InputError, match=message):
        load_corpus(file)


@pytest.mark.parametrize("source", ["Once upon a time. " * 500, "a\x00b"])
def test_text_in_place_of_a_path(no_network, source):
    with pytest.raises(InputError, match="expected a path or a hub id"):
        load_corpus(source)


def test_nothing_to_use_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"expected text in empty\.txt, found none"):
        load_corpus(write(tmp_path / "empty.txt", " \n\n"))
    with pytest.raises(InputError, match=r"at least 50 words .* 1 documents with 2 sentences"):
        load_corpus(write(tmp_path / "a.txt", f"{LONG} {LONG}"), min_words=50)
    with pytest.raises(InputError, match="level-1 headings"):
        load_corpus(tmp_path / "a.txt", format="wikitext")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"\.txt files"):
        load_corpus(tmp_path / "folder")
    with pytest.raises(InputError, match="expected a file for format 'jsonl'"):
        load_corpus(tmp_path / "folder", format="jsonl")
    with pytest.raises(InputError, match="expected a format among auto"):
        load_corpus(tmp_path / "a.txt", format="parquet")


@pytest.mark.parametrize(
    "source", ["missing.txt", "owner/corpus.jsonl", "tests/wikitext", "../wikitext", "a/b/c", "name"]
)
def test_a_misspelt_path_never_reaches_the_hub(no_network, source):
    with pytest.raises(InputError, match="found nothing at"):
        load_corpus(source)


def test_the_hub_needs_its_extra(no_network, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    for source, format in (("owner/name", "auto"), ("owner/name:config:test", "auto"), ("name", "hub")):
        with pytest.raises(MissingExtraError, match=r"pip install 'mspgt\[hub\]'"):
            load_corpus(source, format=format)


def test_an_existing_file_is_never_asked_of_the_hub(no_network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner").mkdir()
    write(tmp_path / "owner" / "name", LONG)
    assert load_corpus("owner/name").n_sentences == 1
    with pytest.raises(InputError, match="leave format out"):
        load_corpus("owner/name", format="hub")

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
        "sentences_with_marks": 0,
        "files_ignored": 0,
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
        ('{"text": "again", "id": "x"}', r"a\.jsonl:2: .*'x' again \(first in .*a\.jsonl:1\)"),
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
        load_corpus(tmp_path / "a.txt", format="parchment")


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


@pytest.fixture(scope="module")
def wikitext(data):
    return (data / "wikitext" / "wiki.valid.raw").read_text("utf-8")


@pytest.mark.parametrize("how", ["no blank lines", "jsonl", "json", "parquet", "gzip"])
def test_wikitext_in_any_wrapping_is_the_same_corpus(data, wikitext, tmp_path, how):
    import gzip

    import pyarrow
    import pyarrow.parquet

    rows = wikitext.split("\n")
    if how == "no blank lines":
        source = write(tmp_path / "a.raw", "\n".join(row for row in rows if row.strip()))
    elif how == "jsonl":
        source = write(tmp_path / "a.jsonl", "\n".join(json.dumps({"text": row}) for row in rows))
    elif how == "json":
        source = write(tmp_path / "a.json", json.dumps([{"text": row} for row in rows]))
    elif how == "parquet":
        source = tmp_path / "a.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"text": rows}), source)
    else:
        source = tmp_path / "a.raw.gz"
        source.write_bytes(gzip.compress(wikitext.encode()))
    assert load_corpus(source).sha256 == load_corpus(data / "wikitext" / "wiki.valid.raw").sha256


def test_wikitext_that_begins_in_the_middle_of_an_article(wikitext, tmp_path):
    corpus = load_corpus(write(tmp_path / "a.raw", "\n".join(wikitext.split("\n")[5:])))
    assert (corpus.n_documents, corpus.documents[0].title) == (60, "")
    assert not any("@-@" in sentence for document in corpus.documents for sentence in document.sentences)


def test_the_smallest_wikitext(tmp_path):
    corpus = load_corpus(write(tmp_path / "a.txt", " = T = \n A paragraph of five words . \n"))
    assert [(document.title, document.sentences) for document in corpus.documents] == [
        ("T", ("A paragraph of five words.",))
    ]


@pytest.mark.parametrize(
    ("name", "what"),
    [("a.csv", "a table"), ("a.tsv", "a table"), ("a.conllu", "a treebank"), ("a.html.gz", "a web page")],
)
def test_what_is_not_plain_text_is_refused_by_what_it_is(tmp_path, name, what):
    with pytest.raises(InputError, match=f"which is {what}"):
        load_corpus(write(tmp_path / name, f"id,text\n1,{LONG}\n"))


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"PK\x03\x04rest", "a zip archive"), (b"%PDF-1.7 text", "a PDF"), (b"\x1f\x8b\x08broken", "gzip file")],
)
def test_binary_files_are_told_by_their_first_bytes(tmp_path, content, what):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(InputError, match=what):
        load_corpus(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "value",
    [
        [LONG, LONG],
        [{"text": LONG, "id": "a"}, {"sentences": [LONG], "id": "b"}],
        {"data": [{"text": LONG}, {"text": LONG}]},
    ],
)
def test_json_lists(tmp_path, value):
    assert documents(load_corpus(write(tmp_path / "a.json", json.dumps(value)))) == [(LONG,), (LONG,)]


def test_json_lines_under_the_name_of_json(tmp_path):
    lines = "\n".join(json.dumps({"text": LONG, "id": i}) for i in range(3))
    assert documents(load_corpus(write(tmp_path / "a.json", lines))) == [(LONG,)] * 3
    with pytest.raises(InputError, match="expected a list of texts or objects, found int"):
        load_corpus(write(tmp_path / "b.json", "7"))


def test_a_folder_passes_over_what_is_no_text_and_counts_it(tmp_path):
    for name in ("a.txt", "B.TXT", "._a.txt", "notes.md"):
        write(tmp_path / name, LONG)
    (tmp_path / "more").mkdir()
    corpus = load_corpus(tmp_path)
    assert sorted(document.id for document in corpus.documents) == ["B", "a"]
    assert corpus.record["files_ignored"] == 3


def test_leftovers_of_tokenised_text_are_counted(tmp_path):
    text = (
        f"{LONG}\nHe went <unk> the big house.\nA well @-@ known man was here.\nThis ends with </s> a mark."
    )
    assert load_corpus(write(tmp_path / "a.txt", text)).record["sentences_with_marks"] == 3


def test_composed_and_decomposed_text_are_one_corpus(tmp_path):
    import unicodedata

    text = "Le café a été fermé hier soir."
    files = [write(tmp_path / f"{form}.txt", unicodedata.normalize(form, text)) for form in ("NFC", "NFD")]
    assert len({load_corpus(file).sha256 for file in files}) == 1
    as_json = write(tmp_path / "d.jsonl", json.dumps({"text": unicodedata.normalize("NFD", text)}))
    assert documents(load_corpus(as_json)) == [(text,)]


def test_chinese_has_sentences_of_characters(tmp_path):
    corpus = load_corpus(
        write(tmp_path / "zh.txt", "今天天气很好。我们去公园吧！好。\n第二个文档在这里？"), language="zh"
    )
    assert documents(corpus) == [("今天天气很好。", "我们去公园吧！"), ("第二个文档在这里？",)]
    assert (corpus.language, corpus.scripts) == ("zh", {"Han": 1.0})


def test_a_parquet_table_whose_text_is_not_utf_8_is_told(tmp_path):
    """The column says text, and its bytes are not."""
    import pyarrow.parquet

    text = pyarrow.array([b"five words of text caf\xe9"]).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"text": text}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="cannot be read: 'utf-8' codec"):
        load_corpus(tmp_path / "x.parquet")

"""Files written from the hub's rows read back as the sentences that they were made from."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from mspgt.study.fetching import SOURCES
from mspgt.synthetic.corpora import sample_treebank
from mspgt.synthetic.triscale import TriScale
from mspgt.text.columns import spell
from mspgt.text.hub_files import _lines, conllu_text, content_sha256, iob2_text
from mspgt.text.labels import SentenceLabels, read_entities
from mspgt.text.trees import read_conllu

DATA = Path(__file__).parents[3] / "shared" / "data"


def test_a_planted_treebank_comes_back(tmp_path):
    treebank = sample_treebank(TriScale(), 5, train=60, dev=1, test=1)
    plain = [replace(one, entities=None, propositions=None, topic=None) for one in treebank.train]
    file = tmp_path / "x-train.conllu"
    file.write_text(conllu_text(plain), "utf-8")
    assert [sentence for _, sentence in read_conllu(file)] == plain


def test_real_sentences_come_back_with_their_documents(tmp_path):
    file = DATA / "ewt" / "en_ewt-ud-dev.conllu"
    if not file.exists():
        pytest.skip("the treebank is not beside the checkout")
    # The hub's sentences are those whose words spell the text, as rows without multiword tokens.
    there = [s for _, s in read_conllu(file) if spell(s.text, s.words)]
    there = [replace(s, spans=tuple(spell(s.text, s.words)), genre=None, topic=None) for s in there]
    again = tmp_path / "again-dev.conllu"
    again.write_text(conllu_text(there), "utf-8")
    assert [sentence for _, sentence in read_conllu(again)] == there
    assert len(there) > 1900


def test_entities_come_back(tmp_path):
    labels = [
        SentenceLabels("", "a-1", ("Anna", "Berg", "sleeps"), ("B-PER", "I-PER", "O")),
        SentenceLabels("", "a-2", ("#", "1", "."), ("O", "O", "O")),
    ]
    file = tmp_path / "x.iob2"
    file.write_text(iob2_text(labels), "utf-8")
    found, scheme = read_entities(file)
    assert [(one.sent_id, one.words, one.labels) for one in found] == [
        (one.sent_id, one.words, one.labels) for one in labels
    ]
    assert scheme == "IOB2"


def test_the_corpus_is_known_by_what_it_says_however_blank_lines_are_kept():
    file = DATA / "wikitext" / "wiki.valid.raw"
    if not file.exists():
        pytest.skip("WikiText is not beside the checkout")
    raw = file.read_text("utf-8")
    # The hub keeps a line a row with its line break, and "" for a blank one.
    rows = [{"text": line + "\n" if line.strip() else ""} for line in raw.split("\n")[:-1]]
    assert _lines(rows) == raw
    known = next(source.content for source in SOURCES if source.what == "corpus")
    assert content_sha256(raw) == content_sha256(raw.replace("\n \n", "\n\n")) == known
    assert content_sha256(raw.replace("Homarus", "Homerus", 1)) != known


def test_written_files_are_those_of_the_hubs_rows(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")
    from mspgt.text.hub_files import entity_file, treebank_files, wikitext_file

    rows = [{"idx": "web-a-0001", "text": "Anna sleeps.", "tokens": ["Anna", "sleeps", "."],
             "upos": ["PROPN", "VERB", "PUNCT"], "head": ["2", "0", "2"],
             "deprel": ["nsubj", "root", "punct"], "ner_tags": ["B-PER", "O", "O"]}]  # fmt: skip
    (tmp_path / "ud").mkdir()
    for split in ("train", "validation", "test"):
        here = [{**row, "idx": f"{split}-{row['idx']}"} for row in rows]
        datasets.Dataset.from_list(here).to_parquet(tmp_path / "ud" / f"{split}.parquet")
    load = datasets.load_dataset
    monkeypatch.setattr(datasets, "load_dataset", lambda name, *a, **k: load(str(tmp_path / "ud"), **k))
    files = treebank_files("me/ud")
    (tmp_path / "x-dev.conllu").write_text(files["dev"], "utf-8")
    ((_, sentence),) = read_conllu(tmp_path / "x-dev.conllu", Counter())
    assert (sentence.sent_id, sentence.words, sentence.heads) == (
        "validation-web-a-0001",
        ("Anna", "sleeps", "."),
        (1, -1, 1),
    )
    (tmp_path / "x.iob2").write_text(entity_file("me/ud"), "utf-8")
    assert [one.labels for one in read_entities(tmp_path / "x.iob2")[0]] == [("B-PER", "O", "O")] * 3
    assert wikitext_file("me/ud") == "Anna sleeps.\n"

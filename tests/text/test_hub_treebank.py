"""Treebanks as the hub serves them (parquet with class labels), read from disk by the real package, offline."""

import pytest

from mspgt.errors import InputError
from mspgt.text.treebank import load_treebank

datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")

UPOS = ["NOUN", "PUNCT", "VERB", "AUX", "PART", "_", "PRON"]
TAGS = ["O", "B-PER", "I-PER"]


def row(idx, text, *words):
    """`words` are (form, upos, head, relation)."""
    form, upos, head, deprel = map(list, zip(*words, strict=True))
    return {"idx": idx, "text": text, "tokens": form, "upos": upos, "head": head, "deprel": deprel}


ROWS = [
    row(
        "web-a-0001",
        "Anna sleeps.",
        ("Anna", "NOUN", "2", "nsubj"),
        ("sleeps", "VERB", "0", "root"),
        (".", "PUNCT", "2", "punct"),
    ),
    row(
        "web-a-0002",
        "I don't.",
        ("I", "PRON", "3", "nsubj:x"),
        ("don't", "_", "None", "_"),
        ("do", "AUX", "0", "root"),
        ("n't", "PART", "2", "advmod"),
        (".", "PUNCT", "2", "punct"),
    ),
    row(
        "web-b-0001",
        "vámonos",
        ("vámonos", "_", "None", "_"),
        ("vamos", "VERB", "0", "root"),
        ("nos", "PRON", "1", "obj"),
    ),
]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """me/ud and me/ner in the working folder's hub: three splits each."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    strings = datasets.Sequence(datasets.Value("string"))
    ud = datasets.Features(
        {"idx": datasets.Value("string"), "text": datasets.Value("string"), "tokens": strings,
         "upos": datasets.Sequence(datasets.ClassLabel(names=UPOS)), "head": strings, "deprel": strings}
    )  # fmt: skip
    ner = datasets.Features(
        {"idx": datasets.Value("string"), "tokens": strings,
         "ner_tags": datasets.Sequence(datasets.ClassLabel(names=TAGS))}
    )  # fmt: skip
    for split in ("train", "validation", "test"):
        rows = [{**r, "idx": f"{split}-{r['idx']}"} for r in ROWS]
        rows = [{**r, "upos": [UPOS.index(u) for u in r["upos"]]} for r in rows]
        tags = [
            {"idx": f"{split}-web-a-0001", "tokens": ["Anna", "sleeps", "."], "ner_tags": [1, 0, 0]},
            {"idx": f"{split}-web-a-0002", "tokens": ["I", "dont", "."], "ner_tags": [0, 0, 0]},
        ]
        for name, data, features in (("ud", rows, ud), ("ner", tags, ner)):
            (tmp_path / name).mkdir(exist_ok=True)
            datasets.Dataset.from_list(data, features=features).to_parquet(
                tmp_path / name / f"{split}.parquet"
            )
    load = datasets.load_dataset
    monkeypatch.setattr(
        datasets, "load_dataset", lambda name, *a, **k: load(str(tmp_path / name.split("/")[1]), **k)
    )
    monkeypatch.chdir(tmp_path)


def test_words_labels_documents_and_joined_entities(hub):
    treebank = load_treebank(["me/ud"], entities=["me/ner"])
    assert treebank.name == "me/ud"
    assert treebank.labels == "gold"
    assert treebank.tasks == ("pos", "dep", "ner")
    anna, dont = treebank.test
    assert anna.words == ("Anna", "sleeps", ".")
    assert anna.upos == ("NOUN", "VERB", "PUNCT")
    assert anna.heads == (1, -1, 1)
    assert anna.document == dont.document == "test-web-a"
    assert anna.entities == ("B-PER", "O", "O")


def test_multiword_tokens_leave_their_words(hub):
    dont = load_treebank(["me/ud"]).train[1]
    assert dont.words == ("I", "do", "n't", ".")
    assert [dont.text[a:b] for a, b in dont.spans] == list(dont.words)
    assert dont.heads == (2, -1, 1, 1)
    assert dont.deprels == ("nsubj", "root", "advmod", "punct")


def test_what_does_not_fit_is_dropped_and_counted(hub):
    dropped = load_treebank(["me/ud"], entities=["me/ner"]).dropped
    assert dropped == {"treebank: words do not spell the sentence": 3, "ner: words differ": 3}


def test_refusals(hub):
    with pytest.raises(InputError, match="in column ner_tags"):
        load_treebank(["me/ud"], entities=["me/ud"])
    with pytest.raises(InputError, match="a hub id alone"):
        load_treebank(["me/ud", "me/ner"])
    with pytest.raises(InputError, match=r"train\.conllu"):
        load_treebank(["data/train.conllu"])

"""Silver labels from spaCy pipelines made on the spot; and from an installed English one, where there is one."""

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document
from mspgt.text.tagging import tag_corpus

spacy = pytest.importorskip("spacy", reason="the tag extra is not installed")

SENTENCES = ("Anna  sleeps.", "Bob sleeps in Paris.", "Paris sleeps .")


def corpus(documents: int) -> Corpus:
    return Corpus("c", tuple(Document(f"d{i}", "", SENTENCES) for i in range(documents)), "x")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """Rules instead of learning: every label is known. No parser, so no dependencies."""
    nlp = spacy.blank("en")
    rules = nlp.add_pipe("attribute_ruler")
    tags = {
        "Anna": "PROPN",
        "Bob": "PROPN",
        "Paris": "PROPN",
        "sleeps": "VERB",
        "in": "ADP",
        ".": "PUNCT",
        " ": "SPACE",
    }
    for word, pos in tags.items():
        rules.add([[{"ORTH": word}]], {"POS": pos})
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": n} for n in ("Anna", "Bob")])
    folder = tmp_path_factory.mktemp("spacy") / "rules"
    nlp.to_disk(folder)
    return str(folder)


def test_labels_are_the_pipelines_and_are_called_silver(pipeline):
    treebank = tag_corpus(corpus(10), pipeline)
    assert treebank.labels == "silver"
    assert treebank.name.startswith("silver labels of spaCy en_")
    assert treebank.tasks == ("pos", "ner")
    assert set(treebank.off) == {"dep", "srl"}
    first, second, third = treebank.train[:3]
    assert first.words == ("Anna", "sleeps", ".")
    assert [first.text[a:b] for a, b in first.spans] == list(first.words)
    assert first.upos == ("PROPN", "VERB", "PUNCT")
    assert first.entities == ("B-PER", "O", "O")
    assert second.upos == ("PROPN", "VERB", "ADP", "PROPN", "PUNCT")
    assert first.heads is third.heads is None


def test_splits_share_no_document_and_limits_spread(pipeline):
    whole = tag_corpus(corpus(20), pipeline)
    documents = [{s.document for s in split} for split in (whole.train, whole.dev, whole.test)]
    assert [len(d) for d in documents] == [14, 2, 4]
    assert not documents[0] & documents[1] | documents[0] & documents[2] | documents[1] & documents[2]
    some = tag_corpus(corpus(20), pipeline, max_train=10, max_eval=4)
    assert [len(split) for split in (some.train, some.dev, some.test)] == [10, 4, 4]
    assert some.found == {"train": 42, "dev": 6, "test": 12}
    assert some.sha256 != whole.sha256
    assert tag_corpus(corpus(20), pipeline).sha256 == whole.sha256


def test_refusals(pipeline, tmp_path):
    with pytest.raises(InputError, match="spacy download"):
        tag_corpus(corpus(10), "no_such_pipeline")
    with pytest.raises(InputError, match="6 documents or more"):
        tag_corpus(corpus(5), pipeline)
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(InputError, match="no components"):
        tag_corpus(corpus(10), str(tmp_path / "blank"))


@pytest.mark.skipif(not spacy.util.get_installed_models(), reason="no spaCy pipeline is installed")
def test_an_installed_pipeline_gives_trees(tmp_path):
    sentences = (
        "The old man pulled his boat out of the water in Boston.",
        "Nobody knew why the lights had gone out, and nobody asked.",
    )
    text = Corpus("c", tuple(Document(str(i), "", sentences) for i in range(6)), "x")
    treebank = tag_corpus(text, spacy.util.get_installed_models()[0])
    assert treebank.tasks == ("pos", "dep", "ner")
    man = treebank.train[0]
    heads, words = np.array(man.heads), man.words
    assert words[heads[words.index("old")]] == "man"
    assert words[heads[words.index("man")]] == "pulled"
    assert man.deprels[words.index("man")] == "nsubj"
    assert (heads == -1).sum() == 1
    assert man.entities[words.index("Boston")].startswith("B-")

"""Text and labels as the rest of mspgt reads them."""

import pytest

from mspgt.errors import InputError
from mspgt.synthetic.bounds import bounds
from mspgt.synthetic.corpora import sample_corpus, sample_treebank
from mspgt.synthetic.triscale import TriScale
from mspgt.text.sentences import split_sentences
from mspgt.text.words import word_spans

LANGUAGE = TriScale()


def test_corpus_repeats_and_its_hash_follows_its_content():
    one = sample_corpus(LANGUAGE, 20, 1)
    assert one == sample_corpus(LANGUAGE, 20, 1)
    assert one.sha256 != sample_corpus(LANGUAGE, 20, 2).sha256
    assert (len(one.documents), one.n_sentences) == (20, 80)
    assert len({document.id for document in one.documents}) == 20


def test_documents_split_into_their_own_sentences():
    for document in sample_corpus(LANGUAGE, 30, 1).documents:
        assert tuple(split_sentences(" ".join(document.sentences))) == document.sentences


def test_treebank_spans_are_the_words_of_the_text():
    treebank = sample_treebank(LANGUAGE, 1, train=50, dev=10, test=15)
    assert [len(s) for s in (treebank.train, treebank.dev, treebank.test)] == [50, 10, 15]
    assert treebank.tasks == ("pos", "dep", "ner", "srl")
    for sentence in treebank.train:
        assert tuple(sentence.text[a:b] for a, b in sentence.spans) == sentence.words
        assert list(sentence.spans) == word_spans(sentence.text)
    assert not {s.text for s in treebank.train} >= {s.text for s in treebank.test}


def test_an_empty_split_is_refused():
    with pytest.raises(InputError, match="split"):
        sample_treebank(LANGUAGE, 1, dev=0)


def test_bounds_hold_for_every_knob():
    for bound in bounds(TriScale(topics=2, zipf=2.0), sentences=200).values():
        assert 0 < bound.floor <= bound.ceiling + 3 * bound.ceiling_se

"""Corpora, sentences, treebanks, and where words stand among sub-tokens."""

from mspgt.text.align import last_subtokens
from mspgt.text.corpus import Corpus, load_corpus
from mspgt.text.documents import Document
from mspgt.text.sentences import split_sentences
from mspgt.text.treebank import LabelledSentence, Proposition, Treebank, load_treebank
from mspgt.text.words import word_spans

__all__ = [
    "Corpus",
    "Document",
    "LabelledSentence",
    "Proposition",
    "Treebank",
    "last_subtokens",
    "load_corpus",
    "load_treebank",
    "split_sentences",
    "word_spans",
]

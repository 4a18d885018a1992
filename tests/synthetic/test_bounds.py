"""Floors and ceilings: exact values against sampled ones, and what they must promise."""

from collections import Counter, defaultdict

import pytest

from mspgt.synthetic.bounds import _entities, bounds
from mspgt.synthetic.corpora import sample_treebank
from mspgt.synthetic.triscale import TriScale

LANGUAGE = TriScale()


@pytest.fixture(scope="module")
def found():
    return bounds(LANGUAGE, sentences=1000)


def test_no_label_is_a_function_of_the_word_alone(found):
    assert set(found) == {"pos", "ner", "dep", "srl", "template", "topic"}
    for task, bound in found.items():
        assert bound.floor < bound.ceiling - 0.03, task
        assert bound.ceiling <= 1
        assert bound.ceiling_se < 0.02


def test_floors_are_those_of_counting(found):
    """The best guess from the words alone, counted on one sample and scored on another."""
    treebank = sample_treebank(LANGUAGE, 5, train=6000, test=1500)

    def items(sentence):
        w = sentence.words
        yield from (("pos", (a,), b) for a, b in zip(w, sentence.upos, strict=True))
        yield from (
            ("dep", (w[i], w[h]), r)
            for i, (h, r) in enumerate(zip(sentence.heads, sentence.deprels, strict=True))
            if h >= 0
        )
        yield from (
            ("srl", (w[p.predicate], w[end - 1]), label)
            for p in sentence.propositions
            for label, _, end in p.arguments
        )

    counts = defaultdict(Counter)
    for sentence in treebank.train:
        for task, key, label in items(sentence):
            counts[task, key][label] += 1
    right, total = Counter(), Counter()
    for sentence in treebank.test:
        for task, key, label in items(sentence):
            if (task, key) in counts:
                right[task] += counts[task, key].most_common(1)[0][0] == label
                total[task] += 1
    for task, slack in (("pos", 0.01), ("dep", 0.03), ("srl", 0.06)):
        assert right[task] / total[task] == pytest.approx(found[task].floor, abs=slack), task


def test_entities_are_read_as_conlleval_reads_them():
    tags = ["I-LOC", "I-LOC", "B-LOC", "O", "B-PER", "I-ORG", "B-ORG"]
    assert _entities(tags) == {(0, 2, "LOC"), (2, 3, "LOC"), (4, 5, "PER"), (5, 6, "ORG"), (6, 7, "ORG")}

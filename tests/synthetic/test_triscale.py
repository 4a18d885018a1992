"""TriScale's promises: shape of the language, knobs, and determinism."""

import itertools
import math

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.synthetic import lexicon
from mspgt.synthetic.grammar import TEMPLATES
from mspgt.synthetic.triscale import TriScale, power_law

LANGUAGE = TriScale()


def test_each_template_is_a_tree_with_labels_for_every_word():
    for template in TEMPLATES:
        size = len(template.slots)
        assert (
            len(template.upos)
            == len(template.heads)
            == len(template.deprels)
            == len(template.entities)
            == size
        )
        assert [h for h in template.heads if h < 0] == [-1]
        for word in range(size):
            for _ in range(size):
                word = template.heads[word] if word >= 0 else -1
            assert word == -1, f"{template.name} has a cycle"
        assert (template.deprels[template.heads.index(-1)]) == "root"
        for verb, arguments in template.propositions:
            assert template.upos[verb] == "VERB"
            assert all(0 <= a < b <= size and not a <= verb < b for _, a, b in arguments)


def test_no_two_choices_give_the_same_sentence():
    """H(I, L | X) = 0: patterns of equal length differ somewhere in every word, and ranks in their word."""
    _, kinds = LANGUAGE.patterns
    words = [{w for row in rows for w in row} for rows in LANGUAGE.kinds.values()]
    for a, b in itertools.combinations(kinds, 2):
        if (a >= 0).sum() == (b >= 0).sum():
            assert any(words[x].isdisjoint(words[y]) for x, y in zip(a, b, strict=True) if x >= 0)
    for rows in LANGUAGE.kinds.values():
        ranks = {}
        for row in rows:
            assert len(set(row)) == len(row)
            for rank, word in enumerate(row):
                assert ranks.setdefault(word, rank) == rank, f"{word} stands for two ranks"


def test_words_are_shared_by_every_topic_or_owned_by_one():
    for rows in LANGUAGE.kinds.values():
        owners = {word: sum(word in row for row in rows) for row in rows for word in row}
        assert set(owners.values()) <= {1, LANGUAGE.topics}
    assert "guards" in LANGUAGE.kinds["NOUN:pl"][0]
    assert "guards" in LANGUAGE.kinds["VERB:sg"][0]


@pytest.mark.parametrize(
    ("lemma", "s", "ed"),
    [("watch", "watches", "watched"), ("guide", "guides", "guided"), ("jury", "juries", "juried")],
)
def test_inflection(lemma, s, ed):
    assert (lexicon.with_s(lemma), lexicon.participle(lemma)) == (s, ed)


def test_samples_repeat_and_follow_their_probabilities():
    one, two = LANGUAGE.sample(4000, 3), LANGUAGE.sample(4000, 3)
    assert np.array_equal(one.words, two.words)
    assert not np.array_equal(one.words, LANGUAGE.sample(4000, 4).words)
    for topic in range(LANGUAGE.topics):
        seen = np.bincount(one.templates[one.topics == topic].ravel(), minlength=len(TEMPLATES))
        expected = LANGUAGE.template_given_topic[topic] * seen.sum()
        assert (np.abs(seen - expected) < 5 * np.sqrt(expected)).all()


def test_subject_and_verb_agree_across_a_relative_clause():
    sample = LANGUAGE.sample(500, 0)
    name = [t.name for t in TEMPLATES].index("subject-relative")
    nouns = {n: {w for row in LANGUAGE.kinds[f"NOUN:{n}"] for w in row} for n in ("sg", "pl")}
    verbs = {n: {w for row in LANGUAGE.kinds[f"VERB:{n}"] for w in row} for n in ("sg", "pl")}
    attracted = 0
    for words in sample.words[sample.templates == name]:
        text = [LANGUAGE.vocabulary[w] for w in words]
        number = "sg" if text[1] in nouns["sg"] else "pl"
        assert text[3] in verbs[number]
        assert text[6] in verbs[number]
        attracted += text[5] not in nouns[number]
    assert attracted > 0


def test_knobs_that_leave_an_entropy_undefined_are_refused():
    for knobs in (
        {"topics": 1},
        {"topics": 9},
        {"topics": 2.5},
        {"sentences": 0},
        {"zipf": math.nan},
        {"zipf": math.inf},
        {"zipf": -0.1},
        {"template_skew": math.nan},
        {"template_skew": 1e9},
    ):
        with pytest.raises(InputError):
            TriScale(**knobs)
    with pytest.raises(InputError, match="document"):
        LANGUAGE.sample(0, 0)


def test_power_law_ratios():
    law = power_law(4, 2.0)
    assert law.sum() == pytest.approx(1)
    assert law[0] / law[3] == pytest.approx(16)

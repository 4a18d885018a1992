"""Stages learn from what they are asked for and from nothing that comes after; labels are true of the text."""

import dataclasses

import numpy as np
import pytest

from mspgt.synthetic.grammar import TEMPLATES
from mspgt.synthetic.lexicon import TOPIC_NOUNS, TOPICS
from mspgt.synthetic.triscale import TriScale
from mspgt.zoo.architecture import build
from mspgt.zoo.labels import FAR, NONE, Labeller
from mspgt.zoo.recipes import recipe
from mspgt.zoo.staged import Stages
from mspgt.zoo.stream import Stream
from mspgt.zoo.training import excess
from mspgt.zoo.vocabulary import build_tokenizer

LANGUAGE = TriScale()
DRAWN = (6, 90, [5, 7])


@pytest.fixture(scope="module")
def drawn():
    """Tokenizer, tokens and labels of one block."""
    tokenizer = build_tokenizer(LANGUAGE, bos=False)
    stream = Stream(LANGUAGE, tokenizer, bos=False)
    return tokenizer, stream.draw(*DRAWN).tokens, Labeller(LANGUAGE).draw(stream, *DRAWN)


def test_words_before_are_those_that_the_text_has(drawn):
    tokenizer, tokens, labels = drawn
    compared = 0
    for row, sequence in enumerate(tokens.tolist()):
        before = []
        for place, token in enumerate(sequence):
            text = tokenizer.decode([token]).strip(" ")
            here = [labels[name].values[row, place] for name in ("word", "previous", "before_previous")]
            if text == "\n":
                assert here == [NONE] * 3
                before = []
                continue
            words = [text, *before, None, None][:3]
            assert [None if one == NONE else LANGUAGE.vocabulary[one] for one in here] == words
            before = [text, *before]
            compared += 1
    assert compared > 450


def test_trees_are_trees_and_their_parts_agree(drawn):
    _, tokens, labels = drawn
    relation, head, depth = (labels[name].values for name in ("relation", "head", "depth"))
    relations = sorted({r for template in TEMPLATES for r in template.deprels})
    root = head == 2 * FAR + 1
    assert (root == (depth == 0)).all()
    assert (root == (relation == relations.index("root"))).all()
    compared = 0
    for row in range(len(tokens)):
        for place in np.flatnonzero((head[row] != NONE) & ~root[row]):
            distance = head[row, place] - FAR
            there = place + distance
            if 0 < abs(distance) < FAR and there < tokens.shape[1]:
                assert depth[row, place] == depth[row, there] + 1
                compared += 1
    assert compared > 200


def test_a_word_of_one_topic_stands_in_documents_of_that_topic(drawn):
    _, _, labels = drawn
    words, topics = labels["word"].values, labels["topic"].values
    seen = 0
    for number, name in enumerate(TOPICS):
        others = {noun for other in TOPICS if other != name for noun in TOPIC_NOUNS[other]}
        own = [LANGUAGE.vocabulary.index(noun) for noun in TOPIC_NOUNS[name] if noun not in others]
        here = np.isin(words, own)
        assert (topics[here] == number).all()
        seen += here.sum()
    assert seen > 10


@pytest.mark.parametrize("asked", ["previous", "depth", "next"])
def test_no_gradient_leaves_a_stage(asked):
    """Of the loss of one stage alone, only its own layers have a gradient."""
    plan = recipe("triscale-separated")
    first, last = _bounds(plan, asked)
    alone = dataclasses.replace(plan, keep=())
    tokenizer = build_tokenizer(LANGUAGE, bos=False)
    stream = Stream(LANGUAGE, tokenizer, bos=False)
    model = build(plan, tokenizer.get_vocab_size())
    stages = Stages(model, alone)
    with stages.apart() as states:
        above = excess(model, stream.draw(4, 40, [1, 1]))
    loss = above if asked == "next" else stages.lacks(stream, (4, 40, [1, 1]), states)[last, asked]
    loss.backward()
    for layer, block in enumerate(model.model.layers, start=1):
        reached = any(p.grad is not None and bool(p.grad.any()) for p in block.parameters())
        assert reached == (first <= layer <= last), (asked, layer)


def _bounds(plan, asked):
    lasts = [layer for layer, _ in plan.stages]
    place = [label for _, label in plan.stages].index(asked)
    return (lasts[place - 1] if place else 0) + 1, lasts[place]

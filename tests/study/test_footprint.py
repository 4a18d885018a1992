"""What a plan says of memory: how it responds to the text, the weights' type and the stages."""

from dataclasses import replace

import pytest

from mspgt.lm.identity import Card
from mspgt.lm.shape import Shape
from mspgt.signals import measure, similarity
from mspgt.study import footprint
from mspgt.study.footprint import LIBRARIES, TABLES, Drawn, Weights, memory
from mspgt.study.loading import make_config
from mspgt.study.plan import PlannedStage
from mspgt.study.reading import read_data
from mspgt.study.store import Status

CARD = Card("llama", 30, 576, 9, 134_515_008, "float32", "", True, 1536, 49_152, True, 8192)
SHAPE = Shape.of(CARD)
STATES = 31 * 576 * 4  # bytes of one token's, in float32


@pytest.fixture(scope="module")
def given():
    config = make_config({
        "name": "test",
        "models": ["m"],
        "corpus": {"source": "triscale", "format": "triscale", "max_documents": 20},
        "treebank": {"planted": "triscale", "max_train": 40, "max_eval": 40},
    })  # fmt: skip
    return config, read_data(config)[0]


def stage(name, room=0):
    return PlannedStage("m", name, Status(False, ""), 0, 0, 0, room)


def peak(given, weights=Weights("float32"), stages=(), tokens=1e4, twins=False, data=None):  # noqa: B008
    config, own = given
    return memory(SHAPE, weights, config, data or own, stages, tokens=tokens, twins=twins)


def test_no_more_is_kept_than_the_text_has_nor_than_is_asked_for(given):
    config, data = given
    words = sum(len(s.split()) for document in data.corpus.documents for s in document.sentences)
    of = {n: Drawn.of(SHAPE, "float32", config, data, n) for n in (100.0, 5000.0, 1e4, 1e6)}
    assert words < config.measure.cka_tokens
    assert [one.paper for one in of.values()] == [100, 5000, 8192, 8192]
    assert {one.calibrated for one in of.values()} == {words}
    assert of[100.0].bytes == (100 + words) * STATES
    sentence = config.model_copy(update={"measure": config.measure.model_copy(update={"unit": "sentence"})})
    assert Drawn.of(SHAPE, "float32", sentence, data, 1e4).calibrated == data.corpus.n_sentences


def test_a_short_text_takes_less_and_a_longer_one_than_is_drawn_no_more(given):
    short, long, longer = (peak(given, tokens=tokens) for tokens in (500.0, 1e4, 1e7))
    assert short < long == longer


def test_memory_holds_one_set_of_weights_and_the_largest_stage(given):
    large = peak(given, stages=[stage("texts"), stage("functional", 10**12)])
    assert large == LIBRARIES + 4 * CARD.parameters + 10**12
    assert peak(given, twins=True) == peak(given)  # a twin takes the place of the model
    half = Weights("bfloat16")
    assert peak(given, half, twins=True) >= LIBRARIES + 4 * CARD.parameters  # but it is drawn in float32
    assert peak(given, half) < peak(given)


def test_a_checkpoint_of_another_type_is_there_while_it_is_converted():
    huge = Shape(2, 64, 10**12, 10**12, 512)
    config = make_config(
        {"name": "t", "models": ["m"], "corpus": {"source": "triscale", "format": "triscale"}}
    )
    data = read_data(config)[0]
    same, other = (
        memory(huge, Weights("float32", stored), config, data, [], tokens=1e3, twins=False)
        for stored in ("float32", "bfloat16")
    )
    assert same < other == LIBRARIES + 6 * 10**12


def test_what_lies_on_disk_is_not_held(given):
    whole = peak(given, Weights("bfloat16"))
    part = peak(given, Weights("bfloat16", "bfloat16", 10**8))
    block = SHAPE.inside / 30 * 2
    assert whole - part == pytest.approx(2 * CARD.parameters - 10**8 - block)
    assert peak(given, Weights("bfloat16", "bfloat16", 10**12)) == whole


def test_words_of_the_treebank_are_held_at_every_layer(given):
    _, data = given
    many, twice = (
        replace(data, treebank=replace(data.treebank, train=data.treebank.train * n)) for n in (200, 400)
    )
    words = sum(len(sentence.words) for sentence in data.treebank.train)
    one, other = (peak(given, data=data) for data in (many, twice))
    assert other - one == 200 * words * STATES
    bare = replace(data, treebank=None)
    assert peak(given, data=bare) < one
    held = sum(len(s.words) for split in ("dev", "test") for s in getattr(data.treebank, split)) + 200 * words
    assert one > LIBRARIES + 4 * CARD.parameters + held * STATES + TABLES


def test_the_same_in_float32_widens_the_vocabulary_and_one_block(given):
    _, data = given
    config = given[0].model_copy(update={"measure": given[0].measure.model_copy(update={"batch_tokens": 16})})
    bare = config, replace(data, treebank=None)
    wide = Shape(2, 8, 10**9, 3 * 10**9, 512)
    got = memory(wide, Weights("bfloat16"), *bare, [stage("precision")], tokens=100.0, twins=False)
    assert got == pytest.approx(LIBRARIES + 2 * wide.parameters + 4 * (2 * 10**9 + 10**9 / 2), rel=1e-4)


def test_what_a_plan_cannot_import_is_what_the_signals_have():
    assert footprint.COMPARED == similarity.MOST_TOKENS
    assert footprint.SAMPLE == measure._MOST_STATES

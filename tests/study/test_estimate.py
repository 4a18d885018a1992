"""How the estimate of a plan responds: to text, twins, arms and shapes. No clock is read."""

import pytest

from mspgt.lm.identity import Card
from mspgt.lm.shape import Shape
from mspgt.study.estimate import stage_work
from mspgt.study.loading import make_config
from mspgt.study.plan import PlannedStage
from mspgt.study.reading import read_data
from mspgt.study.store import Status

CARD = Card("llama", 30, 576, 9, 134_515_008, "float32", "", True, 1536, 49_152, True, 8192)
SHAPE = Shape.of(CARD)
STUDY = {
    "name": "test",
    "models": ["m"],
    "corpus": {"source": "triscale", "format": "triscale", "max_documents": 20},
    "treebank": {"planted": "triscale", "max_train": 40, "max_eval": 40},
    "twins": {"seeds": 1, "max_sentences": 50, "max_train": 20, "max_eval": 20},
}


@pytest.fixture(scope="module")
def given():
    config = make_config(dict(STUDY))
    return config, *read_data(config)


def work(stage, config, data, tokens=10_000.0, shape=SHAPE, twin=False, passes=100):
    planned = PlannedStage("m", stage, Status(False, ""), passes, 0)
    return stage_work(planned, shape, config, data, tokens, twin=twin)


def test_vectors_of_the_vocabulary_multiply_nothing():
    assert SHAPE.inside == 134_515_008 - 49_152 * 576
    untied = Shape.of(Card(**{**vars(CARD), "tied": False, "parameters": 134_515_008 + 49_152 * 576}))
    assert untied.inside == SHAPE.inside


def test_twice_the_text_takes_twice_the_passes(given):
    config, data, _ = given
    sampled_alike = config.model_copy(
        update={"measure": config.measure.model_copy(update={"scale_sentences": 10**6})}
    )
    one, two = (SHAPE.forward(tokens, 30) for tokens in (1000, 2000))
    assert two == 2 * one
    sentence = sampled_alike.model_copy(
        update={"measure": sampled_alike.measure.model_copy(update={"context": "sentence"})}
    )
    short, long = (work("observe", sentence, data, tokens) for tokens in (1000.0, 2000.0))
    assert 2 < long / short < 2.2  # sentences of twice the length
    assert work("texts", config, data, passes=200) == 2 * work("texts", config, data, passes=100)


def test_windows_cost_more_than_sentences_and_twins_less_than_models(given):
    config, data, twin_data = given
    sentence = config.model_copy(
        update={"measure": config.measure.model_copy(update={"context": "sentence"})}
    )
    assert work("observe", config, data) > work("observe", sentence, data)
    assert 0 < work("probes", config, twin_data, twin=True) < work("probes", config, data)
    more = config.model_copy(update={"probes": config.probes.model_copy(update={"seeds": 6})})
    assert work("probes", more, data) > work("probes", config, data)

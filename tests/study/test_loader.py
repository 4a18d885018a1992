"""One set of weights in memory, whoever is asked for."""

from inspect import signature

import torch

from mspgt.lm.load import load
from mspgt.lm.twin import random_twin
from mspgt.study.config import ModelConfig
from mspgt.study.identity import Identity, Subject
from mspgt.study.jobs import Loader, load_trained, local_id

SMALL = ModelConfig(id="zoo:triscale-llama-1")


def weights(lm):
    return torch.cat([p.detach().flatten() for p in lm.model.parameters()])


def test_a_twin_takes_the_place_of_the_trained_weights_and_is_drawn_as_beside_them():
    loader, beside = Loader(), load_trained(local_id(SMALL.id), SMALL)
    trained = loader.subject(SMALL)
    assert torch.equal(weights(trained), weights(beside))
    twin = loader.subject(SMALL, 0)
    assert all(p.is_meta for p in trained.model.parameters())
    assert torch.equal(weights(twin), weights(random_twin(beside, 0)))
    assert twin.weights_sha256 == random_twin(beside, 0).weights_sha256
    assert len(twin.blocks) == beside.layers


def test_the_last_subject_is_kept_and_the_trained_model_comes_back_whole():
    loader = Loader()
    first = loader.subject(SMALL, 0)
    assert loader.subject(SMALL, 0) is first
    assert not torch.equal(weights(loader.subject(SMALL, 1)), weights(first))
    again = loader.subject(SMALL)
    assert loader.subject(SMALL) is again
    assert torch.equal(weights(again), weights(load_trained(local_id(SMALL.id), SMALL)))


def test_a_study_has_every_knob_of_the_loader_and_hands_it_on():
    knobs = signature(load).parameters.keys() - {"model"}
    assert knobs <= ModelConfig.model_fields.keys()
    lm = load_trained(local_id(SMALL.id), SMALL.model_copy(update={"dtype": "float16", "device_map": "cpu"}))
    assert lm.dtype == torch.float16  # which a model that is placed nowhere computes as float32 on a CPU


def test_a_twin_is_never_called_by_the_name_of_the_trained_model():
    shape = {"dtype": "float32", "layers": 3, "width": 8, "heads": 2, "parameters": 100}
    one = Identity("m", "m", "llama", "r", "0", **shape, has_attention=True, no_attention="")
    assert Subject(one).name == "m"
    assert Subject(one, 0).name == "m (twin 0)"
    assert one.shape == (3, 8, 100)

"""What half precision does to the signals: the float32 side against a model that was loaded in float32."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mspgt.lm.load import load
from mspgt.signals.measure import measure_scales
from mspgt.signals.precision import agreeing_digits, measure_precision, precision_sample
from mspgt.signals.profiles import measure
from mspgt.signals.tokens import read_corpus
from mspgt.text.corpus import Corpus, Document
from tests.lm.tiny import TEXTS, tiny_model

NO_SINKS = 1e9  # the yardstick of sinks is measured in the model's own type


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(0)
    documents = tuple(
        Document(str(d), str(d), tuple(TEXTS[i] for i in rng.permutation(len(TEXTS)))) for d in range(9)
    )
    return Corpus("texts", documents, "none")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("half"), layers=5, dtype=torch.bfloat16)


def compared(lm, corpus):
    tokens = read_corpus(lm, corpus, limit=4096, seed=0)
    scales = measure_scales(
        lm, tokens.readings["calibrated"], sample=64, sink_ratio=NO_SINKS, batch_tokens=4096
    )
    return measure_precision(lm, corpus, scales, sink_ratio=NO_SINKS, batch_tokens=4096)


def test_both_sides_are_what_a_measurement_in_that_type_gives(folder, corpus):
    lm = load(folder, device="cpu")
    assert lm.dtype == torch.bfloat16
    found = compared(lm, corpus)
    for values, dtype, tolerance in ((found.own, "bfloat16", 1e-5), (found.float32, "float32", 1e-4)):
        alone = measure(load(folder, device="cpu", dtype=dtype), corpus, sink_ratio=NO_SINKS).calibrated()
        np.testing.assert_allclose(values["S1"], alone[0], rtol=tolerance)
        np.testing.assert_allclose(values["S3"], alone[2], rtol=tolerance)


def test_bfloat16_loses_digits_and_its_states_are_as_far_as_its_eight_bits_say(folder, corpus):
    found = compared(load(folder, device="cpu"), corpus)
    assert found.states[0] == 0, "an embedding is looked up, not computed"
    # One rounding to 8 bits errs by at most 2^-9 of a number; a few layers add some of them up.
    assert (found.states[1:] > 2**-11).all()
    assert (found.states[1:] < 0.1).all()
    assert found.lost("S1")
    for signal in ("S1", "S3"):
        assert (found.difference(signal) != 0).any()
        np.testing.assert_array_equal(found.difference(signal), found.own[signal] - found.float32[signal])


def test_float32_weights_lose_nothing(folder, corpus):
    found = compared(load(folder, device="cpu", dtype="float32"), corpus)
    assert found.states.max() == 0
    assert found.lost("S1") == found.lost("S3") == []
    assert (found.digits("S1") == 7).all()


def test_digits_are_decimal_ones_that_agree():
    exact = np.array([1.0, 1.0, 200.0, -0.03, 1.0, 0.0, 0.0, np.nan])
    one = np.array([1.1, 1.001, 200.02, -0.03, 3.0, 0.0, 0.5, 1.0])
    np.testing.assert_allclose(agreeing_digits(one, exact), [1, 3, 4, 7, 0, 7, 0, np.nan], rtol=0, atol=1e-9)


def test_the_sample_is_the_first_sentences_of_documents_spread_evenly(corpus):
    some = precision_sample(corpus, 24)
    assert [d.id for d in some.documents] == [d.id for d in corpus.documents]
    assert all(
        part.sentences == whole.sentences[:3]
        for part, whole in zip(some.documents, corpus.documents, strict=True)
    )
    assert precision_sample(corpus, 3).n_sentences == 3
    one = Corpus("one", corpus.documents[:1], "none")
    assert precision_sample(one, 4).documents[0].sentences == corpus.documents[0].sentences[:4]


def test_one_document_has_s3_and_no_s1(folder, corpus):
    found = compared(load(folder, device="cpu"), Corpus("one", corpus.documents[:1], "none"))
    assert np.isnan(found.own["S1"]).all()
    assert np.isfinite(found.own["S3"]).all()
    assert found.lost("S1") == []

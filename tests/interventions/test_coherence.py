"""Coherence, with vectors of known angles and with the encoder that the extra brings along."""

import numpy as np
import pytest

from mspgt.errors import InputError, MissingExtraError
from mspgt.interventions.coherence import coherence, sentence_encoder

ANGLES = {"One.": 0.0, "Two.": 60.0, "Three.": 180.0}


def encode(sentences):
    assert len(set(sentences)) == len(sentences), "a sentence is encoded once"
    at = np.radians([ANGLES[sentence] for sentence in sentences])
    return 3 * np.stack([np.cos(at), np.sin(at)], axis=1)


def test_it_is_the_mean_cosine_of_neighbours():
    found = coherence(["One. Two. Three.", "One. One.", "Two. One. Two."], encode)
    np.testing.assert_allclose(found, [(0.5 - 0.5) / 2, 1.0, 0.5], atol=1e-12)


def test_fewer_than_two_sentences_have_none():
    assert np.isnan(coherence(["One.", "", "  "], encode)).all()
    assert coherence([], encode).shape == (0,)


def test_the_bundled_encoder_works_without_a_network(tmp_path):
    pytest.importorskip("sentence_transformers", reason="the extra sbert is not installed")
    near = "The cat slept on the warm sofa. A kitten was dozing on the couch."
    far = "The cat slept on the warm sofa. Interest rates rose by two per cent."
    odd = "\x00 <b>x</b>. " * 3
    found = coherence([near, far, odd], sentence_encoder())
    assert found[0] > 0.4 > 0.2 > found[1]
    assert np.isfinite(found).all()
    with pytest.raises(InputError, match="sentence encoder"):
        sentence_encoder(str(tmp_path))


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"mspgt\[sbert\]"):
        sentence_encoder()

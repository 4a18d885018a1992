"""Closed forms against sampling."""

import numpy as np
import pytest
from calibration.oracles.entropies import entropies, entropy

from mspgt.synthetic.bayes import filter_sentences, surprisal
from mspgt.synthetic.triscale import TriScale


def within(samples, truth, sd=4.5):
    assert abs(np.mean(samples) - truth) <= sd * np.std(samples) / np.sqrt(len(samples)) + 1e-12


@pytest.mark.parametrize(
    "language", [TriScale(), TriScale(topics=3, template_skew=0.5, zipf=1.4, sentences=2)]
)
def test_entropies_agree_with_monte_carlo(language):
    """H(X) by the exact reader's surprisal; the others by the log probability of the latents drawn."""
    closed = entropies(language)
    sample = language.sample(2500, 11)
    within(np.nansum(surprisal(language, sample.words), axis=(1, 2)), closed.text)
    within((sample.words >= 0).sum(axis=(1, 2)), closed.tokens)

    chosen = language.template_given_topic[sample.topics[:, None], sample.templates]
    within(-np.log2(chosen).mean(axis=1), closed.template_given_topic)
    template_of, kinds = language.patterns
    slots = kinds[sample.patterns]
    words = language.emissions[slots, sample.topics[:, None, None], sample.words]
    numbers = np.log2(np.bincount(template_of))[sample.templates]
    bits = -np.log2(np.where(sample.words >= 0, words, 1.0)).sum(axis=2) + numbers
    within(bits.mean(axis=1), closed.words_given_template)


def test_doubt_about_the_topic_agrees_with_the_exact_posterior():
    """With one sentence a document the doubt is large enough to see by sampling."""
    language = TriScale(sentences=1, zipf=2.0)
    sample = language.sample(4000, 2)
    prior = np.full((4000, language.topics), 1 / language.topics)
    posterior = filter_sentences(language, sample.words[:, 0], prior)[:, -1].sum(axis=1)
    doubt = entropy(posterior / posterior.sum(axis=1, keepdims=True))
    truth = entropies(language).topic_given_text
    assert truth > 0.3
    within(doubt, truth)


def test_the_default_language_has_three_bits_of_topic_and_every_knob_moves_its_own_entropy():
    default = entropies(TriScale())
    assert default.topic == 3.0
    assert entropies(TriScale(topics=2)).topic == 1.0
    assert entropies(TriScale(template_skew=0)).template_given_topic == pytest.approx(np.log2(12))
    assert entropies(TriScale(zipf=1.4)).words_given_template < default.words_given_template
    assert default.text == pytest.approx(
        default.topic
        + 4 * (default.template_given_topic + default.words_given_template)
        - default.topic_given_text
    )

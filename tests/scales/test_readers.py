"""Readers against the information that was planted."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from mspgt.scales.readers import arrange, crossfit, prior, projected

CPU = torch.device("cpu")


def bits(found, offsets, reading):
    right = reading.labels[0].clamp_min(0).unsqueeze(1)
    saved = (found[0].gather(1, right) - offsets[0].gather(1, right)).squeeze(1) / np.log(2)
    return float(saved[reading.labels[0] >= 0].mean())


def planted(separation, *, words=6000, width=12, documents=60, seed=0):
    """Two classes whose states differ by `separation` SDs along one direction."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=words)
    states = rng.normal(size=(words, width))
    states[:, 0] += separation * (labels - 0.5)
    reading = arrange([labels], [2], np.arange(words) * documents // words, seed, CPU)
    return torch.from_numpy(states[reading.order]).float(), reading


def mutual_information(separation):
    """Bits about a fair binary label in a Gaussian of unit variance, means ±separation/2."""

    def term(x):
        p = np.exp(-((x - separation / 2) ** 2) / 2) / np.sqrt(2 * np.pi)
        q = np.exp(-((x + separation / 2) ** 2) / 2) / np.sqrt(2 * np.pi)
        return 0.5 * p * np.log2(2 * p / (p + q)) + 0.5 * q * np.log2(2 * q / (p + q))

    return quad(term, -9, 9)[0]


@pytest.mark.parametrize("separation", [0.5, 1.0, 2.5])
def test_a_reader_finds_the_planted_information(separation):
    states, reading = planted(separation)
    offsets = prior(reading)
    found = bits(crossfit(states, reading, offsets), offsets, reading)
    assert found == pytest.approx(mutual_information(separation), abs=0.02)


def test_what_is_known_already_adds_nothing():
    states, reading = planted(1.5)
    known = crossfit(states, reading, prior(reading))
    assert abs(bits(crossfit(states, reading, known), known, reading)) < 0.003


def test_noise_adds_no_bits_however_wide():
    rng = np.random.default_rng(1)
    _, reading = planted(0.0, words=2000)
    offsets = prior(reading)
    found = crossfit(torch.from_numpy(rng.normal(size=(2000, 300))).float(), reading, offsets)
    assert abs(bits(found, offsets, reading)) < 0.005


def test_scaling_dimensions_changes_nothing():
    states, reading = planted(1.5)
    offsets = prior(reading)
    one = crossfit(states, reading, offsets)
    two = crossfit(states * torch.logspace(-3, 3, states.shape[1]) + 5, reading, offsets)
    torch.testing.assert_close(one[0], two[0], atol=2e-3, rtol=0)


def test_tasks_do_not_touch_one_another():
    states, reading = planted(1.5)
    extra = np.random.default_rng(3).integers(4, size=len(states))
    labels = np.empty(len(states), dtype=np.int64)
    labels[reading.order] = reading.labels[0].numpy()
    document = np.empty(len(states), dtype=np.int64)
    document[reading.order] = reading.document.numpy()
    both = arrange([labels, extra], [2, 4], document, 0, CPU)
    alone = crossfit(states, reading, prior(reading))[0]
    torch.testing.assert_close(crossfit(states, both, prior(both))[0], alone, atol=1e-4, rtol=0)


def test_a_document_is_never_read_by_readers_that_saw_it():
    """Labels that are a coin a document cannot be told from a state that names the document."""
    rng = np.random.default_rng(2)
    document = np.repeat(np.arange(50), 40)
    labels = rng.integers(2, size=50)[document]
    reading = arrange([labels], [2], document, 0, CPU)
    names = torch.from_numpy(np.eye(50, dtype=np.float32)[document][reading.order])
    offsets = prior(reading)
    assert abs(bits(crossfit(names, reading, offsets), offsets, reading)) < 0.02


def test_wide_states_are_read_through_a_fixed_projection():
    wide = torch.randn(50, 3000, generator=torch.Generator().manual_seed(0))
    wide[:, 0] *= 1000
    small = projected(wide)
    assert small.shape == (50, 1024)
    torch.testing.assert_close(small, projected(wide))
    distance = torch.pdist(small) / torch.pdist((wide - wide.mean(0)) / wide.std(0, correction=0))
    assert 0.8 < float(distance.min()) < float(distance.max()) < 1.2

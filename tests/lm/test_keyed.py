"""Keyed random numbers: SplitMix64 as published, uniform and normal, and independent of what else is drawn."""

import numpy as np
import torch
from scipy import stats

from mspgt.lm.keyed import fold, normal, stream_key, uniform

MASK = 2**64 - 1


def splitmix64(state: int) -> int:
    """One step, in whole numbers."""
    z = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def test_the_first_numbers_of_a_key_are_those_of_splitmix64():
    # The published test vector of the generator started at 1234567.
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [number % 2**64 for number in fold(1234567, torch.arange(4)).tolist()] == published


def test_folding_a_tensor_of_keys_is_folding_each():
    keys = torch.tensor([0, -1, 2**62, -(2**63)])
    for key, row in zip(keys.tolist(), fold(keys[:, None], torch.arange(3)).tolist(), strict=True):
        expected = [splitmix64((key + 0x9E3779B97F4A7C15 * i) & MASK) for i in range(3)]
        assert [number % 2**64 for number in row] == expected


def test_numbers_are_uniform_and_normal():
    keys = fold(stream_key("test", 0), torch.arange(200_000))
    assert stats.kstest(uniform(keys).numpy(), "uniform").pvalue > 0.001
    drawn = normal(keys[:20_000], 7)
    assert drawn.shape == (20_000, 7)
    assert stats.kstest(drawn.flatten().numpy(), "norm").pvalue > 0.001
    correlation = np.corrcoef(drawn.numpy().T) - np.eye(7)
    assert abs(correlation).max() < 4 / 20_000**0.5
    assert np.isfinite(drawn.numpy()).all()


def test_a_key_draws_the_same_alone_and_in_company():
    keys = fold(stream_key("test", 1), torch.arange(50))
    together = normal(keys, 16)
    assert torch.equal(normal(keys[17:18], 16), together[17:18])
    assert torch.equal(normal(keys.flip(0), 16), together.flip(0))


def test_purposes_and_seeds_share_nothing():
    keys = {stream_key(purpose, seed) for purpose in ("noise", "sampling") for seed in range(100)}
    assert len(keys) == 200

"""Keyed random numbers: SplitMix64 as published, uniform and normal, and independent of what else is drawn."""

import math

import numpy as np
import pytest
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


@pytest.mark.parametrize("width", [1, 5, 6])
def test_normal_numbers_are_those_of_box_and_muller(width):
    """Worked out from whole numbers: cosines of all pairs first, then sines."""
    pairs = -(-width // 2)
    for key in (0, 77, 2**63 - 1, -(2**63)):
        bits = [splitmix64((key + 0x9E3779B97F4A7C15 * i) & MASK) for i in range(pairs)]
        radius = [math.sqrt(-2 * math.log(((b >> 40) + 1) / 2**24)) for b in bits]
        angle = [2 * math.pi * (b & (2**24 - 1)) / 2**24 for b in bits]
        turns = [math.cos(a) for a in angle], [math.sin(a) for a in angle]
        expected = [r * t for turn in turns for r, t in zip(radius, turn, strict=True)][:width]
        found = normal(torch.tensor([key]), width)[0]
        assert found.tolist() == pytest.approx(expected, abs=2e-6)


def test_the_smallest_bits_have_a_logarithm():
    """A key whose first number has 40 zeros in front: its uniform number is the smallest there is, and not 0."""
    inverse = [pow(0xBF58476D1CE4E5B9, -1, 2**64), pow(0x94D049BB133111EB, -1, 2**64)]

    def unshifted(z, places):
        found = z
        for _ in range(64 // places + 1):
            found = z ^ (found >> places)
        return found

    z = unshifted(0x000000_1234567890, 31)
    z = unshifted((z * inverse[1]) & MASK, 27)
    key = unshifted((z * inverse[0]) & MASK, 30) - 0x9E3779B97F4A7C15
    signed = (key + 2**63) % 2**64 - 2**63
    assert int(fold(signed, torch.arange(1))) == 0x1234567890
    drawn = normal(torch.tensor([signed]), 2)[0]
    assert drawn.square().sum().sqrt().item() == pytest.approx(math.sqrt(48 * math.log(2)), rel=1e-6)


def test_a_key_draws_the_same_alone_and_in_company():
    keys = fold(stream_key("test", 1), torch.arange(50))
    together = normal(keys, 16)
    assert torch.equal(normal(keys[17:18], 16), together[17:18])
    assert torch.equal(normal(keys.flip(0), 16), together.flip(0))


def test_purposes_and_seeds_share_nothing():
    keys = {stream_key(purpose, seed) for purpose in ("noise", "sampling") for seed in range(100)}
    assert len(keys) == 200

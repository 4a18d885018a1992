"""A2 on planted chains: Markov ones pass, linear or not, chains with a skip do not, few tokens decide nothing."""

import numpy as np
import pytest
from calibration.oracles.chains import GaussianChain
from calibration.worlds.blocks import block_chain

from mspgt.errors import InputError
from mspgt.predictions.judging import verdict_alone
from mspgt.predictions.readings import Reading
from mspgt.predictions.rules import Rules
from mspgt.results import to_jsonable
from mspgt.theory.markov import near_markov
from tests.whole import measured


def planted(steps, skips=(), rows=6000, width=6, seed=0):
    layers = GaussianChain(steps, width, skips).sample(rows, seed)
    return layers, np.arange(rows) * 40 // rows


def verdict(found):
    """What the one rule for A2 says of a chain as the only model of a study."""
    results = {"models": {"m": {"theory": {"markov": to_jsonable(found)}}}}
    return verdict_alone(measured(results), Rules(), "A2", Reading())


def test_a_markov_chain_is_supported():
    found = near_markov(*planted((0.9, 0.8, 0.9, 0.85)))
    assert verdict(found) == "supported"
    assert np.abs(found.conditional).max() <= 0.01
    assert found.ci[0] < 0.01 < 0.05 + found.ci[1]


def test_a_skip_is_refuted_and_the_ratio_is_its_closed_form():
    chain = GaussianChain((0.7, 0.5, 0.6), 6, (0.35, 0.0))
    found = near_markov(*planted((0.7, 0.5, 0.6), (0.35, 0.0)))
    truth = [chain.conditional_information(l, l + 2, l + 1) / chain.information(l, l + 2) for l in (1, 2)]
    assert np.allclose(found.ratio, truth, atol=3 * found.se.max())
    assert np.allclose(found.excess, found.ratio, atol=0.01)
    assert verdict(found) == "refuted"
    assert found.p_null[0] == pytest.approx(0.01)
    assert found.p_null[1] > 0.05


def test_intervals_cover_the_truth():
    steps, skips = (0.7, 0.5), (0.2,)
    chain = GaussianChain(steps, 4, skips)
    truth = chain.conditional_information(1, 3, 2) / chain.information(1, 3)
    runs = [near_markov(*planted(steps, skips, 2000, 4, seed), permutations=1) for seed in range(60)]
    inside = sum(run.ci[0] <= truth <= run.ci[1] for run in runs)
    assert 52 <= inside <= 60


def test_the_null_is_uniform_for_tokens_that_depend_on_one_another():
    rng = np.random.default_rng(0)
    p = []
    for seed in range(40):
        layers, document = planted((0.9, 0.8), rows=1200, width=3, seed=seed)
        kernel = np.ones(4) / 2
        layers = np.stack([np.stack([np.convolve(c, kernel, "same") for c in x.T], 1) for x in layers])
        p.append(near_markov(layers, document, permutations=39, seed=int(rng.integers(1e6))).p_null[0])
    assert 0.3 < np.mean(p) < 0.7
    assert np.mean(np.array(p) <= 0.05) <= 0.15


def test_few_tokens_decide_nothing():
    found = near_markov(*planted((0.4, 0.3), rows=200, width=4))
    assert verdict(found) == "inconclusive"


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_figure_26_exactly_markov_chains_of_blocks_are_not_refuted(noise):
    """RMSNorm–SiLU residual blocks, 16 wide, no projection: M itself is far from 0 at the smallest p."""
    runs = [
        near_markov(
            block_chain(5, 16, 1500, seed, noise=noise),
            np.arange(1500) * 40 // 1500,
            permutations=19,
            seed=seed,
        )
        for seed in range(8)
    ]
    assert max(run.ratio.max() for run in runs) > 0.05
    assert min(run.p_null.min() for run in runs) == pytest.approx(0.05)
    refuted = sum(verdict(run) == "refuted" for run in runs)
    assert refuted == 0
    assert max(run.excess.max() for run in runs) < 0.03


def test_a_skip_between_blocks_is_still_seen():
    """What the surrogates explain is nonlinearity; a block that reads two layers back is not explained."""
    rows = 3000
    layers = block_chain(5, 16, rows, 0, noise=0.3, skip=0.8)
    found = near_markov(layers, np.arange(rows) * 40 // rows, permutations=19)
    assert found.excess.max() > 0.1
    assert verdict(found) == "refuted"


def test_refusals():
    layers, document = planted((0.9, 0.8))
    with pytest.raises(InputError, match="three layers"):
        near_markov(layers[:2], document)
    with pytest.raises(InputError, match="3 documents"):
        near_markov(layers, document // 20)
    with pytest.raises(InputError, match="at least 90 rows"):
        near_markov(layers[:, :80], document[:80])

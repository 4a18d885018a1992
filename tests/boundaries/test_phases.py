"""Phases against planted matrices, against properties of the fit, and against worlds without a boundary."""

import numpy as np
import pytest
from calibration.phase_worlds import World, draw, with_boundaries

from mspgt.boundaries.caterpillar import design, fit_chain, reach
from mspgt.boundaries.phases import (
    contrasts,
    evidence_profile,
    find_phases,
    threshold,
)
from mspgt.errors import InputError


def blocks(*ends: int, drift: float = 0.02, alone: float = 0.35, jump: float = 0.4) -> np.ndarray:
    """exp(−alone − drift |i−j| − jump [other phase]), 1 on the diagonal; phases end after the given blocks."""
    layer = np.arange(1, ends[-1] + 1)
    phase = np.searchsorted(ends, layer)
    apart = np.abs(layer[:, None] - layer)
    matrix = np.exp(-alone - drift * apart - jump * (phase[:, None] != phase))
    np.fill_diagonal(matrix, 1)
    return matrix


def layers(found):
    return [one.layer for one in found.boundaries]


def test_two_planted_boundaries_have_the_published_figures():
    found = find_phases(blocks(11, 21, 30))
    assert layers(found) == [11, 21]
    assert [round(one.score, 4) for one in found.boundaries] == [4.4764, 4.4764]
    assert [one.set for one in found.boundaries] == [(11,), (21,)]
    assert round(found.inflation, 4) == 1.2603


def test_even_drift_is_no_boundary():
    found = find_phases(blocks(30, drift=0.05))
    assert found.boundaries == ()
    assert found.score == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("depth", [12, 24, 48])
def test_the_fit_recovers_a_chain(depth):
    """A matrix that is a chain has no residual, whatever its steps; the ridge moves steps by little."""
    rng = np.random.default_rng(depth)
    step, leg = rng.uniform(0.05, 0.3, depth - 1), rng.uniform(0.2, 0.4, depth)
    place = np.concatenate([[0], np.cumsum(step)])
    chain = fit_chain(leg[:, None] + leg + np.abs(place[:, None] - place))
    np.testing.assert_allclose(chain.step[2:-2], step[2:-2], atol=0.02)
    np.testing.assert_allclose(chain.leg[2:-2], leg[2:-2], atol=0.02)


def test_the_error_of_a_step_is_its_scatter():
    world = World("flat", rough=0, total=0, alone_sd=0, pairs=0.1, pairs_tail=None, sampling=0)
    chain = fit_chain(-np.log(draw(world, 24, 800, np.random.default_rng(0)).similarity))
    ratio = chain.step.std(axis=0) / chain.error.mean(axis=0)
    np.testing.assert_allclose(ratio, 1, atol=0.12)


def test_only_near_pairs_are_read():
    matrix = blocks(11, 21, 30)
    apart = np.abs(np.arange(30)[:, None] - np.arange(30))
    far = np.where(apart > reach(30), np.nan, matrix)
    assert find_phases(far).boundaries == find_phases(matrix).boundaries
    np.testing.assert_array_equal(find_phases(far).step, find_phases(matrix).step)
    assert design(30).first.max() == 28


def test_a_mirrored_model_has_mirrored_boundaries():
    matrix = draw(World("plain"), 24, 1, np.random.default_rng(3)).similarity
    matrix = with_boundaries(matrix, np.array([[9]]), 0.8)[0]
    there, back = find_phases(matrix), find_phases(matrix[::-1, ::-1])
    assert layers(there) == [9]
    assert layers(back) == [24 - 9]
    assert back.score == pytest.approx(there.score)


def test_an_odd_block_is_no_boundary():
    matrix = blocks(30, drift=0.05)
    odd = np.ones(30)
    odd[14] = np.exp(-1.5)
    matrix = matrix * np.where(np.eye(30, dtype=bool), 1, odd[:, None] * odd)
    found = find_phases(matrix)
    assert found.boundaries == ()
    assert found.alone[14] - np.median(found.alone) == pytest.approx(1.5, abs=0.1)


def test_a_faster_half_is_no_boundary():
    speed = np.where(np.arange(29) < 14, 0.02, 0.12)
    place = np.concatenate([[0], np.cumsum(speed)])
    matrix = np.exp(-0.35 - np.abs(place[:, None] - place))
    np.fill_diagonal(matrix, 1)
    assert find_phases(matrix).boundaries == ()


def test_worlds_without_a_boundary_are_rarely_called():
    hostile = (World("rough", rough=0.5), World("rows", rows=0.1), World("period", period=6, period_size=0.8))
    for seed, world in enumerate(hostile):
        made = draw(world, 24, 400, np.random.default_rng([5, seed]))
        score = contrasts(evidence_profile(made.similarity).evidence).max(axis=(1, 2))[made.null]
        assert (score >= threshold(24)).mean() <= 0.05, world.name


def test_the_size_that_is_said_to_be_seen_is_seen():
    rng = np.random.default_rng(11)
    made = draw(World("plain"), 24, 60, rng).similarity
    size = np.median([find_phases(one).size80 for one in made])
    places = rng.integers(5, 20, (60, 1))
    planted = with_boundaries(made, places, size)
    near = [
        any(abs(layer - place) <= 1 for layer in layers(find_phases(one)))
        for one, (place,) in zip(planted, places, strict=True)
    ]
    assert 0.6 < np.mean(near) < 0.95


def test_what_is_not_found_has_its_candidate_and_what_could_have_been_seen():
    found = find_phases(blocks(14, 30, jump=0.03))
    assert found.boundaries == ()
    assert found.candidate.layer == 14
    assert 0 < found.score < found.threshold
    assert found.size80 > 0.03


def test_a_masked_boundary_is_nobodys_background():
    evidence = np.array([1.0, 1, 1, 5, 1, 1, 5, 1, 1, 1, 1, 1])
    taken = np.zeros(12, dtype=bool)
    taken[3] = True
    free = contrasts(evidence)[6, 0]
    alone = contrasts(evidence, taken)[6, 0]
    assert alone >= free
    assert np.isneginf(contrasts(evidence, taken)[3]).all()
    assert np.isneginf(contrasts(evidence)[[0, 1, -1, -2]][:, 0]).all()


def test_depths_without_a_known_error_rate_claim_nothing():
    shallow = find_phases(blocks(5, 10))
    assert shallow.boundaries == ()
    assert shallow.score is None
    assert "12" in shallow.reasons[0]
    deep = find_phases(blocks(40, 96))
    assert deep.boundaries == ()
    assert deep.candidate.layer == 40
    assert "80" in deep.reasons[0]


def test_the_stricter_level_asks_for_more():
    assert threshold(30, 0.01) == pytest.approx(threshold(30) + 0.35)
    with pytest.raises(InputError, match=r"0\.05"):
        threshold(30, 0.02)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda m: m[:5], "found shape"),
        (lambda m: m + np.triu(np.full_like(m, 0.1), 1), "symmetric"),
        (lambda m: m * 2, "diagonal"),
        (lambda m: np.where((np.arange(30) == 6) | (np.arange(30)[:, None] == 6), np.nan, m), "block 7"),
    ],
)
def test_what_is_no_similarity_matrix_is_refused(spoil, words):
    with pytest.raises(InputError, match=words):
        find_phases(spoil(blocks(11, 21, 30)))

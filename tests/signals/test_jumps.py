"""S2 from counts: against sums written out by hand, and against jumps planted in simulated seeds."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.signals.jumps import jump_signal, task_f1
from mspgt.signals.probes import ProbeResults, TaskResult
from tests.effort import calls


def results(document: np.ndarray, **counts: np.ndarray) -> ProbeResults:
    def task(array: np.ndarray) -> TaskResult:
        shape = array.shape[:2]
        return TaskResult(
            array.astype(np.int32), np.zeros(shape), np.zeros(shape, int), None, None, 2, 0.5, {"test": 1}
        )

    return ProbeResults({name: task(array) for name, array in counts.items()}, document, {})


def random_results(seeds: int, layers: int, sentences: int, documents: int, seed: int = 0) -> ProbeResults:
    rng = np.random.default_rng(seed)
    document = np.sort(np.r_[np.arange(documents), rng.integers(0, documents, sentences - documents)])
    shape = (seeds, layers, sentences, 3)
    return results(document, pos=rng.integers(0, 9, shape), ner=rng.integers(0, 4, shape))


def by_brute_force(probes: ProbeResults, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """S2 of both modes with loops over everything, and derivatives by weight as finite differences, 1..L−1."""
    p = by_seed(probes, weights)
    seeds, layers = p.shape
    held = [d for d in range(len(weights)) if weights[d] > 0]
    step = 1e-5
    pull = np.zeros((len(weights), seeds, layers))
    for d in held:
        up, down = weights.copy(), weights.copy()
        up[d], down[d] = weights[d] + step, weights[d] - step
        pull[d] = weights[d] * (by_seed(probes, up) - by_seed(probes, down)) / (2 * step)
    scatter = np.mean([np.diff(p[:, 1:])[:, t].var(ddof=1) for t in range(layers - 2)])
    mean = p.mean(0)
    paper = [abs(mean[layer + 1] - mean[layer]) / mean[layer] for layer in range(1, layers - 1)]
    calibrated = []
    for layer in range(1, layers - 1):
        moved = pull[:, :, layer + 1] - pull[:, :, layer]
        pairs = [(i, j) for i in range(seeds) for j in range(seeds) if i != j]
        shared = np.mean([(moved[:, i] * moved[:, j]).sum() for i, j in pairs]) * len(held) / (len(held) - 1)
        square = (mean[layer + 1] - mean[layer]) ** 2 - 0.4549364 * max(scatter / seeds + shared, 0)
        calibrated.append(np.sign(square) * abs(square) ** 0.5 / mean[layer])
    return np.array(paper), np.array(calibrated)


def by_seed(probes: ProbeResults, weights: np.ndarray) -> np.ndarray:
    """Mean F1 over tasks, (seeds, layers)."""
    first = next(iter(probes.results.values())).counts
    seeds, layers = first.shape[:2]
    p = np.zeros((seeds, layers))
    for s in range(seeds):
        for layer in range(layers):
            f1 = []
            for task in probes.results.values():
                tp = fp = fn = 0.0
                for sentence, document in enumerate(probes.document):
                    a, b, c = task.counts[s, layer, sentence]
                    tp, fp, fn = (
                        tp + weights[document] * a,
                        fp + weights[document] * b,
                        fn + weights[document] * c,
                    )
                precision, recall = tp / (tp + fp), tp / (tp + fn)
                f1.append(2 * precision * recall / (precision + recall))
            p[s, layer] = np.mean(f1)
    return p


def test_against_brute_force_with_and_without_weights() -> None:
    probes = random_results(seeds=3, layers=6, sentences=20, documents=5)
    draws = np.random.default_rng(1).multinomial(5, [0.2] * 5, size=4).astype(float)
    assert ((draws > 0).sum(1) > 1).all()
    drawn = jump_signal(probes, draws)
    for weights, paper, calibrated in [
        (np.ones(5), jump_signal(probes).paper, jump_signal(probes).calibrated),
        *zip(draws, drawn.paper, drawn.calibrated, strict=True),
    ]:
        expected = by_brute_force(probes, weights)
        assert np.abs(paper - expected[0]).max() < 1e-12
        assert (
            np.abs(np.sign(calibrated) * calibrated**2 - np.sign(expected[1]) * expected[1] ** 2).max() < 1e-7
        )
    assert drawn.paper.shape == drawn.calibrated.shape == drawn.floor.shape == (4, 4)
    assert drawn.score.shape == drawn.f1["pos"].shape == (4, 6)


def test_two_documents_are_enough_for_what_seeds_share() -> None:
    probes = random_results(seeds=3, layers=6, sentences=12, documents=2)
    found, expected = jump_signal(probes), by_brute_force(probes, np.ones(2))
    np.testing.assert_allclose(found.paper, expected[0], atol=1e-12)
    ours, theirs = (np.sign(one) * one**2 for one in (found.calibrated, expected[1]))
    np.testing.assert_allclose(ours, theirs, atol=1e-7)


def test_embedding_step_is_kept_apart() -> None:
    probes = random_results(seeds=3, layers=6, sentences=20, documents=5)
    signal = jump_signal(probes)
    score = signal.score
    assert signal.embedding["paper"] == pytest.approx(abs(score[1] - score[0]) / score[0])
    assert signal.paper[0] == pytest.approx(abs(score[2] - score[1]) / score[1])


def accuracies(probabilities: np.ndarray, examples: int = 10**7) -> np.ndarray:
    """Counts (seeds, layers, 1 sentence, 3) with these F1 scores."""
    right = np.round(probabilities * examples)
    return np.stack([right, examples - right, examples - right], axis=-1)[:, :, None]


# Chance among seeds alone, among documents as well, and among documents alone.
WORLDS = ("seeds alone", "both", "documents alone")


@pytest.fixture(scope="module")
def planted() -> Any:
    return importlib.import_module("calibration.jumps")


@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("noise", WORLDS)
def test_no_jump_is_as_often_positive_as_negative_and_below_its_floor(
    planted: Any, seeds: int, noise: str
) -> None:
    own, shared = planted.WORLDS[noise]
    signal = jump_signal(planted.world(seeds, 2_000, own=own, shared=shared))
    assert 0.4 < (signal.calibrated > 0).mean() < 0.6
    assert abs(signal.calibrated.mean()) < 0.5 * signal.floor.mean()
    assert signal.floor.mean() == pytest.approx(signal.paper.mean(), rel=0.06)


def test_products_of_seeds_alone_would_see_jumps_in_documents_they_share(planted: Any) -> None:
    """What the estimator is held against: with two seeds and 75 documents, most products are positive."""
    square = planted.squares(planted.world(2, 2_000, own=0.0015, shared=0.035))["products of seeds"]
    assert (square > 0).mean() > 0.75


@pytest.mark.parametrize("noise", WORLDS)
@pytest.mark.parametrize("jump", [-0.03, 0.03])
def test_planted_jump_is_found(planted: Any, jump: float, noise: str) -> None:
    own, shared = planted.WORLDS[noise]
    signal = jump_signal(planted.world(3, 2_000, jump=jump, own=own, shared=shared, seed=1))
    found = (signal.calibrated * signal.score[1:-1]).mean()
    assert found == pytest.approx(abs(jump), rel=0.03)
    assert (signal.calibrated > 0).mean() > 0.99


def test_resampled_documents_do_not_look_like_a_jump(planted: Any) -> None:
    """A document drawn twice is no second document: the draws scatter around the estimate from the whole split."""
    probes = planted.world(3, 300, own=0.002, shared=0.03, seed=2)
    draws = np.random.default_rng(0).multinomial(75, np.full(75, 1 / 75), size=100).astype(float)
    noise = (jump_signal(probes, draws).floor ** 2).mean()
    # Each draw doubles the documents' part: that of the split, and its own.
    assert noise == pytest.approx(2 * (jump_signal(probes).floor ** 2).mean(), rel=0.2)


def test_one_document_has_no_calibrated_signal() -> None:
    probes = random_results(seeds=2, layers=5, sentences=9, documents=3)
    signal = jump_signal(probes, np.array([[1.0, 1.0, 1.0], [0.0, 3.0, 0.0]]))
    assert np.isfinite(signal.calibrated[0]).all()
    assert np.isnan(signal.calibrated[1]).all()
    assert np.isfinite(signal.paper).all()


def test_single_seed_has_no_calibrated_signal() -> None:
    signal = jump_signal(random_results(seeds=1, layers=5, sentences=9, documents=3))
    assert np.isnan(signal.calibrated).all()
    assert np.isnan(signal.floor).all()
    assert np.isfinite(signal.paper).all()


def test_nothing_to_find_is_nan_not_zero() -> None:
    assert np.isnan(task_f1(np.array([0, 0, 0])))
    assert task_f1(np.array([0, 0, 5])) == 0
    probes = random_results(seeds=2, layers=4, sentences=9, documents=3)
    probes.results["pos"].counts[:] = 0
    probes.results["ner"].counts[:] = 0
    assert np.isnan(jump_signal(probes).paper).all()


def test_s2_is_the_mean_over_the_tasks_that_a_draw_has() -> None:
    probes = random_results(seeds=2, layers=4, sentences=9, documents=3)
    first = probes.document == 0
    probes.results["ner"].counts[:, :, ~first] = 0
    # A false entity of one layer, in a document without any, is no F1 of 0 for that layer.
    probes.results["ner"].counts[:, 2, ~first, 1] = 1
    alone = results(probes.document, pos=probes.results["pos"].counts)
    for weights in ([1.0, 1.0, 1.0], [0.0, 2.0, 1.0], [0.0, 1.0, 2.0]):
        whole, pos = (jump_signal(one, np.array(weights)) for one in (probes, alone))
        if weights[0]:
            assert np.isfinite(whole.f1["ner"]).all()
            assert not np.allclose(whole.paper, pos.paper)
        else:
            assert np.isnan(whole.f1["ner"]).all()
            np.testing.assert_array_equal(whole.paper, pos.paper)
            np.testing.assert_allclose(whole.calibrated, pos.calibrated, rtol=1e-9)


def test_jump_from_zero_performance_is_nan() -> None:
    signal = jump_signal(results(np.zeros(1, int), pos=accuracies(np.array([[0, 0, 0.5, 0.6]] * 2), 10)))
    assert np.isnan(signal.paper[0])
    assert signal.paper[1] == pytest.approx(0.2)


def test_weights_of_other_documents_are_refused() -> None:
    probes = random_results(seeds=2, layers=4, sentences=9, documents=3)
    with pytest.raises(InputError, match="3 test documents, found 4"):
        jump_signal(probes, np.ones(4))


def test_a_thousand_draws_are_done_together() -> None:
    """Calls a draw, far fewer than documents, seeds or layers."""
    probes = random_results(seeds=3, layers=33, sentences=2000, documents=316)
    draws = np.random.default_rng(0).multinomial(316, np.full(316, 1 / 316), size=1000).astype(float)
    assert calls(lambda: jump_signal(probes, draws)) < 10 * len(draws)

"""S2 from counts: against sums written out by hand, and against jumps planted in simulated seeds."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.signals.jumps import jump_signal, task_f1
from mspgt.signals.probes import ProbeResults, TaskResult


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
    """S2 of both modes with loops over everything, 1..L−1."""
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
    mean = p.mean(0)
    paper = [abs(mean[layer + 1] - mean[layer]) / mean[layer] for layer in range(1, layers - 1)]
    calibrated = []
    for layer in range(1, layers - 1):
        jumps = p[:, layer + 1] - p[:, layer]
        square = np.mean([jumps[i] * jumps[j] for i in range(seeds) for j in range(seeds) if i != j])
        calibrated.append(np.sign(square) * abs(square) ** 0.5 / mean[layer])
    return np.array(paper), np.array(calibrated)


def test_against_brute_force_with_and_without_weights() -> None:
    probes = random_results(seeds=3, layers=6, sentences=20, documents=5)
    draws = np.random.default_rng(1).multinomial(5, [0.2] * 5, size=4).astype(float)
    drawn = jump_signal(probes, draws)
    for weights, paper, calibrated in [
        (np.ones(5), jump_signal(probes).paper, jump_signal(probes).calibrated),
        *zip(draws, drawn.paper, drawn.calibrated, strict=True),
    ]:
        expected = by_brute_force(probes, weights)
        assert np.abs(paper - expected[0]).max() < 1e-12
        assert np.abs(calibrated - expected[1]).max() < 1e-12
    assert drawn.paper.shape == drawn.calibrated.shape == drawn.floor.shape == (4, 4)
    assert drawn.score.shape == drawn.f1["pos"].shape == (4, 6)


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


def test_no_jump_is_zero_on_average_where_its_size_is_not() -> None:
    rng = np.random.default_rng(0)
    sd, seeds = 0.01, 3
    scores = 0.6 + sd / np.sqrt(2) * rng.standard_normal((seeds, 40_002))
    signal = jump_signal(results(np.zeros(1, int), pos=accuracies(scores)))
    before = signal.score[1:-1]
    square = np.sign(signal.calibrated) * (signal.calibrated * before) ** 2
    assert abs(square.mean()) < 0.01 * sd**2
    assert abs((signal.calibrated * before).mean()) < 0.06 * sd
    size = (signal.paper * before).mean()
    assert size == pytest.approx(0.8 * sd / np.sqrt(seeds), rel=0.02)
    assert (signal.floor * before).mean() == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize("jump", [-0.02, 0.005, 0.02])
def test_planted_jump_is_found_without_bias(jump: float) -> None:
    rng = np.random.default_rng(1)
    levels = 0.5 + jump * (np.arange(40_002) % 2)
    scores = levels + 0.005 * rng.standard_normal((2, 40_002))
    signal = jump_signal(results(np.zeros(1, int), pos=accuracies(scores)))
    square = np.sign(signal.calibrated) * (signal.calibrated * signal.score[1:-1]) ** 2
    assert square.mean() == pytest.approx(jump**2, rel=0.1)


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
    for weights in ([1.0, 1.0, 1.0], [0.0, 2.0, 1.0], [0.0, 3.0, 0.0]):
        whole, pos = (jump_signal(one, np.array(weights)) for one in (probes, alone))
        if weights[0]:
            assert np.isfinite(whole.f1["ner"]).all()
            assert not np.allclose(whole.paper, pos.paper)
        else:
            assert np.isnan(whole.f1["ner"]).all()
            np.testing.assert_array_equal(whole.paper, pos.paper)
            np.testing.assert_array_equal(whole.calibrated, pos.calibrated)


def test_jump_from_zero_performance_is_nan() -> None:
    signal = jump_signal(results(np.zeros(1, int), pos=accuracies(np.array([[0, 0, 0.5, 0.6]] * 2), 10)))
    assert np.isnan(signal.paper[0])
    assert signal.paper[1] == pytest.approx(0.2)


def test_weights_of_other_documents_are_refused() -> None:
    probes = random_results(seeds=2, layers=4, sentences=9, documents=3)
    with pytest.raises(InputError, match="3 test documents, found 4"):
        jump_signal(probes, np.ones(4))


def test_a_thousand_draws_are_quick() -> None:
    probes = random_results(seeds=3, layers=33, sentences=2000, documents=316)
    draws = np.random.default_rng(0).multinomial(316, np.full(316, 1 / 316), size=1000).astype(float)
    started = time.process_time()
    jump_signal(probes, draws)
    assert time.process_time() - started < 2  # about 0.2 s on an idle core

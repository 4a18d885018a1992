"""Probes on planted representations whose Bayes accuracy is known, and against scikit-learn."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier

from mspgt.errors import InputError, NumericsError
from mspgt.signals.features import WordFeatures
from mspgt.signals.jumps import jump_signal
from mspgt.signals.labels import SPLITS, Examples, ProbeTask
from mspgt.signals.probes import ProbeResults, train_probes

SIZES = {"train": 2000, "dev": 500, "test": 2400}
CLASSES = 4


def words_of(split: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the words of a split, skewed, and their word types, which say nothing of the label."""
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    labels = rng.choice(CLASSES, SIZES[split], p=[0.4, 0.3, 0.2, 0.1])
    return labels, rng.integers(0, 50, SIZES[split])


def task_of(labels: dict[str, np.ndarray], types: dict[str, np.ndarray], name: str = "pos") -> ProbeTask:
    examples = {
        split: Examples(
            np.arange(len(y))[:, None], y.astype(np.int64), types[split][:, None], np.arange(len(y)) // 10
        )
        for split, y in labels.items()
    }
    sentences = len(labels["test"]) // 10
    documents = tuple(f"d{s // 8}" for s in range(sentences))
    return ProbeTask(name, tuple("ABCD"), CLASSES, documents, examples)


def features_of(values: np.ndarray | torch.Tensor) -> WordFeatures:
    tensor = torch.as_tensor(values)
    return WordFeatures(tensor, np.ones(tensor.shape[1], dtype=bool), {}, torch.device("cpu"))


LABELS = {split: words_of(split)[0] for split in SPLITS}
TYPES = {split: words_of(split)[1] for split in SPLITS}
TASK = task_of(LABELS, TYPES)


def planted(strengths: list[float], width: int = 12) -> list[WordFeatures]:
    """Layers of unit noise whose mean is `strength` times the unit vector of the label, in a random basis."""
    rng = np.random.default_rng(7)
    bases = [np.linalg.qr(rng.standard_normal((width, width)))[0] for _ in strengths]
    return [
        features_of(
            np.stack(
                [
                    (rng.standard_normal((SIZES[split], width)) + strength * np.eye(width)[LABELS[split]])
                    @ basis
                    for strength, basis in zip(strengths, bases, strict=True)
                ]
            ).astype(np.float32)
        )
        for split in SPLITS
    ]


def bayes_accuracy(strength: float) -> float:
    """Of the likeliest label given the planted representation, by simulation."""
    rng = np.random.default_rng(1)
    prior = np.array([0.4, 0.3, 0.2, 0.1])
    labels = rng.choice(CLASSES, 200_000, p=prior)
    x = rng.standard_normal((200_000, CLASSES)) + strength * np.eye(CLASSES)[labels]
    return float((np.argmax(strength * x + np.log(prior), axis=1) == labels).mean())


@pytest.fixture(scope="module")
def step() -> ProbeResults:
    """Nothing in layers 0–2, the label in layers 3–5, one dimension without variance."""
    features = planted([0, 0, 0, 2.5, 2.5, 2.5])
    for split in features:
        split.values[:, :, -1] = 3.0
    return train_probes(*features, {"pos": TASK})


def test_planted_step_is_recovered(step: ProbeResults) -> None:
    # The constant dimension takes a random direction of the basis away, so the strength left differs by layer.
    signal = jump_signal(step)
    chance = (LABELS["test"] == 0).mean()
    # The most of three layers: 2.5 standard errors of a share of 2,400.
    assert np.abs(signal.f1["pos"][:3] - chance).max() < 0.025
    assert (np.abs(signal.f1["pos"][3:] - bayes_accuracy(2.5)) < 0.06).all()
    assert np.argmax(signal.paper) == np.argmax(signal.calibrated) == 1  # from layer 2 to layer 3
    assert signal.calibrated[1] == pytest.approx(signal.paper[1], rel=0.01)
    assert signal.floor.max() < 0.03


def test_f1_reaches_the_bayes_accuracy() -> None:
    strengths = [1.0, 2.0, 3.0]
    f1 = jump_signal(train_probes(*planted(strengths), {"pos": TASK}, seeds=2, controls=False)).f1["pos"]
    for strength, found in zip(strengths, f1, strict=True):
        best = bayes_accuracy(strength)
        assert best - 0.03 < found < best + 0.025


def test_noise_is_worth_nothing(step: ProbeResults) -> None:
    entropy = -sum(p * math.log2(p) for p in np.bincount(LABELS["train"]) / SIZES["train"])
    selectivity, bits = step.selectivity("pos"), step.codelength("pos")
    assert selectivity is not None
    assert bits is not None
    assert np.abs(selectivity[:3]).max() < 0.06
    assert min(selectivity[3:]) > 0.3
    assert all(entropy < b < 1.12 * entropy for b in bits[:3])
    assert max(bits[3:]) < 0.7 * entropy


def test_selectivity_tells_word_identity_from_the_label() -> None:
    """Layer 0 is the word type, from which a label by type and a control label are equally well memorised."""
    label_of_type = np.random.default_rng(0).integers(0, CLASSES, 50)
    labels = {split: label_of_type[TYPES[split]] for split in SPLITS}
    rng = np.random.default_rng(1)
    features = [
        features_of(
            np.stack(
                [np.eye(50)[TYPES[split]], np.eye(50)[labels[split]]]
                + 0.05 * rng.standard_normal((2, len(labels[split]), 50))
            ).astype(np.float32)
        )
        for split in SPLITS
    ]
    found = train_probes(*features, {"pos": task_of(labels, TYPES)}, seeds=1)
    assert found.results["pos"].accuracy.min() > 0.98
    selectivity = found.selectivity("pos")
    assert selectivity is not None
    assert abs(selectivity[0]) < 0.02
    assert selectivity[1] > 0.3


def test_close_to_scikit_learn() -> None:
    """A task that no linear probe solves: the label is a quadrant."""
    rng = np.random.default_rng(0)
    x = {split: rng.standard_normal((SIZES[split], 8)).astype(np.float32) for split in SPLITS}
    labels = {}
    for split in SPLITS:
        clean = 2 * (x[split][:, 0] * x[split][:, 1] > 0) + (x[split][:, 2] * x[split][:, 3] > 0)
        flipped = rng.random(SIZES[split]) < 0.1
        labels[split] = np.where(flipped, rng.integers(0, CLASSES, SIZES[split]), clean)
    ours = train_probes(
        *(features_of(x[split][None]) for split in SPLITS),
        {"pos": task_of(labels, TYPES)},
        controls=False,
    )
    theirs = np.mean(
        [
            MLPClassifier(128, early_stopping=True, max_iter=200, random_state=seed)
            .fit(x["train"], labels["train"])
            .score(x["test"], labels["test"])
            for seed in range(2)
        ]
    )
    assert ours.results["pos"].accuracy.mean() > theirs - 0.01


def test_layers_do_not_touch_one_another() -> None:
    features = planted([0.5, 1.0, 1.5, 2.0])
    together = train_probes(*features, {"pos": TASK}, seeds=1)
    words = sum(SIZES.values())
    in_threes = train_probes(*features, {"pos": TASK}, seeds=1, memory=3 * 4 * 12 * words)
    alone = train_probes(*(replace(f, values=f.values[2:3]) for f in features), {"pos": TASK}, seeds=1)
    arrays = together.to_arrays()
    for name, array in in_threes.to_arrays().items():
        assert np.abs(array - arrays[name]).max() <= 1e-5
    for name in ("counts", "accuracy"):
        assert np.array_equal(
            getattr(alone.results["pos"], name)[:, 0], getattr(together.results["pos"], name)[:, 2]
        )
    assert together.results["pos"].bits[2] == pytest.approx(alone.results["pos"].bits[0], abs=1e-5)


def test_same_seed_same_numbers_and_seeds_differ() -> None:
    features = planted([1.0, 1.0])
    one, again, other = (
        train_probes(*features, {"pos": TASK}, seeds=2, controls=False, seed=seed).results["pos"].counts
        for seed in (5, 5, 6)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])


def test_half_precision_features_say_the_same() -> None:
    features = planted([1.0, 2.0])
    full = train_probes(*features, {"pos": TASK}, seeds=1, controls=False)
    half = train_probes(
        *(replace(f, values=f.values.bfloat16()) for f in features), {"pos": TASK}, seeds=1, controls=False
    )
    assert np.abs(full.results["pos"].accuracy - half.results["pos"].accuracy).max() < 0.01


def test_pairs_are_read_from_both_words() -> None:
    """The label is the sum of two words' bits: either word alone leaves it open."""
    rng = np.random.default_rng(0)
    bits = {split: rng.integers(0, 2, SIZES[split]) for split in SPLITS}
    examples = {}
    for split in SPLITS:
        rows = rng.integers(0, SIZES[split], (SIZES[split], 2))
        examples[split] = Examples(
            rows, bits[split][rows].sum(1), TYPES[split][rows], np.sort(rng.integers(0, 240, SIZES[split]))
        )
    task = ProbeTask("dep", tuple("ABCD"), 3, TASK.documents, examples)
    features = [features_of((bits[split][None, :, None] * np.ones(4)).astype(np.float32)) for split in SPLITS]
    assert (
        train_probes(*features, {"dep": task}, seeds=1, controls=False).results["dep"].accuracy.min() > 0.99
    )


def test_the_size_of_a_word_says_nothing() -> None:
    features = planted([2.0, 2.0])
    draw = torch.Generator().manual_seed(0)
    loud = [0.5 + torch.rand(f.values.shape[1], generator=draw) for f in features]
    louder = [replace(f, values=f.values * by[:, None]) for f, by in zip(features, loud, strict=True)]
    plain, scaled = (
        train_probes(*each, {"pos": TASK}, seeds=1, controls=False).results["pos"].accuracy
        for each in (features, louder)
    )
    assert np.abs(plain - scaled).max() < 0.005


def test_sinks_hide_no_dimension_from_the_probe() -> None:
    """Words of a massive activation along one dimension, which tells most of the labels of the others."""
    plain = [
        np.random.default_rng(split).standard_normal((SIZES[split_name], 12))
        for split, split_name in enumerate(SPLITS)
    ]
    for values, split in zip(plain, SPLITS, strict=True):
        values[:, 0] += 3.0 * (LABELS[split] == 0)
    sinks = [values.copy() for values in plain]
    sinks[0][::40, 0] = 1e4
    sinks[0][20::40, 0] = -1e4
    few, many = (
        train_probes(
            *(features_of(v[None].astype(np.float32)) for v in each), {"pos": TASK}, seeds=1, controls=False
        )
        .results["pos"]
        .accuracy
        for each in (plain, sinks)
    )
    assert few.min() > (LABELS["test"] == 0).mean() + 0.1
    assert np.abs(few - many).max() < 0.03


def test_sentences_left_out_count_nowhere() -> None:
    features = planted([2.0, 2.0])
    test = replace(features[2], kept=np.arange(SIZES["test"]) >= 100, dropped={"longer than the context": 10})
    found = train_probes(*features[:2], test, {"pos": TASK}, seeds=1, controls=False)
    counts = found.results["pos"].counts
    assert counts[:, :, :10].sum() == 0
    assert (counts[:, :, 10:, 0] + counts[:, :, 10:, 2] == 10).all()
    assert found.dropped == {"test: longer than the context": 10}
    assert found.examples("pos")["test"] == SIZES["test"] - 100


def test_values_of_words_left_out_change_nothing() -> None:
    features = planted([1.0, 1.0])
    kept = np.arange(SIZES["train"]) >= 500
    results = []
    for fill in (0.0, 1e4):
        values = features[0].values.clone()
        values[:, ~kept] = fill
        results.append(
            train_probes(
                replace(features[0], values=values, kept=kept), *features[1:], {"pos": TASK}, seeds=1
            )
        )
    assert np.array_equal(results[0].results["pos"].counts, results[1].results["pos"].counts)


def test_saved_and_read_again(step: ProbeResults) -> None:
    again = ProbeResults.from_arrays(step.to_arrays(), json.loads(json.dumps(step.meta())))
    assert np.array_equal(jump_signal(again).calibrated, jump_signal(step).calibrated)
    assert again.selectivity("pos") == step.selectivity("pos")
    assert again.meta() == step.meta()
    assert again.n_documents == 30
    bare = replace(step.results["pos"], control=None, bits=None)
    without = replace(step, results={"pos": bare})
    again = ProbeResults.from_arrays(without.to_arrays(), without.meta())
    assert again.codelength("pos") is again.selectivity("pos") is None


def test_progress_reaches_its_total() -> None:
    seen: list[tuple[int, int]] = []
    train_probes(
        *planted([1.0, 1.0]),
        {"pos": TASK},
        seeds=2,
        controls=False,
        memory=1,
        progress=lambda done, total, _: seen.append((done, total)),
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_unusable_input_is_refused() -> None:
    features = planted([1.0, 1.0, 1.0])
    spoiled = features[2].values.clone()
    spoiled[1, 17, 3] = torch.nan
    with pytest.raises(NumericsError, match="layer 1 of the test split"):
        train_probes(*features[:2], replace(features[2], values=spoiled), {"pos": TASK})
    with pytest.raises(InputError, match="one model"):
        train_probes(*features[:2], replace(features[2], values=features[2].values[:2]), {"pos": TASK})
    with pytest.raises(InputError, match="every word of the train split"):
        train_probes(features[1], *features[1:], {"pos": TASK})
    with pytest.raises(InputError, match="pos in the dev split"):
        train_probes(features[0], replace(features[1], kept=np.zeros(500, bool)), features[2], {"pos": TASK})
    with pytest.raises(InputError, match="at least one task"):
        train_probes(*features, {})

"""Expected = used + failed; what fails never becomes a 0. Failures are put into 1, 10 and 100 % of items."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.families import compare_families
from mspgt.interventions.coherence import coherence
from mspgt.interventions.effects import Effect, effect
from mspgt.interventions.metrics import Scores, mean_scores, rate_scores, text_scores
from mspgt.stats.bootstrap import percentile_interval
from mspgt.stats.multiplicity import benjamini_hochberg, holm
from mspgt.text.corpus import load_corpus
from mspgt.text.treebank import load_treebank

TOTAL = 100
FAILED = (1, 10, 100)
DOCUMENTS = np.repeat(np.arange(20), 5)
TEXT = "The old man rowed his boat. Rain fell on the roof of the small house."


def accounted(found: Effect, failed: int) -> bool:
    """Whether an effect says of how many texts it is, and that it is of none where all failed."""
    counted = found.n == TOTAL - failed and found.rate == pytest.approx(1 - failed / TOTAL)
    numbers = (found.value, found.difference, found.percent, found.ci, found.p_permutation, found.hedges_g)
    return counted and (failed < TOTAL or (bool(found.reason) and all(n is None for n in numbers)))


def values(failed: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(5, 1, TOTAL)
    drawn[np.random.default_rng(9).permutation(TOTAL)[:failed]] = np.nan
    return drawn


@pytest.mark.parametrize("failed", FAILED)
def test_texts_without_a_value_are_left_out_and_counted(failed: int) -> None:
    arm, base = values(failed, 1), values(0, 2)
    found = effect(mean_scores(base), mean_scores(arm), DOCUMENTS, draws=100)
    assert accounted(found, failed)
    if failed < TOTAL:
        assert found.value == pytest.approx(np.nanmean(arm))
    # Planted: a failure that scores 0 is counted as used, and moves the value.
    faulty = effect(mean_scores(base), mean_scores(np.nan_to_num(arm)), DOCUMENTS, draws=100)
    assert not accounted(faulty, failed)


@pytest.mark.parametrize("failed", FAILED)
def test_every_metric_of_texts_that_are_empty(failed: int) -> None:
    """An empty text has no ratio, no variance and no likelihood; its length is 0, which is measured."""
    texts = ["" if i < failed else TEXT for i in range(TOTAL)]
    nats = np.where(np.arange(TOTAL) < failed, 0.0, -30.0)
    tokens = np.where(np.arange(TOTAL) < failed, 0, 12)
    scores = text_scores(texts, nats, tokens, mattr_window=5)
    base = text_scores([TEXT] * TOTAL, np.full(TOTAL, -30.0), np.full(TOTAL, 12), mattr_window=5)
    assert len(scores) > 6
    for metric, found in scores.items():
        if metric != "length":
            defined = base[metric].defined & (np.arange(TOTAL) >= failed)
            if metric == "self_bleu" and failed == TOTAL:
                defined[:] = False
            np.testing.assert_array_equal(found.defined, defined, err_msg=metric)
    np.testing.assert_array_equal(rate_scores(np.ones(TOTAL), texts).defined, np.arange(TOTAL) >= failed)
    encoded = coherence(texts, lambda sentences: np.ones((len(sentences), 3)))
    assert np.isnan(encoded).sum() == failed


@pytest.mark.parametrize("failed", FAILED)
def test_checkers_that_return_nothing_for_some_texts(failed: int) -> None:
    counts = np.where(np.arange(TOTAL) < failed, np.nan, 2.0)
    arm: Scores = rate_scores(counts, [TEXT] * TOTAL)
    assert not np.isfinite(arm.sums[:failed, 0]).any() or (arm.sums[:failed] == 0).all()
    base = rate_scores(np.full(TOTAL, 1.0), [TEXT] * TOTAL)
    found = effect(base, arm, DOCUMENTS, draws=100)
    assert accounted(found, failed) or (found.value is None and found.reason)


@pytest.mark.parametrize("failed", FAILED)
def test_draws_and_tests_that_failed_stay_visible(failed: int) -> None:
    draws = values(failed, 3)
    assert np.isnan(percentile_interval(draws)).all()
    p = np.where(np.isnan(draws), np.nan, 0.5)
    for adjust in (holm, benjamini_hochberg):
        assert np.isnan(adjust(p)).sum() == failed


def treebank(folder: Path, failed: int) -> list[Path]:
    files = []
    for split in ("train", "dev", "test"):
        rows = []
        for i in range(TOTAL):
            said = "other words" if i < failed else "see this"
            rows += [f"# newdoc id = {split}-{i // 5}", f"# sent_id = {split}-{i}", f"# text = {said}"]
            rows += [f"{n}\t{w}\t_\tNOUN\t_\t_\t{n - 1}\t{'root' if n == 1 else 'obj'}\t_\t_"
                     for n, w in ((1, "see"), (2, "this"))]  # fmt: skip
            rows.append("")
        files.append(folder / f"x_{split}.conllu")
        files[-1].write_text("\n".join(rows) + "\n", "utf-8")
    return files


@pytest.mark.parametrize("failed", FAILED)
def test_sentences_of_a_treebank(tmp_path: Path, failed: int) -> None:
    files = treebank(tmp_path, failed)
    if failed == TOTAL:
        with pytest.raises(InputError):
            load_treebank(files)
        return
    found = load_treebank(files)
    used = len(found.train) + len(found.dev) + len(found.test)
    assert used == 3 * (TOTAL - failed)
    assert used + sum(found.dropped.values()) == 3 * TOTAL


@pytest.mark.parametrize("failed", FAILED)
def test_documents_of_a_corpus(tmp_path: Path, failed: int) -> None:
    """A line that is no object is an error that names it, never a document less."""
    lines = [
        "{broken" if i < failed else '{"text": "The old man rowed his boat home."}' for i in range(TOTAL)
    ]
    path = tmp_path / "text.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=":1"):
        load_corpus(path)


@pytest.mark.parametrize("failed", FAILED)
def test_members_of_a_family(failed: int) -> None:
    lost = round(failed / TOTAL * 10) or 1
    members: dict[str, Any] = {
        f"m{i}": {"LI": None if i < lost else 0.3 + i / 100, "IG": 0.7} for i in range(10)
    }
    found = compare_families({"a": members}).families["a"]["LI"]
    assert len(found.members) + len(found.missing) == 10
    assert len(found.missing) == lost
    assert any("left out" in reason for reason in found.reasons)
    if lost == 10:
        assert found.mean is found.sd is found.cv is None

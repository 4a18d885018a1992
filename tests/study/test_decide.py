"""What the reader is told of signals and probes, from planted statistics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mspgt.planted.stacks import signals_of
from mspgt.signals.probes import ProbeResults
from mspgt.signals.profiles import Signals
from mspgt.study.decide import _probe_results, clip_notices, token_notices
from mspgt.synthetic.stacks import plant, sample_stack


@pytest.fixture(scope="module")
def planted() -> Signals:
    truth = plant(12, (5,), height=6.0, seed=4)
    stack = sample_stack(truth, sentences=60, positions=4, width=8, seed=5)
    signals: Signals = signals_of(stack, 20)
    return signals


@pytest.mark.parametrize(
    ("documents", "told"), [(2, "hold no label of it"), (0, "the test split holds no label")]
)
def test_a_task_of_few_documents_says_how_many_draws_lack_it(
    planted: Signals, documents: int, told: str
) -> None:
    probes = planted.probes
    assert probes is not None
    common = probes.results["label"]
    rare = replace(common, counts=(common.counts * (probes.document < documents)[:, None]).astype(np.int32))
    both = replace(planted, probes=ProbeResults({"pos": common, "ner": rare}, probes.document, {}))
    results, about = _probe_results(both, 200, 0, "gold", {})
    ((where, what, _),) = about
    assert where == "probes.ner.f1"
    assert told in what
    for task, labelled in (("pos", True), ("ner", documents > 0)):
        one = results[task]
        assert (one.f1_ci is not None and None not in one.f1_ci) == labelled
        assert [value is not None for value in one.f1] == [labelled] * 13
    assert np.isfinite(both.bootstrap(200, 0).paper).all()


def test_clipped_cka_is_counted_by_mode() -> None:
    truth = plant(6, (), height=0.0, seed=1)
    stack = sample_stack(truth, sentences=60, positions=4, width=8, seed=2)
    assert clip_notices(signals_of(stack, 20), "models.a") == []
    # A layer that knows nothing of its neighbours: unbiased CKA scatters around 0, and here lies below.
    hidden = stack.hidden.copy()
    hidden[3] = np.random.default_rng(1).standard_normal(hidden[3].shape)
    signals = signals_of(replace(stack, hidden=hidden), 20)
    clipped = int((signals.geometry.cka("calibrated") < 1e-3).sum())
    assert clipped > 0
    assert signals.clips() == {"paper": 0, "calibrated": clipped, "with_sinks": clipped}
    told = {notice.where: notice.what for notice in clip_notices(signals, "models.a")}
    assert set(told) == {"models.a.signals.S1.calibrated", "models.a.controls.with_sinks.S1"}
    assert f"was clipped at {clipped} of 6 steps" in told["models.a.signals.S1.calibrated"]


@pytest.mark.parametrize(
    ("final", "cut", "told"),
    [
        (30, 0, []),
        (700, 0, []),
        (100, 0, []),
        (99, 0, ["9.9%"]),
        (3, 2, ["2 sentences", "0.3%"]),
        (0, 0, ["0.0%"]),
    ],
)
def test_few_words_that_end_with_a_token_and_sentences_cut_short_are_told(
    final: int, cut: int, told: list[str]
) -> None:
    """3 % in text without spaces, whose words were once its clauses."""
    total = 100 if final == 30 else 1000
    tokens = {"real_tokens": total, "word_final_tokens": final, "cut_sentences": cut}
    found = [notice.what for notice in token_notices(tokens, "models.a")]
    assert len(found) == len(told)
    assert all(part in what for part, what in zip(told, found, strict=True))

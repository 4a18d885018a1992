"""Runs of one configuration: a spike too small for one run is found in the mean of several."""

from dataclasses import replace

import numpy as np
import pytest

from mspgt.boundaries.detector import detect_calibrated
from mspgt.boundaries.find import Findings
from mspgt.boundaries.replicated import find_replicated
from mspgt.errors import InputError

TRANSITIONS, PLACES = 23, (7, 16)


def run(own: np.ndarray, height: float = 0.0, shaken: np.ndarray | None = None) -> Findings:
    """Findings of a run whose roughness is `own` (3, transitions), with spikes of `height` at two places."""
    seen = own.copy()
    seen[:, [place - 1 for place in PLACES]] += height
    return Findings(
        paper=None,
        calibrated=None,
        paper_evidence=None,
        calibrated_evidence=None,
        stabilised=seen,
        shaken=None if shaken is None else seen + shaken,
        with_sinks=seen,
        halves=(seen, seen),
        floors=np.ones(3),
        first=1,
        random_init={},
    )


def roughness(runs: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((runs, 3, TRANSITIONS))


def test_the_mean_shows_what_no_single_run_shows():
    alone = together = 0
    for seed in range(8):
        runs = {f"run-{i}": run(own, 2.4) for i, own in enumerate(roughness(5, seed))}
        for one in runs.values():
            alone += {c.layer for c in detect_calibrated(one.stabilised).spike} == set(PLACES)
        together += {c.layer for c in find_replicated(runs, "llama").calibrated.spike} == set(PLACES)
    assert alone <= 4  # of 40
    assert together >= 4  # of 8


def test_roughness_ratio_tells_what_the_runs_share():
    own = roughness(9, 1)
    apart = find_replicated({f"run-{i}": run(one) for i, one in enumerate(own)}, "llama")
    for name in ("S1", "S2", "S3"):
        assert 0.15 < apart.roughness_ratio[name] < 0.6  # 1/3, from 17 contrasts
    shared = find_replicated({f"run-{i}": run(own[0]) for i in range(9)}, "llama")
    assert shared.roughness_ratio == pytest.approx({"S1": 1, "S2": 1, "S3": 1})
    assert shared.size80["spike"] == pytest.approx(shared.calibrated.power["spike"].size80)
    assert apart.size80["spike"] < 0.6 * shared.size80["spike"]
    assert "common to 9 runs" in apart.statement


def test_noise_of_shared_documents_does_not_average_out():
    """Draws that move all runs alike leave the mean as uncertain as one run; draws of their own do not."""
    own, rng = roughness(4, 2), np.random.default_rng(3)
    apart = 0.2 * rng.standard_normal((4, 200, 3, TRANSITIONS))
    ratio = {}
    for name, draws in (("alike", apart[:1].repeat(4, axis=0)), ("apart", apart)):
        runs = {str(i): run(o, shaken=a) for i, (o, a) in enumerate(zip(own, draws, strict=True))}
        ratio[name] = find_replicated(runs, "llama").calibrated.noise_ratio["S1"]
    assert ratio["alike"] == pytest.approx(2 * ratio["apart"], rel=0.25)


def test_a_signal_counts_only_if_every_run_has_it():
    own = roughness(2, 4)
    own[1, 1] = np.nan
    found = find_replicated({"a": run(own[0]), "b": run(own[1])}, "llama")
    assert found.signals["S2"] is None
    assert found.roughness_ratio["S2"] is None
    assert found.signals["S1"] == pytest.approx(own[:, 0].mean(0).tolist())


def test_refusals():
    own = roughness(2, 5)
    with pytest.raises(InputError, match="two runs or more"):
        find_replicated({"a": run(own[0])}, "llama")
    with pytest.raises(InputError, match="of one depth"):
        find_replicated({"a": run(own[0]), "b": run(own[1, :, :-1])}, "llama")
    with pytest.raises(InputError, match="no signal"):
        find_replicated({"a": run(own[0]), "b": run(np.full_like(own[1], np.nan))}, "llama")


def test_runs_share_the_draws_that_all_of_them_have():
    own, noise = roughness(2, 3), 0.5 * np.random.default_rng(4).standard_normal((40, 3, TRANSITIONS))
    every = {f"run-{i}": run(one, shaken=noise) for i, one in enumerate(own)}
    left = np.arange(10, 40)
    some = {**every, "run-1": replace(every["run-1"], shaken=every["run-1"].shaken[left], drawn=left)}
    fair = {name: replace(one, shaken=one.shaken[-30:], drawn=None) for name, one in every.items()}
    assert find_replicated(some, "llama") == find_replicated(fair, "llama")
    apart = {
        name: replace(one, shaken=one.shaken[half], drawn=half)
        for (name, one), half in zip(every.items(), (left[:15], left[15:]), strict=True)
    }
    assert "0 bootstrap draws are common" in find_replicated(apart, "llama").calibrated.reasons[-1]

"""The same study twice is the same results, whatever the process, folder, clock or language it runs in."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lm.tiny import tiny_model
from tests.study.small import write_corpus
from tests.trust.reruns import comparable, moved, small_study

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("again")
    model = tiny_model(folder / "tiny", "llama", layers=6)
    corpus = write_corpus(folder / "text.jsonl", 9)
    return model, corpus, comparable(small_study(model, corpus, folder / "run"))


def test_another_process_hash_seed_locale_zone_and_folder_change_no_bit(made: Any, tmp_path: Path) -> None:
    """One combination of them all; two threads are not tried."""
    model, corpus, first = made
    out = tmp_path / "wörk dir" / "run"
    (tmp_path / "elsewhere").mkdir()
    environment = {
        **os.environ,
        **{
            "PYTHONHASHSEED": "7",
            "LC_ALL": "tr_TR.UTF-8",
            "TZ": "Asia/Kathmandu",
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        },
    }
    command = [sys.executable, "-m", "tests.trust.reruns", str(model), str(corpus), str(out)]
    subprocess.run(command, cwd=tmp_path / "elsewhere", env=environment, check=True, capture_output=True)
    assert moved(first, comparable(json.loads((out / "results.json").read_text()))) == {}


def test_a_seed_that_follows_the_process_is_seen(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the bootstrap draws from a seed of its own, as a generator that nobody seeded would."""
    from mspgt.stats import bootstrap

    model, corpus, first = made
    plain = bootstrap.np.random.default_rng
    monkeypatch.setattr(bootstrap.np.random, "default_rng", lambda seed=None: plain([os.getpid(), 1]))
    found = moved(first, comparable(small_study(model, corpus, tmp_path / "run")))
    assert [path for path in found if "signals_ci" in path]


def test_batches_and_shards_move_results_by_rounding_alone(made: Any, tmp_path: Path) -> None:
    """Sizes that docs/promises.md states: signals to 1e-5, noise of doses to 1e-3, no word, count or boundary."""
    model, corpus, first = made
    changes = {
        "measure": {"batch_tokens": 64, "shard_documents": 2},
        "interventions": {"batch_rows": 8, "shard_samples": 2},
    }
    found = moved(first, comparable(small_study(model, corpus, tmp_path / "run", **changes)))
    words = {path for path, size in found.items() if math.isinf(size)}
    assert words <= {path for path in words if path.startswith(".provenance.settings")}, words
    # Differences of perplexities are small numbers between large ones: their rounding is that of the large ones.
    assert max(size for path, size in found.items() if ".signals" in path) < 1e-5
    assert max(size for path, size in found.items() if path not in words) < 1e-3

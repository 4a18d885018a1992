"""Whole runs with two workers, ended by `kill -9` at a random time and run again: the same bits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from tests.lm.tiny import tiny_model
from tests.study.small import write_corpus
from tests.trust.reruns import comparable, moved

from soak.record import progress, record

KILLS, SEED = 20, 12


def started(model: Path, corpus: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.trust.reruns", str(model), str(corpus), str(out)]
    return subprocess.Popen(
        [*command, '{"run": {"workers": 2}}'], start_new_session=True, stderr=subprocess.DEVNULL
    )


def finished(model: Path, corpus: Path, out: Path) -> dict[str, Any]:
    assert started(model, corpus, out).wait() == 0
    return comparable(json.loads((out / "results.json").read_text("utf-8")))


def main() -> None:
    draw = np.random.default_rng(SEED)
    different = in_the_middle = 0
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        model = tiny_model(folder / "tiny", "llama", layers=6)
        corpus = write_corpus(folder / "text.jsonl", 9)
        before = time.monotonic()
        first = finished(model, corpus, folder / "whole")
        whole = time.monotonic() - before
        for number in range(KILLS):
            out = folder / str(number)
            process = started(model, corpus, out)
            time.sleep(float(draw.uniform(0.2, 1.0)) * whole)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            in_the_middle += bool(list(out.glob("stages/*/*/*"))) and not (out / "results.json").exists()
            different += bool(moved(first, finished(model, corpus, out)))
            progress("runs", number + 1, KILLS)
    assert different == 0, different
    seen = f"{KILLS - different} of {KILLS} the same to the last bit; {in_the_middle} were killed on the way"
    record("runs", "the store", SEED, [
        {"done": "a run with two workers ended by `kill -9`, and run again", "count": KILLS, "different": different,
         "in_the_middle": in_the_middle, "seen": seen}
    ])  # fmt: skip

"""Whole runs with two workers, ended by `kill -9` at a random time and run again: the same bits.

Runs are forks of a process that has loaded the libraries; their workers are processes of their own, as always. A
run is made again without workers, which changes no bit (`tests/study/test_run.py`) and takes less time. A row that
was stopped goes on where its figures end, in one sequence of random times; one that is complete begins anew.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from tests.lm.tiny import tiny_model
from tests.study.small import write_corpus
from tests.trust.reruns import comparable, moved

from soak.record import lines, progress, record

KILLS, SEED = 100, 12
COUNTED = ("count", "different", "in_the_middle", "redone")
SMALL: dict[str, Any] = {"interventions": None, "measure": {"shard_documents": 2, "cka_tokens": 64}}
# A fork for every line that it is told: a folder to run in, and sections that differ.
SERVER = """
import json, os, sys
from pathlib import Path
import torch, transformers
from tests.trust.reruns import small_study

assert transformers.AutoModelForCausalLM
torch.set_num_threads(1)
for line in sys.stdin:
    out, changes = json.loads(line)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setsid()
            small_study(Path(sys.argv[1]), Path(sys.argv[2]), Path(out), **changes)
            status = 0
        finally:
            os._exit(status)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Runs:
    """A process that starts runs."""

    def __init__(self, folder: Path) -> None:
        model = tiny_model(folder / "tiny", "llama", layers=6)
        corpus = write_corpus(folder / "text.jsonl", 9)
        command = [sys.executable, "-c", SERVER, str(model), str(corpus)]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, out: Path, workers: int) -> int:
        """The process of a run."""
        assert self.server.stdin is not None
        print(
            json.dumps([str(out), {**SMALL, "run": {"workers": workers}}]), file=self.server.stdin, flush=True
        )
        return int(self._told())

    def status(self) -> int:
        """How the run ended, as the system gives it (9: killed)."""
        return int(self._told())

    def finished(self, out: Path, workers: int = 1) -> dict[str, Any]:
        self.start(out, workers)
        assert self.status() == 0
        return comparable(json.loads((out / "results.json").read_text("utf-8")))

    def _told(self) -> str:
        assert self.server.stdout is not None
        return self.server.stdout.readline()


def main() -> None:
    times = np.random.default_rng(SEED).uniform(0.3, 1.0, KILLS)
    (before,) = [line for line in lines("runs") if line["count"] < KILLS] or [dict.fromkeys(COUNTED, 0)]
    done, different, in_the_middle, redone = (before[name] for name in COUNTED)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        runs = Runs(folder)
        started = time.monotonic()
        first = runs.finished(folder / "whole", 2)
        whole = time.monotonic() - started
        for number in range(done, KILLS):
            out = folder / str(number)
            process = runs.start(out, 2)
            time.sleep(float(times[number]) * whole)
            with suppress(ProcessLookupError):  # it was quicker than the first
                handle = os.pidfd_open(process)
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                os.close(handle)
            ended = runs.status()
            kept = {path: path.stat().st_ino for path in out.glob("stages/*/*/*/manifest.json")}
            in_the_middle += bool(kept) and not (out / "results.json").exists()
            different += bool(moved(first, runs.finished(out)))
            # What was kept is not made again; shards are taken away once they are reduced.
            redone += sum(path.exists() and path.stat().st_ino != inode for path, inode in kept.items())
            assert ended in (0, 9), ended
            progress("runs", number + 1, KILLS)
            tell(number + 1, different, in_the_middle, redone)
        runs.server.terminate()
    assert different == redone == 0, (different, redone)


def tell(kills: int, different: int, in_the_middle: int, redone: int) -> None:
    """Figures so far: what was seen counts, though the command be stopped."""
    seen = (
        f"{kills - different} of {kills} the same to the last bit; {in_the_middle} were killed on the way; "
        f"{redone} results that were kept were made again"
    )
    record("runs", "the store", SEED, [
        {"done": "a run with two workers ended by `kill -9`, and run again", "count": kills, "different": different,
         "in_the_middle": in_the_middle, "redone": redone, "seen": seen}
    ])  # fmt: skip

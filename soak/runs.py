"""Whole runs with two workers, ended by `kill -9` and run again: the same bits.

Runs are forks of a process that has loaded the libraries. Their workers are processes of their own, as always, which
take most of a run's time to load libraries; or forks, with which nearly every kill falls among the results. A run is
made again without workers, which changes no bit (`tests/study/test_run.py`) and takes less time. A line that was
stopped goes on where its figures end, in one sequence of random times; one that is complete begins anew.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from tests.lm.tiny import tiny_model
from tests.study.small import write_corpus
from tests.trust.reruns import comparable, moved

from soak.record import lines, merged, progress, record

SEED = 12
SMALL: dict[str, Any] = {"interventions": None, "measure": {"shard_documents": 2, "cka_tokens": 64}}
# A fork for every line that it is told: a folder to run in, and sections that differ.
SERVER = """
import json, multiprocessing, os, sys
from pathlib import Path
import torch, transformers
from tests.trust.reruns import small_study

if sys.argv[3:]:
    forking = multiprocessing.get_context("fork")
    multiprocessing.get_context = lambda _: forking
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

    def __init__(self, folder: Path, forked: bool) -> None:
        model = tiny_model(folder / "tiny", "llama", layers=6)
        corpus = write_corpus(folder / "text.jsonl", 9)
        command = [sys.executable, "-c", SERVER, str(model), str(corpus), *["forked"] * forked]
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


@dataclass(frozen=True)
class Way:
    """How runs have their workers, and when they are ended."""

    done: str
    forked: bool
    kills: int


WAYS = (
    Way("a run with two workers ended by `kill -9`, and run again", False, 100),
    Way("the same, with forked workers and after a random number of results", True, 100),
)


def main(only: Sequence[str] = ()) -> None:
    """Both ways, or those whose names begin so."""
    for way in WAYS:
        if not only or way.done.startswith(tuple(only)):
            ended(way)


def ended(way: Way) -> None:
    """Kill runs and run them again; goes on where the figures of a row that was stopped end."""
    draw = np.random.default_rng(SEED)
    before = next((line for line in lines("runs") if line["done"] == way.done), {"count": way.kills})
    seen = Seen() if before["count"] >= way.kills else Seen(*(before[one.name] for one in fields(Seen)))
    times = draw.uniform(0.3, 1.0, way.kills)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        runs = Runs(folder, way.forked)
        started = time.monotonic()
        first = runs.finished(folder / "whole", 2)
        whole = time.monotonic() - started
        results = draw.integers(0, len(_kept(folder / "whole")), way.kills)
        moments = draw.uniform(0, 0.2, way.kills)
        for number in range(seen.count, way.kills):
            out = folder / str(number)
            process = runs.start(out, 2)
            handle = os.pidfd_open(process)
            if way.forked:
                while len(_kept(out)) < results[number] and not select.select([handle], [], [], 0.01)[0]:
                    pass
            time.sleep(float(moments[number] if way.forked else times[number] * whole))
            with suppress(ProcessLookupError):  # it was quicker than the first
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)
            ended = runs.status()
            assert ended in (0, 9), ended
            if way.forked:
                # The workers hold the lock of the run folder until they see that their parent is gone.
                _wait_for_group(process)
            kept = {path: path.stat().st_ino for path in _kept(out)}
            seen.in_the_middle += bool(kept) and not (out / "results.json").exists()
            seen.different += bool(moved(first, runs.finished(out)))
            # What was kept is not made again; shards are taken away once they are reduced.
            seen.redone += sum(path.exists() and path.stat().st_ino != inode for path, inode in kept.items())
            seen.count += 1
            shutil.rmtree(out)
            progress("runs", seen.count, way.kills)
            tell(way, seen)
        runs.server.terminate()
    assert seen.different == seen.redone == 0, seen


def _kept(out: Path) -> list[Path]:
    return list(out.glob("stages/*/*/*/manifest.json"))


def _wait_for_group(process: int) -> None:
    with suppress(ProcessLookupError):
        while True:
            os.killpg(process, 0)
            time.sleep(0.02)


@dataclass
class Seen:
    """Figures so far."""

    count: int = 0
    different: int = 0
    in_the_middle: int = 0
    redone: int = 0


def tell(way: Way, seen: Seen) -> None:
    """What was seen counts, though the command be stopped."""
    words = (
        f"{seen.count - seen.different} of {seen.count} the same to the last bit; {seen.in_the_middle} were "
        f"killed on the way; {seen.redone} results that were kept were made again"
    )
    line = {"done": way.done, **asdict(seen), "seen": words}
    record("runs", "the store", SEED, merged("runs", line, "done", (one.done for one in WAYS)))

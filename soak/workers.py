"""Workers of a Ray cluster, killed at random while they run tasks of a study: each item once, and the same results.

A task that is killed more often than it is tried ends its run with an error; the same command is then given again, as
that error says.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
from pathlib import Path

import numpy as np
from tests.study.small import without_times

from mspgt.errors import MspgtError
from mspgt.study.run import run_study
from soak.nodes import Rounds, tasks_below
from soak.record import progress, record

KILLS, SEED, CPUS = 200, 23, 2
BETWEEN = (0.2, 2.5)  # seconds between two blows


class Killer(threading.Thread):
    """Kills a worker that runs a task, again and again, until it is told to stop."""

    def __init__(self, draw: np.random.Generator, most: int) -> None:
        super().__init__(daemon=True)
        self.draw, self.most, self.kills, self.over = draw, most, 0, threading.Event()

    def run(self) -> None:
        while self.kills < self.most and not self.over.wait(float(self.draw.uniform(*BETWEEN))):
            if found := tasks_below(os.getpid()):
                try:
                    os.kill(found[int(self.draw.integers(len(found)))], signal.SIGKILL)
                except ProcessLookupError:
                    continue  # it has ended by itself
                self.kills += 1


def main() -> None:
    import ray

    os.environ.pop("RAY_ADDRESS", None)
    draw = np.random.default_rng(SEED)
    kills = rounds = again = different = 0
    with tempfile.TemporaryDirectory() as made:
        study = Rounds(Path(made))
        expected = json.dumps(without_times(study.here))
        ray.init(num_cpus=CPUS, include_dashboard=False, log_to_driver=False, logging_level="error",
                 _node_ip_address="127.0.0.1")  # fmt: skip
        try:
            while kills < KILLS:
                killer = Killer(draw, KILLS - kills)
                killer.start()
                out = study.root / str(rounds)
                while True:
                    try:
                        found = run_study(study.config(on="ray", spread=True), out, quiet=True)
                        break
                    except MspgtError:
                        again += 1
                killer.over.set()
                killer.join()
                kills, rounds = kills + killer.kills, rounds + 1
                different += json.dumps(without_times(found)) != expected
                progress("workers", kills, KILLS)
                tell(kills, rounds, again, different)
        finally:
            ray.shutdown()
    assert different == 0, different


def tell(kills: int, rounds: int, again: int, different: int) -> None:
    """Figures so far: what was seen counts, though the command be stopped."""
    seen = f"{rounds - different} of {rounds} runs end with the results of one process; {again} were told to go on"
    record("workers", "a cluster", SEED, [
        {"done": "a worker of a Ray cluster killed while it runs a task", "count": kills, "runs": rounds,
         "again": again, "different": different, "seen": seen}
    ])  # fmt: skip

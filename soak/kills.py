"""A writer of stage results, killed at random times: a folder under its final name is whole, or there is none.

The control writes in place and believes what it finds; the same kills must tear what it writes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from tests.trust.faults import InPlace, Real, writer

from mspgt.study.store import sweep
from soak.record import progress, record

KILLS, CONTROLS, SEED, KEYS = 1_000, 100, 9, 3
# Forks a writer for every line that it is told, so that a thousand of them load the libraries once.
SERVER = """
import os, sys
from pathlib import Path
from tests.trust.faults import InPlace, Real, result, writer

root, kind = Path(sys.argv[1]), {"Real": Real, "InPlace": InPlace}[sys.argv[2]]
for line in sys.stdin:
    child = os.fork()
    number = 0
    while child == 0:
        number += 1
        writer(kind, root, n=number % KEYS).save(result(float(number % KEYS), 20_000), 0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
""".replace("KEYS", str(KEYS))


def killed(kind: type[Real] | type[InPlace], kills: int, root: Path) -> dict[str, int]:
    """What was found under final names after every kill: torn, whole; and how many kills fell into a write."""
    draw, found = np.random.default_rng(SEED), {"torn": 0, "whole": 0, "in_a_write": 0}
    command = [sys.executable, "-c", SERVER, str(root), kind.__name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for kill in range(kills):
            print("write", file=server.stdin, flush=True)
            child = int(server.stdout.readline())
            time.sleep(float(draw.uniform(0, 0.03)))
            _kill(child)
            assert server.stdout.readline() == "ended\n"
            found["in_a_write"] += bool(list(root.glob("stages/*/*/.*")))
            for n in range(KEYS):
                one = writer(kind, root, n=n)
                if one.folder.exists():
                    found["whole" if one.accepted() and one.right(float(n)) else "torn"] += 1
            sweep(root)
            progress(f"kills, {kind.__name__}", kill + 1, kills)
        server.stdin.close()
    return found


def _kill(process: int) -> None:
    handle = os.pidfd_open(process)
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    os.close(handle)


def line(done: str, count: int, found: dict[str, int]) -> dict[str, Any]:
    seen = f"{found['torn']:,} torn, {found['whole']:,} whole"
    if found["in_a_write"]:
        seen += f"; {found['in_a_write']:,} kills fell into a write"
    return {"done": done, "count": count, **found, "seen": seen}


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        real = killed(Real, KILLS, Path(made))
    with tempfile.TemporaryDirectory() as made:
        control = killed(InPlace, CONTROLS, Path(made))
    assert real["torn"] == 0, real
    assert real["in_a_write"] > KILLS / 10, "the kills did not fall into a write"
    assert control["torn"] > 0, "the control was not caught"
    record("kills", "the store", SEED, [
        line("a writer of stage results ended by `kill -9` at a random time", KILLS, real),
        line("the control, which writes in place", CONTROLS, control),
    ])  # fmt: skip

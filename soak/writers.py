"""Four processes on one store, which fill the same addresses at once: every error is typed, every result right."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from mspgt.study.store import Address, StageResult
from soak.record import progress, record

ROUNDS, PROCESSES, KEYS = 500, 4, 4


def work(root: Path) -> int:
    """Fill every address and read it back; 0 where all is right."""
    for n in range(KEYS):
        where = Address(root, "m", "r", "stage", {"n": n})
        where.fill(lambda n=n: StageResult({"x": np.full(2_000, float(n))}, {"n": n}))
        if not (where.load().arrays["x"] == n).all():
            return 3
    return 0


def main() -> None:
    failed = 0
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory() as made:
            root, children = Path(made), []
            for _ in range(PROCESSES):
                child = os.fork()
                if child == 0:
                    status = 4
                    try:
                        status = work(root)
                    finally:
                        os._exit(status)
                children.append(child)
            failed += sum(os.waitpid(child, 0)[1] != 0 for child in children)
            names = sorted(path.name for path in root.glob("stages/m/r/*"))
            expected = sorted(Address(root, "m", "r", "stage", {"n": n}).folder.name for n in range(KEYS))
            assert names == expected, names
        progress("writers", number + 1, ROUNDS)
    assert failed == 0, failed
    seen = f"all {ROUNDS * PROCESSES:,} processes read the right numbers; {KEYS} folders a round, nothing else left"
    record("writers", "the store", None, [
        {"done": f"{PROCESSES} processes fill the same {KEYS} results at once", "count": ROUNDS, "failed": failed,
         "seen": seen}
    ])  # fmt: skip

"""Damaged input of every kind: errors of ours only, less than 1 GB more, less than 5 seconds of a processor each.

Each kind runs in a process of its own, so that the memory of one says nothing of the next.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from soak.record import merged, progress, record, spent

EXAMPLES, SEED = 10_000, 20
FEWER = {"command line": 300}  # a tenth of a second each, and more
MOST_BYTES, MOST_SECONDS = 1e9, 5.0


def tried(kind: str, examples: int) -> dict[str, Any]:
    """Figures of one kind.

    Raises:
        AssertionError: too slow or too large; and whatever a reader raises that is no error of ours.
    """
    import transformers
    from tests.trust.fuzzing import TARGETS

    from mspgt.study import run

    assert transformers.AutoModelForCausalLM, run  # the time to load libraries is no reader's
    count, refused, slowest = 0, 0, 0.0
    before = _peak()

    with tempfile.TemporaryDirectory() as made:

        @seed(SEED)
        @settings(
            max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(TARGETS[kind].drawn)
        def one(drawn: Any) -> None:
            nonlocal count, refused, slowest
            started = time.process_time()
            refused += TARGETS[kind].refuses(drawn, Path(made))
            took = time.process_time() - started
            assert took < MOST_SECONDS, (took, drawn)
            slowest = max(slowest, took)
            count += 1
            progress(f"fuzz, {kind}", count, examples)

        one()
    grown = _peak() - before
    assert grown < MOST_BYTES, grown
    seen = (
        f"{refused:,} refused, the others read; no other error; slowest {slowest:.2f} s, "
        f"memory +{grown / 1e6:.0f} MB"
    )
    return {"done": f"damaged input: {kind}", "kind": kind, "count": count, "refused": refused, "seen": seen,
            "slowest_seconds": round(slowest, 3), "grown_bytes": grown}  # fmt: skip


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(only: Sequence[str] = ()) -> None:
    """All kinds of input, or those named, whose lines take the place of older ones."""
    from tests.trust.fuzzing import TARGETS

    for kind in only or TARGETS:
        started = spent()
        code = (
            "import json, sys; from soak.fuzz import tried; "
            "print(json.dumps(tried(sys.argv[1], int(sys.argv[2]))))"
        )
        command = [sys.executable, "-c", code, kind, str(FEWER.get(kind, EXAMPLES))]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        one = {**json.loads(done.stdout.splitlines()[-1]), "processor_seconds": round(spent() - started)}
        # What was tried counts, though a later kind may fail.
        record("fuzz", "damaged input", SEED, merged("fuzz", one, "kind", TARGETS))

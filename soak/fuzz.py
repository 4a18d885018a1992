"""Damaged input of every kind: errors of ours only, less than 1 GB more, less than 5 seconds of a processor each.

Each kind runs in a fork of its own, so that the memory of one says nothing of the next.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from soak.planting import forked
from soak.record import merged, progress, record, spent

EXAMPLES, SEED = 10_000, 20
FEWER = {"command line": 300, "report": 3_000}  # a tenth of a second each, and more
MOST_BYTES, MOST_SECONDS = 1e9, 5.0


def tried(kind: str, examples: int) -> dict[str, Any]:
    """Figures of one kind.

    Raises:
        AssertionError: too slow or too large; and whatever a reader raises that is no error of ours.
    """
    from tests.trust.fuzzing import TARGETS

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
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers
    from tests.trust.fuzzing import TARGETS

    from mspgt.study import run

    assert transformers.AutoModelForCausalLM, run  # the time to load libraries is no reader's
    for kind in only or TARGETS:
        started = spent()
        found = forked(lambda k=kind: tried(k, FEWER.get(k, EXAMPLES)), quiet=False)  # type: ignore[misc]
        assert found, f"a reader of {kind} failed"
        one = {**found, "processor_seconds": round(spent() - started)}
        # What was tried counts, though a later kind may fail.
        record("fuzz", "damaged input", SEED, merged("fuzz", one, "kind", TARGETS))

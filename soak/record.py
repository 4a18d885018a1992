"""One file of figures a row: what was done, how often, from which seed, with which releases, and what was seen."""

from __future__ import annotations

import json
import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
ROWS = ("kills", "writers", "flips", "reruns", "wheel", "fuzz", "mutants", "runs", "nodes")
LIBRARIES = ("mspgt", "torch", "transformers", "numpy", "safetensors", "hypothesis")


def record(row: str, what: str, seed: int | None, found: list[dict[str, Any]]) -> None:
    """Write soak/results/<row>.json.

    Args:
        found: lines of the table: `done` (what was done, in words), `count`, `seen` (in words), and figures.
    """
    RESULTS.mkdir(exist_ok=True)
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    content = {
        "row": row,
        "what": what,
        "seed": seed,
        "found": found,
        "processor_seconds": round(sum(one.ru_utime + one.ru_stime for one in spent)),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
    }
    (RESULTS / f"{row}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    sys.stderr.write("\n")


def progress(row: str, done: int, total: int) -> None:
    """How far a row is, over itself on a terminal, every twentieth elsewhere."""
    terminal = sys.stderr.isatty()
    if terminal or done % max(1, total // 20) == 0 or done == total:
        start, end = ("\r", "") if terminal else ("", "\n")
        sys.stderr.write(f"{start}{row}: {done} of {total}{end}")
        sys.stderr.flush()

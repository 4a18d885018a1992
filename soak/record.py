"""One file of figures a row: what was done, how often, from which seed, with which releases, and what was seen."""

from __future__ import annotations

import json
import platform
import resource
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
ROWS = (
    *("kills", "writers", "flips", "levels", "reruns", "runs", "wheel", "fuzz", "guided", "mutants", "fresh"),
    *("nodes", "workers", "audit"),
)
LIBRARIES = ("mspgt", "torch", "transformers", "numpy", "safetensors", "hypothesis")


def record(row: str, what: str, seed: int | None, found: list[dict[str, Any]]) -> None:
    """Write soak/results/<row>.json, and the table anew.

    Args:
        found: lines of the table: `done` (what was done, in words), `count`, `seen` (in words), and figures; with
            `processor_seconds` where lines are of several commands and `seed` where they have their own.
    """
    RESULTS.mkdir(exist_ok=True)
    seconds = [line["processor_seconds"] for line in found if "processor_seconds" in line]
    content = {
        "row": row,
        "what": what,
        "seed": seed,
        "found": found,
        "processor_seconds": sum(seconds) if len(seconds) == len(found) else round(spent()),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
    }
    (RESULTS / f"{row}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    from soak.table import write_page  # which reads what was stored

    write_page()
    sys.stderr.write("\n")


def merged(row: str, line: dict[str, Any], key: str, order: Iterable[str]) -> list[dict[str, Any]]:
    """Stored lines of a row with one put in its place; lines that `order` no longer names are left out."""
    found = {one[key]: one for one in lines(row) if key in one} | {line[key]: line}
    return [found[name] for name in order if name in found]


def lines(row: str) -> list[dict[str, Any]]:
    """Stored lines of a row; none where it was not run."""
    file = RESULTS / f"{row}.json"
    if not file.exists():
        return []
    found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))["found"]
    return found


def spent() -> float:
    """Seconds of processors that this process and those that it waited for have taken."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def progress(row: str, done: int, total: int) -> None:
    """How far a row is, over itself on a terminal, every twentieth elsewhere."""
    terminal = sys.stderr.isatty()
    if terminal or done % max(1, total // 20) == 0 or done == total:
        start, end = ("\r", "") if terminal else ("", "\n")
        sys.stderr.write(f"{start}{row}: {done} of {total}{end}")
        sys.stderr.flush()

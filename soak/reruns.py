"""One small study, twenty times: threads, hash seed, locale, time zone and folder; results to the last bit."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tests.lm.tiny import tiny_model
from tests.study.small import write_corpus
from tests.trust.reruns import comparable, moved

from mspgt.report.words import counted
from soak.record import progress, record

RUNS = 20
HASH, LOCALES = ("0", "7", "random"), ("C.UTF-8", "tr_TR.UTF-8", "de_DE.UTF-8", "C")
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns")
FOLDERS = ("run", "wörk dir", "a/b/c", "результат", "x'y")


def combinations() -> list[dict[str, str]]:
    """Every value of each circumstance, in step; threads change with every run."""
    columns = {
        "OMP_NUM_THREADS": ("1", "2"),
        "PYTHONHASHSEED": HASH,
        "LC_ALL": LOCALES,
        "TZ": ZONES,
        "folder": FOLDERS,
    }
    rows = zip(*(islice(cycle(values), RUNS) for values in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def run(model: Path, corpus: Path, root: Path, circumstances: dict[str, str]) -> dict[str, Any]:
    out = root / circumstances["folder"] / "out"
    environment = {**os.environ, **{key: value for key, value in circumstances.items() if key != "folder"}}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (*sys.path[1:], Path.cwd())))
    command = [sys.executable, "-m", "tests.trust.reruns", str(model), str(corpus), str(out)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return comparable(json.loads((out / "results.json").read_text("utf-8")))


def main() -> None:
    different: dict[str, float] = {}
    same = {threads: [0, 0] for threads in ("1", "2")}  # to the last bit, of so many runs
    first: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        model = tiny_model(folder / "tiny", "llama", layers=6)
        corpus = write_corpus(folder / "text.jsonl", 9)
        for number, circumstances in enumerate(combinations()):
            found = run(model, corpus, folder / str(number), circumstances)
            first = first or found
            seen = moved(first, found)
            counts = same[circumstances["OMP_NUM_THREADS"]]
            counts[0] += not seen
            counts[1] += 1
            different |= {path: max(size, different.get(path, 0.0)) for path, size in seen.items()}
            progress("reruns", number + 1, RUNS)
            tell(same, different)


def tell(same: dict[str, list[int]], different: dict[str, float]) -> None:
    """Figures of the runs so far: what was seen counts, though the command be stopped."""
    told = "to the last bit as the first, which had one thread: " + ", ".join(
        f"{own} of {all_} with {threads}" for threads, (own, all_) in same.items()
    )
    # Words hold figures of rounding too.
    words = sorted(path for path, size in different.items() if math.isinf(size))
    numbers = {path: size for path, size in different.items() if math.isfinite(size)}
    if numbers:
        told += f"; {len(numbers)} numbers moved, by up to {max(numbers.values()):.0e} relative"
    if words:
        told += f", and {counted(len(words), 'text')}"
    most: dict[str, float] = {}  # by the part of a model's results
    for path, size in numbers.items():
        part = path.split(".")[3].partition("[")[0] if path.startswith(".models.") else path
        most[part] = max(size, most.get(part, 0.0))
    found = {
        "done": "one study again: 1 and 2 threads, hash seeds, locales, time zones, folders",
        "count": sum(all_ for _, all_ in same.values()),
        "same": same,
        "moved": most,
        "numbers": len(numbers),
        "words": words,
        "seen": told,
    }
    record("reruns", "reproducibility", 0, [found])

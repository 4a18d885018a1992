"""A store of many stage results, up to 100,000 of them: writing, looking for what is done,
looking for what is missing, collecting. `python -m bench.store 1000 10000` takes other numbers of results.

Processor seconds by number of results, with the exponent of growth (1: in step), once with all results of one state
of one model (shards of a long text) and once with ten for each of many states (checkpoints). Results are made without
waiting for the disk, but for the row of writing.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.record import record
from mspgt.study import store
from mspgt.study.kept import kept, unused, use_stages
from mspgt.study.store import Address, StageResult, write_json

SIZES = (1_000, 10_000, 100_000)
MOST_STATES = 10_000  # results of many states: their folders take a disk half an hour for 100,000
WRITTEN = 300  # of each, with the disk waited for
CODE = {"code": {"functions": ["mspgt.study.stages:observed_shard"], "sha256": "0" * 64, "libraries": {}}}


def shards(root: Path, count: int) -> Iterator[Address]:
    """All of one state of one model."""
    return (Address(root, "org__model", "main", "observe", {"part": n, **CODE}) for n in range(count))


def checkpoints(root: Path, count: int) -> Iterator[Address]:
    """Ten of each state."""
    return (Address(root, "org__model", f"step{n // 10}", f"stage{n % 10}", CODE) for n in range(count))


def made(addresses: Iterator[Address]) -> None:
    """Small results, as a run leaves them, without waiting for the disk."""
    result = StageResult({"x": np.arange(64.0)}, {"sentences": 40})
    sync, store._sync = store._sync, lambda _: None  # type: ignore[assignment]
    try:
        for address in addresses:
            address.save(result, 1.0)
    finally:
        store._sync = sync


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    before = time.process_time()
    found = work()
    return time.process_time() - before, found


def growth(of: Callable[[Path, int], Iterator[Address]], sizes: tuple[int, ...]) -> dict[str, Any]:
    """Seconds of each operation at each size."""
    seconds: dict[str, list[float]] = {}

    def note(name: str, work: Callable[[], Any]) -> Any:
        spent, found = timed(work)
        seconds.setdefault(name, []).append(round(spent, 3))
        return found

    with tempfile.TemporaryDirectory() as folder:
        root, before = Path(folder), 0
        for count in sizes:
            note(
                "make, all",
                lambda skip=before, n=count: made(a for i, a in enumerate(of(root, n)) if i >= skip),
            )
            before = count
            done = note("status of what is there", lambda n=count: sum(a.status().done for a in of(root, n)))
            assert done == count
            fresh = [
                Address(a.root, a.model, a.revision, a.stage, {**a.inputs, "new": 1}) for a in of(root, count)
            ]
            missing = note(
                "status of what is missing", lambda ones=fresh: sum(not a.status().done for a in ones)
            )
            assert missing == count
            place = kept(root, "0" * 64)
            place.folder.mkdir(parents=True, exist_ok=True)
            write_json(place.folder / "plan.json", {})
            half = (a for i, a in enumerate(of(root, count)) if i % 2)
            note("write down what a plan uses", lambda p=place, ones=half: use_stages(p, root, ones))
            found = note("list what no plan uses", lambda: list(unused(root)))
            assert len(found) == count // 2
        size = sum(b for _, b in found) / len(found)
        one = next(of(root, 1)).folder
        blocks = sum(path.stat().st_blocks * 512 for path in (one, *one.iterdir()))
    report: dict[str, Any] = {"bytes of a result": round(size), "bytes on the disk": blocks}
    for name, spent in seconds.items():
        report[name] = dict(zip(map(str, sizes), spent, strict=True))
        if name != "make, all" and len(sizes) > 1 and spent[-2] > 0:
            report[name]["exponent"] = round(math.log(spent[-1] / spent[-2], sizes[-1] / sizes[-2]), 2)
    return report


def writing() -> dict[str, float]:
    """Writing with the disk waited for, and reading back."""
    with tempfile.TemporaryDirectory() as folder:
        ones = list(shards(Path(folder), WRITTEN))
        result = StageResult({"x": np.arange(64.0)}, {"sentences": 40})
        clock = time.perf_counter()
        processor, _ = timed(lambda: [one.save(result, 1.0) for one in ones])
        clock = time.perf_counter() - clock
        read, _ = timed(lambda: [one.load() for one in ones])
    told = {"write, clock": clock, "write, processor": processor, "read, processor": read}
    return {f"{name}, ms a result": round(1000 * spent / WRITTEN, 3) for name, spent in told.items()}


def main(sizes: tuple[int, ...] = SIZES) -> None:
    figures: dict[str, Any] = {"results": list(sizes), "file system": _file_system(), **writing()}
    for name, of, some in (
        ("ten of each state", checkpoints, tuple(size for size in sizes if size <= MOST_STATES)),
        ("one state", shards, sizes),
    ):
        figures[name] = growth(of, some)
        record("store", figures)


def _file_system() -> str:
    """The kind of disk that the results lie on here."""
    place, found = tempfile.gettempdir(), ("", "unknown")
    for line in Path("/proc/mounts").read_text("utf-8").splitlines():
        _, at, kind, *_ = line.split()
        if f"{place}/".startswith(f"{at.rstrip('/')}/") and len(at) > len(found[0]):
            found = at, kind
    return found[1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    main(tuple(parser.parse_args().sizes))

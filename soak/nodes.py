"""A Ray cluster of two nodes that loses one, or a worker, or the driver: the results are those of one process.

Both nodes are on this machine, each with a worker of its own; a node is lost with SIGKILL to all of its processes
while a task of the study runs there. As a control, a run that may try nothing again must fail.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.lm.tiny import tiny_model
from tests.study.small import stage_files, study, without_times, write_corpus

from mspgt.errors import MspgtError
from mspgt.study import cluster as ours
from mspgt.study.run import run_study
from soak.record import progress, record

PATIENCE = 300  # seconds to wait for a task to begin
SMALL = {"shard_documents": 1, "cka_tokens": 128}


def tasks_below(pid: int) -> list[int]:
    """Processes that descend from one and run a task of ours; Ray names them after it."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    below = {pid}
    while more := {int(one) for one, parent, *_ in rows if int(parent) in below} - below:
        below |= more
    return [int(row[0]) for row in rows if int(row[0]) in below and row[2].startswith("ray::_task")]


def when_busy(node: Any, strike: Callable[[int], None], struck: list[int]) -> threading.Thread:
    """Strike once a task runs on a node."""

    def watch() -> None:
        (raylet,) = (one.process.pid for one in node.all_processes["raylet"])
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := tasks_below(raylet):
                strike(found[0])
                struck.append(found[0])
                return
            time.sleep(0.02)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def listeners() -> set[str]:
    """Addresses, as the kernel writes them, on which processes of this machine listen."""
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == "0A"}


class Rounds:
    """Inputs, what one process makes of them, and what is held against it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.model = tiny_model(root / "tiny", "llama", layers=4)
        self.corpus = write_corpus(root / "text.jsonl", documents=12)
        self.here = run_study(self.config(), root / "here", quiet=True)

    def config(self, **run: Any) -> Any:
        return study([self.model], self.corpus, measure=SMALL, run={"workers": 1, **run})

    def there(self, name: str) -> bool:
        """Run on the cluster; whether the results are those of one process."""
        found = run_study(self.config(on="ray"), self.root / name, quiet=True)
        return json.dumps(without_times(found)) == json.dumps(without_times(self.here))


def lost(rounds: Rounds, name: str, worker: bool) -> bool:
    """One node, or a worker on it, is lost while it runs a task; True where the results are the same."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
    struck: list[int] = []

    def strike(pid: int) -> None:
        if worker:
            os.kill(pid, signal.SIGKILL)
        else:
            cluster.remove_node(second, allow_graceful=False)

    try:
        thread = when_busy(second, strike, struck)
        same = rounds.there(name)
        thread.join(PATIENCE)
        assert struck, "no task ran on the second node"
        return same
    finally:
        ray.shutdown()
        cluster.shutdown()


def driver_killed(rounds: Rounds) -> tuple[bool, int]:
    """The driver is killed once a shard is kept; whether a second run ends with the same, and what was kept."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    out = rounds.root / "driver"
    file = rounds.root / "config.json"
    file.write_text(rounds.config(on="ray").model_dump_json())
    code = (
        "import sys; from pathlib import Path; from mspgt.study.config import StudyConfig; "
        "from mspgt.study.run import run_study; "
        "run_study(StudyConfig.model_validate_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), quiet=True)"
    )
    environment = {**os.environ, "RAY_ADDRESS": cluster.address}
    try:
        call = [sys.executable, "-c", code, str(file), str(out)]
        driver = subprocess.Popen(call, env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while not list(out.glob("stages/*/*/observe-*")):
            assert driver.poll() is None, "the driver ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        driver.kill()
        driver.wait()
        while any(tasks_below(1)):  # the cluster ends what nobody waits for
            assert time.monotonic() < deadline, "tasks outlive their driver"
            time.sleep(0.1)
        before = stage_files(out)
        same = without_times(run_study(rounds.config(), out, quiet=True)) == without_times(rounds.here)
        return same and not (out / "plans" / ".lock").exists(), len(before)
    finally:
        cluster.shutdown()


def control(rounds: Rounds) -> bool:
    """A run that tries nothing again fails when its worker is lost."""
    kept, ours.RETRIES = ours.RETRIES, 0
    try:
        lost(rounds, "control", worker=True)
    except MspgtError:
        return True
    finally:
        ours.RETRIES = kept
    return False


def alone(rounds: Rounds) -> tuple[bool, list[str]]:
    """A cluster of our own: the results of one process, and addresses other than loopback on which it listens."""
    before, seen, stop = listeners(), set[str](), threading.Event()

    def look() -> None:
        while not stop.wait(0.2):
            seen.update(listeners() - before)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        same = rounds.there("alone")
    finally:
        stop.set()
        thread.join()
    # 127.0.0.0/8 in the byte order of the kernel, and ::1.
    return same, sorted(
        one for one in seen if not re.match(r"(0{16}FFFF0000|)[0-9A-F]{6}7F:|0{24}01000000:", one)
    )


def main() -> None:
    os.environ.pop("RAY_ADDRESS", None)
    with tempfile.TemporaryDirectory() as made:
        rounds = Rounds(Path(made))
        found = []

        def note(done: str, seen: str, right: bool) -> None:
            found.append({"done": done, "count": 1, "failed": int(not right), "seen": seen})
            progress("nodes", len(found), 5)

        same, outside = alone(rounds)
        note(
            "a cluster of our own",
            f"the results of one process: {same}; listens beyond loopback: {outside or 'nowhere'}",
            same and not outside,
        )
        for words, worker in (("a node", False), ("a worker", True)):
            same = lost(rounds, words.split()[1], worker)
            note(
                f"{words} of two is killed while it runs a shard", f"the results of one process: {same}", same
            )
        same, kept = driver_killed(rounds)
        note(
            "the driver is killed, another process goes on",
            f"the results of one process: {same}; {kept} stages were kept",
            same,
        )
        failed = control(rounds)
        note("control: nothing is tried again, a worker is killed", f"the run fails: {failed}", failed)
    assert not any(one["failed"] for one in found), found
    record("nodes", "a cluster", None, found)


if __name__ == "__main__":
    main()

"""What may still be taken, by every limit that a process can be under."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mspgt.lm import memory

GIB = 2**30


def group(
    folder: Path, names: tuple[str, ...], limit: object, used: int, files: int, shared: int = 0
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {files}\n{names[3]} {shared}\n")


FIRST = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache", "total_shmem")
SECOND = ("memory.max", "memory.current", "file", "shmem")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 64 GiB free, and nothing that limits the process."""
    monkeypatch.setattr(memory, "_FREE", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_OWN", tmp_path / "self")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "cgroup")
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable: {64 * 2**20} kB\n")
    return tmp_path


def test_without_limits_the_system_counts(machine: Path) -> None:
    assert memory.free_memory() == 64 * GIB
    (machine / "meminfo").unlink()
    (machine / "self" / "cgroup").write_text("0::/\nodd line\n")
    (machine / "self" / "limits").write_text(
        "Limit  Soft Limit  Hard Limit  Units\nMax data size   unlimited  unlimited  bytes\n"
    )
    (machine / "self" / "status").write_text("VmData:   1 kB\n")
    assert memory._groups() == memory._process() == []


def test_a_job_is_limited_by_any_group_that_holds_it(machine: Path) -> None:
    """As Slurm has it: the limit is the job's, the process lies in a step and a task of it."""
    (machine / "self" / "cgroup").write_text("0::/slurm/job 7/step_0/task_0\n")
    jobs = machine / "cgroup" / "slurm" / "job 7"
    group(jobs / "step_0" / "task_0", SECOND, "max", GIB, 0)
    assert memory.free_memory() == 64 * GIB
    group(jobs, SECOND, 4 * GIB, 3 * GIB, 2 * GIB, GIB // 2)
    assert memory.free_memory() == 4 * GIB - 3 * GIB + 2 * GIB - GIB // 2
    group(jobs, SECOND, 4 * GIB, 5 * GIB, 0)
    assert memory.free_memory() == 0


def test_groups_of_the_first_version_and_a_container_that_sees_its_own_as_the_root(machine: Path) -> None:
    (machine / "self" / "cgroup").write_text("5:cpu,memory:/docker/abc\n4:pids:/docker/abc\n0::/\n")
    group(machine / "cgroup" / "memory", FIRST, 3 * GIB, 2 * GIB, GIB)
    group(machine / "cgroup" / "pids", FIRST, GIB, 0, 0)
    assert memory.free_memory() == 2 * GIB


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("limit", ["RLIMIT_DATA", "RLIMIT_AS"])
def test_a_limit_of_the_process_is_what_it_may_really_take(limit: str) -> None:
    """In a process under a limit: a third less than what is said can be taken, a third more cannot."""
    code = (
        "import resource, sys; from mspgt.lm.memory import free_memory\n"
        f"resource.setrlimit(resource.{limit}, (2**29, 2**29)); told = free_memory(); assert told < 2**29, told\n"
        "block = bytearray(told * 2 // 3); del block\n"
        "try:\n    bytearray(told * 4 // 3)\nexcept MemoryError:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "refused", done.stderr

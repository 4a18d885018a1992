"""Whether a model's weights fit in memory, asked before they are read."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mspgt.errors import InputError, ModelError

BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
UNITS = {"MB": 2**20, "GB": 2**30, "TB": 2**40}
SIZE = r"^(\d+(?:\.\d+)?) ?(MB|GB|TB)$"
_FREE, _OWN, _GROUPS = Path("/proc/meminfo"), Path("/proc/self"), Path("/sys/fs/cgroup")
# Limit, use, and in the statistics what files take and how much of that is memory shared by processes.
_SECOND = "memory.max", "memory.current", "file", "shmem"
_FIRST = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache", "total_shmem"


def free_memory() -> int | None:
    """Bytes that this process may still take; None where unknown.

    By what the system has, by the limits of the control groups that it is in (a container, a job of Slurm), and by
    its own (`ulimit -v`, `ulimit -d`).
    """
    system = _system()
    limits = [*([] if system is None else [system]), *_groups(), *_process()]
    return min(limits) if limits else None


def bytes_of(size: str) -> int:
    """The bytes of "3GB", "1.5 GB" or "800MB".

    Raises:
        InputError: it is no such size.
    """
    found = re.match(SIZE, size)
    if found is None or (count := int(float(found[1]) * UNITS[found[2]])) == 0:
        raise InputError(f"Expected a size of memory such as 3GB or 800MB, found {size!r}.")
    return count


def require_memory(name: str, parameters: int, dtype: str, free: int | None = None) -> None:
    """Refuse a model whose weights do not fit.

    Args:
        parameters: 0 where they are not known.
        dtype: that it computes in.
        free: bytes; what is free now where None.

    Raises:
        ModelError: it would not fit; the message says in which type it would.
    """
    free = free_memory() if free is None else free
    needed = parameters * BYTES.get(dtype, 4)
    if free is None or needed <= free:
        return
    half = parameters * BYTES["bfloat16"]
    if half < needed and half <= free:
        advice = (
            f"In bfloat16 it takes {_gigabytes(half)}, which fits: --dtype bfloat16, or in a study `dtype: bfloat16` "
            "beside the model's `id`."
        )
    else:
        advice = (
            "No type that a model computes in makes it fit. Let a part of it stay on disk, which is slower (--memory "
            f"{max(1, int(free / 2**31))}GB, or in a study `memory` beside the model's `id`), or take a "
            f"smaller model, a machine with at least {_gigabytes(half)} free (for bfloat16), or a GPU."
        )
    raise ModelError(
        f"{name}: {parameters:,} parameters in {dtype} take {_gigabytes(needed)} of memory, and {_gigabytes(free)} "
        f"are free. {advice}"
    )


def not_mapped(error: BaseException) -> str:
    """What to do where the system refused to map a file of weights, which is none of the model's faults; else empty.

    Weights on disk are mapped whole wherever one of them is read, in loading and in every pass.
    """
    detail = str(error)
    if "mmap" not in detail or "cannot allocate memory" not in detail.lower():
        return ""
    return (
        f"{detail[:300]}\nWeights on disk are mapped whole while they are read. That takes no memory, but "
        "`ulimit -d` and `ulimit -v` count it: let such a limit hold twice the files of the model beside what may be "
        "taken, or limit a control group instead, as Slurm and containers do, where what is in memory counts."
    )


def _system() -> int | None:
    if _FREE.is_file():
        for line in _FREE.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    names = os.sysconf_names if hasattr(os, "sysconf_names") else {}
    if "SC_AVPHYS_PAGES" in names:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _groups() -> list[int]:
    """What the limits of this process's control groups leave, its own and those that hold it, of either version."""
    try:
        lines = (_OWN / "cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        first = "memory" in controllers.split(",")
        if not first and controllers:
            continue
        root = _GROUPS / "memory" if first else _GROUPS
        own = root / path.strip("/")
        for folder in (own, *own.parents):
            if (
                folder.is_relative_to(root)
                and (left := _left(folder, *(_FIRST if first else _SECOND))) is not None
            ):
                found.append(left)
    return found


def _left(group: Path, most: str, used: str, files: str, shared: str) -> int | None:
    """Bytes that a group's limit leaves: the cache of files gives way, and is not counted. None without a limit."""
    try:
        limit = (group / most).read_text().strip()
        if limit == "max":
            return None
        taken = int((group / used).read_text())
        table = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such group here
        return None
    return max(0, int(limit) - taken + int(table.get(files, 0)) - int(table.get(shared, 0)))


def _process() -> list[int]:
    """What the limits of addresses (`ulimit -v`) and of data (`ulimit -d`) leave of this process alone."""
    try:
        status = dict(line.split(":", 1) for line in (_OWN / "status").read_text().splitlines())
        limits = dict(_read_limit(line) for line in (_OWN / "limits").read_text().splitlines())
    except OSError:
        return []
    found = []
    for limit, used in (("Max address space", "VmSize"), ("Max data size", "VmData")):
        if limits.get(limit, "unlimited") != "unlimited" and used in status:
            found.append(max(0, int(limits[limit]) - 1024 * int(status[used].split()[0])))
    return found


def _read_limit(line: str) -> tuple[str, str]:
    """Name and soft limit of "Max data size     unlimited     unlimited     bytes"."""
    name, soft, *_ = [*re.split(r"\s{2,}", line.strip()), ""]
    return name, soft


def _gigabytes(count: float) -> str:
    return f"{count / 2**30:.1f} GB"

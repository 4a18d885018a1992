"""Whether a model's weights fit in memory, asked before they are read."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mspgt.errors import InputError, ModelError

BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
UNITS = {"MB": 2**20, "GB": 2**30, "TB": 2**40}
SIZE = r"^(\d+(?:\.\d+)?) ?(MB|GB|TB)$"
_FREE, _GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def free_memory() -> int | None:
    """Bytes that this process may still take, by the system and by the limit of its group; None where unknown."""
    limits = [found for found in (_system(), _group()) if found is not None]
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


def _system() -> int | None:
    if _FREE.is_file():
        for line in _FREE.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    names = os.sysconf_names if hasattr(os, "sysconf_names") else {}
    if "SC_AVPHYS_PAGES" in names:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _group() -> int | None:
    """What the limit of the control group leaves; the cache of files gives way, and is not counted."""
    try:
        limit = (_GROUP / "memory.max").read_text().strip()
        if limit == "max":
            return None
        used = int((_GROUP / "memory.current").read_text())
        table = dict(line.split() for line in (_GROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such limit here
        return None
    return max(0, int(limit) - used + int(table.get("file", 0)))


def _gigabytes(count: float) -> str:
    return f"{count / 2**30:.1f} GB"

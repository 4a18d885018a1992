"""One process at a time in a run folder."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mspgt.errors import StoreError

NAME = ".lock"


@contextmanager
def run_lock(root: Path) -> Iterator[None]:
    """Hold a run folder, which is made if need be; the system lets go of it when the process ends, however it ends.

    Raises:
        StoreError: another process holds it, or the folder cannot be made or written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{root}: the run folder cannot be made ({error}). Choose another with --out."
        ) from error
    try:
        handle = os.open(root / NAME, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(
            f"{root}: the run folder is not writable ({error}). Choose another with --out."
        ) from error
    try:
        if not _locked(handle):
            raise StoreError(
                f"{root}: {_holder(root)} is at work in this folder. Wait for it to end, or choose another --out."
            )
        os.ftruncate(handle, 0)
        me = {"pid": os.getpid(), "host": socket.gethostname(), "since": _now()}
        os.write(handle, json.dumps(me).encode())
        yield
    finally:
        os.close(handle)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _locked(handle: int) -> bool:
    """Whether the lock is ours now."""
    try:
        import fcntl
    except ImportError:  # Windows: a byte of the file
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(root: Path) -> str:
    try:
        who = json.loads((root / NAME).read_text("utf-8"))
        return f"another mspgt (process {who['pid']} on {who['host']}, since {who['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another mspgt"

"""Disks and processes that fail at a chosen operation, and a writer that such failures must catch.

Operations are what reaches the disk under one folder: making, opening to write, writing, syncing, renaming and
removing. They are counted in the order in which a writer asks for them.
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mspgt.study import store
from mspgt.study.store import Address, StageResult

ERRORS = {"full disk": errno.ENOSPC, "bad disk": errno.EIO, "too many files": errno.EMFILE}
WRITING = set("wax+")

# Before operation `number` (from 0), and its name.
Before = Callable[[int, str], None]


class _Torn(io.RawIOBase):
    """A file that asks before every write, and may write a part of it only."""

    def __init__(self, inner: Any, ask: Callable[[str], None]) -> None:
        self.inner, self.ask = inner, ask

    def write(self, data: Any) -> int:
        half = len(data) // 2
        self.inner.write(data[:half])
        self.inner.flush()
        self.ask("write")
        return half + self.inner.write(data[half:])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __enter__(self) -> _Torn:
        return self

    def __exit__(self, *_: object) -> None:
        self.inner.close()


@contextmanager
def watched(root: Path, before: Before) -> Iterator[Callable[[], int]]:
    """Call `before` ahead of every operation under `root`; yields how many there were so far."""
    patch, count, inside = pytest.MonkeyPatch(), 0, str(root)
    plain_open, plain_io_open, plain_save = builtins.open, io.open, store.save_file

    def ask(name: str) -> None:
        nonlocal count
        count += 1
        before(count - 1, name)

    def here(path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(inside)

    def opened(path: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if not (here(path) and WRITING & set(mode)):
            return plain_io_open(path, mode, *more, **named)
        ask("open")
        return _Torn(plain_io_open(path, mode, *more, **named), ask)

    def saved(arrays: Any, path: Any) -> None:
        ask("open")
        plain_save(arrays, path)
        whole = Path(path).read_bytes()
        with plain_open(path, "wb") as stream:
            stream.write(whole[: len(whole) // 2])
        ask("write")
        with plain_open(path, "wb") as stream:
            stream.write(whole)

    for name in ("mkdir", "rename", "replace", "unlink", "rmdir", "fsync"):
        plain = getattr(os, name)

        def asked(*arguments: Any, name: str = name, plain: Any = plain, **named: Any) -> Any:
            # shutil removes by folder handles, so names alone would miss what it does.
            if here(arguments[0]) or name in ("unlink", "rmdir", "fsync"):
                ask(name)
            return plain(*arguments, **named)

        patch.setattr(os, name, asked)
    patch.setattr(builtins, "open", opened)
    patch.setattr(io, "open", opened)
    patch.setattr(store, "save_file", saved)
    try:
        yield lambda: count
    finally:
        patch.undo()


def failing_at(at: int, code: int) -> Before:
    """An error of the disk at one operation, and at none after it."""

    def before(number: int, name: str) -> None:
        if number == at:
            raise OSError(code, os.strerror(code))

    return before


def killed_at(at: int) -> Before:
    """An end without any clearing up, as by `kill -9`."""

    def before(number: int, name: str) -> None:
        if number == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return before


def in_child(work: Callable[[], None]) -> int:
    """Run in a forked process; its status as the system gives it (9: killed)."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]


class InPlace:
    """The control: a store as one would write it in a hurry, into the final folder and unverified."""

    def __init__(self, address: Address) -> None:
        self.folder = address.folder

    def save(self, result: StageResult, seconds: float) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "meta.json").write_text(json.dumps(result.meta))
        store.save_file(result.arrays, self.folder / "arrays.safetensors")

    def accepted(self) -> bool:
        return (self.folder / "meta.json").exists()

    def right(self, value: float) -> bool:
        try:
            meta = json.loads((self.folder / "meta.json").read_text())
            arrays = store.load_file(self.folder / "arrays.safetensors")
        except (OSError, ValueError, store.SafetensorError):
            return False
        return bool(meta == {"value": value} and (arrays["x"] == value).all())


class Real:
    """The store."""

    def __init__(self, address: Address) -> None:
        self.address, self.folder = address, address.folder

    def save(self, result: StageResult, seconds: float) -> None:
        self.address.save(result, seconds)

    def accepted(self) -> bool:
        return self.address.status().done

    def right(self, value: float) -> bool:
        back = self.address.load()
        return back.meta == {"value": value} and bool((back.arrays["x"] == value).all())


Writer = Real | InPlace


def writer(kind: type[Real] | type[InPlace], root: Path, **inputs: Any) -> Writer:
    return kind(Address(root, "org__model", "main", "stage", inputs))


def result(value: float = 1.0, size: int = 2000) -> StageResult:
    return StageResult({"x": np.full(size, value)}, {"value": value})

"""One process at a time in a run folder: who holds it is named, and the lock goes with its process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from mspgt.errors import StoreError
from mspgt.study import lock
from mspgt.study.lock import NAME, run_lock

HOLDER = """
import sys, time
from pathlib import Path
from mspgt.study.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds `tmp_path / "run"`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_who_is_at_work_is_named_and_the_lock_goes_with_its_process(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    root = tmp_path / "run"
    with pytest.raises(StoreError, match=f"process {holder.pid} on {socket.gethostname()}, since 20"):
        run_lock(root).__enter__()
    (root / NAME).write_text("no JSON")
    with pytest.raises(StoreError, match="another mspgt is at work in this folder"):
        run_lock(root).__enter__()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with run_lock(root):
        assert json.loads((root / NAME).read_text())["pid"] == os.getpid()


def test_folders_are_made_and_what_an_older_run_wrote_is_gone(tmp_path: Path) -> None:
    root, before = tmp_path / "a" / "b" / "run", os.umask(0)
    try:
        with run_lock(root):
            assert (root / NAME).stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)
    (root / NAME).write_text("x" * 5_000)
    with run_lock(root):
        told = json.loads((root / NAME).read_text())
        assert told.keys() == {"pid", "host", "since"}
    with run_lock(root):  # and again: it was let go
        pass


def test_what_cannot_be_made_or_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        run_lock(tmp_path / "file" / "run").__enter__()
    (tmp_path / "run" / NAME).mkdir(parents=True)
    with pytest.raises(StoreError, match="not writable"):
        run_lock(tmp_path / "run").__enter__()


@pytest.mark.parametrize("free", [True, False])
def test_on_windows_a_byte_of_the_file_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: bool
) -> None:
    asked = []

    def locking(handle: int, mode: int, length: int) -> None:
        asked.append((mode, length))
        if not free:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setitem(sys.modules, "fcntl", None)
    windows = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)  # type: ignore[arg-type]
    with (tmp_path / "x").open("w") as stream:
        assert lock._locked(stream.fileno()) is free
    assert asked == [(2, 1)]

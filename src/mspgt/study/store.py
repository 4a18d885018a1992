"""Stage results on disk: addressed by what can change them, written atomically, verified when read.

    stages/<org>__<model>/<revision>/<stage>-<key>/
        manifest.json     stage, key and all that was hashed into it; size and SHA-256 of every file; seconds; and a
                          SHA-256 of all this, so that a folder that was moved, or thinned out, is seen to be
        arrays.safetensors, meta.json, tables (texts.parquet)

A folder appears under its final name only when complete: everything is written to a temporary folder, synced,
and renamed. A folder whose manifest does not verify is set aside as missing, with the reason.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from mspgt.errors import StoreError
from mspgt.results import to_jsonable

MANIFEST, META, ARRAYS = "manifest.json", "meta.json", "arrays.safetensors"
OWN = {MANIFEST, META, ARRAYS}
_SETTLED = 10**9  # nanoseconds

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class StageResult:
    """What a stage returns: large statistics as arrays, everything small as JSON values, tables as files."""

    arrays: Arrays = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Status:
    """Whether a stage is done, and the reason in words."""

    done: bool
    reason: str


def digest(value: Any) -> str:
    """SHA-256 of a JSON-like value, independent of the order of its keys."""
    text = json.dumps(to_jsonable(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # Half a character, which JSON may spell and UTF-8 may not, is a difference like any other.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Address:
    """Where one stage result lives and what its key was made of."""

    root: Path  # the run folder
    model: str  # a safe folder name, <org>__<model>
    revision: str
    stage: str
    inputs: dict[str, Any]  # everything that can change the result

    @cached_property
    def key(self) -> str:
        return digest({"stage": self.stage, "inputs": self.inputs})[:16]

    @property
    def folder(self) -> Path:
        return self.root / "stages" / self.model / self.revision / f"{self.stage}-{self.key}"

    def status(self) -> Status:
        """Look without computing; verifies sizes and hashes."""
        if not self.folder.exists():
            # Another result of the stage may be an older one of this subject, or one of another subject.
            fresh = " with these inputs, settings and code" if self._has_others() else ""
            return Status(False, f"not computed yet{fresh}")
        _, fault = self._manifest()
        return Status(fault is None, "up to date" if fault is None else fault)

    def _has_others(self) -> bool:
        """Whether some result of this stage lies here."""
        place = self.folder.parent
        try:
            changed = place.stat().st_mtime_ns
            # What changed just now may change again within the same tick of the file system's clock.
            look = _holds if time.time_ns() - changed > _SETTLED else _holds.__wrapped__
            return look(place, self.stage, changed)
        except FileNotFoundError:
            return False

    def load(self) -> StageResult:
        """Read a verified result.

        Raises:
            StoreError: the result is missing or does not verify.
        """
        manifest, fault = self._manifest() if self.folder.exists() else ({}, self.status().reason)
        if fault is not None:
            raise StoreError(f"{self.folder}: expected a finished stage result, found: {fault}.")
        try:
            return StageResult(
                arrays=load_file(self.folder / ARRAYS) if ARRAYS in manifest["files"] else {},
                meta=json.loads((self.folder / META).read_text("utf-8")),
                files={
                    name: (self.folder / name).read_bytes() for name in manifest["files"] if name not in OWN
                },
            )
        except (OSError, SafetensorError, ValueError) as error:
            raise StoreError(
                f"{self.folder}: expected the files that had just been verified, found: {error}. Look whether "
                "another program works in this folder, then run the same command again."
            ) from error

    def seconds(self) -> float:
        """Wall time the stage took when it was computed.

        Raises:
            StoreError: the manifest is missing or does not verify.
        """
        manifest, fault = self._manifest()
        if fault is not None:
            raise StoreError(f"{self.folder}: expected a finished stage result, found: {fault}.")
        return float(manifest["seconds"])

    def _manifest(self) -> tuple[dict[str, Any], str | None]:
        """The manifest, and why the folder does not verify under this address (None where it does)."""
        try:
            manifest = json.loads((self.folder / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            return {}, f"damaged: its manifest cannot be read ({error}); will be recomputed"
        if not isinstance(manifest, dict) or manifest.get("sha256") != _seal(manifest):
            return {}, "damaged: its manifest is not the one that was written; will be recomputed"
        mine = {"stage": self.stage, "key": self.key, "inputs": to_jsonable(self.inputs)}
        if any(manifest.get(name) != value for name, value in mine.items()):
            return {}, "damaged: its manifest is of another stage, or of other inputs; will be recomputed"
        if not _well_formed(manifest):
            return {}, "damaged: its manifest names no files as it should; will be recomputed"
        for name, expected in manifest["files"].items():
            path = self.folder / name
            try:
                if not path.is_file():
                    return {}, f"damaged: {name} is missing; will be recomputed"
                same = path.stat().st_size == expected["bytes"] and _sha256(path) == expected["sha256"]
            except OSError as error:
                return {}, f"damaged: {name} cannot be read ({error}); will be recomputed"
            if not same:
                return {}, f"damaged: {name} is not the file that was written; will be recomputed"
        return manifest, None

    def save(self, result: StageResult, seconds: float) -> None:
        """Write a result under its final name only when all of it is on disk.

        Raises:
            StoreError: the folder cannot be written (permissions, full disk); nothing half-written remains.
        """
        scratch = self.folder.with_name(f".{self.folder.name}.{_writer()}")
        try:
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            if result.arrays:
                contiguous = {name: np.ascontiguousarray(a) for name, a in result.arrays.items()}
                save_file(contiguous, scratch / ARRAYS)
            write_json(scratch / META, result.meta)
            for name, content in result.files.items():
                (scratch / name).write_bytes(content)
            manifest = {
                "stage": self.stage,
                "key": self.key,
                "inputs": to_jsonable(self.inputs),
                "seconds": round(seconds, 3),
                "files": {
                    path.name: {"bytes": path.stat().st_size, "sha256": _sha256(path)}
                    for path in sorted(scratch.iterdir())
                },
            }
            write_json(scratch / MANIFEST, {**manifest, "sha256": _seal(manifest)})
            for path in scratch.iterdir():
                _sync(path)
            _sync(scratch)
            self._named(scratch)
            _sync(self.folder.parent)
        except BaseException as error:
            shutil.rmtree(scratch, ignore_errors=True)
            if not isinstance(error, OSError | SafetensorError):
                raise
            raise StoreError(
                f"{self.folder}: could not write the result of stage {self.stage} ({error}). "
                "Stages finished before it are kept: free space or permissions, then run the same command again."
            ) from error

    def _named(self, scratch: Path) -> None:
        """Give a finished folder its final name; a result of this key that is whole stays in its place.

        Never is a whole one taken away, not even for a moment: another process may be reading it.
        """
        while True:
            try:
                scratch.rename(self.folder)
                return
            except OSError:
                if not self.folder.exists():
                    raise
            if self.status().done:
                shutil.rmtree(scratch, ignore_errors=True)
                return
            self.discard()

    def fill(self, compute: Callable[[], StageResult]) -> None:
        """Compute and save the result, unless it is there and verifies."""
        if not self.status().done:
            started = time.perf_counter()
            self.save(compute(), time.perf_counter() - started)

    def discard(self) -> None:
        """Remove a result that is no longer needed by anything downstream, or that another takes the place of.

        It loses its name first, so that a kill in the middle leaves no folder that lacks files.

        Raises:
            StoreError: the folder cannot be renamed (permissions, a failing disk); it stays as it was.
        """
        aside = self.folder.with_name(f".{self.folder.name}.{_writer()}.old")
        shutil.rmtree(aside, ignore_errors=True)
        try:
            self.folder.rename(aside)
        except FileNotFoundError:  # nothing is there, or another process was faster
            return
        except OSError as error:
            raise StoreError(
                f"{self.folder}: could not be taken away ({error}). It is kept as it was: look at the permissions of "
                "its folder and the disk, then run the same command again."
            ) from error
        shutil.rmtree(aside, ignore_errors=True)


@lru_cache(maxsize=1024)
def _holds(place: Path, stage: str, changed: int) -> bool:
    """Whether a folder that last changed then holds a result of a stage; of 100,000 the first found is enough."""
    with os.scandir(place) as entries:
        return any(entry.name.startswith(f"{stage}-") for entry in entries)


def _writer() -> str:
    """Tells writers apart: machines that share a disk may give two processes one number."""
    return f"{socket.gethostname()[:64]}.{os.getpid()}"


def sweep(root: Path) -> None:
    """Remove what writers that were ended in the middle left in a run folder; no writer may be at work there."""
    for scratch in root.glob("stages/*/*/.*"):
        shutil.rmtree(scratch, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON in one step."""
    write_text(path, json.dumps(to_jsonable(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file in one step: a reader sees the old one or the new one, never a part.

    Raises:
        StoreError: it cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{_writer()}")
    try:
        scratch.write_text(text, "utf-8")
        _sync(scratch)
        scratch.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: could not be written ({error}).") from error
    finally:
        with suppress(OSError):  # it stands where it belongs, or could not be made
            scratch.unlink()


def _well_formed(manifest: dict[str, Any]) -> bool:
    """Whether a sealed manifest has the shape that `save` gives it; names of files lead nowhere else."""
    files = manifest.get("files")
    return (
        isinstance(manifest.get("seconds"), int | float)
        and isinstance(files, dict)
        and META in files
        and all(name not in ("", ".", "..") and "/" not in name and "\0" not in name for name in files)
        and all(isinstance(about, dict) and about.keys() == {"bytes", "sha256"} for about in files.values())
    )


def _seal(manifest: dict[str, Any]) -> str:
    """SHA-256 of all that a manifest says but its own `sha256`."""
    return digest({name: value for name, value in manifest.items() if name != "sha256"})


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

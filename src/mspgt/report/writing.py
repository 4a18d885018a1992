"""Files of a report: written under a temporary name and renamed, so that no reader ever sees half of one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mspgt.errors import StoreError


def write(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all.

    Raises:
        StoreError: the file cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(content)
        scratch.replace(path)
    except OSError as error:
        raise StoreError(
            f"Expected to write {path}, found: {error}. Check the disk and the permissions."
        ) from error
    finally:
        with suppress(OSError):  # it stands where it belongs, or could not be made
            scratch.unlink()


def stems(names: Iterable[str]) -> dict[str, str]:
    """A file name for every model, without an extension: `org/model` is `org__model`; never two the same."""
    taken: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name.replace("/", "__")).strip("-._")[:80] or "model"
        stem, number = plain, 2
        # Some file systems do not tell upper from lower case.
        while stem.lower() in {other.lower() for other in taken.values()}:
            stem, number = f"{plain}-{number}", number + 1
        taken[name] = stem
    return taken

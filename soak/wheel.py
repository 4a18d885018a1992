"""Two builds of the wheel from the same source, at other places and times: the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from soak.record import progress, record

ROOT = Path(__file__).parents[1]
PARTS = ("src", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
MOMENT = "1735689600"  # 2025-01-01; archives keep no time before 1980


def built(source: Path, out: Path) -> Path:
    """The wheel of a source folder.

    Raises:
        CalledProcessError: it cannot be built.
    """
    environment = {**os.environ, "SOURCE_DATE_EPOCH": MOMENT}
    command = [sys.executable, "-m", "uv", "build", "--wheel", "--quiet", "--out-dir", str(out), str(source)]
    subprocess.run(command, env=environment, check=True)
    (wheel,) = out.glob("*.whl")
    return wheel


def main() -> None:
    digests = []
    with tempfile.TemporaryDirectory() as made:
        for number, name in enumerate(("one", "another place")):
            source = Path(made) / name
            source.mkdir()
            for part in PARTS:
                copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
                copy(ROOT / part, source / part)
            for path in source.rglob("*"):
                os.utime(path, (1e9 * (number + 1) / 2, 1e9 * (number + 1) / 2))
            wheel = built(source, source / "dist")
            digests.append(hashlib.sha256(wheel.read_bytes()).hexdigest())
            files, size = len(zipfile.ZipFile(wheel).namelist()), wheel.stat().st_size
            progress("wheel", number + 1, 2)
    assert digests[0] == digests[1], digests
    seen = f"identical: {files} files, {size / 1e6:.1f} MB, SHA-256 begins {digests[0][:12]}"
    record("wheel", "packaging", None, [
        {"done": "the wheel built, at another place and with other times of change", "count": 2,
         "sha256": digests[0], "seen": seen}
    ])  # fmt: skip

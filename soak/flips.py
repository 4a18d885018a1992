"""A stage folder with a bit flipped, a file cut short, two files exchanged, or one of another stage: all detected."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

from mspgt.study.store import MANIFEST, Address, StageResult
from soak.record import progress, record

DAMAGES, SEED = 10_000, 11
KINDS = ("bit", "cut", "longer", "exchanged", "missing", "moved")


def damage(folder: Path, other: Path, kind: str, draw: np.random.Generator) -> None:
    files = sorted(folder.iterdir())
    file = files[int(draw.integers(len(files)))]
    content = bytearray(file.read_bytes())
    at = int(draw.integers(len(content)))
    if kind == "bit":
        content[at] ^= 1 << int(draw.integers(8))
    elif kind == "cut":
        del content[at:]
    elif kind == "longer":
        content += bytes(draw.integers(0, 256, int(draw.integers(1, 9)), dtype=np.uint8))
    if kind in ("bit", "cut", "longer"):
        file.write_bytes(content)
    elif kind == "exchanged":
        first, second = (files[n] for n in draw.choice(len(files), 2, replace=False))
        held = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(held)
    elif kind == "missing":
        file.unlink()
    else:
        shutil.rmtree(folder)
        shutil.copytree(other, folder)


def main() -> None:
    draw = np.random.default_rng(SEED)
    seen = dict.fromkeys(KINDS, 0)
    harmless = 0
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        where, other = (Address(root, "m", "r", "stage", {"n": n}) for n in range(2))
        for n, one in enumerate((where, other)):
            one.save(StageResult({"x": np.arange(200.0) + n}, {"n": n}, {"texts.parquet": b"PAR1" * 30}), 0)
        good = shutil.copytree(where.folder, root / "good")
        manifest = (good / MANIFEST).read_bytes()
        for number in range(DAMAGES):
            kind = KINDS[number % len(KINDS)]
            damage(where.folder, other.folder, kind, draw)
            if where.status().done:
                # Only what a manifest says counts; white space between its words says nothing.
                changed = (where.folder / MANIFEST).read_bytes()
                assert changed != manifest, kind
                back = where.load()
                assert (back.arrays["x"] == np.arange(200.0)).all(), kind
                assert (back.meta, back.files) == ({"n": 0}, {"texts.parquet": b"PAR1" * 30}), kind
                harmless += 1
            seen[kind] += 1
            shutil.rmtree(where.folder)
            shutil.copytree(good, where.folder)
            progress("flips", number + 1, DAMAGES)
    told = f"all but {harmless} detected; those changed the manifest's spelling, and no word or number"
    record("flips", "the store", SEED, [
        {"done": f"a stage folder damaged ({', '.join(KINDS)})", "count": DAMAGES, "by_kind": seen,
         "harmless": harmless, "seen": told}
    ])  # fmt: skip

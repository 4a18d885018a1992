"""Fuzzing that is led by what a reader's code does with it (atheris), an hour for each kind of file.

`python -m soak guided` needs atheris, which is no part of the locked install (`pip install atheris`); without it the
row says so and leaves its figures. `MSPGT_GUIDED_SECONDS` shortens the hour, and the table says what was done.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from soak.record import merged, record, spent

SECONDS, SEED = int(os.environ.get("MSPGT_GUIDED_SECONDS", "3600")), 29
MOST_SECONDS, MOST_MEGABYTES, LONGEST = 5, 2_000, 8_000


def driven(kind: str, arguments: Sequence[str]) -> None:
    """Never returns: the fuzzer ends the process, with a status of its own where a reader raised or took too long."""
    import atheris
    import torch
    import transformers

    assert torch
    assert transformers
    with atheris.instrument_imports(include=["mspgt", "yaml"]):
        from tests.trust.fuzzing import TARGETS
    target = TARGETS[kind]
    folder = Path(tempfile.mkdtemp(dir=os.environ["GUIDED_FOLDER"]))
    atheris.Setup([sys.argv[0], *arguments], lambda content: target.refuses(content, folder))
    atheris.Fuzz()


def main(only: Sequence[str] = ()) -> None:
    """All kinds of file, or those named, whose lines take the place of older ones."""
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("guided: atheris is not installed (pip install atheris); the row is left as it is\n")
        return
    from tests.trust.fuzzing import TARGETS

    kinds = [kind for kind, target in TARGETS.items() if target.good]
    for kind in only or kinds:
        started = spent()
        with tempfile.TemporaryDirectory() as made:
            seeds = Path(made) / "seeds"
            seeds.mkdir()
            (seeds / "good").write_bytes(TARGETS[kind].good)
            limits = [f"-max_total_time={SECONDS}", f"-seed={SEED}", f"-timeout={MOST_SECONDS}",
                      f"-rss_limit_mb={MOST_MEGABYTES}", f"-max_len={LONGEST}", "-print_final_stats=1"]  # fmt: skip
            code = "import sys; from soak.guided import driven; driven(sys.argv[1], sys.argv[2:])"
            done = subprocess.run(
                [sys.executable, "-c", code, kind, *limits, f"-artifact_prefix={made}/", str(seeds)],
                env={**os.environ, "GUIDED_FOLDER": made, "HF_HUB_OFFLINE": "1"}, stderr=subprocess.PIPE,
            )  # fmt: skip
        told = done.stderr.decode("utf-8", "replace")
        assert done.returncode == 0, told[-6_000:]
        count = int(re.findall(r"number_of_executed_units:\s*(\d+)", told)[-1])
        covered = re.findall(r"cov: (\d+)", told)
        found = {"done": f"led by coverage, {SECONDS / 60:g} minutes: {kind}", "kind": kind, "count": count,
                 "seconds": SECONDS, "places": int(covered[-1]) if covered else None,
                 "seen": f"no other error than ours; {covered[-1] if covered else '?'} places of code reached",
                 "processor_seconds": round(spent() - started)}  # fmt: skip
        record("guided", "damaged input", SEED, merged("guided", found, "kind", kinds))

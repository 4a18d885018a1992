"""Where the time of a study goes, stage by stage, and where it went with the code of an earlier commit.

    python -m bench.shares [COMMIT]      # the one before speed was worked on, by default

SmolLM2 reads some text and some labelled sentences, each code in turn, one process and one thread; processor seconds
of every stage as its manifest has them, so that what else the machine does counts little. The earlier code is a
worktree of this repository in `build/`, and needs its history.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.measuring import DATA, REAL
from bench.planned import BY_PROCESSOR, TEXT
from bench.record import record
from mspgt.errors import InputError
from mspgt.lm.wheel import weights_of

ROOT = Path(__file__).parents[1]
BEFORE = "a7656d9"
SENTENCES, LABELLED = 60, 120
Figures = dict[str, Any]


def study() -> dict[str, Any]:
    """Experiment 1 of one model, no twin."""
    ewt = DATA / "ewt"
    labels: dict[str, Any] = {
        "conllu": [str(p) for p in sorted(ewt.glob("*.conllu"))],
        "entities": [str(p) for p in sorted(ewt.glob("*.iob2"))],
        "roles": [str(p) for p in sorted(ewt.glob("*.jsonl"))],
        "max_train": LABELLED, "max_eval": LABELLED // 2,
    }  # fmt: skip
    return {
        "name": "shares", "models": [{"id": str(weights_of(REAL)), "dtype": "float32"}],
        "corpus": {"source": str(TEXT), "format": "wikitext", "max_sentences": SENTENCES},
        "treebank": labels, "measure": {"scale_sentences": 16}, "twins": {"seeds": 0}, "run": {"workers": 1},
    }  # fmt: skip


def spent(source: Path) -> dict[str, float]:
    """Processor seconds of each stage with the code of one checkout."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_text(json.dumps(study()))
        done = subprocess.run(
            [sys.executable, "-c", BY_PROCESSOR, "run", str(file), "--out", f"{folder}/run", "--quiet"],
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(source / "src")},
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        seconds: dict[str, float] = {}
        for manifest in Path(folder).glob("run/stages/*/*/*/manifest.json"):
            told = json.loads(manifest.read_text("utf-8"))
            seconds[told["stage"]] = seconds.get(told["stage"], 0.0) + told["seconds"]
            if told["stage"] == "geometry":
                seconds["measuring"] = json.loads((manifest.parent / "meta.json").read_text("utf-8"))[
                    "measuring_seconds"
                ]
    return {stage: round(one, 2) for stage, one in sorted(seconds.items())}


def main(commit: str = BEFORE) -> None:
    try:
        weights_of(REAL)
    except InputError as error:
        print(f"shares: {error}")
        return
    place = ROOT / "build" / "before"
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run(["git", "worktree", "prune"], cwd=ROOT, check=True)
    subprocess.run(
        ["git", "worktree", "add", "--quiet", "--detach", str(place), commit], cwd=ROOT, check=True
    )
    try:
        found = {"before": spent(place), "after": spent(ROOT)}
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(place)], cwd=ROOT, check=True)
    record("shares", {
        "commit_before": commit, "model": "SmolLM2-135M", "sentences": SENTENCES, "labelled": LABELLED, **found,
    })  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:2])

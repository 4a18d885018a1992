"""One small study, run under circumstances that must not matter; called by tests and by the soak.

`python -m tests.trust.reruns MODEL CORPUS OUT [JSON]` runs it in a process of its own, with sections changed by JSON.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mspgt.study.loading import make_config
from mspgt.study.run import run_study

# Of provenance: when, how long and where. Everything else must be the same to the last bit.
TOLD_APART = ("started", "seconds", "hardware", "cost", "peak_bytes")


def small_study(model: Path, corpus: Path, out: Path, **changes: dict[str, Any] | None) -> dict[str, Any]:
    """Signals, both modes, a twin and Experiment 2 of a tiny model; `changes` go into sections; None: without."""
    sections: dict[str, Any] = {
        "name": "again",
        "models": [{"id": str(model), "name": "tiny", "scales": [2, 4]}],
        "corpus": {"source": str(corpus)},
        "twins": {"seeds": 1},
        "measure": {"shard_documents": 3, "cka_tokens": 128},
        "boundaries": {"draws": 100, "permutations": 99},
        "interventions": {
            **{
                "samples": 4,
                "prompt_tokens": 6,
                "new_tokens": 6,
                "random_sets": 1,
                "response": [0.1],
                "draws": 100,
            },
            **{
                "response_samples": 2,
                "encoder": None,
                "harper": False,
                "audit_passages": 2,
                "audit_tokens": 12,
            },
        },
        "run": {"workers": 1},
    }
    for name, change in changes.items():
        sections[name] = None if change is None else {**sections.get(name, {}), **change}
    return run_study(make_config(sections), out, quiet=True)


def comparable(results: dict[str, Any]) -> dict[str, Any]:
    """Results without what differs between two runs of one study."""
    stripped = json.loads(json.dumps(results))
    for key in TOLD_APART:
        stripped["provenance"].pop(key)
    for model in stripped["models"].values():
        for part in (model, model.get("interventions_about"), model.get("theory")):
            if isinstance(part, dict):
                part.pop("seconds", None)
    return stripped


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from flat(inner, f"{path}[{place}]")
    else:
        yield path, value


def moved(one: dict[str, Any], two: dict[str, Any]) -> dict[str, float]:
    """Field → by how much it differs, relative to its size or 1e-3 if it is smaller; inf where words do."""
    first, second = dict(flat(one)), dict(flat(two))
    found = {}
    for path in first.keys() | second.keys():
        a, b = first.get(path), second.get(path)
        if a != b:
            numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b))
            found[path] = abs(a - b) / max(abs(a), abs(b), 1e-3) if numbers else math.inf
    return found


if __name__ == "__main__":
    model, corpus, out, *more = sys.argv[1:]
    small_study(Path(model), Path(corpus), Path(out), **(json.loads(more[0]) if more else {}))

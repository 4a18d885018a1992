"""A small study of text made of five sentences, for tests that run one."""

import json
from pathlib import Path

import numpy as np

from mspgt.study.loading import make_config

SENTENCES = [
    "The old man rowed his boat across the bay.",
    "Nobody knew why the lights had gone out, and nobody asked.",
    "Rain fell on the roof all night long.",
    "She walked to the village and bought three loaves of bread.",
    "A tall stranger waited near the bridge until morning came.",
]


def write_corpus(path: Path, documents: int = 6) -> Path:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.permutation(SENTENCES)) for _ in range(documents)]
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts))
    return path


def study(models, corpus, **sections):
    data = {
        "name": "test",
        "models": [{"id": str(m)} if not isinstance(m, dict) else m for m in models],
        "corpus": {"source": str(corpus)},
        "twins": {"seeds": 1},
        "boundaries": {"draws": 100, "permutations": 99},
        "measure": {"shard_documents": 2, "cka_tokens": 128},
        "run": {"workers": 1},
    }
    return make_config({**data, **sections})


def without_times(results):
    stripped = json.loads(json.dumps(results))
    for key in ("started", "seconds", "hardware", "cost", "peak_bytes"):
        stripped["provenance"].pop(key)
    for model in stripped["models"].values():
        model.pop("seconds")
    return stripped


def stage_files(out):
    return {p: p.stat().st_mtime_ns for p in out.glob("stages/*/*/*/manifest.json")}

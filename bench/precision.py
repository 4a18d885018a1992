"""One study in several types: every number that it reports, and how far a type moves it from the widest.

`python -m bench.precision MODEL`: a folder (or Hub id) of bfloat16 or float32 weights, in float32, bfloat16 and
float16. With `--double` float32 is held against float64 instead, which costs twice as much; it goes to a record of
its own. Text and labels: WikiText and
EWT of `../shared/data` beside the checkout where they lie there, else the planted language. What is compared is read
off results.json alone. Three digits of a number agree where the two differ by less than 0.1 % of the wider one;
numbers that are 0 in both agree. Counts, layers and what is no measurement are left out.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.measuring import DATA
from bench.record import record
from mspgt.errors import MspgtError
from mspgt.signals.precision import AGREE
from mspgt.study.loading import make_config
from mspgt.study.run import run_study

TYPES = ("float32", "bfloat16", "float16")  # the others are held against the first
DOUBLE = ("float64", "float32")
# Parts of a model that are measured; what decisions and intervals follow from them is compared with them.
PARTS = (
    "signals", "signals_ci", "embedding_step", "boundaries", "controls", "probes", "metrics", "token_sets", "phases",
)  # fmt: skip
# What is recorded number by number; the rest by its summary.
IN_FULL = (
    *(f"signals.{signal}.{mode}" for signal in ("S1", "S2", "S3") for mode in ("calibrated", "paper")),
    *(f"metrics.{metric}.S1" for metric in ("raw", "as_read", "standardised")),
    *(f"probes.{task}.f1" for task in ("pos", "dep", "ner", "srl")),
    "phases.step",
    "boundaries.calibrated.noise_ratio",
)
COUNTS = (
    "layer",
    "layer_zero_based",
    "set",
    "tokens",
    "examples",
    "seeds",
    "support",
    "documents",
    "flagged",
)

Leaves = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.precision")
    parser.add_argument("model")
    parser.add_argument("--name", default=None, help="how the record calls it")
    parser.add_argument("--double", action="store_true", help="float32 against float64")
    asked = parser.parse_args()
    exact, *others = DOUBLE if asked.double else TYPES
    results: dict[str, Any] = {}
    missing, seconds = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for dtype in (exact, *others):
            began = _cpu()
            try:
                results[dtype] = run_study(study(asked.model, dtype), Path(folder) / dtype, quiet=True)
            except MspgtError as error:
                missing[dtype] = str(error).replace(asked.model, asked.name or Path(asked.model).name)
            seconds[dtype] = round(_cpu() - began, 1)
    models = {dtype: one["models"]["model"] for dtype, one in results.items()}
    figures: dict[str, Any] = {
        "model": asked.name or Path(asked.model).name,
        "data": results[exact]["provenance"]["data"] | {"treebank": None},
        "three_digits_agree_below": AGREE,
        "cpu_seconds": seconds,
        "not_measurable": missing,
        "decisions": {dtype: decisions(model) for dtype, model in models.items()},
        "scalars": in_full(models),
    }
    for dtype in others:
        if dtype in models:
            figures[dtype] = {"quantities": compare(models[exact], models[dtype])}
            if models[dtype]["precision"] is not None:
                figures[dtype]["estimated_within_the_run"] = estimate(models[exact], models[dtype])
    record("precision_double" if asked.double else "precision", figures)


def study(model: str, dtype: str) -> Any:
    """A small study without twins: 12 documents of about eight sentences, all their words; two seeds of probes."""
    text, trees = DATA / "wikitext" / "wiki.valid.raw", DATA / "ewt"
    found = text.exists() and trees.exists()
    labels: dict[str, Any] = {
        "conllu": [str(trees / f"en_ewt-ud-{split}.conllu") for split in ("train", "dev", "test")],
        "entities": [str(trees / f"uner-{split}.iob2") for split in ("train-draft", "dev", "test")],
        "roles": [str(trees / f"propbank-{split}.jsonl") for split in ("train", "dev", "test")],
    }
    config = make_config(
        {
            "name": f"precision-{dtype}",
            "models": [{"id": model, "name": "model", "dtype": "float32" if dtype == "float64" else dtype}],
            "corpus": {"source": str(text), "max_documents": 12, "max_sentences": 96}
            if found
            else {"source": "triscale", "format": "triscale", "max_documents": 24, "max_sentences": 96},
            "treebank": {"max_train": 200, "max_eval": 100} | (labels if found else {"planted": "triscale"}),
            "measure": {"cka_tokens": 12 * 256},
            "probes": {"seeds": 2, "controls": False},
            "boundaries": {"draws": 200, "permutations": 199},
            "twins": {"seeds": 0},
            "run": {"workers": 1},
        }
    )
    # A type that the loader has and a study file has not: nobody measures in it but to hold another against it.
    models = (config.models[0].model_copy(update={"dtype": dtype}),)
    return config.model_copy(update={"models": models})


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every measured number under its path; truth values and counts are none."""
    if path and path[-1] in COUNTS:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, str(at)))
    elif isinstance(value, float):
        yield path, value


def numbers(model: dict[str, Any]) -> Leaves:
    return {
        ".".join(path): number
        for part in PARTS
        if model.get(part)
        for path, number in leaves(model[part], (part,))
    }


def quantity(path: str) -> str:
    """A path without its places in lists: signals.S1.calibrated.7 is of signals.S1.calibrated."""
    return ".".join(step for step in path.split(".") if not step.isdigit())


def compare(exact: dict[str, Any], half: dict[str, Any]) -> dict[str, Any]:
    """By quantity: how many numbers, their differences, and at how many three digits are lost."""
    one, other = numbers(exact), numbers(half)
    groups: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for path in one.keys() & other.keys():
        groups[quantity(path)].append((one[path], other[path]))
    alone: dict[str, int] = defaultdict(int)
    for path in one.keys() ^ other.keys():
        alone[quantity(path)] += 1
    return {
        name: _summary(np.array(groups[name]).reshape(-1, 2), alone[name])
        for name in sorted({*groups, *alone})
    }


def _summary(pairs: np.ndarray, alone: int) -> dict[str, Any]:
    """alone: numbers that one of the two dtypes has and the other lacks (another claim, another task)."""
    if not len(pairs):
        return {"numbers": 0, "in_one_only": alone}
    exact, half = pairs.T
    difference = np.abs(half - exact)
    size = np.abs(exact)
    relative = np.divide(difference, size, out=np.where(difference > 0, np.inf, 0.0), where=size > 0)
    worst = int(np.argmax(relative))
    finite = relative[np.isfinite(relative)]
    return {
        "numbers": len(pairs),
        "in_one_only": alone,
        "lost": int((relative >= AGREE).sum()),
        "largest_difference": _short(difference.max()),
        "median_relative": _short(np.median(relative)),
        "largest_relative": _short(finite.max()) if len(finite) else None,
        "worst": {"exact": _short(exact[worst]), "rounded": _short(half[worst])},
    }


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None


def in_full(models: dict[str, dict[str, Any]]) -> dict[str, dict[str, list[float | None]]]:
    """Point estimates number by number, of every dtype."""
    found: dict[str, dict[str, list[float | None]]] = {}
    for path in IN_FULL:
        for dtype, model in models.items():
            value: Any = model
            for step in path.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            values = list(value.values()) if isinstance(value, dict) else value
            if values is not None:
                found.setdefault(path, {})[dtype] = [None if v is None else _short(v) for v in values]
    return found


def decisions(model: dict[str, Any]) -> dict[str, Any]:
    """What was decided: layers of both modes, and of phases."""
    paper, calibrated = model["boundaries"]["paper"], model["boundaries"]["calibrated"]
    kinds = ("spike", "bump", "step", "kink")
    return {
        "paper": [None if paper[name] is None else paper[name]["layer"] for name in ("LI", "IG")],
        "accepted": paper["accepted"],
        "calibrated": [f"{kind} {claim['layer']}" for kind in kinds for claim in calibrated[kind]],
        "phases": [claim["layer"] for claim in (model["phases"] or {"boundaries": []})["boundaries"]],
    }


def estimate(exact: dict[str, Any], half: dict[str, Any]) -> dict[str, Any]:
    """What the half-precision run said of itself, beside the truth: differences over transitions."""
    found = half["precision"]
    told: dict[str, Any] = {"statement": found["statement"], "sentences": found["sentences"]}
    for name, signal in found["signals"].items():
        one, other = (np.array(m["signals"][name]["calibrated"], dtype=float) for m in (exact, half))
        actual, guess = np.abs(other - one), np.abs(np.array(signal["difference"], dtype=float))
        told[name] = {
            "median_estimated": _short(np.nanmedian(guess)),
            "median_actual": _short(np.nanmedian(actual)),
            "largest_estimated": _short(np.nanmax(guess)),
            "largest_actual": _short(np.nanmax(actual)),
        }
    return told


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


if __name__ == "__main__":
    main()

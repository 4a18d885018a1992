"""S2 where nothing jumps, and where something does: what the estimator says of planted probes.

`python -m calibration jumps` plants accuracies of several seeds over 75 test documents, with chance among the seeds,
chance among the documents that they share, or both, and stores how often S2 is positive and how far its mean is
from the truth; beside it the same for products of seeds alone, and less the jackknife variance over documents.
"""

import argparse
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from calibration.detector import RESULTS, write_atomically
from numpy.typing import NDArray

from mspgt.signals.jumps import MEDIAN_SQUARE, jump_signal
from mspgt.signals.probes import ProbeResults, TaskResult

Array = NDArray[np.float64]

SEED = 47_000_021
RESULT = RESULTS / "jumps.json"
DOCUMENTS, WORDS = 75, 400
# SD of a seed's accuracy at a layer, and SD in a document of what all seeds find easier there at one layer.
WORLDS = {"seeds alone": (0.004, 0.0), "both": (0.003, 0.02), "documents alone": (0.0005, 0.035)}


def world(
    seeds: int,
    steps: int,
    *,
    jump: float = 0.0,
    own: float,
    shared: float,
    documents: int = DOCUMENTS,
    seed: int = 0,
) -> ProbeResults:
    """Probes whose accuracy goes up and down by `jump` from layer to layer, counted on documents of 400 words.

    own: SD of a seed's accuracy at a layer. shared: SD, in a document, of what all seeds find easier there at one
    layer than at another.
    """
    rng = np.random.default_rng(seed)
    layers = steps + 2
    level = 0.7 + jump * (np.arange(layers) % 2)
    apart = shared * rng.standard_normal((1, layers, documents)) + own * rng.standard_normal(
        (seeds, layers, 1)
    )
    expected = WORDS * np.clip(level[:, None] + apart, 0, 1)
    right = np.floor(expected + rng.random(expected.shape)).astype(np.int32)
    counts = np.stack([right, WORDS - right, WORDS - right], axis=-1)
    nothing: dict[str, Any] = {"best_epoch": np.ones((seeds, layers), dtype=np.int64), "control": None}
    task = TaskResult(
        counts,
        right.mean(-1) / WORDS,
        bits=None,
        classes=2,
        floor=0.5,
        examples={"test": documents * WORDS},
        **nothing,
    )
    return ProbeResults({"pos": task}, np.arange(documents), {})


def squares(probes: ProbeResults) -> dict[str, Array]:
    """Squared jumps of transitions 1..L−1 by three estimators, each less more of the noise; relative to P."""
    signal = jump_signal(probes)
    before = signal.score[1:-1]
    accuracy = probes.results["pos"].accuracy
    steps = np.diff(accuracy[:, 1:])
    seeds = len(steps)
    products = (steps.sum(0) ** 2 - (steps**2).sum(0)) / (seeds * (seeds - 1))
    noise = np.pi / 2 * signal.floor**2
    ours = np.sign(signal.calibrated) * signal.calibrated**2
    return {
        "products of seeds": products / before**2,
        "less the whole variance": ours - (1 - MEDIAN_SQUARE) * noise,
        "S2": ours,
    }


def measure(seeds: int, name: str, jump: float, steps: int) -> dict[str, Any]:
    """What the estimators say of one world."""
    own, shared = WORLDS[name]
    probes = world(seeds, steps, jump=jump, own=own, shared=shared, seed=SEED + seeds)
    signal = jump_signal(probes)
    rows = {}
    for what, square in squares(probes).items():
        root = np.sign(square) * np.sqrt(np.abs(square))
        rows[what] = {
            "positive": round(float((square > 0).mean()), 3),
            "mean": round(float(root.mean()), 5),
            "mean_square": float(f"{square.mean():.3g}"),
        }
    return {
        "seeds": seeds,
        "noise": name,
        "jump": jump,
        "floor": round(float(signal.floor.mean()), 5),
        "paper": round(float(signal.paper.mean()), 5),
        "estimators": rows,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration jumps", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="a fifth of the transitions")
    options = parser.parse_args(arguments)
    steps = 2_000 if options.brief else 10_000
    rows = [
        measure(seeds, name, jump, steps)
        for seeds in (2, 3, 5)
        for name in WORLDS
        for jump in (0.0, 0.01, 0.03)
    ]
    recipe = {"seed": SEED, "documents": DOCUMENTS, "words": WORDS, "transitions": steps, "worlds": WORLDS}
    write_atomically(RESULT, json.loads(json.dumps({"recipe": recipe, "rows": rows})))


if __name__ == "__main__":
    main()

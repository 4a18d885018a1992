"""Planted activation stacks through the code of a real model, in both modes.

`python -m calibration stacks` draws stacks with boundaries at random layers, measures them with the reducers
that measure models, bootstraps documents, finds boundaries in both modes, and stores what was found.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from calibration.detector import RESULTS, write_atomically

from mspgt.errors import InputError
from mspgt.planted.stacks import claimed, find_in_stack

SEED = 31_000_003
RESULT = RESULTS / "stacks.json"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m calibration stacks", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="a third of the stacks")
    parser.add_argument("--layers", type=int, nargs="+", default=(12, 24, 32, 48))
    options = parser.parse_args(arguments)
    runs = 12 if options.brief else 40
    report: dict[str, Any] = {"seed": SEED, "height": 6.0, "runs": runs, "depths": {}}
    for layers in options.layers:
        if layers < 8:
            raise InputError(f"two boundaries need 8 layers or more; found {layers}")
        rng = np.random.default_rng([SEED, layers])
        rows = []
        for run in range(runs):
            low = int(rng.integers(round(0.2 * layers), round(0.45 * layers)))
            truth = [low, int(rng.integers(low + 4, round(0.85 * layers)))]
            if run % 4 == 3:
                truth = []
            found = find_in_stack(layers, truth, height=6.0, seed=int(rng.integers(1 << 30)))
            paper = found.paper
            rows.append(
                {
                    "planted": truth,
                    "calibrated": claimed(found),
                    "paper": [None if b is None else b.layer for b in (paper.LI, paper.IG)],
                    "paper_accepted": paper.accepted,
                }
            )
        report["depths"][str(layers)] = rows
        print(f"{layers:3d} layers: {runs} stacks", file=sys.stderr, flush=True)
    write_atomically(RESULT, json.loads(json.dumps(report)))


if __name__ == "__main__":
    main()

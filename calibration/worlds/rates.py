"""How often each verdict comes out where there is nothing to find: `python -m calibration worlds`, ten minutes.

Runs the whole verdict engine, and the paper's own rules, on worlds without structure, prints both rates, and writes
those that the package ships. The last kinds of world have the structure that the theory predicts: what the rules say
there is their power.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from calibration.worlds.simulate import Recipe, rate_lines, shipped, simulate

from mspgt.cli.processes import in_processes
from mspgt.vocabulary import Progress

OUT = Path("src/mspgt/predictions/data/null_rates.json")


def main(arguments: Sequence[str] = ()) -> None:
    """Rates of the shipped recipe, or of another."""
    parser = argparse.ArgumentParser(prog="calibration worlds")
    parser.add_argument("--worlds", type=int, default=Recipe().worlds, help="of each kind and design")
    parser.add_argument("--seed", type=int, help="of the worlds; the shipped one when absent")
    parser.add_argument("--workers", type=int, default=1, help="processes of one thread each")
    parser.add_argument(
        "--out", type=Path, help="file of the rates; of the shipped recipe the one that is shipped"
    )
    options = parser.parse_args(arguments)
    recipe = shipped(options.worlds, options.seed)
    out = options.out or (OUT if recipe == Recipe() else None)
    if out and not out.absolute().parent.is_dir():
        parser.error(f"{out}: no such folder to write to; make it first, or choose another --out")
    rates = simulate(recipe, partial(in_processes, options.workers), _progress())
    for line in rate_lines(rates):
        print(line)
    if out:
        out.write_text(json.dumps(rates, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"\nRates: {out.resolve()}")


def _progress() -> Progress:
    started = time.monotonic()

    def tell(done: int, total: int, kind: str) -> None:
        if done % 100 == 0:
            left = (time.monotonic() - started) / done * (total - done)
            print(f"{kind}: {done} of {total} worlds, {left / 60:.0f} min left", file=sys.stderr, flush=True)

    return tell

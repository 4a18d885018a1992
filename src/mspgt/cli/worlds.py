"""`mspgt worlds`: how often each verdict comes out where there is nothing to find."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from mspgt.cli.options import say, start_logging


def worlds(
    count: Annotated[
        int, typer.Option("--worlds", min=1, help="Worlds of each kind and design (families × runs).")
    ] = 200,
    seed: Annotated[int | None, typer.Option(help="Of the worlds; the shipped one when absent.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes of one thread each.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Also write the rates, with their recipe, as JSON.")
    ] = None,
) -> None:
    """Run the whole verdict engine, and the paper's own rules, on worlds without structure; print both rates.

    The last kind of world has the structure that the theory predicts: what the rules say there is their power.

    Examples:

      mspgt worlds

      mspgt worlds --worlds 50 --seed 1 --workers 2 --out rates.json
    """
    start_logging()
    from mspgt.errors import InputError
    from mspgt.predictions.worlds import rate_lines, shipped, simulate

    if out and not out.absolute().parent.is_dir():
        raise InputError(f"{out}: no such folder to write to. Make it first, or choose another --out.")
    recipe = shipped(count, seed)
    if workers == 1:
        rates = simulate(recipe, map, _progress())
    else:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:

            def spread(function: Any, tasks: Iterable[Any]) -> Iterable[Any]:
                return pool.imap(function, tasks, chunksize=8)

            rates = simulate(recipe, spread, _progress())
    for line in rate_lines(rates):
        say(line)
    if out:
        out.write_text(json.dumps(rates, indent=1, ensure_ascii=False) + "\n", "utf-8")
        say(f"\nRates: {out.resolve()}")


def _progress() -> Any:
    import logging
    import time

    log, started = logging.getLogger("mspgt"), time.monotonic()

    def tell(done: int, total: int, kind: str) -> None:
        if done % 100 == 0:
            left = (time.monotonic() - started) / done * (total - done)
            log.info("%s: %d of %d worlds, %.0f min left", kind, done, total, left / 60)

    return tell

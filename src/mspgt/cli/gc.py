"""`mspgt gc`: remove what no kept plan of a run folder uses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import say


def gc(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove them; without it they are listed.")
    ] = False,
    drop: Annotated[
        list[str] | None, typer.Option(help="Give up this plan first (start of its hash).")
    ] = None,
) -> None:
    """List stage results that no kept plan of a run folder uses; with --remove, remove them.

    Examples:

      mspgt gc runs/mine

      mspgt gc runs/mine --drop 4f1c --remove
    """
    from mspgt.errors import InputError
    from mspgt.study.kept import drop as give_up
    from mspgt.study.kept import kept_plans, unused
    from mspgt.study.kept import remove as take_away
    from mspgt.study.lock import run_lock

    if not run.is_dir():
        raise InputError(f"{run}: expected a run folder, found none there.")
    if drop and not remove:
        raise InputError("--drop gives up a plan for good: say --remove too.")
    with run_lock(run):
        for name in drop or []:
            give_up(run, name)
        found = list(unused(run))
        for place, size in found:
            say(f"{'removed' if remove else 'unused '}  {size / 2**20:8.1f} MB  {place.relative_to(run)}")
            if remove:
                take_away(place)
        total = sum(size for _, size in found) / 2**20
        plans = ", ".join(one.name for one in kept_plans(run))
        said = "removed" if remove else "could go (--remove)"
        say(f"{len(found)} stage results, {total:.1f} MB, {said}; plans kept: {plans}")

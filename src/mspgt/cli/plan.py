"""`mspgt plan`: what a study would do, without doing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import Out, Quiet, Settings, say, start_logging


def plan(
    study: Annotated[str, typer.Argument(help="Study file (YAML), or a shipped study.")],
    out: Out = None,
    settings: Settings = None,
    quiet: Quiet = False,
) -> None:
    """Validate a study and print its stages, with the reason each will run or is up to date; runs nothing.

    Example:

      mspgt plan study.yaml
    """
    start_logging()
    from mspgt.study.describe import describe
    from mspgt.study.loading import load_config

    config = load_config(study, tuple(settings or ()))
    for line in describe(config, out or Path("runs") / config.name, quiet=quiet):
        say(line)

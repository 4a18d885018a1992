"""`mspgt plan`: what a study would do, without doing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import Labels, Running, grouped, say
from mspgt.cli.quick import study_of


@grouped
def plan(
    study: Annotated[str, typer.Argument(help="Study file (YAML), or a shipped study.")],
    *,
    corpus: Annotated[str | None, typer.Option(help="In place of the study's own text.")] = None,
    labels: Labels,
    running: Running,
) -> None:
    """Validate a study and print its stages, with the reason each will run or is up to date; runs nothing.

    Of a study whose text, labels or models are not here it prints what to fetch, how large that is, and how long the
    study takes on one GPU.

    Examples:

      mspgt plan study.yaml

      mspgt plan paper
    """
    from mspgt.study.afar import describe_afar, elsewhere
    from mspgt.study.describe import describe

    config = study_of(study, corpus, labels, running)
    files, models = elsewhere(config)
    if files or models:
        for line in describe_afar(config, files, models):
            say(line)
        return
    for line in describe(config, running.out or Path("runs") / config.name, quiet=running.quiet):
        say(line)

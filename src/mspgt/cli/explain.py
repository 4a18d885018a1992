"""`mspgt explain`: what a finished run found, in plain sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import say


def explain(run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")]) -> None:
    """Print the story of a finished run: one sentence a model, then the verdicts and what was not testable.

    Example:

      mspgt explain runs/demo
    """
    from mspgt.report.story import story_lines
    from mspgt.report.verdicts import tally, verdicts
    from mspgt.results import read

    results = read(run)
    for line in story_lines(results):
        say(line)
    found = verdicts(results)
    say(f"{tally(found) or 'no verdicts'}.")
    for one in found:
        marks = f" ({'; '.join(one.marks)})" if one.marks else ""
        say(f"  {one.id} {one.word}: {one.content.title}: {one.brief if one.tested else one.lacking}{marks}")

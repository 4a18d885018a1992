"""`mspgt report`: the page, tables and figures again, from results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import say


def report(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    venue: Annotated[
        str, typer.Option(help="Width of the figures: neurips, icml, acl, icml-column, acl-column.")
    ] = "neurips",
) -> None:
    """Rebuild report.html, tables and figures of a finished run from its results.json.

    Examples:

      mspgt report runs/demo

      mspgt report runs/demo --venue acl-column
    """
    from mspgt.report import build_report

    say(f"Page: {build_report(run, venue=venue).resolve()}")

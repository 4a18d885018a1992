"""`mspgt report`: the page, tables and figures again, from results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import say, start_logging


def report(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
) -> None:
    """Rebuild report.html, tables and figures of a finished run from its results.json.

    Example:

      mspgt report runs/demo
    """
    start_logging()
    from mspgt.report import build_report

    say(f"Page: {build_report(run).resolve()}")

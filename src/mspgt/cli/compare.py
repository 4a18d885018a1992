"""`mspgt compare`: Experiment 3 over finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import say


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")],
    out: Annotated[Path, typer.Option(help="Folder for the comparison.")] = Path("runs/compare"),
    account: Annotated[
        str | None,
        typer.Option(
            help="Whose boundaries to judge: functional, shocks or phases; else as the runs planned."
        ),
    ] = None,
    curves: Annotated[
        bool,
        typer.Option(
            "--curves",
            help="Lay curves over one another and judge nothing: runs that did not measure alike may be given.",
        ),
    ] = False,
) -> None:
    """Compare the models of finished runs: curves by depth, families (Table 3, Figure 10), drift and verdicts.

    Refuses runs whose plans differ in anything but names, models and seeds, and says in what; with --curves it shows
    them on one depth, with every difference, and judges nothing.

    Examples:

      mspgt compare runs/llama runs/qwen --out runs/both

      mspgt compare runs/small runs/large --curves
    """
    from mspgt.report.compare import build_comparison
    from mspgt.report.predictions import verdict_lines
    from mspgt.results import from_json
    from mspgt.results.comparison import Comparison
    from mspgt.study.comparing import compare_runs

    found = compare_runs(runs, out, account, curves_only=curves)
    page = build_comparison(out)
    for line in found["sketches"]:
        say(f"A sketch, not a result to report: {line}.")
    for line in verdict_lines(from_json(Comparison, found)):
        say(line)
    say(f"\nPage: {page.resolve()}")

"""The commands, by name."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from mspgt.cli import (
    atlas,
    boundaries,
    check,
    compare,
    doctor,
    explain,
    fetch,
    gc,
    intervene,
    plan,
    report,
    run,
    theory,
    worlds,
    zoo,
)

app = typer.Typer(
    name="mspgt",
    help="Find the Local, Intermediate and Global scales inside a language model.\n\n"
    "Start with: mspgt boundaries MODEL --corpus FILE --treebank FILE...",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Any error without a traceback: add --debug to see where it was raised.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mspgt {version('mspgt')}")
        raise typer.Exit


@app.callback()
def every(
    told: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options that stand before a command."""


app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("boundaries")(boundaries.boundaries)
app.command("theory")(theory.theory)
app.command("intervene")(intervene.intervene)
app.command("fetch")(fetch.fetch)
app.command("check")(check.check)
app.command("compare")(compare.compare)
app.command("worlds")(worlds.worlds)
app.command("explain")(explain.explain)
app.command("report")(report.report)
app.command("gc")(gc.gc)
app.command("doctor")(doctor.doctor)
app.add_typer(zoo.app, name="zoo")
app.add_typer(atlas.app, name="atlas")

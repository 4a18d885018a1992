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
    zoo,
)
from mspgt.cli.options import Commands, start_logging

app = typer.Typer(
    name="mspgt",
    cls=Commands,
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
    """Options that stand before a command; whichever it is, its progress is told."""
    start_logging()


# A command is the function that its file is called after.
COMMANDS = (
    run,
    plan,
    boundaries,
    theory,
    intervene,
    fetch,
    check,
    compare,
    explain,
    report,
    gc,
    doctor,
)
for file in COMMANDS:
    app.command()(getattr(file, file.__name__.rpartition(".")[2]))
app.add_typer(zoo.app, name="zoo")
app.add_typer(atlas.app, name="atlas")

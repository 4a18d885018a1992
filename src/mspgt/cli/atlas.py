"""`mspgt atlas`: small results of many models, kept side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import Commands, say

app = typer.Typer(
    cls=Commands, help="Small results of many models, side by side, to which anybody can add their own."
)
Folder = Annotated[Path, typer.Option("--atlas", help="Folder of entries.")]


@app.command("add")
def add(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")],
    atlas: Folder = Path("atlas"),
) -> None:
    """Add every model of finished runs, after checking that all accounts were measured, with their controls.

    Example:

      mspgt atlas add runs/real --atlas atlas
    """
    from mspgt.atlas.shelf import add as add_run

    for run in runs:
        written, told = add_run(run, atlas)
        for path in written:
            say(str(path))
        for words in told:
            say(f"  {words}")


@app.command("page")
def page(
    atlas: Folder = Path("atlas"),
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("atlas.html"),
) -> None:
    """Write one page of all entries: each model's accounts of where its scales lie, aligned by depth.

    Example:

      mspgt atlas page --atlas atlas --out atlas.html
    """
    from mspgt.atlas.page import write_page

    count = write_page(atlas, out)
    say(f"{count} {'entry' if count == 1 else 'entries'}. Page: {out.resolve()}")

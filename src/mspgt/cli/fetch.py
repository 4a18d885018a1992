"""`mspgt fetch`: the text and labels that a study names, where a network is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import Settings, say


def fetch(
    study: Annotated[str, typer.Argument(help="Study file (YAML), or a shipped study.")],
    to: Annotated[Path, typer.Option(help="Folder for the files; the one you are in when absent.")] = Path(),
    settings: Settings = None,
) -> None:
    """Fetch the corpus and the labels that a study names from the Hub (extra hub), held by checksums.

    What is here already is held against its checksum and kept. Without a network it says what to fetch.

    Examples:

      mspgt fetch paper

      mspgt fetch paper --to data
    """
    from mspgt.study.fetching import fetch as fetch_files
    from mspgt.study.loading import load_config

    config = load_config(study, tuple(settings or ()))
    for line in fetch_files(config, to):
        say(line)
    say(f"Run it in {to.resolve()}: mspgt run {study}")

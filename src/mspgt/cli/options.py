"""Options that several commands share, and how a terminal is set up."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

Models = Annotated[
    list[str], typer.Argument(metavar="MODEL...", help="Hugging Face ids, local folders, or zoo:NAME.")
]
Corpus = Annotated[
    str, typer.Option("--corpus", help="Text file, JSONL, WikiText file, or a hub data set; or triscale.")
]
Treebank = Annotated[
    list[str] | None,
    typer.Option(
        "--treebank",
        help="CoNLL-U files (train, dev and test; may be repeated), or one hub id; or triscale.",
    ),
]
Entities = Annotated[
    list[str] | None, typer.Option("--entities", help="IOB2 files by sent_id, or one hub id.")
]
Roles = Annotated[list[str] | None, typer.Option("--roles", help="PropBank-style JSONL, by sent_id.")]
Out = Annotated[Path | None, typer.Option("--out", help="Run folder; runs/<study> when absent.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Any key of the study file; may be repeated."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Log lines instead of bars.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of the study.")]
Dtype = Annotated[str | None, typer.Option("--dtype", help="auto, float32, float16 or bfloat16.")]
Device = Annotated[str | None, typer.Option("--device", help="cpu, cuda, cuda:1 …")]
DeviceMap = Annotated[str | None, typer.Option("--device-map", help="As in transformers: auto, …")]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory", help="That weights may take (3GB); the rest is read from disk in every pass, and is slow."
    ),
]
Offload = Annotated[
    str | None,
    typer.Option("--offload", help="Folder for weights that must be written anew to be read from disk."),
]
Revision = Annotated[str | None, typer.Option("--revision", help="Branch, tag or commit on the Hub.")]
Remote = Annotated[
    bool,
    typer.Option("--trust-remote-code", help="Run code that ships with the model. Off unless asked for."),
]


class _Printable(logging.Formatter):
    """Names from outside cannot steer the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        from mspgt.report.words import printable

        return printable(super().format(record))


def start_logging() -> None:
    """Progress and notices on stderr, as plain lines."""
    logging.basicConfig(level=logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Printable("%(asctime)s %(message)s", "%H:%M:%S"))
    for noisy in (
        "httpx",
        "huggingface_hub",
        "transformers",
        "sentence_transformers",
        "matplotlib",
        "fontTools",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def say(text: str = "") -> None:
    """Results go to stdout; names from outside cannot steer the terminal."""
    from mspgt.report.words import printable

    typer.echo(printable(text))

"""Options that several commands share, and how a terminal is set up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typer import Argument, Option

from mspgt.errors import StoppedError, printable

Texts = list[str] | None
Models = Annotated[
    list[str], Argument(metavar="MODEL...", help="Hugging Face ids, local folders, or zoo:NAME.")
]
Corpus = Annotated[str, Option(help="Text file, JSONL, WikiText file, or a hub data set; or triscale.")]
Settings = Annotated[
    Texts, Option("--set", metavar="SECTION.KEY=VALUE", help="Any key of the study file; may be repeated.")
]


@dataclass(frozen=True)
class Labels:
    """Where labels come from."""

    treebank: Annotated[
        Texts,
        Option(help="CoNLL-U files (train, dev and test; may be repeated), or one hub id; or triscale."),
    ] = None
    entities: Annotated[Texts, Option(help="IOB2 files by sent_id, or one hub id.")] = None
    roles: Annotated[Texts, Option(help="PropBank-style JSONL, by sent_id.")] = None


@dataclass(frozen=True)
class Loading:
    """How models are loaded."""

    dtype: Annotated[str | None, Option(help="auto, float32, float16 or bfloat16.")] = None
    device: Annotated[str | None, Option(help="cpu, cuda, cuda:1 …")] = None
    device_map: Annotated[str | None, Option(help="As in transformers: auto, …")] = None
    memory: Annotated[
        str | None,
        Option(help="That weights may take (3GB); the rest is read from disk in every pass, and is slow."),
    ] = None
    offload: Annotated[
        str | None, Option(help="Folder for weights that must be written anew to be read from disk.")
    ] = None
    revision: Annotated[str | None, Option(help="Branch, tag or commit on the Hub.")] = None
    trust_remote_code: Annotated[
        bool, Option("--trust-remote-code", help="Run code that ships with the model. Off unless asked for.")
    ] = False


@dataclass(frozen=True)
class Running:
    """Where a study lies, what is changed of it, and how it tells what it does."""

    out: Annotated[Path | None, Option(help="Run folder; runs/<study> when absent.")] = None
    seed: Annotated[int | None, Option(help="Seed of the study.")] = None
    settings: Settings = None
    quiet: Annotated[bool, Option("--quiet", "-q", help="Log lines instead of bars.")] = False

    @property
    def overrides(self) -> tuple[str, ...]:
        """`section.key=value`, the seed among them."""
        return (*(self.settings or ()), *([] if self.seed is None else [f"seed={self.seed}"]))


class Commands(typer.core.TyperGroup):
    """Commands whose own help is quick, and which say so when Ctrl-C stops them."""

    def invoke(self, ctx: Any) -> Any:
        """The command; its library would answer Ctrl-C with a status and no word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise StoppedError from None

    def get_help_option(self, ctx: Any) -> typer.core.TyperOption | None:
        """`--help`, absent as False: of None typer asks a validator that takes longer to load than all the rest."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters of the kinds above are one option a field on the command line."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    shown: list[Parameter] = []
    for name, one in signature(command).parameters.items():
        fields = signature(groups[name], eval_str=True).parameters.values() if name in groups else ()
        shown += fields or [one.replace(annotation=hints[name])]

    @wraps(command)
    def run(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{field: given.pop(field) for field in signature(kind).parameters})
        command(**given)

    run.__signature__ = Signature(  # type: ignore[attr-defined]
        [one.replace(kind=Parameter.KEYWORD_ONLY) for one in shown]
    )
    run.__annotations__ = {one.name: one.annotation for one in shown}
    return run


class _Printable(logging.Formatter):
    """Names from outside cannot steer the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def start_logging() -> None:
    """Progress and notices on stderr, as plain lines; of other libraries what is more than news."""
    lines = logging.StreamHandler()
    lines.setFormatter(_Printable("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[lines])
    logging.getLogger("mspgt").setLevel(logging.INFO)


def say(text: str = "") -> None:
    """Results go to stdout; names from outside cannot steer the terminal."""
    typer.echo(printable(text))

"""`mspgt zoo`: the bundled models, and how they were made."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from mspgt.cli.options import Commands, say
from mspgt.cli.processes import in_processes

app = typer.Typer(cls=Commands, help="The bundled models, and how they were made.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """Bundled models with their architecture, depth, size, and excess over the exact reader.

    Example:

      mspgt zoo list
    """
    from mspgt.lm.identity import read_card
    from mspgt.zoo.bundled import card, names, path

    for name in names(checkpoints=True):
        shape, made = read_card(path(name)), card(name)
        excess = made.get("excess_bits_a_token")
        told = f", {excess:.3f} bit a token above the exact reader" if excess is not None else ""
        plan = made["recipe"]
        if plan.get("stages"):
            told += f"; known scales: Local to layer {plan['local']}, Intermediate to layer {plan['intermediate']}"
        size = f"{shape.layers} layers, width {shape.width}, {shape.parameters:,} parameters"
        say(f"zoo:{name}: {shape.family}, {size}{told}")


@app.command()
def train(
    names: Annotated[
        list[str] | None, typer.Argument(help="Bundled models to make again; all when absent.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the trained models.")] = Path("zoo"),
    corpus: Annotated[
        list[Path] | None, typer.Option(help="Train a family on these text files instead.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    workers: Annotated[int, typer.Option(help="Processes of one thread each (CPU).")] = 2,
) -> None:
    """Train the bundled models again from recipe and seed, or a family on your own text; resumes where it stopped.

    Examples:

      mspgt zoo train

      mspgt zoo train --corpus my-text.txt --out my-family
    """
    if corpus:
        from mspgt.zoo.own_text import train_corpus

        for folder in train_corpus(corpus, out, device=device, progress=_line("own")):
            say(str(folder))
        return
    from mspgt.zoo.recipes import RECIPES, recipe

    chosen = names or list(RECIPES)
    for name in chosen:
        recipe(name)
    _spread(chosen, out, device, workers)
    say(f"{len(chosen)} models in {out}")


def _spread(names: list[str], out: Path, device: str, workers: int) -> None:
    for _ in in_processes(min(workers, len(names)), partial(_train_one, out=out, device=device), names):
        pass


def _train_one(name: str, out: Path, device: str) -> None:
    import torch

    from mspgt.zoo.training import train as train_model

    torch.set_num_threads(1)
    train_model(name, out, device=device, progress=_line(name))


def _line(name: str) -> Any:
    """One line every 25 steps: step, total, and what the trainer says (the excess over the exact reader)."""

    def tell(done: int, total: int, text: str) -> None:
        if done % 25 == 0 or done == total:
            sys.stderr.write(f"{name}: {done}/{total} {text}\n")
            sys.stderr.flush()

    return tell

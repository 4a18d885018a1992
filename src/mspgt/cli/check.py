"""`mspgt check`: can this model be measured?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import Loading, grouped, say


@grouped
def check(
    model: Annotated[str, typer.Argument(help="Hugging Face id or local folder.")], loading: Loading
) -> None:
    """Look at a model: blocks, hooks, attention, padding, tokenizer, float range; each yes or no with a reason.

    Exit status 1 when something that every measurement needs is missing.

    Example:

      mspgt check Qwen/Qwen2.5-0.5B
    """
    from mspgt.study.jobs import local_id

    folder = local_id(model)  # first, since a misspelt name needs no minute of loading libraries
    from mspgt.lm.check import check as check_model
    from mspgt.lm.load import load
    from mspgt.zoo.bundled import planted_text

    lm = load(folder, **vars(loading) | {"dtype": loading.dtype or "auto"})
    say(
        f"{lm.name}: {lm.family}, {lm.layers} blocks, width {lm.width}, {lm.parameters:,} parameters, {lm.dtype}"
    )
    checks = check_model(lm, planted_text(Path(folder)))
    for item in checks:
        word = {True: "yes", False: "NO", None: "n/a"}[item.ok]
        say(f"  {word:>3}  {item.name}: {item.reason}")
    for note in lm.notes:
        say(f"  note  {note}")
    if any(item.ok is False for item in checks):
        raise typer.Exit(1)

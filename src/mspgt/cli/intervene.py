"""`mspgt intervene`: Experiment 2 on one or more models, without a study file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import Device, Dtype, Out, Quiet, Remote, Revision, Seed, Settings, start_logging


def intervene(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Hugging Face ids or local folders.")
    ],
    corpus: Annotated[
        str, typer.Option("--corpus", help="Held-out text: prompts start its documents. As for `boundaries`.")
    ],
    boundaries: Annotated[
        str | None,
        typer.Option("--boundaries", metavar="LI,IG", help="Last layers of Local and Intermediate, from 1."),
    ] = None,
    samples: Annotated[int | None, typer.Option("--samples", help="Texts an arm; 1000 when absent.")] = None,
    sigma: Annotated[
        float | None,
        typer.Option("--sigma", help="Noise over a layer's standard deviation; 0.1 when absent."),
    ] = None,
    languagetool: Annotated[
        str | None, typer.Option("--languagetool", help="URL of a running LanguageTool server, or: local.")
    ] = None,
    treebank: Annotated[
        list[str] | None,
        typer.Option("--treebank", help="CoNLL-U files, for S2 where boundaries are to be found."),
    ] = None,
    out: Out = None,
    seed: Seed = None,
    dtype: Dtype = None,
    device: Device = None,
    revision: Revision = None,
    trust_remote_code: Remote = False,
    settings: Settings = None,
    quiet: Quiet = False,
) -> None:
    """Add noise to one scale at a time and measure what becomes of the text.

    Boundaries are found first unless they are given; a model without any is cut into thirds, which is said and
    never carries a verdict.

    Examples:

      mspgt intervene Qwen/Qwen2.5-0.5B --corpus wiki.valid.raw --samples 200

      mspgt intervene ./my-model --corpus text.txt --boundaries 8,16 --languagetool http://localhost:8081
    """
    start_logging()
    from mspgt.cli.quick import quick_study
    from mspgt.cli.run import finish
    from mspgt.errors import InputError
    from mspgt.study.config import make_config

    data = quick_study(
        models,
        corpus,
        treebank=treebank,
        seed=seed,
        dtype=dtype,
        device=device,
        revision=revision,
        trust_remote_code=trust_remote_code or None,
    )
    asked = {"samples": samples, "sigma": sigma, "languagetool": languagetool}
    data["interventions"] = {key: value for key, value in asked.items() if value is not None}
    if boundaries is not None:
        layers = boundaries.split(",")
        if len(layers) != 2 or not all(layer.strip().isdigit() for layer in layers):
            raise InputError(
                f"--boundaries: expected two layers such as 8,16, found {boundaries!r}: the last of the local scale "
                "and the last of the intermediate one."
            )
        for model in data["models"]:
            model["scales"] = [int(layer) for layer in layers]
        # Random twins judge boundaries that were found; there is nothing to judge.
        data["twins"] = {"seeds": 0}
    config = make_config(data, tuple(settings or ()), where="command line")
    finish(config, out or Path("runs") / config.name, quiet)

"""`mspgt intervene`: Experiment 2 on one or more models, without a study file."""

from __future__ import annotations

from typing import Annotated

import typer

from mspgt.cli.options import Corpus, Labels, Loading, Models, Running, grouped


@grouped
def intervene(
    models: Models,
    corpus: Corpus,
    labels: Labels,
    *,
    boundaries: Annotated[
        str | None, typer.Option(metavar="LI,IG", help="Last layers of Local and Intermediate, from 1.")
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Texts an arm; 1000 when absent.")] = None,
    sigma: Annotated[
        float | None, typer.Option(help="Noise over a layer's standard deviation; 0.1 when absent.")
    ] = None,
    languagetool: Annotated[
        str | None, typer.Option(help="URL of a running LanguageTool server, or: local.")
    ] = None,
    running: Running,
    loading: Loading,
) -> None:
    """Add noise to one scale at a time and measure what becomes of the text.

    Held-out text gives the prompts, which start its documents. Boundaries are found first unless they are given; a
    model without any is cut into thirds, which is said and never carries a verdict.

    Examples:

      mspgt intervene Qwen/Qwen2.5-0.5B --corpus wiki.valid.raw --samples 200

      mspgt intervene ./my-model --corpus text.txt --boundaries 8,16 --languagetool http://localhost:8081
    """
    from mspgt.cli.quick import quick_study, run_quick
    from mspgt.errors import InputError

    data = quick_study(models, corpus, labels, loading)
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
    run_quick(data, running)

"""`mspgt theory`: boundaries, then what the theory says of the model, without a study file."""

from __future__ import annotations

from typing import Annotated

import typer

from mspgt.cli.options import Corpus, Labels, Loading, Running, grouped


@grouped
def theory(
    model: Annotated[str, typer.Argument(help="Hugging Face id, local folder, or zoo:NAME.")],
    corpus: Corpus,
    labels: Labels,
    *,
    scales: Annotated[
        tuple[int, int] | None, typer.Option(metavar="LI IG", help="Boundaries given in advance, as layers.")
    ] = None,
    running: Running,
    loading: Loading,
) -> None:
    """Information by layer, kinks, near-Markov flow, Fisher information, β̂, rates and interval widths of a model.

    Boundaries are found first (as `mspgt boundaries` does), unless --scales gives them.

    Examples:

      mspgt theory Qwen/Qwen2.5-0.5B --corpus wiki.valid.raw

      mspgt theory zoo:triscale-llama-1 --corpus triscale --treebank triscale --set theory.tokens=4096
    """
    from mspgt.cli.quick import quick_study, run_quick

    data = quick_study([model], corpus, labels, loading)
    if scales is not None:
        data["models"][0]["scales"] = scales
    run_quick(data | {"name": f"theory-{data['name']}", "theory": {}}, running)

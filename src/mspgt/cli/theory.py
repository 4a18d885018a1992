"""`mspgt theory`: boundaries, then what the theory says of the model, without a study file."""

from __future__ import annotations

from typing import Annotated

import typer

from mspgt.cli import options


def theory(
    model: Annotated[str, typer.Argument(help="Hugging Face id, local folder, or zoo:NAME.")],
    corpus: options.Corpus,
    treebank: options.Treebank = None,
    entities: options.Entities = None,
    roles: options.Roles = None,
    scales: Annotated[
        tuple[int, int] | None,
        typer.Option("--scales", metavar="LI IG", help="Boundaries given in advance, as layers."),
    ] = None,
    out: options.Out = None,
    seed: options.Seed = None,
    dtype: options.Dtype = None,
    device: options.Device = None,
    revision: options.Revision = None,
    trust_remote_code: options.Remote = False,
    settings: options.Settings = None,
    quiet: options.Quiet = False,
) -> None:
    """Information by layer, kinks, near-Markov flow, Fisher information, β̂, rates and interval widths of a model.

    Boundaries are found first (as `mspgt boundaries` does), unless --scales gives them.

    Examples:

      mspgt theory Qwen/Qwen2.5-0.5B --corpus wiki.valid.raw

      mspgt theory zoo:triscale-llama-1 --corpus triscale --treebank triscale --set theory.tokens=4096
    """
    options.start_logging()
    from mspgt.cli.quick import quick_study, run_quick

    data = quick_study(
        [model],
        corpus,
        treebank=treebank,
        entities=entities,
        roles=roles,
        seed=seed,
        dtype=dtype,
        device=device,
        revision=revision,
        trust_remote_code=trust_remote_code or None,
        scales=scales,
    )
    run_quick(data | {"name": f"theory-{data['name']}", "theory": {}}, settings, out, quiet)

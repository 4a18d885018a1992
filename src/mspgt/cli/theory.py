"""`mspgt theory`: boundaries, then what the theory says of the model, without a study file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mspgt.cli.options import Device, Dtype, Out, Quiet, Remote, Revision, Seed, Settings, start_logging


def theory(
    model: Annotated[str, typer.Argument(help="Hugging Face id, local folder, or zoo:NAME.")],
    corpus: Annotated[
        str, typer.Option("--corpus", help="Text file, JSONL, WikiText file, or a hub data set; or triscale.")
    ],
    treebank: Annotated[
        list[str] | None,
        typer.Option("--treebank", help="CoNLL-U files: train, dev and test; or triscale. May be repeated."),
    ] = None,
    entities: Annotated[list[str] | None, typer.Option("--entities", help="IOB2 files, by sent_id.")] = None,
    roles: Annotated[
        list[str] | None, typer.Option("--roles", help="PropBank-style JSONL, by sent_id.")
    ] = None,
    scales: Annotated[
        tuple[int, int] | None,
        typer.Option("--scales", metavar="LI IG", help="Boundaries given in advance, as layers."),
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
    """Information by layer, kinks, near-Markov flow, Fisher information, β̂, rates and interval widths of a model.

    Boundaries are found first (as `mspgt boundaries` does), unless --scales gives them.

    Examples:

      mspgt theory Qwen/Qwen2.5-0.5B --corpus wiki.valid.raw

      mspgt theory zoo:triscale-llama-1 --corpus triscale --treebank triscale --set theory.tokens=4096
    """
    start_logging()
    from mspgt.cli.run import finish
    from mspgt.study.config import BUNDLED, make_config

    shared = {
        "dtype": dtype, "device": device, "revision": revision, "trust_remote_code": trust_remote_code or None,
        "scales": scales,
    }  # fmt: skip
    given = {key: value for key, value in shared.items() if value is not None}
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in Path(model.removeprefix(BUNDLED)).name)
    planted = corpus == "triscale"
    data: dict[str, Any] = {
        "name": f"theory-{name.strip('.-')[:40] or 'model'}",
        "models": [{"id": model, **given}],
        "corpus": {"source": corpus, **({"format": "triscale"} if planted else {})},
        "theory": {},
    }
    if treebank == ["triscale"]:
        data["treebank"] = {"planted": "triscale"}
    elif treebank:
        data["treebank"] = {"conllu": treebank, "entities": entities or [], "roles": roles or []}
    if seed is not None:
        data["seed"] = seed
    config = make_config(data, tuple(settings or ()), where="command line")
    finish(config, out or Path("runs") / config.name, quiet)

"""`mspgt run`: a study from a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.finish import finish
from mspgt.cli.options import Entities, Out, Quiet, Roles, Seed, Settings, Treebank, start_logging
from mspgt.cli.quick import other_data


def run(
    study: Annotated[
        str,
        typer.Argument(
            help="Study file (YAML), or a shipped one: demo, real, small, paper, learning, separated, pythia-runs."
        ),
    ],
    corpus: Annotated[str | None, typer.Option("--corpus", help="In place of the study's own text.")] = None,
    treebank: Treebank = None,
    entities: Entities = None,
    roles: Roles = None,
    out: Out = None,
    seed: Seed = None,
    settings: Settings = None,
    quiet: Quiet = False,
) -> None:
    """Run or resume a study; ends with the path of its page.

    Examples:

      mspgt run study.yaml

      mspgt run study.yaml --out runs/second --set boundaries.draws=500

    A study file:

    \b
      name: mine
      models: [Qwen/Qwen2.5-0.5B, ./my-model]
      corpus: {source: my-text.txt}
      treebank: {conllu: [train.conllu, dev.conllu, test.conllu]}
    """
    start_logging()
    from mspgt.study.loading import load_config

    overrides = [*(settings or []), *([f"seed={seed}"] if seed is not None else [])]
    config = load_config(study, tuple(overrides), other_data(corpus, treebank, entities, roles))
    finish(config, out or Path("runs") / config.name, quiet)

"""`mspgt run`: a study from a YAML file."""

from __future__ import annotations

from typing import Annotated

import typer

from mspgt.cli.finish import finish
from mspgt.cli.options import Labels, Running, grouped
from mspgt.cli.quick import study_of


@grouped
def run(
    study: Annotated[
        str,
        typer.Argument(
            help="Study file (YAML), or a shipped one: demo, real, small, paper, learning, separated, pythia-runs."
        ),
    ],
    *,
    corpus: Annotated[str | None, typer.Option(help="In place of the study's own text.")] = None,
    labels: Labels,
    running: Running,
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
    finish(study_of(study, corpus, labels, running), running)

"""`mspgt run`: a study from a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mspgt.cli.options import Entities, Out, Quiet, Roles, Seed, Settings, Treebank, say, start_logging
from mspgt.cli.quick import other_data


def run(
    study: Annotated[
        str,
        typer.Argument(
            help="Study file (YAML), or a shipped one: demo, real, small, paper, learning, pythia-runs."
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


def finish(config: object, out: Path, quiet: bool) -> None:
    """Run, build the report, print Table 1, effects, verdicts and where the page is."""
    from mspgt.errors import StoppedError
    from mspgt.report import build_report, summary_lines
    from mspgt.report.accounts import where_lines
    from mspgt.report.effect_section import effect_lines
    from mspgt.report.functional import functional_lines
    from mspgt.report.predictions import verdict_lines
    from mspgt.report.replicated import replicated_lines
    from mspgt.study.config import StudyConfig
    from mspgt.study.run import run_study

    assert isinstance(config, StudyConfig)
    try:
        results = run_study(config, out, quiet=quiet)
    except KeyboardInterrupt:  # caught here, or the command-line library would answer with a bare word
        raise StoppedError(
            "stopped. Finished stages are kept; run the same command again to go on from them."
        ) from None
    page = build_report(out)
    for lines in (summary_lines, functional_lines, where_lines, replicated_lines, effect_lines):
        for line in lines(results):
            say(line)
    judged = {name: one for name, one in results["predictions"].items() if one["verdict"] != "not testable"}
    for line in verdict_lines({**results, "predictions": judged}):
        say(line)
    say(
        f"{len(judged)} of {len(results['predictions'])} predictions could be tested; the page has the reasons."
    )
    say(f"\nPage: {page.resolve()}")

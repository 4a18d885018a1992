"""`mspgt boundaries`: Experiment 1 on one or more models, without a study file."""

from __future__ import annotations

from typing import Annotated

import typer

from mspgt.cli.options import Corpus, Labels, Loading, Models, Running, grouped


@grouped
def boundaries(
    models: Models,
    corpus: Corpus,
    labels: Labels,
    *,
    tagger: Annotated[
        str | None, typer.Option(help="Without a treebank: silver labels by an installed spaCy pipeline.")
    ] = None,
    scales: Annotated[
        bool,
        typer.Option(
            "--scales/--no-scales",
            help="With a treebank: functional scales, of the model and of a random twin (minutes on a CPU).",
        ),
    ] = True,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="A first look, in minutes: 600 sentences, few labels, one small twin, no functional scales. The "
            "page says what was cut. --set takes single limits back.",
        ),
    ] = False,
    mode: Annotated[str | None, typer.Option(help="paper or calibrated: which one tables put first.")] = None,
    running: Running,
    loading: Loading,
) -> None:
    """Find the Local–Intermediate and Intermediate–Global boundaries, in both modes.

    Examples:

      mspgt boundaries Qwen/Qwen2.5-0.5B --corpus wiki.valid.raw

      mspgt boundaries Qwen/Qwen2.5-0.5B --corpus wiki.valid.raw --quick

      mspgt boundaries ./my-model --corpus text.txt --treebank en-train.conllu --treebank en-dev.conllu
        --treebank en-test.conllu --entities ner-train.iob2 --entities ner-test.iob2

      mspgt boundaries ./my-model --corpus text.txt --entities universalner/universal_ner:en_ewt
        --treebank universal-dependencies/universal_dependencies:en_ewt

      mspgt boundaries ./my-model --corpus text.txt --tagger en_core_web_sm
    """
    from mspgt.cli.quick import quick_study, run_quick

    functional = scales and bool(labels.treebank) and not quick
    data = quick_study(models, corpus, labels, loading, tagger=tagger, functional=functional, quick=quick)
    run_quick(data | ({} if mode is None else {"mode": mode}), running)

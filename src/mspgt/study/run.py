"""A study from its configuration to `results.json`: read this file top to bottom to know what happens.

1. Read the data; look at and check every model. Any fault ends the study here, before long work.
2. Hash the plan and claim the run folder.
3. Compute what is missing of every model and twin (stages.py), resuming from the store.
4. Decide (decide.py) and write `results.json`.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from mspgt.errors import MspgtError
from mspgt.results import DataProvenance, Notice, Provenance, Results
from mspgt.study.config import CorpusConfig, StudyConfig, TreebankConfig, load_config
from mspgt.study.decide import decide
from mspgt.study.jobs import Context, Job, run_jobs
from mspgt.study.plan import Plan, environment
from mspgt.study.progress import Bars, Display, Lines
from mspgt.study.stages import Data, Identity, addresses, require_measurable
from mspgt.study.store import write_json
from mspgt.synthetic.corpora import sample_corpus, sample_treebank
from mspgt.synthetic.triscale import TriScale
from mspgt.text.corpus import Corpus, load_corpus
from mspgt.text.treebank import Treebank, load_treebank

log = logging.getLogger("mspgt")


class Study:
    """Models × experiments, with one configuration and one run folder.

    Example:
        >>> Study.from_yaml("study.yaml").run("runs/mine")  # doctest: +SKIP
    """

    def __init__(self, config: StudyConfig) -> None:
        self.config = config

    @classmethod
    def from_yaml(cls, path: Path | str, overrides: tuple[str, ...] = ()) -> Study:
        """Read a study file; `overrides` are `section.key=value`."""
        return cls(load_config(path, overrides))

    def run(self, out: Path | str, *, quiet: bool = True) -> dict[str, Any]:
        """Run or resume the study in the folder `out`; returns what `results.json` holds."""
        return run_study(self.config, Path(out), quiet=quiet)


def run_study(config: StudyConfig, out: Path, *, quiet: bool = False) -> dict[str, Any]:
    """Run or resume a study; see the module docstring.

    Raises:
        MspgtError: bad input, before long work; or a stage failed, with everything finished kept in the store.
    """
    from mspgt.results import to_jsonable

    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    data, twin_data = read_data(config)
    workers = worker_count(config)
    plan, inspected = make_plan(config, out, data, twin_data, workers, quiet)
    plan.write(out)

    subjects = list(plan.subjects())
    by_label = {model.label: model for model in config.models}
    jobs = [Job(by_label[s.identity.label], s.identity, s.twin) for s, _ in subjects]
    todo = [
        job
        for job, (subject, part) in zip(jobs, subjects, strict=True)
        if not _finished(addresses(out, config, subject, part))
    ]
    if len(todo) < len(jobs):
        log.info("%d of %d models and twins are up to date", len(jobs) - len(todo), len(jobs))
    context = Context(out, config, data, twin_data)
    with display(len(todo), quiet) as shown:
        run_jobs(todo, context, min(workers, max(1, len(todo))), shown)

    models, warnings = {}, _data_warnings(data)
    for identity in plan.identities:
        log.info("%s: deciding", identity.label)
        result, notices = decide(plan, identity, out, *inspected[identity.label][1:])
        models[identity.label] = result
        warnings += notices
    results = Results(
        study={"name": config.name, "hash": plan.hash, "mode_default": config.mode},
        provenance=_provenance(plan, started, time.perf_counter() - clock),
        models=models,
        families={},
        predictions={},
        warnings=warnings,
    )
    content = to_jsonable(results)
    write_json(out / "results.json", content)
    return content


def make_plan(
    config: StudyConfig, out: Path, data: Data, twin_data: Data, workers: int, quiet: bool
) -> tuple[Plan, dict[str, tuple[Identity, list[dict[str, Any]], list[str]]]]:
    """Load and check every model once; raises before any measuring if one of them cannot be measured."""
    context = Context(out, config, data, twin_data)
    jobs = [Job(model) for model in config.models]
    with display(len(jobs), quiet) as shown:
        inspected = run_jobs(jobs, context, min(workers, len(jobs)), shown)
    identities = tuple(inspected[model.label][0] for model in config.models)
    return Plan(config, data, twin_data, identities), inspected


def read_data(config: StudyConfig) -> tuple[Data, Data]:
    """Corpus and treebank, for the models and (smaller) for the twins."""
    corpus, treebank, twins = config.corpus, config.treebank, config.twins
    limit = _least(corpus.max_sentences, twins.max_sentences)
    full = Data(
        _corpus(corpus, corpus.max_sentences, config.seed), _treebank(treebank, None, None, config.seed)
    )
    require_measurable(full)
    if not twins.seeds:
        return full, full
    smaller = _treebank(treebank, twins.max_train, twins.max_eval, config.seed)
    return full, Data(_corpus(corpus, limit, config.seed), smaller)


def _corpus(config: CorpusConfig, max_sentences: int | None, seed: int) -> Corpus:
    if config.format == "triscale":
        language = TriScale()
        documents = _least(config.max_documents, max_sentences and max_sentences // language.sentences) or 400
        return sample_corpus(language, documents, seed)
    return load_corpus(
        config.source,
        format=config.format,
        min_words=config.min_words,
        max_documents=config.max_documents,
        max_sentences=max_sentences,
    )


def _treebank(
    config: TreebankConfig | None, max_train: int | None, max_eval: int | None, seed: int
) -> Treebank | None:
    if config is None:
        return None
    if config.planted is not None:
        train, evaluation = _least(config.max_train, max_train), _least(config.max_eval, max_eval)
        size = evaluation or 1000
        return sample_treebank(TriScale(), seed, train=train or 2000, dev=size, test=size)
    return load_treebank(
        [Path(p) for p in config.conllu],
        entities=[Path(p) for p in config.entities],
        roles=[Path(p) for p in config.roles],
        max_train=_least(config.max_train, max_train),
        max_eval=_least(config.max_eval, max_eval),
        min_agreement=config.min_agreement,
    )


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def worker_count(config: StudyConfig) -> int:
    """Processes to use: as asked, else one a core on a CPU and one on a GPU."""
    import torch

    if config.run.workers is not None:
        return config.run.workers
    return 1 if torch.cuda.is_available() else max(1, os.cpu_count() or 1)


def display(subjects: int, quiet: bool) -> AbstractContextManager[Display]:
    console = Console(stderr=True)
    return Lines(subjects) if quiet or not console.is_terminal else Bars(console, subjects)


def _finished(where: Any) -> bool:
    return where.geometry.status().done and (where.probes is None or where.probes.status().done)


def _data_warnings(data: Data) -> list[Notice]:
    notices = []
    if len(data.corpus.documents) == 1:
        notices.append(
            Notice("provenance.data", "the corpus is one document", "no interval can be given: nothing to resample")
        )
    treebank = data.treebank
    if treebank is None:
        notices.append(Notice("models.*.signals.S2", "no treebank was given", "S2 is null; S1 and S3 stand alone"))
        return notices
    for task, why in treebank.off.items():
        notices.append(Notice(f"models.*.probes.{task}", f"task is off: {why}", "S2 is the mean over the others"))
    for why, count in treebank.dropped.items():
        if count:
            notices.append(Notice("provenance.data.treebank", f"{count} sentences: {why}", "left out"))
    return notices


def _provenance(plan: Plan, started: str, seconds: float) -> Provenance:
    import torch

    env = environment()
    corpus, treebank = plan.data.corpus, plan.data.treebank
    return Provenance(
        mspgt=env["mspgt"],
        torch=env["torch"],
        transformers=env["transformers"],
        python=env["python"],
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        dtype={i.label: i.dtype for i in plan.identities},
        seeds={"study": plan.config.seed, "twins": plan.config.twins.seeds},
        data=DataProvenance(
            name=corpus.name,
            sha256=corpus.sha256,
            documents=len(corpus.documents),
            sentences=corpus.n_sentences,
            treebank=None
            if treebank is None
            else {
                "name": treebank.name,
                "sha256": treebank.sha256,
                "sentences": {split: len(getattr(treebank, split)) for split in ("train", "dev", "test")},
                "tasks": treebank.tasks,
                "off": treebank.off,
                "dropped": treebank.dropped,
            },
        ),
        started=started,
        seconds=round(seconds, 1),
        hardware=f"{env['platform']}, {env['cores']} cores",
    )


__all__ = ["MspgtError", "Study", "run_study"]

"""A study from its configuration to `results.json`: read this file top to bottom to know what happens.

1. Read the data; look at and check every model. Any fault ends the study here, before long work.
2. Hash the plan and claim a place in the run folder, beside the plans that it holds already.
3. Compute what is missing of every model, twin (stages.py) and planted subject (controlling.py), from the store on.
4. Decide boundaries (decide.py), also on the mean of the runs of one configuration (replicates.py).
5. Carry out the parts that start from boundaries (parts.py).
6. Conclude on families and predictions (verdicts.py), and write `results.json`.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from mspgt.boundaries.scales import scales_of
from mspgt.errors import MspgtError, StoppedError, TerminatedError
from mspgt.results import (
    DataProvenance,
    ModelResult,
    Notice,
    Provenance,
    Results,
    StudyName,
    to_jsonable,
)
from mspgt.results.study import TreebankProvenance
from mspgt.study.config import StudyConfig
from mspgt.study.controlling import control_addresses, read_controls
from mspgt.study.cost import cost_of, peak_bytes
from mspgt.study.decide import decide
from mspgt.study.describe import expected, standing
from mspgt.study.engines import Workers, run_jobs
from mspgt.study.experiments import ROUNDS
from mspgt.study.jobs import Context, Inspection, Job, Trial, Work
from mspgt.study.kept import claim_stages, kept, use_stages
from mspgt.study.loading import load_config
from mspgt.study.lock import run_lock
from mspgt.study.parts import Given, Part, finished
from mspgt.study.plan import Plan, environment
from mspgt.study.progress import Bars, Display, Lines
from mspgt.study.reading import data_warnings, limits, read_data
from mspgt.study.replicates import judge_replicates, replicate_groups
from mspgt.study.spreading import spreads, subjects, waves
from mspgt.study.stages import Data
from mspgt.study.store import sweep, write_json
from mspgt.study.verdicts import conclude

log = logging.getLogger("mspgt")

Inspected = dict[str, Inspection]


class Study:
    """Models × experiments, with one configuration and one run folder.

    Example:
        >>> study = Study.from_yaml("demo", ("corpus.max_documents=20",))
        >>> study.config.corpus.max_documents, len(study.config.models)
        (20, 6)
        >>> results = study.run("runs/mine")  # doctest: +SKIP
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
        StoppedError: Ctrl-C. TerminatedError: the system ended it (SIGTERM). Both say what is kept.
    """
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    data, twin_data = read_data(config)
    plan = None
    try:
        with run_lock(out), ended_by_the_system():
            with Workers(worker_count(config)) as workers:
                plan, inspected = make_plan(config, out, data, twin_data, workers, quiet)
                results = _carry_on(plan, inspected, out, workers, quiet)
            results.provenance = replace(
                results.provenance,
                started=started,
                seconds=round(time.perf_counter() - clock, 1),
                peak_bytes=peak_bytes(),
            )
            content = to_jsonable(results)
            for folder in (kept(out, plan.hash).folder, out):
                write_json(folder / "results.json", content)
            return content
    except KeyboardInterrupt as stop:
        if config.run.on == "here":  # its workers have ended; those of a cluster may still be writing
            sweep(out)
        told = "finished stages are kept" if plan is None else standing(plan, out)
        kind, how = (TerminatedError, "ended") if isinstance(stop, Terminated) else (StoppedError, "stopped")
        raise kind(f"{how}. {told}; run the same command again to go on from there.") from None


def _carry_on(plan: Plan, inspected: Inspected, out: Path, workers: Workers, quiet: bool) -> Results:
    """From a plan to its results, but for the record of the run."""
    config, data = plan.config, plan.data
    groups = replicate_groups(config, plan.identities)
    other = plan.other(out)
    if other:
        log.info("%s also holds another plan, which is kept; it differs in:\n  %s", out, "\n  ".join(other))
    place = plan.write(out)
    context = Context(out, config, data, plan.twin_data)
    by_label = {model.label: model for model in config.models}
    todo: list[Job | Trial] = [
        Job(by_label[s.identity.label], s.identity, s.twin) for s, _ in plan.missing(out)
    ]
    todo += [Trial(*one) for one in control_addresses(out, config) if not one[1].status().done]
    if (out / "stages").is_dir():
        log.info("%s", standing(plan, out))
    if on_terminal(quiet):
        for line in expected(plan, out):
            log.info("%s", line)
    claim_stages(place, out, plan.used(out, underway=True))
    run_in_waves(todo, context, workers, quiet)
    models, findings, warnings = {}, {}, data_warnings(config, data)
    for identity in plan.identities:
        log.info("%s: deciding", identity.label)
        result, notices, found = decide(plan, identity, out, *inspected[identity.label][1:])
        models[identity.label], findings[identity.label] = result, found
        warnings += notices
    replicated, notices = judge_replicates(config, groups, findings)
    warnings += notices
    used = list(plan.used(out))
    for together in ROUNDS:
        asked = [part for part in together if getattr(config, part.name) is not None]
        made = [(part, *parted(part, plan, models, context)) for part in asked]
        ours = [
            address
            for part, jobs, _ in made
            for job in jobs
            for address in part.addresses(_given(context, job))
        ]
        claim_stages(place, out, ours)
        used += ours
        carry_out([(part, jobs) for part, jobs, _ in made], context, workers, quiet)
        for part, jobs, told in made:
            warnings += told + conclude_part(part, jobs, models, context)
    use_stages(place, out, used)
    families, predictions, told = conclude(config, models, len(data.corpus.documents))
    return Results(
        study=StudyName(config.name, plan.hash, config.mode),
        provenance=replace(_provenance(plan, models), cost=cost_of(used)),
        models=models,
        families=families,
        predictions=predictions,
        warnings=warnings + told,
        replicated=replicated,
        planted=read_controls(out, config),
    )


class Terminated(KeyboardInterrupt):
    """The system asked the process to end; stops the work as Ctrl-C does."""


@contextmanager
def ended_by_the_system() -> Iterator[None]:
    """Turn SIGTERM into `Terminated` while a study runs; only the main thread can, and elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what follows is short, and must not be cut
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def parted(
    part: Part, plan: Plan, models: dict[str, ModelResult], context: Context
) -> tuple[list[Job], list[Notice]]:
    """One part on every model that has three scales, and what is told of those that have not."""
    settings = {model.label: model for model in plan.config.models}
    asked = plan.config.interventions
    choice = "functional" if asked is None else asked.scales
    jobs: list[Job] = []
    notices: list[Notice] = []
    for identity in plan.identities:
        result = models[identity.label]
        scales = scales_of(
            identity.layers,
            result.boundaries,
            settings[identity.label].scales,
            choice=choice,
            functional=result.scales,
            phases=result.phases,
        )
        if scales is None:
            what = f"{counted_layers(identity.layers)}: three scales need at least three"
            notices.append(Notice(f"models.{identity.label}.{part.name}", what, f"{part.name} is null"))
            continue
        jobs.append(Job(settings[identity.label], identity, work=Work(part, result, scales)))
    return jobs, notices


def carry_out(
    together: Sequence[tuple[Part, list[Job]]], context: Context, workers: Workers, quiet: bool
) -> None:
    """Compute what is missing of the parts of a round, a model's parts side by side."""
    todo: list[Job] = []
    config = context.config
    with ExitStack() as serving:
        for part, jobs in together:
            missing = [job for job in jobs if not finished(part, _given(context, job))]
            if missing:
                config = serving.enter_context(part.serving(config))
            todo += missing
        # All of a model together, so that who has loaded it goes on with it.
        todo.sort(key=lambda job: job.model.label)
        run_in_waves(todo, replace(context, config=config), workers, quiet)


def conclude_part(
    part: Part, jobs: list[Job], models: dict[str, ModelResult], context: Context
) -> list[Notice]:
    """Set a part's fields of the results, from the store."""
    notices: list[Notice] = []
    for job in jobs:
        given = _given(context, job)
        found, told = part.decide(given)
        models[given.identity.label] = replace(models[given.identity.label], **found)
        notices += told
    return notices


def run_in_waves(jobs: Sequence[Job | Trial], context: Context, workers: Workers, quiet: bool) -> None:
    """Run jobs, first piece by piece where one model's work is spread over workers."""
    for wave in waves(jobs, context, spread=spreads(context.config, workers.count)):
        with display(len(wave), quiet) as shown:
            run_jobs(wave, context, workers, shown)


def _given(context: Context, job: Job) -> Given:
    assert job.identity is not None
    assert job.work is not None
    return context.given(job.identity, job.work)


def counted_layers(layers: int) -> str:
    return "one layer" if layers == 1 else f"{layers} layers"


def make_plan(
    config: StudyConfig, out: Path, data: Data, twin_data: Data, workers: Workers, quiet: bool
) -> tuple[Plan, Inspected]:
    """Load and check every model once; raises before any measuring if one of them cannot be measured."""
    context = Context(out, config, data, twin_data)
    jobs = [Job(model) for model in config.models]
    with display(len(jobs), quiet) as shown:
        inspected = run_jobs(jobs, context, workers, shown)
    identities = tuple(inspected[model.label][0] for model in config.models)
    return Plan(config, data, twin_data, identities), inspected


def worker_count(config: StudyConfig) -> int:
    """Processes to use: as asked, else one on a GPU, and on a CPU one a core, though no more than have a model each.

    Where one model's work is spread, no more copies of it are then in memory than there are of it and its twins.
    """
    import torch

    if config.run.workers is not None:
        return config.run.workers
    if torch.cuda.is_available():
        return 1
    cores = max(1, os.cpu_count() or 1)
    return cores if config.run.spread else min(cores, subjects(config))


def on_terminal(quiet: bool) -> bool:
    """Whether somebody watches."""
    return not quiet and Console(stderr=True).is_terminal


def display(subjects: int, quiet: bool) -> AbstractContextManager[Display]:
    return Bars(Console(stderr=True), subjects) if on_terminal(quiet) else Lines(subjects)


def _provenance(plan: Plan, models: dict[str, ModelResult]) -> Provenance:
    """All but what is known when the run has ended."""
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
            tokens=next(iter(models.values())).tokens["real_tokens"],
            language=corpus.language,
            scripts={script: round(share, 4) for script, share in corpus.scripts.items()},
            treebank=None
            if treebank is None
            else TreebankProvenance(
                name=treebank.name,
                sha256=treebank.sha256,
                language=treebank.language,
                sentences={split: len(getattr(treebank, split)) for split in ("train", "dev", "test")},
                tasks=list(treebank.tasks),
                labels=treebank.labels,
                off=dict(treebank.off),
                dropped=dict(treebank.dropped),
            ),
        ),
        started="",
        seconds=0.0,
        hardware=f"{env['platform']}, {env['cores']} cores",
        settings=plan.config.science(),
        limits=limits(plan.config, plan.data),
    )


__all__ = ["MspgtError", "Study", "run_study"]

"""Where subjects are computed: in this process, or in a few processes of one thread each.

On a CPU two one-thread processes beat one process of two threads. Work is handed out subject by subject (a model
or one of its twins); everything a worker finishes is in the store, so a worker that dies loses one stage shard.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mspgt.boundaries.scales import Scales
from mspgt.errors import ModelError, MspgtError
from mspgt.results import ModelResult
from mspgt.study.config import BUNDLED, ModelConfig, StudyConfig
from mspgt.study.parts import Given, Part
from mspgt.study.progress import Display
from mspgt.study.stages import Data, Identity, Subject, addresses, compute

# A model that predicts nothing yet (random weights) can be measured all the same; the report says so.
TOLERATED = {"predicts text"}


@dataclass(frozen=True)
class Work:
    """A part of the study to carry out on a model whose boundaries are decided."""

    part: Part
    result: ModelResult
    scales: Scales


@dataclass(frozen=True)
class Job:
    """One subject to measure, one part to carry out on a model, or (identity None) one model to check."""

    model: ModelConfig
    identity: Identity | None = None
    twin: int | None = None
    work: Work | None = None

    @property
    def name(self) -> str:
        if self.identity is None:
            return self.model.label
        subject = Subject(self.identity, self.twin).name
        return subject if self.work is None else f"{subject}, {self.work.part.name}"


@dataclass(frozen=True)
class Context:
    """What every job of a study shares."""

    root: Path
    config: StudyConfig
    data: Data
    twin_data: Data

    def given(self, identity: Identity, work: Work) -> Given:
        return Given(self.config, self.root, identity, self.data, work.result, work.scales)


class WorkerDied(MspgtError):
    """A worker process ended without saying why (killed, or out of memory)."""


def run_jobs(jobs: Sequence[Job], context: Context, workers: int, display: Display) -> dict[str, Any]:
    """Run all jobs; returns what each returned, by name.

    Raises:
        MspgtError: jobs failed; the others were run to their end and their results are in the store.
    """
    outcome = _inline(jobs, context, display) if workers == 1 else _pool(jobs, context, workers, display)
    failed = {name: value for name, value in outcome.items() if isinstance(value, MspgtError)}
    if failed:
        kind = type(next(iter(failed.values())))
        raise kind("\n".join(f"{name}: {error}" for name, error in failed.items()))
    return outcome


def _inline(jobs: Sequence[Job], context: Context, display: Display) -> dict[str, Any]:
    outcome: dict[str, Any] = {}
    loader = _Loader()
    for job in jobs:
        outcome[job.name] = _attempt(job, context, loader, _report_to(display.update, job.name))
        display.finish(job.name, _words(outcome[job.name]))
    return outcome


def _pool(jobs: Sequence[Job], context: Context, workers: int, display: Display) -> dict[str, Any]:
    ctx = multiprocessing.get_context("spawn")
    todo, events = ctx.Queue(), ctx.Queue()
    for number in range(len(jobs)):
        todo.put(number)
    count = min(workers, len(jobs))
    for _ in range(count):
        todo.put(None)
    threads = max(1, (os.cpu_count() or 1) // count)
    processes = [
        ctx.Process(target=_worker, args=(list(jobs), context, threads, todo, events), daemon=True)
        for _ in range(count)
    ]
    for process in processes:
        process.start()
    outcome: dict[str, Any] = {}
    holding: dict[int, str] = {}
    try:
        while len(outcome) < len(jobs):
            try:
                kind, pid, name, *rest = events.get(timeout=0.5)
            except queue.Empty:
                dead = [p for p in processes if p.exitcode not in (None, 0) and p.pid in holding]
                for process in dead:
                    name = holding.pop(process.pid or 0)
                    outcome[name] = WorkerDied(
                        f"its process ended with code {process.exitcode} (killed, or out of memory); stages "
                        "finished before are kept. Run the same command again, with fewer run.workers if "
                        "memory was short."
                    )
                    display.finish(name, "died")
                if all(p.exitcode is not None for p in processes) and events.empty():
                    for job in jobs:
                        outcome.setdefault(job.name, WorkerDied("no worker was left to run it"))
                continue
            if kind == "start":
                holding[pid] = name
            elif kind == "step":
                display.update(name, *rest)
            else:
                holding.pop(pid, None)
                outcome[name] = rest[0]
                display.finish(name, _words(rest[0]))
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(5)
    return outcome


def _words(value: Any) -> str:
    return "failed" if isinstance(value, MspgtError) else "done"


def _worker(jobs: list[Job], context: Context, threads: int, todo: Any, events: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    import torch

    torch.set_num_threads(threads)
    loader = _Loader()
    while (number := todo.get()) is not None:
        job = jobs[number]
        events.put(("start", os.getpid(), job.name))

        def step(done: int, total: int, stage: str, name: str = job.name) -> None:
            events.put(("step", os.getpid(), name, done, total, stage))

        events.put(("end", os.getpid(), job.name, _attempt(job, context, loader, step)))


def _attempt(job: Job, context: Context, loader: _Loader, report: Callable[[int, int, str], None]) -> Any:
    try:
        if job.identity is None:
            report(0, 1, "loading and checking")
            return loader.inspect(job.model)
        if job.work is not None:
            given = context.given(job.identity, job.work)
            job.work.part.compute(given, lambda: loader.subject(job.model, job.twin), report)
            return None
        data = context.data if job.twin is None else context.twin_data
        subject = Subject(job.identity, job.twin)
        where = addresses(context.root, context.config, subject, data)
        compute(context.config, subject, data, where, lambda: loader.subject(job.model, job.twin), report)
    except MspgtError as error:
        return error
    return None


def _report_to(update: Callable[[str, int, int, str], None], name: str) -> Callable[[int, int, str], None]:
    return lambda done, total, stage: update(name, done, total, stage)


def local_id(model: str) -> str:
    """The folder of a bundled model ("zoo:NAME"), verified; any other id as it is."""
    if not model.startswith(BUNDLED):
        return model
    from mspgt.zoo.bundled import path

    return str(path(model.removeprefix(BUNDLED)))


class _Loader:
    """Keeps the last model in memory: its twins come right after it."""

    def __init__(self) -> None:
        self._key: ModelConfig | None = None
        self._model: Any = None

    def trained(self, model: ModelConfig) -> Any:
        from transformers.utils.logging import disable_progress_bar

        from mspgt.lm.load import load

        if self._key != model:
            self._key = self._model = None
            source = local_id(model.id)
            if Path(source).is_dir():  # nothing to download, so nothing to wait for
                disable_progress_bar()
            self._model = load(
                source, **model.model_dump(exclude={"id", "name", "family", "scales", "steps", "run", "step"})
            )
            self._key = model
        return self._model

    def subject(self, model: ModelConfig, twin: int | None) -> Any:
        from mspgt.lm.twin import random_twin

        lm = self.trained(model)
        return lm if twin is None else random_twin(lm, twin)

    def inspect(self, model: ModelConfig) -> tuple[Identity, list[dict[str, Any]], list[str]]:
        """Identity, checks and loading notes of a model.

        Raises:
            ModelError: a check says that the model cannot be measured.
        """
        from mspgt.lm.check import check
        from mspgt.lm.identity import safe_name

        lm = self.trained(model)
        checks = check(lm)
        faults = [f"{c.name}: {c.reason}" for c in checks if c.ok is False and c.name not in TOLERATED]
        if faults:
            raise ModelError(
                f"cannot be measured faithfully. {'; '.join(faults)}. See `mspgt check {model.id}`."
            )
        identity = Identity(
            label=model.label,
            folder=safe_name(model.label),
            family=model.family or lm.family,
            revision=lm.revision,
            weights_sha256=lm.weights_sha256,
            dtype=str(lm.dtype).removeprefix("torch."),
            layers=lm.layers,
            width=lm.width,
            heads=lm.heads,
            parameters=lm.parameters,
            has_attention=lm.has_attention,
            no_attention=lm.no_attention,
        )
        return identity, [asdict(c) for c in checks], list(lm.notes)

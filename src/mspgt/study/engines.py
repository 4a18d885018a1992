"""Where jobs run: in this process, in a few processes of one thread each, or on a Ray cluster.

On a CPU two one-thread processes beat one process of two threads. Work is handed out job by job; everything a
worker finishes is in the store, so a worker that dies loses one stage shard. Processes stay for the whole run, since
reading a model can take as long as a task.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from mspgt.errors import MspgtError
from mspgt.study.backoff import carefully
from mspgt.study.jobs import Context, Job, Loader, Trial
from mspgt.study.progress import Display

WATCH = 0.5  # seconds between a worker's looks at whether its parent lives


class WorkerDied(MspgtError):
    """A worker process ended without saying why (killed, or out of memory)."""


class Workers:
    """Processes of a run, started when first needed; each keeps the model that it read last for its next task.

    With a count of one there is no process but this. On leaving the context all have ended.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._own = Loader()
        self._crew: _Crew | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        self._own = Loader()
        if self._crew is not None:
            self._crew.end(at_once=kind is not None)
            self._crew = None

    def run(self, jobs: Sequence[Job | Trial], context: Context, display: Display) -> dict[str, Any]:
        """What each job returned, by name: an error where it failed."""
        if self.count == 1:
            return self._here(jobs, context, display)
        if self._crew is not None and not self._crew.serves(context):
            self._crew.end()
            self._crew = None
        if self._crew is None:
            self._crew = _Crew(context)
        outcome = self._crew.run(jobs, context, min(self.count, len(jobs)), display)
        if not self._crew.alive:
            self._crew.end(at_once=True)  # with them what nobody took
            self._crew = None
        return outcome

    def _here(self, jobs: Sequence[Job | Trial], context: Context, display: Display) -> dict[str, Any]:
        outcome: dict[str, Any] = {}
        for job in jobs:
            outcome[job.name] = carefully(job, context, self._own, _report_to(display.update, job.name))
            display.finish(job.name, _words(outcome[job.name]))
        return outcome


def run_jobs(
    jobs: Sequence[Job | Trial], context: Context, workers: Workers, display: Display
) -> dict[str, Any]:
    """Run all jobs; returns what each returned, by name.

    Raises:
        MspgtError: jobs failed; the others were run to their end and their results are in the store.
    """
    if context.config.run.on == "ray":
        from mspgt.study.cluster import on_ray

        outcome = on_ray(jobs, context, display)
    else:
        outcome = workers.run(jobs, context, display)
    failed = {name: value for name, value in outcome.items() if isinstance(value, MspgtError)}
    if failed:
        kind = type(next(iter(failed.values())))
        raise kind("\n".join(f"{name}: {error}" for name, error in failed.items()))
    return outcome


class _Crew:
    """Processes that take tasks from one queue; the text lies in each, a task brings the settings."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._spawn = multiprocessing.get_context("spawn")
        self._todo, self._events = self._spawn.Queue(), self._spawn.Queue()
        self._processes: list[Any] = []

    @property
    def alive(self) -> list[Any]:
        return [process for process in self._processes if process.exitcode is None]

    def serves(self, context: Context) -> bool:
        """Whether its processes hold the text of a context."""
        held = self._context
        return held.root == context.root and held.data is context.data and held.twin_data is context.twin_data

    def run(
        self, jobs: Sequence[Job | Trial], context: Context, count: int, display: Display
    ) -> dict[str, Any]:
        threads = max(1, (os.cpu_count() or 1) // count)
        for job in jobs:
            self._todo.put((job, context.config, threads))
        self._processes = self.alive
        for _ in range(count - len(self._processes)):
            arguments = (self._context, os.getpid(), self._todo, self._events)
            process = self._spawn.Process(target=_worker, args=arguments, daemon=True)
            self._processes.append(process)
            process.start()
        outcome: dict[str, Any] = {}
        holding: dict[int, str] = {}
        while len(outcome) < len(jobs):
            try:
                kind, pid, name, *rest = self._events.get(timeout=0.5)
            except queue.Empty:
                self._bury(holding, outcome, display)
                if not self.alive and self._events.empty():
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
        return outcome

    def _bury(self, holding: dict[int, str], outcome: dict[str, Any], display: Display) -> None:
        """What a process held that ended is lost."""
        for process in [p for p in self._processes if p.exitcode not in (None, 0) and p.pid in holding]:
            name = holding.pop(process.pid or 0)
            outcome[name] = WorkerDied(
                f"its process ended with code {process.exitcode} (killed, or out of memory); stages "
                "finished before are kept. Run the same command again, with fewer run.workers if "
                "memory was short."
            )
            display.finish(name, "died")

    def end(self, at_once: bool = False) -> None:
        self._todo.cancel_join_thread()  # tasks that nobody takes any more are no reason to wait
        if not at_once:  # they end by themselves, and give back what they hold
            for _ in self.alive:
                self._todo.put(None)
            for process in self._processes:
                process.join(10)
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(5)


def _words(value: Any) -> str:
    return "failed" if isinstance(value, MspgtError) else "done"


def end_with_parent(parent: int) -> None:
    """End this process when the one that started it is gone, however it went: nobody would read its results."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _worker(context: Context, parent: int, todo: Any, events: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    end_with_parent(parent)
    import torch

    most = torch.get_num_threads()
    loader = Loader()
    while (task := todo.get()) is not None:
        job, config, threads = task
        torch.set_num_threads(min(most, threads))
        events.put(("start", os.getpid(), job.name))

        def step(done: int, total: int, stage: str, name: str = job.name) -> None:
            events.put(("step", os.getpid(), name, done, total, stage))

        outcome = carefully(job, replace(context, config=config), loader, step)
        events.put(("end", os.getpid(), job.name, outcome))


def _report_to(update: Callable[[str, int, int, str], None], name: str) -> Callable[[int, int, str], None]:
    return lambda done, total, stage: update(name, done, total, stage)

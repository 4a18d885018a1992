"""Where jobs run: in this process, in a few processes of one thread each, or on a Ray cluster.

On a CPU two one-thread processes beat one process of two threads. Work is handed out job by job; everything a
worker finishes is in the store, so a worker that dies loses one stage shard. Processes stay for the whole run, since
reading a model can take as long as a task.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.resource_tracker import ensure_running
from typing import Any

from mspgt.errors import MspgtError
from mspgt.study.backoff import carefully
from mspgt.study.jobs import Context, Job, Loader, Trial
from mspgt.study.progress import Display

_STOPS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 60  # seconds in which a worker that is asked to may end by itself: on a busy machine it takes many
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
    """Processes that each have a pipe to this one, which hands a task to whoever is free.

    Nothing is shared between them, so that one that is killed, at work or idle, keeps nobody waiting.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._members: dict[Connection, BaseProcess] = {}
        self._read: dict[Connection, object] = {}  # whose weights each has read last

    @property
    def alive(self) -> bool:
        return bool(self._members)

    def serves(self, context: Context) -> bool:
        """Whether its processes hold the text of a context."""
        held = self._context
        return held.root == context.root and held.data is context.data and held.twin_data is context.twin_data

    def run(
        self, jobs: Sequence[Job | Trial], context: Context, count: int, display: Display
    ) -> dict[str, Any]:
        """What each job returned, by name."""
        threads = max(1, (os.cpu_count() or 1) // count)
        waiting = deque(jobs)
        holding: dict[Connection, Job | Trial] = {}
        outcome: dict[str, Any] = {}
        self._hire(count)
        while len(outcome) < len(jobs):
            for pipe in [pipe for pipe in self._members if pipe not in holding][: len(waiting)]:
                job = _next(waiting, self._read.get(pipe))
                try:
                    pipe.send((job, context.config, threads))
                except OSError:  # it ended while it was idle
                    waiting.appendleft(job)
                    self._bury(pipe)
                    continue
                holding[pipe] = job
                self._read[pipe] = job.weights or self._read.get(pipe)
            if not self._members:
                for job in waiting:
                    outcome[job.name] = WorkerDied("no worker was left to run it")
                break
            ready = multiprocessing.connection.wait([*holding])
            for pipe in [pipe for pipe in holding if pipe in ready]:
                name = holding[pipe].name
                try:
                    kind, *rest = pipe.recv()
                except (EOFError, OSError):
                    del holding[pipe]
                    outcome[name] = WorkerDied(
                        f"its process ended with code {self._bury(pipe)} (killed, or out of memory); stages "
                        "finished before are kept. Run the same command again, with fewer run.workers if "
                        "memory was short."
                    )
                    display.finish(name, "died")
                    continue
                if kind == "step":
                    display.update(name, *rest)
                    continue
                del holding[pipe]
                outcome[name] = rest[0]
                display.finish(name, _words(rest[0]))
        return outcome

    def _hire(self, count: int) -> None:
        """Have at least so many processes, those aside that ended while they were idle."""
        for pipe in [pipe for pipe, process in self._members.items() if process.exitcode is not None]:
            self._bury(pipe)
        spawn = multiprocessing.get_context("spawn")
        for _ in range(count - len(self._members)):
            with unstopped():
                ours, theirs = spawn.Pipe()
                process = spawn.Process(target=_worker, args=(os.getpid(), theirs), daemon=True)
                process.start()
                theirs.close()  # so that its end is the end of the pipe
                self._members[ours] = process
            with suppress(OSError):  # it has ended already, which shows when it is handed a task
                ours.send(self._context)

    def _bury(self, pipe: Connection) -> int | None:
        """Forget a process that ended; returns its exit status."""
        process = self._members.pop(pipe)
        self._read.pop(pipe, None)
        pipe.close()
        process.join(5)
        return process.exitcode

    def end(self, at_once: bool = False) -> None:
        """End all processes; unless `at_once`, they give back what they hold first."""
        if not at_once:
            for pipe in self._members:
                with suppress(OSError):  # it has ended already
                    pipe.send(None)
            for process in self._members.values():
                process.join(PATIENCE)
        for process in self._members.values():
            process.terminate()
        for process in self._members.values():
            process.join(5)


def _next(waiting: deque[Job | Trial], read: object) -> Job | Trial:
    """Take the first that needs the weights somebody has read, else the first."""
    at = next((at for at, job in enumerate(waiting) if read is not None and job.weights == read), 0)
    job = waiting[at]
    del waiting[at]
    return job


def _words(value: Any) -> str:
    return "failed" if isinstance(value, MspgtError) else "done"


@contextmanager
def unstopped() -> Iterator[None]:
    """Start processes with Ctrl-C and a request to end put off until they are started.

    What they inherit holds it off from them too, from their first instruction: Ctrl-C is the parent's to handle, and
    a process that is stopped while it starts, or whose parent is, tells it as an error. (Windows has no such thing.)
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ensure_running()  # a helper process of the library, whose start would let signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent(parent: int) -> None:
    """End this process when the one that started it is gone, however it went: nobody would read its results."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def started() -> None:
    """Of a process begun while `unstopped`: from here it can be asked to end, by its parent and not by Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)


def _worker(parent: int, pipe: Connection) -> None:
    started()
    end_with_parent(parent)
    context = _asked(pipe)
    if context is None:
        return
    import torch

    most = torch.get_num_threads()
    loader = Loader()

    def tell(*event: Any) -> None:
        with suppress(ConnectionError):  # a parent that was killed; what is finished is kept
            pipe.send(event)

    while (task := _asked(pipe)) is not None:
        job, config, threads = task
        torch.set_num_threads(min(most, threads))
        tell("end", carefully(job, replace(context, config=config), loader, partial(tell, "step")))


def _asked(pipe: Connection) -> Any:
    """The next task; None where there is none any more, or nobody who would ask."""
    try:
        return pipe.recv()
    except (EOFError, ConnectionError):
        return None


def _report_to(update: Callable[[str, int, int, str], None], name: str) -> Callable[[int, int, str], None]:
    return lambda done, total, stage: update(name, done, total, stage)

"""Where jobs run: in this process, in a few processes of one thread each, or on a Ray cluster.

On a CPU two one-thread processes beat one process of two threads. Work is handed out job by job; everything a
worker finishes is in the store, so a worker that dies loses one stage shard.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from mspgt.errors import MspgtError
from mspgt.study.backoff import carefully
from mspgt.study.jobs import Context, Job, Loader, Trial
from mspgt.study.progress import Display

WATCH = 0.5  # seconds between a worker's looks at whether its parent lives


class WorkerDied(MspgtError):
    """A worker process ended without saying why (killed, or out of memory)."""


def run_jobs(jobs: Sequence[Job | Trial], context: Context, workers: int, display: Display) -> dict[str, Any]:
    """Run all jobs; returns what each returned, by name.

    Raises:
        MspgtError: jobs failed; the others were run to their end and their results are in the store.
    """
    if context.config.run.on == "ray":
        from mspgt.study.cluster import on_ray

        outcome = on_ray(jobs, context, display)
    elif workers == 1:
        outcome = _inline(jobs, context, display)
    else:
        outcome = _pool(jobs, context, workers, display)
    failed = {name: value for name, value in outcome.items() if isinstance(value, MspgtError)}
    if failed:
        kind = type(next(iter(failed.values())))
        raise kind("\n".join(f"{name}: {error}" for name, error in failed.items()))
    return outcome


def _inline(jobs: Sequence[Job | Trial], context: Context, display: Display) -> dict[str, Any]:
    outcome: dict[str, Any] = {}
    loader = Loader()
    for job in jobs:
        outcome[job.name] = carefully(job, context, loader, _report_to(display.update, job.name))
        display.finish(job.name, _words(outcome[job.name]))
    return outcome


def _pool(jobs: Sequence[Job | Trial], context: Context, workers: int, display: Display) -> dict[str, Any]:
    ctx = multiprocessing.get_context("spawn")
    todo, events = ctx.Queue(), ctx.Queue()
    for number in range(len(jobs)):
        todo.put(number)
    count = min(workers, len(jobs))
    for _ in range(count):
        todo.put(None)
    threads = max(1, (os.cpu_count() or 1) // count)
    processes = [
        ctx.Process(
            target=_worker, args=(list(jobs), context, threads, os.getpid(), todo, events), daemon=True
        )
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
        if len(outcome) == len(jobs):  # they end by themselves, and give back what they hold
            for process in processes:
                process.join(10)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(5)
    return outcome


def _words(value: Any) -> str:
    return "failed" if isinstance(value, MspgtError) else "done"


def end_with_parent(parent: int) -> None:
    """End this process when the one that started it is gone, however it went: nobody would read its results."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _worker(
    jobs: list[Job | Trial], context: Context, threads: int, parent: int, todo: Any, events: Any
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    end_with_parent(parent)
    import torch

    torch.set_num_threads(threads)
    loader = Loader()
    while (number := todo.get()) is not None:
        job = jobs[number]
        events.put(("start", os.getpid(), job.name))

        def step(done: int, total: int, stage: str, name: str = job.name) -> None:
            events.put(("step", os.getpid(), name, done, total, stage))

        events.put(("end", os.getpid(), job.name, carefully(job, context, loader, step)))


def _report_to(update: Callable[[str, int, int, str], None], name: str) -> Callable[[int, int, str], None]:
    return lambda done, total, stage: update(name, done, total, stage)

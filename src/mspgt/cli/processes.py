"""Work spread over processes, which end with the command that started them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any


def in_processes(count: int, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
    """A `map` over so many processes, with results in the order of the tasks; what a task raises is raised here.

    The processes leave Ctrl-C to this one, and end with it, however it ends.

    Raises:
        WorkerDied: one of them ended before its task.
    """
    from mspgt.study.engines import WorkerDied, unstopped

    before = multiprocessing.active_children()
    with unstopped():
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(count, spawn, initializer=_begin, initargs=(os.getpid(),))
        answers = [pool.submit(function, task) for task in tasks]
    try:
        for one in answers:
            yield one.result()
    except BrokenProcessPool as error:
        raise WorkerDied(
            f"one of {count} processes ended before its task (killed, or out of memory). Run the same command again, "
            "with fewer --workers if memory was short."
        ) from error
    finally:
        # What is still computed is nobody's, and the pool would wait for it.
        for child in multiprocessing.active_children():
            if child not in before:
                child.terminate()
        pool.shutdown(cancel_futures=True)


def _begin(parent: int) -> None:
    from mspgt.study.engines import end_with_parent, started

    started()
    end_with_parent(parent)

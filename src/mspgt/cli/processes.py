"""Work spread over processes of one thread each, which end with the command that started them."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any


def in_processes(count: int, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
    """A `map` over so many processes, with results in the order of the tasks; what a task raises is raised here.

    The processes leave Ctrl-C to this one, and end with it, however it ends.

    Raises:
        WorkerDied: one of them ended before its task.
    """
    from mspgt.study.engines import unstopped

    spawn = multiprocessing.get_context("spawn")
    members: dict[Connection, BaseProcess] = {}
    try:
        for _ in range(count):
            with unstopped():
                ours, theirs = spawn.Pipe()
                members[ours] = spawn.Process(target=_serve, args=(os.getpid(), theirs), daemon=True)
                members[ours].start()
                theirs.close()  # so that its end is the end of the pipe
        yield from _spread(members, function, tasks)
    finally:
        for one in members.values():
            one.terminate()
        for one in members.values():
            one.join(5)


def _spread(
    members: dict[Connection, BaseProcess], function: Callable[[Any], Any], tasks: Iterable[Any]
) -> Iterator[Any]:
    from mspgt.study.engines import WorkerDied

    waiting = enumerate(tasks)
    idle, holding = list(members), dict[Connection, int]()
    ready: dict[int, Any] = {}
    told = 0
    while True:
        while idle and (following := next(waiting, None)) is not None:
            pipe = idle.pop()
            holding[pipe], task = following
            with suppress(OSError):  # it has ended, which shows where its answer is read
                pipe.send((function, task))
        if not holding:
            return
        answering = multiprocessing.connection.wait([*holding])
        for pipe in [pipe for pipe in holding if pipe in answering]:
            try:
                error, ready[holding.pop(pipe)] = pipe.recv()
            except (EOFError, OSError):
                members[pipe].join(5)
                raise WorkerDied(
                    f"one of {len(members)} processes ended with code {members[pipe].exitcode} (killed, or out of "
                    "memory). Run the same command again, with fewer --workers if memory was short."
                ) from None
            if error is not None:
                raise error
            idle.append(pipe)
        while told in ready:
            yield ready.pop(told)
            told += 1


def _serve(parent: int, pipe: Connection) -> None:
    from mspgt.study.engines import end_with_parent, started

    started()
    end_with_parent(parent)
    while True:
        try:
            function, task = pipe.recv()
        except (EOFError, OSError):
            return
        answer: tuple[Exception | None, Any]
        try:
            answer = None, function(task)
        except Exception as error:  # noqa: BLE001 (it is raised where the task came from)
            answer = error, None
        with suppress(ConnectionError):  # a parent that was killed
            pipe.send(answer)

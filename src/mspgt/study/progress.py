"""What a waiting person sees: bars on a terminal, log lines elsewhere."""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

log = logging.getLogger("mspgt")

_LINE_EVERY = 20.0  # seconds between log lines of one subject within a stage


class Display(Protocol):
    """Follows subjects (a model or a twin) through their stages."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def update(self, subject: str, done: int, total: int, stage: str) -> None: ...
    def finish(self, subject: str, what: str = "done") -> None: ...


class Bars:
    """One bar for the study and one for each subject at work, with the stage, count and time left."""

    def __init__(self, console: Console, subjects: int) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.fields[subject]}", markup=True),
            TextColumn("{task.fields[stage]}", style="dim"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            transient=False,
        )
        self._all = self._progress.add_task("", subject="study", stage="models and twins", total=subjects)
        self._tasks: dict[str, tuple[TaskID, str]] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, subject: str, done: int, total: int, stage: str) -> None:
        task, current = self._tasks.get(subject, (None, ""))
        if task is None or current != stage:
            if task is not None:
                self._progress.remove_task(task)
            task = self._progress.add_task("", subject=_plain(subject), stage=stage, total=total)
            self._tasks[subject] = (task, stage)
        self._progress.update(task, completed=done, total=total)

    def finish(self, subject: str, what: str = "done") -> None:
        task, _ = self._tasks.pop(subject, (None, ""))
        if task is not None:
            self._progress.remove_task(task)
        self._progress.advance(self._all)


class Lines:
    """A log line when a subject enters a stage, and now and then within it."""

    def __init__(self, subjects: int) -> None:
        self._subjects, self._finished = subjects, 0
        self._seen: dict[str, tuple[str, float, float]] = {}  # stage, entered, last line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, subject: str, done: int, total: int, stage: str) -> None:
        now = time.monotonic()
        current, entered, last = self._seen.get(subject, ("", now, 0.0))
        if current != stage:
            entered, last = now, 0.0
        if now - last >= _LINE_EVERY:
            left = (now - entered) * (total - done) / done if done and current == stage else None
            tail = f", about {left:.0f} s left" if left else ""
            log.info("%s: %s %d/%d%s", subject, stage, done, total, tail)
            last = now
        self._seen[subject] = (stage, entered, last)

    def finish(self, subject: str, what: str = "done") -> None:
        self._finished += 1
        log.info("%s: %s (%d of %d)", subject, what, self._finished, self._subjects)


def _plain(text: str) -> str:
    """A name from outside, without markup."""
    return text.replace("[", r"\[")

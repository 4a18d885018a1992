"""What a job consists of: stages, or shards of them, in an order in which each finds what it starts from.

A job goes through its tasks one by one. Spread, those of a wave are taken by workers, side by side and whatever their
order, and the job does the rest; what a wave leaves lies in the store, where the next finds it. The numbers are the
same, because each task is a stage under its own address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mspgt.study.store import Address, StageResult
from mspgt.vocabulary import Progress


@dataclass(frozen=True)
class Piece:
    """Which task of a job: a stage, the number of its shard, and that of the context that it is measured in."""

    stage: str
    number: int | None = None
    context: int = 0

    def __str__(self) -> str:
        shard = "" if self.number is None else f" {self.number + 1}"
        beside = f" of context {self.context + 1}" if self.context else ""
        return f"{self.stage}{shard}{beside}"


@dataclass(frozen=True)
class Task:
    """A stage or a shard of one: where its result goes, and what makes it.

    wave: from 0, when workers can take it; None: the job itself does it, after all waves. twin: whose weights it
    needs.
    """

    piece: Piece
    address: Address
    make: Callable[[], StageResult]
    wave: int | None = None
    twin: int | None = None


Listing = Callable[[Progress], Iterable[Task]]  # the tasks of a job, for somebody who follows their progress


def fill(tasks: Iterable[Task], report: Progress) -> None:
    """Compute what is missing, in order."""
    told = ""
    for task in tasks:
        if not task.address.status().done:
            if task.piece.stage != told:
                report(0, 1, task.piece.stage)
            told = task.piece.stage
            task.address.fill(task.make)


def silent(done: int, total: int, what: str) -> None:
    """Progress that nobody follows."""

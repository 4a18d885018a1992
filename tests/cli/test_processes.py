"""A map over processes: what comes back is in order, or is the error, and no process stays."""

from __future__ import annotations

import multiprocessing
import os
import time

import pytest

from mspgt.cli.processes import in_processes
from mspgt.study.engines import WorkerDied


def test_results_come_in_the_order_of_the_tasks() -> None:
    slow_first = [range(3_000_000), range(3), range(4), range(5)]
    assert list(in_processes(2, sum, slow_first)) == [sum(one) for one in slow_first]
    assert multiprocessing.active_children() == []


def test_what_a_task_raises_is_raised_where_it_came_from() -> None:
    found = in_processes(1, int, ["1", "one", "2"])
    assert next(found) == 1
    with pytest.raises(ValueError, match="invalid literal"):
        next(found)
    assert multiprocessing.active_children() == []


def test_a_process_that_ends_before_its_task_is_an_error_and_keeps_nobody_waiting() -> None:
    with pytest.raises(WorkerDied, match="ended before its task"):
        list(in_processes(1, os._exit, [3]))
    assert multiprocessing.active_children() == []


def test_what_is_still_computed_is_not_waited_for() -> None:
    found = in_processes(2, time.sleep, [0, 600])
    assert next(found) is None
    found.close()
    assert multiprocessing.active_children() == []

"""Processes that stay for a whole run: one that is killed, idle or at work, keeps nobody waiting."""

import os
import signal
from collections import deque

import pytest

from mspgt.study.engines import WorkerDied, Workers, _next
from mspgt.study.jobs import Context, Job
from mspgt.study.reading import read_data
from tests.lm.tiny import tiny_model
from tests.study.small import study, write_corpus


class Watch:
    """A display that acts when the first job tells its first step."""

    def __init__(self, act=lambda: None):
        self.act, self.finished = act, []

    def update(self, *_):
        self.act()
        self.act = lambda: None

    def finish(self, name, words):
        self.finished.append((name, words))


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """Two models, and two folders whose reading never ends: nobody writes into the pipe that is their config."""
    folder = tmp_path_factory.mktemp("engines")
    models = [tiny_model(folder / name, "llama", layers=2) for name in ("one", "two")]
    for name in ("stuck", "held"):
        (folder / name).mkdir()
        os.mkfifo(folder / name / "config.json")
        models.append(folder / name)
    config = study(models, write_corpus(folder / "text.jsonl"))
    return Context(folder / "run", config, *read_data(config))


def killed(process):
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)


def started(workers, context):
    """Its processes, in the order in which they are handed tasks."""
    workers.run([Job(model) for model in context.config.models[:2]], context, Watch())
    return [*workers._crew._members.values()]


def test_a_worker_that_is_killed_while_it_waits_does_not_stop_the_others(context):
    jobs = [Job(model) for model in context.config.models[:2]]
    with Workers(2) as workers:
        first, second = started(workers, context)
        killed(first)
        outcome = workers.run(jobs, context, Watch())
        assert set(outcome) == {job.name for job in jobs}
        assert not any(isinstance(found, Exception) for found in outcome.values())
        now = [*workers._crew._members.values()]
        assert second in now  # it stayed, and another came
        assert len(now) == 2


def test_what_a_killed_worker_held_is_lost_and_the_rest_is_done(context):
    one, two, stuck, _ = (Job(model) for model in context.config.models)
    with Workers(2) as workers:
        # The first of them has taken the first task.
        shown = Watch(lambda: killed(next(iter(workers._crew._members.values()))))
        outcome = workers.run([stuck, one, two], context, shown)
        (second,) = workers._crew._members.values()
        assert {name for name, found in outcome.items() if isinstance(found, Exception)} == {"stuck"}
        assert "ended with code -9" in str(outcome["stuck"])
        assert set(outcome) == {"stuck", "one", "two"} == {name for name, _ in shown.finished}
    assert second.exitcode == 0  # it ended with the run, by itself


def test_where_no_worker_is_left_every_job_says_so(context):
    one, _, *never = (Job(model) for model in context.config.models)
    with Workers(2) as workers:

        def kill_all():
            for each in [*workers._crew._members.values()]:
                killed(each)

        outcome = workers.run([*never, one], context, Watch(kill_all))
        assert set(outcome) == {"stuck", "held", "one"}
        assert all(isinstance(found, WorkerDied) for found in outcome.values())
        assert "no worker was left" in str(outcome["one"])
        again = workers.run([one], context, Watch())  # with a process of its own
        assert not isinstance(again["one"], Exception)


def test_a_worker_goes_on_with_the_weights_that_it_has_read(context):
    one, two, *_ = context.config.models
    jobs = [Job(one), Job(two), Job(two, twin=0), Job(two)]
    waiting = deque(jobs)
    assert _next(waiting, (two, 0)) is jobs[2]
    assert _next(waiting, (two, None)) is jobs[1]
    assert _next(waiting, (one, 0)) is jobs[0]  # nobody's twin is left
    assert _next(waiting, None) is jobs[3]
    assert not waiting

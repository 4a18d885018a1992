"""Many jobs as waves of tasks that a worker can take by itself, where one model's work is spread over workers.

    measuring       norms of the layers ─► pairs of heads ─► probes, precision, each shard of documents   ─► the rest
    scales          the model, each random twin
    interventions   (norms, if they were lost) ─► dose audit ─► each shard of prompts, noise response     ─► the rest
    theory          each stage but sensitivity ─► each shard of sensitivity, beside the prompts

A model and its random twin are subjects of their own, so functional scales are always taken side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mspgt.study.config import StudyConfig
from mspgt.study.jobs import Context, Job, Trial
from mspgt.study.parts import finished
from mspgt.study.tasks import silent

WAVES = 3
FEW = 2  # subjects a worker


def spreads(config: StudyConfig, workers: int) -> bool:
    """Whether one model's work is spread over workers: as asked, else on Ray and where subjects are few."""
    run = config.run
    if run.spread is not None:
        return run.spread
    # Of more, whole ones keep all workers busy.
    return run.on == "ray" or (workers > 1 and subjects(config) <= FEW * workers)


def subjects(config: StudyConfig) -> int:
    """How many sets of weights are measured: models, and random twins of each."""
    return len(config.models) * (1 + config.twins.seeds)


def waves(jobs: Sequence[Job | Trial], context: Context, *, spread: bool) -> Iterator[list[Job | Trial]]:
    """The tasks of some jobs, wave by wave, and at last the jobs; a wave may start once the one before is done.

    Args:
        spread: also what `spreads` speaks of, and not only functional scales of a model and of its random twins.
    """
    by_wave: list[list[Job | Trial]] = [[] for _ in range(WAVES)]
    for job in jobs:
        if isinstance(job, Job):
            for wave, piece in _pieces(job, context, spread):
                by_wave[wave].append(piece)
    yield from filter(None, by_wave)
    rest = [job for job in jobs if not _done(job, context)]
    if rest:
        yield rest


def _pieces(job: Job, context: Context, spread: bool) -> Iterator[tuple[int, Job]]:
    """What of a job is missing and workers can take, each as a job of its own, and in which wave."""
    if job.identity is None:
        return
    if spread or (job.work is not None and job.work.part.side_by_side):
        for task in job.tasks(context)(silent):
            if task.wave is not None and not task.address.status().done:
                yield task.wave, replace(job, piece=task.piece, twin=task.twin)


def _done(job: Job | Trial, context: Context) -> bool:
    """Whether the tasks of a part have left nothing for it to do."""
    if isinstance(job, Trial) or job.identity is None or job.work is None:
        return False
    return finished(job.work.part, context.given(job.identity, job.work))

"""One model's work as many small tasks: shards of documents and of prompts, probes, each at home on any worker.

A job of one subject goes through its stages in order. Spread, those that do not wait for each other run side by side,
in waves; what a wave leaves lies in the store, where the next finds it. The job itself comes last and does the rest.
The numbers are those of the job alone, because each task is a stage under its own address.

    measuring       norms of the layers (and pairs of heads) ─► each shard of documents, probes, precision ─► the rest
    scales          the model, each random twin
    interventions   dose audit                               ─► each shard of prompts, noise response      ─► the rest
    theory          each stage but sensitivity               ─► each shard of sensitivity, beside the prompts

A model and its random twin are subjects of their own, so functional scales are always taken side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mspgt.study.config import StudyConfig
from mspgt.study.dosing import scales_address
from mspgt.study.identity import Identity, Subject
from mspgt.study.intervening import Interventions, places
from mspgt.study.jobs import Context, Job, Trial
from mspgt.study.parts import Given, finished
from mspgt.study.pieces import Piece
from mspgt.study.scaling import Scaling, by_twin
from mspgt.study.stages import Addresses, measured
from mspgt.study.theorizing import Theorizing

WAVES = 2
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
    """The tasks of some jobs, wave by wave, and at last the jobs; each wave is made when the one before is done.

    Args:
        spread: also what `spreads` speaks of, and not only functional scales of a model and of its random twins.
    """
    for wave in range(WAVES):
        found = [
            task
            for job in jobs
            if isinstance(job, Job) and job.identity is not None
            for task in _tasks(job, job.identity, context, wave, spread)
        ]
        if found:
            yield [*found]
    rest = [job for job in jobs if not _done(job, context)]
    if rest:
        yield rest


def _done(job: Job | Trial, context: Context) -> bool:
    """Whether the tasks of a part have left nothing for it to do."""
    if isinstance(job, Trial) or job.identity is None or job.work is None:
        return False
    return finished(job.work.part, context.given(job.identity, job.work))


def _tasks(job: Job, identity: Identity, context: Context, wave: int, spread: bool) -> Iterator[Job]:
    """What of a job is missing and can run now, each as a task of its own."""
    if job.work is not None and isinstance(job.work.part, Scaling):
        places = by_twin(context.given(identity, job.work)) if wave == 0 else []
        missing = [twin for twin, address in places if not address.status().done]
        yield from (replace(job, twin=twin, piece=Piece("functional")) for twin in missing)
    elif spread:
        yield from (replace(job, piece=one) for one in _pieces(job, identity, context, wave))


def _pieces(job: Job, identity: Identity, context: Context, wave: int) -> Iterator[Piece]:
    if job.work is None:
        data = context.data if job.twin is None else context.twin_data
        subject = Subject(identity, job.twin)
        for number, (_, where) in enumerate(measured(context.root, context.config, subject, data)):
            for stage, shard in _first(where) if wave == 0 else _side_by_side(where):
                yield Piece(stage, number, shard)
    elif isinstance(job.work.part, Theorizing):
        stages = job.work.part.stages(context.given(identity, job.work))
        for number, (stage, _, address) in enumerate(stages):
            if wave == (stage == "sensitivity") and not address.status().done:
                yield Piece(stage, 0, number)
    elif isinstance(job.work.part, Interventions):
        yield from _of_interventions(context.given(identity, job.work), wave)


def _first(where: Addresses) -> Iterator[tuple[str, int | None]]:
    """What all shards start from."""
    needed = [where.scales, *([] if where.pairing is None else [where.pairing])]
    if not where.geometry.status().done and not all(one.status().done for one in needed):
        yield "scales", None


def _side_by_side(where: Addresses) -> Iterator[tuple[str, int | None]]:
    """The longest first, so that no worker is left alone with it."""
    for stage, other in (("probes", where.probes), ("precision", where.precision)):
        if other is not None and not other.status().done:
            yield stage, None
    if not where.geometry.status().done:
        for shard, (_, address) in enumerate(where.shards):
            if not address.status().done:
                yield "observe", shard


def _of_interventions(given: Given, wave: int) -> Iterator[Piece]:
    where = places(given)
    if not scales_address(given).status().done:  # damaged since; the job itself makes them again
        return
    if wave == 0:
        if where.audit is not None and not all(address.status().done for address in where.audit):
            yield Piece("audit")
        return
    for number, address in enumerate(where.texts):
        if not address.status().done:
            yield Piece("texts", 0, number)
    if where.response is not None and not where.response.status().done:
        yield Piece("response")

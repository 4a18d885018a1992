"""Jobs on a Ray cluster: one task a job, or a task a shard, on any machine that sees the run folder.

The store is the only channel for results, so the run folder must lie on a disk that all machines share, and
models must be ids of the Hub or folders on such a disk. A task that Ray starts again after a machine was lost
goes on from the store.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from queue import Empty
from typing import Any

from mspgt.errors import InputError, MspgtError
from mspgt.study.backoff import carefully
from mspgt.study.jobs import Context, Job, Loader, Trial
from mspgt.study.progress import Display

# Ray takes 127.0.0.1 for a slip and listens on every address, unless clusters of several machines are switched off.
LOOPBACK, ALONE = "127.0.0.1", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
STARTS = 3  # tries
RETRIES = 2  # of a task whose machine or process was lost


def on_ray(jobs: Sequence[Job | Trial], context: Context, display: Display) -> dict[str, Any]:
    """Run all jobs on the cluster of RAY_ADDRESS, or on a local one; returns what each returned, by name.

    Raises:
        InputError: Ray is not installed.
    """
    named = bool(os.environ.get("RAY_ADDRESS"))
    if not named:
        os.environ.setdefault(ALONE, "0")  # read when Ray is imported
    try:
        import ray
        from ray.util.queue import Queue
    except ImportError as error:
        raise InputError(
            f"run.on is 'ray', but Ray cannot be imported ({error}). Install it with: pip install 'mspgt[ray]'."
        ) from error
    ours = not ray.is_initialized()
    if ours:
        # A cluster of our own is for this machine alone: nothing of it listens to the network.
        alone = {} if named else {"_node_ip_address": LOOPBACK}
        _start(ray, alone)
    try:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

        # Beside the driver: on a machine that is lost it would take the tasks of all others with it.
        here = On(ray.get_runtime_context().get_node_id(), soft=False)
        events = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
        gpus = _gpus(context.config.run.gpus, ray.cluster_resources().get("GPU", 0))
        task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=RETRIES)(_task)
        shared = ray.put((list(jobs), context))
        waiting = {task.remote(shared, number, events): job.name for number, job in enumerate(jobs)}
        outcome: dict[str, Any] = {}
        while waiting:
            done, _ = ray.wait(list(waiting), timeout=0.5)
            _show(events, display)
            for reference in done:
                name = waiting.pop(reference)
                try:
                    outcome[name] = ray.get(reference)
                except ray.exceptions.RayError as error:
                    outcome[name] = MspgtError(
                        f"its task ended on the cluster after {RETRIES} retries: {error}. Stages finished before are "
                        "kept; run the same command again."
                    )
                display.finish(name, "failed" if isinstance(outcome[name], MspgtError) else "done")
        return outcome
    finally:
        if ours:
            ray.shutdown()


def _start(ray: Any, alone: dict[str, str]) -> None:
    """Start Ray, or join the cluster of RAY_ADDRESS; again where a busy machine was too slow for Ray's own patience.

    Raises:
        MspgtError: it was too slow every time.
    """
    for _ in range(STARTS):
        try:
            ray.init(log_to_driver=False, include_dashboard=False, logging_level="warning", **alone)
            return
        except Exception as error:  # Ray raises nothing narrower
            if "timed out during startup" not in str(error):
                raise
            ray.shutdown()
    raise MspgtError(
        f"Ray did not start within its own limits in {STARTS} tries: the machine is too busy. Nothing is lost; run "
        "the same command again when it is less so, or without run.on."
    )


def _gpus(asked: float | None, there: float) -> float:
    """GPUs that a task asks for.

    Raises:
        InputError: more than the cluster has, so that it would wait for ever.
    """
    if asked is not None and asked > there:
        raise InputError(
            f"run.gpus: a task asks for {asked:g} GPUs, and the cluster has {there:g}. Ask for fewer."
        )
    return float(there > 0) if asked is None else asked


def _show(events: Any, display: Display) -> None:
    while True:
        try:
            display.update(*events.get_nowait())
        except Empty:
            return


@cache
def _loader() -> Loader:
    """The model of a worker, which may be handed its next shard."""
    return Loader()


def _task(shared: tuple[list[Job | Trial], Context], number: int, events: Any) -> Any:
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    jobs, context = shared
    job = jobs[number]
    return carefully(
        job,
        context,
        _loader(),
        lambda done, total, stage: events.put_nowait((job.name, done, total, stage)),
    )

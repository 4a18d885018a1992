"""Out of memory in the middle of a batch: smaller batches, and on from what is finished.

Noise is keyed by text and batch sizes enter no key, so that what was computed before stays, what comes after lies
where it would have lain, and results differ by rounding alone.
"""

from __future__ import annotations

import gc
import logging
from dataclasses import replace

from mspgt.errors import MspgtError, NumericsError
from mspgt.study.config import StudyConfig
from mspgt.study.jobs import Context, Inspection, Job, Loader, Trial, attempt
from mspgt.vocabulary import Progress

log = logging.getLogger("mspgt")

LEAST = {"measure.batch_tokens": 16, "theory.gradient_tokens": 16, "interventions.batch_rows": 1}


def carefully(
    job: Job | Trial, context: Context, loader: Loader, report: Progress
) -> Inspection | MspgtError | None:
    """Do one job (see `attempt`); where memory runs out, again with batches of half the size, as often as it takes.

    Returns what `attempt` does; NumericsError among it, where memory runs out with the smallest batches too, or where
    there are none: a check holds a model and one text of its own, a planted subject no model at all.
    """
    batched = isinstance(job, Job) and job.identity is not None
    while True:
        try:
            return attempt(job, context, loader, report)
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            told = str(error).splitlines()[0] if str(error) else type(error).__name__
        # Only here are the tensors gone that the error still held.
        _let_go()
        smaller = _halved(context.config) if batched else None
        if smaller is None:
            where = "with the smallest batches" if batched else "before the first batch"
            return NumericsError(
                f"out of memory {where} ({told}). Stages finished before are kept: use fewer "
                "run.workers, a smaller dtype, or a machine with more memory, and run the same command again."
            )
        log.warning("%s: out of memory (%s); going on with batches of half the size", job.name, told)
        context = replace(context, config=smaller)


def _out_of_memory(error: Exception) -> bool:
    import torch

    # On a CPU torch has no class for it.
    words = str(error)
    return (
        isinstance(error, MemoryError | torch.OutOfMemoryError)
        or "can't allocate memory" in words
        or "not enough memory" in words
    )


def _let_go() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _halved(config: StudyConfig) -> StudyConfig | None:
    """The configuration with every batch at most half as large; None where none can be made smaller."""
    changes = {}
    for path, least in LEAST.items():
        name, key = path.split(".")
        section = getattr(config, name)
        if section is not None and (size := getattr(section, key)) > least:
            changes[name] = section.model_copy(update={key: max(least, size // 2)})
    return config.model_copy(update=changes) if changes else None

"""Sensitivity to noise as stages of few texts each: what a stop leaves is kept, and workers share the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mspgt.study.store import StageResult
from mspgt.study.theory_stages import REFUSALS, Shared
from mspgt.text.limits import evenly_spread

TEXTS = 8  # of a shard; numbers do not depend on it but for rounding
_BY_TEXT = ("tokens", "document", "fisher", "empirical", "kl", "loss")


def shards(texts: int) -> list[range]:
    """Places among the chosen texts, by shard."""
    return [range(first, min(first + TEXTS, texts)) for first in range(0, texts, TEXTS)]


def sensitivity(shared: Shared, shard: range) -> StageResult:
    """Fisher traces, Hessian, slopes and arms of the texts of a shard; empty where the corpus has not so many."""
    from mspgt.theory.fisher import measure_sensitivity

    theory = shared.theory
    document = np.repeat(
        np.arange(len(shared.corpus.documents)), [len(d.sentences) for d in shared.corpus.documents]
    )
    try:
        usable = [place for place, text in enumerate(shared.encoded) if len(text.ids) > 2]
        chosen = evenly_spread(usable, theory.texts)
        _, owners = np.unique(document[chosen], return_inverse=True)
        own = [place for place in shard if place < len(chosen)]
        if chosen and not own:
            return StageResult(meta={"empty": True})

        def step(done: int, total: int, what: str) -> None:
            # Of all texts, not of the shard, so that the time left is that of the whole.
            each = total // len(own)
            shared.report(each * shard.start + done, each * len(chosen), what)

        found = measure_sensitivity(
            shared.model(),
            [shared.encoded[chosen[place]] for place in own],
            owners[own].tolist(),
            shared.scales.std[1:],
            numbers=own,
            sigmas=theory.sigmas,
            arms={name: tuple(layers) for name, layers in shared.given.scales.items()},
            arm_sigma=theory.arm_sigma,
            draws=theory.noise_draws,
            label_draws=theory.label_draws,
            hessian_draws=theory.hessian_draws,
            batch_tokens=theory.gradient_tokens,
            seed=shared.seed,
            progress=step,
        )
    except REFUSALS as error:
        return StageResult(meta={"missing": str(error)})
    arrays = {name: getattr(found, name) for name in (*_BY_TEXT, "std", "sigmas")}
    if found.hessian is not None:
        arrays["hessian"] = found.hessian
    arrays |= {f"arm.{name}": values for name, values in found.arms.items()}
    meta = {
        "arm_layers": {name: list(layers) for name, layers in found.arm_layers.items()},
        "arm_sigma": found.arm_sigma,
        "hessian_missing": found.missing.get("hessian", ""),
    }
    return StageResult(arrays, meta)


def joined(parts: Sequence[StageResult]) -> StageResult:
    """All texts of one model; what refused one shard refuses the whole."""
    for part in parts:
        if "missing" in part.meta:
            return part
    known = [part for part in parts if not part.meta.get("empty")]
    first = known[0]
    by_text = [name for name in first.arrays if name in (*_BY_TEXT, "hessian") or name.startswith("arm.")]
    together = {name: np.concatenate([part.arrays[name] for part in known]) for name in by_text}
    return StageResult({**first.arrays, **together}, first.meta)

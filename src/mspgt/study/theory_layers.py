"""Two stages of the theory by layer: how far attention reaches, and what each layer is worth (equations 26, 27)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError
from mspgt.results import to_jsonable
from mspgt.study.parts import Given
from mspgt.study.store import StageResult
from mspgt.study.theory_intervals import weights_of, with_interval
from mspgt.study.theory_stages import REFUSALS, Shared
from mspgt.text.limits import evenly_spread

Array = NDArray[np.float64]
Block = dict[str, Any]

# Weights of the scale that a layer belongs to, and of the other two: the paper names none.
ACTIVE, OTHER = 0.1, 1.0
ORDER = ("global", "intermediate", "local")  # G, I, L


def reach(shared: Shared) -> StageResult:
    """Mean attended distance of windows of running text."""
    from mspgt.lm.reading import read
    from mspgt.theory.reach import attention_reach

    theory, measure = shared.theory, shared.given.config.measure
    try:
        reading = read(
            shared.model(),
            [document.sentences for document in shared.corpus.documents],
            start=measure.start,
            window=theory.reach_window,
            too_long="cut",
        )
        sizes = [len(document.sentences) for document in shared.corpus.documents]
        document = np.repeat(np.arange(len(sizes)), sizes)
        owners = [int(document[own[0]]) for own in reading.members()]
        long = [at for at, one in enumerate(reading.sequences) if len(one.ids) > theory.reach_window // 2]
        chosen = evenly_spread(long, theory.reach_windows)
        found = attention_reach(
            shared.model(),
            [reading.sequences[at] for at in chosen],
            shared.scales,
            window=theory.reach_window,
            sink_ratio=measure.sink_ratio,
            batch_tokens=measure.batch_tokens,
            progress=shared.report,
        )
    except REFUSALS as error:
        return StageResult(meta={"missing": str(error)})
    return StageResult({"distance": found, "document": np.array([owners[at] for at in chosen])})


def reach_block(given: Given, result: StageResult) -> Block:
    """`theory.reach`."""
    assert given.config.theory is not None
    theory = given.config.theory
    block: Block = {
        "units": "tokens back, over layers 1..L",
        "estimator": "mean distance of what a query attends to, heads together and sinks left out; queries from the "
        f"middle of windows of {theory.reach_window} tokens on, windows of one document together",
        "window": theory.reach_window,
        "layers": None,
        "mean": None,
    }
    if missing := result.meta.get("missing"):
        return {**block, "reason": missing}
    distance = result.arrays["distance"]
    names, owners = np.unique(result.arrays["document"], return_inverse=True)
    by_document = np.stack([np.nanmean(distance[owners == at], axis=0) for at in range(len(names))])
    if not np.isfinite(by_document).all():
        return {**block, "reason": "in some document all attention of a layer goes to sinks"}
    weights = weights_of(given, len(names))

    def layers(w: Array | None) -> Array:
        return np.asarray(by_document.mean(0) if w is None else w @ by_document / w.sum(1)[:, None])

    def mean(w: Array | None) -> Array:
        whole = by_document.mean(1)[:, None]
        return np.asarray(by_document.mean() if w is None else (w @ whole / w.sum(1)[:, None])[:, 0])

    return block | {
        "windows": len(distance),
        "documents": len(names),
        "layers": with_interval(layers, weights),
        "mean": with_interval(mean, weights),
    }


def values(shared: Shared) -> StageResult:
    """One H-VIB a layer."""
    from mspgt.theory.layer_value import block_values

    theory = shared.theory
    try:
        found = block_values(
            list(shared.components.projected[1:]),
            shared.states.following,
            shared.states.document,
            layer_weights(shared.given),
            steps=theory.value_steps,
            draws=theory.draws,
            seed=shared.seed,
            progress=shared.report,
        )
    except REFUSALS as error:
        return StageResult(meta={"missing": str(error)})
    return StageResult(meta=to_jsonable(asdict(found)))


def layer_weights(given: Given) -> Array:
    """β of G, I and L at every layer, (layers, 3): low for the scale that the layer belongs to."""
    scales = dict(given.scales.items())
    found = np.full((given.identity.layers, 3), OTHER)
    for at, name in enumerate(ORDER):
        found[[layer - 1 for layer in scales[name]], at] = ACTIVE
    if not (found == ACTIVE).any(1).all():
        raise InputError("some layer belongs to no scale")
    return found


def values_block(given: Given, result: StageResult) -> Block:
    """`theory.values`."""
    block: Block = {
        "units": "nats a token, over layers 1..L",
        "estimator": "objective of an H-VIB trained on each layer for the next token, on documents held out; weight "
        f"{ACTIVE:g} for the scale of the layer and {OTHER:g} for the others",
        "value": None,
        "source": given.scales.source,
    }
    if missing := result.meta.get("missing"):
        return {**block, "reason": missing}
    return {
        **block,
        **{key: result.meta[key] for key in ("value", "ci", "kl")},
        "weights": layer_weights(given).tolist(),
        "switches": result.meta["switches"],
    }

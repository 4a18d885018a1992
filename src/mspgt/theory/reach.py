"""Effective attention length: how many tokens back the words of a layer come from.

The paper expects lower β_G of models with "more efficient long-range mechanisms" and measures neither. Here: the mean
distance of what a query attends to, heads together and sinks left out, over queries in the later half of a window of
fixed length, where there is something to reach for. It grows with the window, which must be the same for all models.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mspgt.errors import InputError, ModelError
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import observe
from mspgt.lm.tokenize import Encoded, batches
from mspgt.signals.measure import Scales, norm_ratios
from mspgt.vocabulary import Progress

Array = NDArray[np.float64]

LEAST_MASS = 1e-6  # of attention beside sinks, for a query to have a distance


def attended_distance(weights: ArrayLike, keys: ArrayLike) -> Array:
    """How far back each query attends on average, (..., queries).

    Args:
        weights: (..., queries, keys) attention, a key the same token as the query of its number.
        keys: (..., keys) which of them count; the rest of the weights is scaled to sum to one.
    """
    kept = np.asarray(weights, dtype=np.float64) * np.asarray(keys, dtype=np.float64)[..., None, :]
    mass = kept.sum(-1)
    place = np.arange(kept.shape[-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        back = place[: kept.shape[-2]] - (kept @ place) / mass
    return np.where(mass > LEAST_MASS, back, np.nan)


def attention_reach(
    lm: LanguageModel,
    windows: Sequence[Encoded],
    scales: Scales,
    *,
    window: int,
    sink_ratio: float,
    batch_tokens: int,
    progress: Progress | None = None,
) -> Array:
    """Mean distance in tokens, of every window and layer, (windows, layers); NaN where all attention goes to sinks.

    Args:
        windows: what is read at a time (`mspgt.lm.reading.read`), each longer than half of `window`.
        window: tokens; queries from the half of it on are asked.
        sink_ratio: a token whose norm exceeds so many medians of some layer is a sink.

    Raises:
        ModelError: the model shows no attention.
        InputError: no window.
    """
    if not lm.has_attention:
        raise ModelError(f"the attention of {lm.name} cannot be seen: {lm.no_attention}")
    if not windows:
        raise InputError(
            f"no window has more than {window // 2} tokens: give documents of running text that long"
        )
    found = np.full((len(windows), lm.layers), np.nan)
    done = 0
    for batch in batches(windows, max_tokens=batch_tokens):
        mask = batch.attention_mask.bool()
        seen = observe(lm, batch)
        assert seen.attention is not None
        sink = norm_ratios(seen.hidden, mask, scales.median_norm) > sink_ratio
        keys = (mask & ~sink).numpy()
        asked = keys.copy()
        asked[:, : window // 2] = False
        for layer, weights in enumerate(seen.attention):
            back = np.where(asked, attended_distance(weights.cpu().numpy(), keys), np.nan)
            held = np.isfinite(back)
            total, count = np.where(held, back, 0.0).sum(1), held.sum(1)
            found[batch.indices, layer] = np.divide(
                total, count, out=np.full(len(total), np.nan), where=count > 0
            )
        done += len(mask)
        if progress is not None:
            progress(done, len(windows), "effective attention length, windows")
    return found

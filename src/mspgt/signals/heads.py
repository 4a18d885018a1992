"""S3 head by head: which head of a layer goes on as which of the next, and how far each pair drifts apart.

The mean over heads hides heads that change places with one another; matching them first does not. Heads are matched
once for a transition, on a sample of the corpus, so that every sentence is measured against the same pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import observe
from mspgt.lm.reading import Reading
from mspgt.lm.tokenize import Encoded, batches
from mspgt.signals.attention import attention_drift
from mspgt.signals.measure import Scales, columns, norm_ratios

Pairing = NDArray[np.int64]


def match_heads(
    lm: LanguageModel,
    encoded: Sequence[Encoded] | Reading,
    scales: Scales,
    *,
    sample: int,
    sink_ratio: float,
    batch_tokens: int,
) -> Pairing:
    """The pairing of heads with the least total drift at every transition, `(layers−1, heads)`.

    Entry [l−1, h] is the head of block l+1 that goes with head h of block l. Drift is summed over about `sample`
    sentences spread evenly, over words that are no sinks (the calibrated columns). Costs heads² divergences a
    position.
    Reference: Hungarian assignment (Kuhn 1955).
    """
    assert lm.heads is not None
    cost = torch.zeros((lm.layers - 1, lm.heads, lm.heads), dtype=torch.float64)
    reading = encoded if isinstance(encoded, Reading) else Reading.of(encoded)
    for batch in batches(reading.spread(sample), max_tokens=batch_tokens):
        mask = batch.attention_mask.bool()
        hidden = observe(lm, batch, attention=False).hidden
        sink = norm_ratios(hidden, mask, scales.median_norm) > sink_ratio
        kept = columns(batch, mask, sink)["calibrated"].to(lm.device)
        earlier: list[torch.Tensor] = []

        def see(
            layer: int,
            weights: torch.Tensor,
            earlier: list[torch.Tensor] = earlier,
            kept: torch.Tensor = kept,
        ) -> None:
            heads = weights.shape[1]
            if layer > 1:
                for shift in range(heads):
                    partner = (torch.arange(heads, device=weights.device) + shift) % heads
                    pair = torch.stack([earlier[0].flatten(0, 1), weights[:, partner].flatten(0, 1)])
                    rows = kept.repeat_interleave(heads, 0)
                    drift = attention_drift(pair, rows, rows)[0][:, 0].view(-1, heads).nansum(0)
                    cost[layer - 2, torch.arange(heads), partner.cpu()] += drift.double().cpu()
            earlier[:] = [weights]

        observe(lm, batch, attention=False, on_heads=see)
    return np.stack([linear_sum_assignment(table)[1] for table in cost.numpy()])

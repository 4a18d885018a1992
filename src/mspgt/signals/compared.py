"""What S1 compares: the residual stream as it is, or as the next block sees it."""

from __future__ import annotations

import torch

RAW, RMS, AS_READ, STANDARDISED = "raw", "rms", "as_read", "standardised"
METRICS = (RAW, RMS, AS_READ, STANDARDISED)


def rms_normalised(states: torch.Tensor, *, subtract_mean: bool) -> torch.Tensor:
    """h / rms(h) for each token, (tokens, width); with its mean removed first where the norms are LayerNorms.

    What the next block reads, up to its gains. One token cannot outweigh the others, however large its activations.
    Computed in the precision of `states`, or in float32 where that is less. A token that is 0 stays 0.
    """
    x = states.to(torch.promote_types(states.dtype, torch.float32))
    if subtract_mean:
        x = x - x.mean(-1, keepdim=True)
    rms = torch.linalg.vector_norm(x, dim=-1, keepdim=True) / x.shape[-1] ** 0.5
    return x / torch.where(rms > 0, rms, torch.ones_like(rms))

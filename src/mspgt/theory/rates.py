"""Rates of the scales, and what they buy: the rate–distortion curve of an H-VIB (equations 19–22).

The "const" of equation 19 is none: exactly

    E KL(q(z_s | x, z_<s) ‖ p(z_s | z_<s)) = I_q(z_s; x | z_<s) + KL(q_agg(z_s | z_<s) ‖ p(z_s | z_<s))

with q_agg the posterior averaged over x. The second term, the gap, is how badly the prior fits; it is reported, so
that a KL is never read as information without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mspgt.errors import InputError
from mspgt.theory.hvib import HVIB, moved

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rates:
    """One point of the curve, in nats an example: `kl`, `information` and `gap` (3,) of G, I, L; `distortion`.

    information is a lower bound that cannot exceed log(examples); `bounded` says of each scale whether it comes
    within one nat of it, where the gap is overstated.
    """

    beta: float
    kl: Array
    information: Array
    gap: Array
    distortion: float
    bounded: NDArray[np.bool_]


@torch.no_grad()
def information_and_gap(
    model: HVIB, context: Tensor, evidence: Sequence[Tensor], noise: Sequence[Tensor], chunk: int = 64
) -> tuple[Array, Array]:
    """I_q(z_s; x | z_<s) and the gap of each scale, (3,) each, over the examples as the whole population.

    Args:
        context, evidence: as in `HVIB.terms`; every example is held against every other.
        noise: of each scale (1, examples, width): one draw of the latents an example.

    Raises:
        InputError: fewer than 16 examples.
    """
    n = len(evidence[0])
    if n < 16:
        raise InputError(f"Information of a posterior needs at least 16 examples, found {n}.")
    information, gap = np.zeros((2, 3))
    for start in range(0, n, chunk):
        mine = slice(start, min(start + chunk, n))
        drawn = [each[0, mine] if each.shape[1] > 1 else each[0].expand(n, -1)[mine] for each in noise]
        parents: list[Tensor] = []
        joint = torch.zeros((len(drawn[0]), n), dtype=drawn[0].dtype)
        for scale in range(3):
            own = torch.cat([*parents, evidence[scale][mine]], dim=-1)
            posterior = model.posteriors[scale](own)
            z = moved(posterior, drawn[scale])
            above = context[mine] if scale == 0 else parents[-1]
            prior = model.priors[scale](above).log_prob(z)
            # Every latent under the posterior of every example, its own parents given.
            others = torch.cat(
                [
                    *(parent[:, None].expand(-1, n, -1) for parent in parents),
                    evidence[scale][None].expand(len(z), -1, -1),
                ],
                dim=-1,
            )
            each = model.posteriors[scale](others).log_prob(z[:, None])
            before = torch.logsumexp(joint, 1)
            joint = joint + each
            marginal = torch.logsumexp(joint, 1) - before
            information[scale] += float((posterior.log_prob(z) - marginal).sum())
            gap[scale] += float((marginal - prior).sum())
            parents.append(z)
    return information / n, gap / n


def rates_of(
    beta: float, kl: Tensor, reconstruction: Tensor, information: Array, gap: Array, examples: int
) -> Rates:
    """A point of the curve from per-example terms (examples, 3) and (examples,)."""
    return Rates(
        beta=beta,
        kl=kl.mean(0).double().cpu().numpy(),
        information=information,
        gap=gap,
        distortion=-float(reconstruction.mean()),
        bounded=information.cumsum() > np.log(examples) - 1,
    )

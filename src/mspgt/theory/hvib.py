"""The hierarchical variational information bottleneck of equations 1 and 9–18, as a module.

    p(X, G, I, L | C) = p(G | C) p(I | G) p(L | I) p(X | G, I, L)                                    (9)
    q(G, I, L | C, X) = q(G | C, X) q(I | G, C, X) q(L | I, G, C, X)                                (10)
    objective = E_q log p(X | G, I, L) − Σ_s β_s KL_s                                          (1, 14–18)

Every factor is Gaussian. KLs are exact given the parents; expectations over parents are nested: sampled, or (where
everything is linear) taken over cubature points, which are exact for quadratics. At β = 1 the objective is the ELBO.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from mspgt.errors import InputError, NumericsError

# p(X | G, I, L) by example: from the latents (points, examples, widths) of G, I and L to (points, examples) nats.
Gaussian = MultivariateNormal | Independent
LogLikelihood = Callable[[Tensor, Tensor, Tensor], Tensor]


class Network(nn.Module):
    """N(f(inputs), diag g(inputs)²) with one hidden layer; without hidden units f and log g are linear."""

    def __init__(self, inputs: int, width: int, hidden: int = 64) -> None:
        super().__init__()
        body = [nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, 2 * width)] if hidden else None
        self.body = nn.Sequential(*(body or [nn.Linear(inputs, 2 * width)]))

    def forward(self, inputs: Tensor) -> Independent:
        mean, log_scale = self.body(inputs).chunk(2, dim=-1)
        return Independent(Normal(mean, log_scale.clamp(-8, 4).exp()), 1)


class Standard(nn.Module):
    """N(0, 1) in every dimension: a prior without parents and parameters."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, inputs: Tensor) -> Independent:
        zero = inputs.new_zeros((*inputs.shape[:-1], self.width))
        return Independent(Normal(zero, torch.ones_like(zero)), 1)


@dataclass(frozen=True)
class Terms:
    """Parts of the objective by example, in nats: `reconstruction` (examples,), `kl` (examples, 3) for G, I, L."""

    reconstruction: Tensor
    kl: Tensor

    def objective(self, betas: Sequence[float] | Tensor = (1.0, 1.0, 1.0)) -> Tensor:
        """Equation 18; the ELBO (17) at β = 1. (examples,)"""
        return self.reconstruction - self.kl @ torch.as_tensor(betas).to(self.kl)


class HVIB(nn.Module):
    """Priors p(G | C), p(I | G), p(L | I) and posteriors q(G | C, X), q(I | G, C, X), q(L | G, I, C, X).

    Each is a module from its inputs to a Gaussian with reparametrised samples. The inputs of a posterior are its
    parents, in the order G, I, followed by the evidence of its scale (what it sees of C and X).
    """

    def __init__(self, priors: Sequence[nn.Module], posteriors: Sequence[nn.Module]) -> None:
        super().__init__()
        if len(priors) != 3 or len(posteriors) != 3:
            raise InputError("An H-VIB has three scales: give priors and posteriors of G, I and L.")
        self.priors, self.posteriors = nn.ModuleList(priors), nn.ModuleList(posteriors)

    def terms(
        self,
        context: Tensor,
        evidence: Sequence[Tensor],
        log_likelihood: LogLikelihood,
        noise: Sequence[Tensor],
        inflation: Sequence[float] = (1.0, 1.0, 1.0),
    ) -> Terms:
        """Reconstruction and KLs at given noise.

        Args:
            context: (examples, c) what the prior of G sees; c may be 0.
            evidence: of each scale (examples, e), what its posterior sees of C and X.
            log_likelihood: log p(X | G, I, L).
            noise: of each scale (points, examples or 1, width): equally weighted standard normal points.
            inflation: of each scale, a factor on the variance of its posterior (1: none); measures β̂.
        """
        points, examples = noise[0].shape[0], len(evidence[0])
        parents: list[Tensor] = []
        kls = []
        for scale in range(3):
            own = torch.cat([*parents, evidence[scale].expand(points, examples, -1)], dim=-1)
            posterior = _inflated(self.posteriors[scale](own), inflation[scale])
            above = context.expand(points, examples, -1) if scale == 0 else parents[-1]
            kls.append(kl_divergence(posterior, self.priors[scale](above)).mean(0))
            parents.append(moved(posterior, noise[scale]))
        value = log_likelihood(*parents).mean(0)
        return Terms(value, torch.stack(kls, dim=-1))


def sampled(points: int, examples: int, widths: Sequence[int], generator: torch.Generator) -> list[Tensor]:
    """Antithetic standard normal noise of each scale, (points, examples, width); `points` even."""
    half = [torch.randn((points // 2, examples, width), generator=generator) for width in widths]
    return [torch.cat([each, -each]) for each in half]


def fit_sampled(
    loss: Callable[[], Tensor], parameters: Sequence[Tensor], *, steps: int, rate: float = 3e-3
) -> float:
    """Minimise a sampled loss by Adam with a rate that falls to zero; returns its mean over the last tenth."""
    optimizer = torch.optim.Adam(list(parameters), lr=rate)
    last: list[float] = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, 20 * (step + 1) / steps) * (1 - step / steps)
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        if step >= 0.9 * steps:
            last.append(float(value.detach()))
    return _finite(sum(last) / max(len(last), 1))


def _finite(value: float) -> float:
    if value != value or value in (float("inf"), float("-inf")):
        raise NumericsError(
            "Training the H-VIB diverged (its objective is not finite). Lower the learning rate."
        )
    return value


def _inflated(posterior: Gaussian, factor: float) -> Gaussian:
    if factor == 1.0:
        return posterior
    if isinstance(posterior, MultivariateNormal):
        return MultivariateNormal(posterior.loc, scale_tril=posterior.scale_tril * factor**0.5)
    base = posterior.base_dist
    return Independent(Normal(base.loc, base.scale * factor**0.5), 1)


def moved(posterior: Gaussian, noise: Tensor) -> Tensor:
    """Mean plus scale times noise."""
    if isinstance(posterior, MultivariateNormal):
        return posterior.loc + (posterior.scale_tril @ noise[..., None])[..., 0]
    return posterior.base_dist.loc + posterior.base_dist.scale * noise

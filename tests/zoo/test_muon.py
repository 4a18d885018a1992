"""The optimiser's update is nearly orthogonal, and it minimises."""

import pytest
import torch

from mspgt.zoo.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 24, 8), (2, 8, 24)])
def test_updates_have_singular_values_near_one_and_keep_their_directions(shape):
    batch = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    u, s, v = torch.linalg.svd(orthogonal(batch), full_matrices=False)
    assert s.min() > 0.5
    assert s.max() < 1.3
    u, _, v = torch.linalg.svd(batch, full_matrices=False)
    assert (
        torch.linalg.matrix_norm(orthogonal(batch) - u @ v) < 0.35 * torch.linalg.matrix_norm(u @ v)
    ).all()


def test_it_finds_a_rotation():
    generator = torch.Generator().manual_seed(1)
    target, _ = torch.linalg.qr(torch.randn(12, 12, generator=generator))
    weight = torch.nn.Parameter(torch.zeros(12, 12))
    tall = torch.nn.Parameter(torch.zeros(20, 12))
    optimiser = Muon([weight, tall], lr=0.1)
    for step in range(300):
        optimiser.param_groups[0]["lr"] = 0.1 * (1 - step / 300)
        loss = ((weight - target) ** 2).sum() + ((tall[:12] - 2 * target) ** 2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.05

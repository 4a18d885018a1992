"""The loop resumes exactly, and refuses what it cannot go on with."""

import dataclasses

import pytest
import torch

from mspgt.errors import NumericsError, StoreError
from mspgt.zoo.architecture import build
from mspgt.zoo.fitting import fit
from mspgt.zoo.recipes import Recipe

PLAN = Recipe("qwen2", seed=3, layers=2, width=16, inner=16, heads=2, kv_heads=1, steps=9, warmup=2)


def run(state, plan=PLAN, scale=1.0, **options):
    model = build(plan, 20)

    def loss_at(step):
        tokens = torch.randint(20, (2, 8), generator=torch.Generator().manual_seed(step))
        return scale * model(tokens, labels=tokens).loss

    return fit(model, plan, loss_at, state, **options), model


def test_a_killed_run_goes_on_as_if_unbroken(tmp_path):
    whole, one = run(tmp_path / "whole.state")
    seen = []
    part, _ = run(tmp_path / "part.state", until=4, progress=lambda *said: seen.append(said))
    rest, two = run(tmp_path / "part.state")
    assert part == whole[:4]
    assert rest == whole
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert [s[:2] for s in seen] == [(i, 9) for i in range(1, 5)]
    assert not list(tmp_path.glob("*.partial"))


def test_another_recipes_state_is_refused(tmp_path):
    run(tmp_path / "a.state", until=1)
    with pytest.raises(StoreError, match="another recipe"):
        run(tmp_path / "a.state", plan=Recipe("qwen2", 4, 2, 16, 16, 2, 1))


def test_a_damaged_state_is_refused(tmp_path):
    run(tmp_path / "a.state", until=1)
    whole = (tmp_path / "a.state").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"not a state"):
        (tmp_path / "a.state").write_bytes(damaged)
        with pytest.raises(StoreError, match="not a whole"):
            run(tmp_path / "a.state")


def test_a_loss_that_is_not_finite_is_an_error(tmp_path):
    with pytest.raises(NumericsError, match="step 0"):
        run(tmp_path / "a.state", scale=float("nan"))
    assert not (tmp_path / "a.state").exists()


def test_checkpoints_are_announced_at_their_steps(tmp_path):
    steps = []
    run(tmp_path / "a.state", plan=dataclasses.replace(PLAN, checkpoints=(2, 5)), at_checkpoint=steps.append)
    assert steps == [2, 5]


def test_seeds_decide_the_initial_weights():
    one, same, other = (build(p, 20) for p in (PLAN, PLAN, dataclasses.replace(PLAN, seed=4)))
    assert torch.equal(one.model.layers[1].mlp.up_proj.weight, same.model.layers[1].mlp.up_proj.weight)
    assert not torch.equal(one.model.layers[1].mlp.up_proj.weight, other.model.layers[1].mlp.up_proj.weight)
    assert (one.model.norm.weight == 1).all()
    assert (one.model.layers[0].self_attn.q_proj.bias == 0).all()

"""Fisher traces against exact Jacobians, closed forms and the slopes they predict."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from calibration.oracles.softmax_head import SoftmaxHead
from torch.nn.attention import SDPBackend, sdpa_kernel

from mspgt.errors import InputError, ModelError
from mspgt.lm.tokenize import batches, encode
from mspgt.theory.fisher import (
    SIGMA_RANGE,
    draw_labels,
    measure_sensitivity,
    places,
    score,
    squared_gradients,
    targets,
)
from mspgt.theory.passes import passes
from mspgt.theory.shifts import frozen, logits_of, shifted

TEXTS = ["The old man rowed.", "She laughed.", "Nobody knew why."]


def exact_traces(lm, encoded, std, labels=None):
    """tr F and tr H of every layer of one text by full Jacobians and Hessians, times std²."""
    batch = next(batches([encoded], max_tokens=1000))
    where, (valid, data) = places(batch), targets(batch, lm.device)
    fisher, hessian = [], []
    for layer in range(1, lm.layers + 1):
        shape = (*batch.input_ids.shape, lm.width)

        def logp(shift, layer=layer, shape=shape):
            with shifted(lm.blocks, {layer: shift.view(shape)}):
                return torch.log_softmax(logits_of(lm, batch), -1)[0]

        def loss(shift, logp=logp):
            picked = logp(shift).gather(-1, data[0][:, None])[:, 0]
            return -(picked * valid[0]).sum()

        flat = torch.zeros(int(np.prod(shape)))
        keep = where[..., None].expand(shape).flatten()
        with frozen(lm.model), sdpa_kernel(SDPBackend.MATH):  # the fast kernels have no second derivative
            p = logp(flat).exp()
            jacobian = torch.autograd.functional.jacobian(logp, flat)  # (T, V, T·d)
            curvature = torch.autograd.functional.hessian(loss, flat)
        squares = jacobian.square()[..., keep].sum(-1)
        fisher.append(float((p * squares * valid[0][:, None]).sum()) * std[layer - 1] ** 2)
        hessian.append(float(torch.diagonal(curvature)[keep].sum()) * std[layer - 1] ** 2)
    return np.array(fisher), np.array(hessian)


@pytest.fixture(scope="module")
def measured(tiny_lm):
    lm = tiny_lm("gpt2", layers=2)
    encoded = encode(lm, ["She laughed."])
    std = np.array([0.7, 1.3])
    many = measure_sensitivity(
        lm, encoded, [0], std, sigmas=(0.02, 0.04), draws=100, label_draws=500, hessian_draws=120,
        arms={"all": (1, 2)}, arm_sigma=0.02,
    )  # fmt: skip
    return lm, encoded, std, many


def test_traces_and_slopes_against_exact_jacobians(measured):
    lm, encoded, std, found = measured
    fisher, hessian = exact_traces(lm, encoded[0], std)
    assert np.allclose(found.fisher[0], fisher, rtol=0.06)
    assert np.allclose(found.hessian[0], hessian, atol=0.2 * np.abs(fisher).max())
    slope = 2 * found.kl[0] / found.sigmas[:, None] ** 2
    assert np.allclose(slope, fisher, rtol=0.06)
    assert np.allclose(found.zero_noise(found.kl) * found.tokens[0], fisher, rtol=0.06)


def test_the_loss_slope_follows_the_data_hessian_not_the_fisher_trace(measured):
    lm, encoded, std, found = measured
    fisher, hessian = exact_traces(lm, encoded[0], std)
    slope = found.zero_noise(found.loss) * found.tokens[0]
    assert np.allclose(slope, hessian, atol=0.1 * np.abs(fisher).max())
    assert np.abs(hessian - fisher).max() > 0.2 * np.abs(fisher).max()  # the two differ, so the test can tell


def test_an_arm_costs_the_sum_of_its_layers(measured):
    *_, found = measured
    kl = found.per_token(found.arms["all"])[0]
    assert kl == pytest.approx(float(found.predicted("all")), rel=0.1)


def test_empirical_fisher_is_the_squared_gradient_of_the_data(measured):
    lm, encoded, std, found = measured
    batch = next(batches(encoded, max_tokens=1000))
    valid, labels = targets(batch, lm.device)
    zero = torch.zeros((*batch.input_ids.shape, lm.width), requires_grad=True)
    with frozen(lm.model), shifted(lm.blocks, {1: zero}):
        (gradient,) = torch.autograd.grad(score(logits_of(lm, batch), labels, valid).sum(), [zero])
    expected = float((gradient.square().sum(-1) * places(batch)).sum()) * std[0] ** 2
    assert found.empirical[0, 0] == pytest.approx(expected, rel=1e-5)


def test_drawn_labels_follow_the_softmax():
    logits = torch.tensor([[[0.0, 1.0, -2.0, 0.5]]]).expand(1, 20_000, 4)
    uniform = torch.rand((1, 20_000), generator=torch.Generator().manual_seed(0))
    share = torch.bincount(draw_labels(logits, uniform)[0], minlength=4) / 20_000
    assert torch.allclose(share, torch.softmax(logits[0, 0], -1), atol=0.012)


def test_nothing_depends_on_batches(tiny_lm):
    lm = tiny_lm("llama", layers=3)
    encoded = encode(lm, TEXTS)
    settings = {"sigmas": (0.05,), "arms": {"a": (1, 2)}, "seed": 3}
    one = measure_sensitivity(lm, encoded, [0, 0, 1], np.ones(3), batch_tokens=8, **settings)
    all_ = measure_sensitivity(lm, encoded, [0, 0, 1], np.ones(3), batch_tokens=512, **settings)
    for name in ("fisher", "empirical", "kl", "loss"):
        assert np.allclose(getattr(one, name), getattr(all_, name), rtol=2e-3, atol=1e-5), name
    assert np.allclose(one.arms["a"], all_.arms["a"], rtol=2e-3, atol=1e-5)


def test_texts_in_shards_get_the_noise_that_they_get_together_and_every_pass_is_told(tiny_lm):
    lm = tiny_lm("llama", layers=3)
    encoded = encode(lm, TEXTS)
    told = []

    def measured(places, progress=None):
        return measure_sensitivity(
            lm, [encoded[place] for place in places], [0] * len(places), np.ones(3), numbers=places,
            sigmas=(0.05, 0.1), arms={"a": (1, 2)}, seed=3, batch_tokens=8, progress=progress,
        )  # fmt: skip

    whole = measured([0, 1, 2], lambda *step: told.append(step))
    parts = [measured([0]), measured([1, 2])]
    for name in ("fisher", "empirical", "hessian", "kl", "loss"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.allclose(joined, getattr(whole, name), rtol=2e-3, atol=1e-5), name
    alone = measure_sensitivity(
        lm, encoded[1:], [0, 0], np.ones(3), sigmas=(0.05, 0.1), seed=3, batch_tokens=8
    )
    assert not np.allclose(alone.kl, parts[1].kl, rtol=2e-3)  # numbered from 0, they are other texts
    assert told[-1][0] == told[-1][1]
    assert len(told) >= 3 * (1 + 8 + 3 + 1)  # one gradient, eight directions, three layers and an arm


def test_no_noise_and_no_gradient_at_bos_or_padding(tiny_lm):
    lm = tiny_lm("llama", layers=3)
    batch = next(batches(encode(lm, TEXTS), max_tokens=1000))
    where = places(batch)
    assert not where[:, 0].any()
    assert int(where.sum()) == int(batch.attention_mask.sum()) - len(TEXTS)
    valid, labels = targets(batch, lm.device)
    assert int(valid.sum()) == int(batch.attention_mask.sum()) - len(TEXTS)
    assert labels[0, 0] == batch.input_ids[0, 1]


def test_weights_keep_their_gradient_flags_and_blocks_their_hooks(tiny_lm):
    lm = tiny_lm("llama", layers=3)
    measure_sensitivity(lm, encode(lm, TEXTS[:1]), [0], np.ones(3), sigmas=(0.1,))
    assert all(w.requires_grad for w in lm.model.parameters())
    assert not any(block._forward_hooks for block in lm.blocks)


def test_bfloat16_reports_no_hessian(tiny_lm):
    lm = tiny_lm("llama", layers=3, dtype=torch.bfloat16)
    found = measure_sensitivity(lm, encode(lm, TEXTS[:1]), [0], np.ones(3), sigmas=(0.1,))
    assert found.hessian is None
    assert "rounding" in found.missing["hessian"]
    assert np.isfinite(found.fisher).all()


@pytest.mark.filterwarnings("ignore")
def test_a_quantised_model_without_gradient_is_refused(tiny_lm):
    lm = tiny_lm("llama", layers=3)
    quantised = torch.ao.quantization.quantize_dynamic(lm.model, {torch.nn.Linear}, dtype=torch.qint8)
    broken = replace(lm, model=quantised, blocks=quantised.model.layers)
    with pytest.raises(ModelError, match="No gradient"):
        measure_sensitivity(broken, encode(lm, TEXTS[:1]), [0], np.ones(3))


@pytest.mark.parametrize("sigmas", [(0.0,), (0.7,), ()])
def test_noise_outside_the_range_is_refused(tiny_lm, sigmas):
    lm = tiny_lm("llama", layers=3)
    with pytest.raises(InputError, match="relative noise"):
        measure_sensitivity(lm, encode(lm, TEXTS[:1]), [0], np.ones(3), sigmas=sigmas)


def test_passes_are_counted_as_made(tiny_lm):
    lm = tiny_lm("llama", layers=3)
    calls = Counter()

    def count(module, inputs, output):
        calls["forward"] += 1
        if output.logits.requires_grad:
            output.logits.register_hook(lambda _: calls.update(["backward"]))

    handle = lm.model.register_forward_hook(count)
    encoded = encode(lm, TEXTS)
    measure_sensitivity(
        lm,
        encoded,
        [0, 1, 2],
        np.ones(3),
        sigmas=(0.05, 0.1),
        arms={"a": (1,)},
        draws=2,
        hessian_draws=3,
        batch_tokens=1,
    )
    handle.remove()
    forward, backward = passes(3, 3, 2, 1, draws=2, hessian_draws=3)
    assert calls == {"forward": forward, "backward": backward}


def test_softmax_head_closed_form():
    rng = np.random.default_rng(0)
    head = SoftmaxHead(rng.standard_normal((30, 8)), rng.standard_normal(30))
    h = torch.from_numpy(rng.standard_normal((1, 8))).expand(40_000, 1, 8).clone()
    exact = float(head.fisher_trace(h[:1, 0].numpy())[0])
    h.requires_grad_()
    logits = h @ torch.from_numpy(head.weights).T + torch.from_numpy(head.bias)
    everywhere = torch.ones(40_000, 1, dtype=torch.bool)
    labels = draw_labels(logits, torch.rand((40_000, 1), generator=torch.Generator().manual_seed(1)))
    traces = squared_gradients(score(logits, labels, everywhere), [h], everywhere, retain=False)
    assert float(traces.mean()) == pytest.approx(exact, rel=0.03)


def test_texts_without_a_predicted_token_are_refused_and_the_ends_of_the_range_are_not(tiny_lm):
    lm = tiny_lm("llama", layers=3)
    whole = encode(lm, TEXTS[:1])
    (short,) = (replace(one, ids=one.ids[:1]) for one in whole)
    for texts in ([], [short], [*whole, short]):
        with pytest.raises(InputError, match="at least two tokens"):
            measure_sensitivity(lm, texts, [0] * len(texts), np.ones(3))
    found = measure_sensitivity(
        lm, whole, [0], np.ones(3), sigmas=SIGMA_RANGE, hessian_draws=0, label_draws=1
    )
    assert found.sigmas.tolist() == [0.001, 0.5]

"""The dose audit: costs against a pass by hand, sizes laid side by side, and doses that come out equal."""

import numpy as np
import pytest
import torch

from mspgt.boundaries.scales import Scales
from mspgt.interventions.arms import DEFINITIONS, Arm
from mspgt.interventions.audit import curve_depths, dose_audit, equal_divergence, scale_costs
from mspgt.interventions.costs import make_passages, passage_costs
from mspgt.interventions.doses import Yardsticks
from mspgt.lm.keyed import fold, normal, stream_key
from mspgt.lm.load import load
from mspgt.lm.tokenize import encode
from mspgt.signals.measure import measure_scales
from mspgt.text.corpus import Corpus, Document
from mspgt.vocabulary import SCALES
from tests.lm.tiny import TEXTS, tiny_model

CORPUS = Corpus("t", tuple(Document(str(i), "", tuple(TEXTS[i:] + TEXTS[:i])) for i in range(5)), "")
SCALED = Scales(2, 3, 6, "given")


@pytest.fixture(scope="module", params=[True, False], ids=["bos", "no bos"])
def lm(request, tmp_path_factory):
    return load(tiny_model(tmp_path_factory.mktemp("audit"), layers=6, bos=request.param))


@pytest.fixture(scope="module")
def measured(lm):
    texts = [sentence for document in CORPUS.documents for sentence in document.sentences]
    found = measure_scales(lm, encode(lm, texts), sample=100, sink_ratio=10.0, batch_tokens=256)
    return make_passages(lm, CORPUS, 4, 16), Yardsticks.of(found)


def test_costs_are_those_of_noise_added_by_hand(lm, measured):
    passages, yardsticks = measured
    arm = Arm("one", (0.0, 0.0, 0.5, 0.0, 0.0, 0.0))
    kl, loss = passage_costs(lm, passages, [arm], yardsticks, seed=5)
    for at, passage in enumerate(passages):
        ids, first = torch.tensor(passage.ids)[None], passage.spared
        assert first == 1
        places = torch.arange(first, ids.shape[1])
        keys = fold(fold(stream_key("noise", 5), torch.tensor(passage.sample)), places)
        noise = 0.5 * torch.tensor(yardsticks.dimension[2]) * normal(fold(keys, torch.tensor(3)), lm.width)

        def add(_, __, output, noise=noise, first=first):
            moved = output.clone()
            moved[0, first:] += noise.float()
            return moved

        with torch.no_grad():
            clean = lm.model(ids).logits[0, first:].log_softmax(-1)
            handle = lm.blocks[2].register_forward_hook(add)
            noisy = lm.model(ids).logits[0, first:].log_softmax(-1)
            handle.remove()
        expected = torch.nn.functional.kl_div(noisy, clean, reduction="none", log_target=True).sum(-1).mean()
        assert kl[at, 0] == pytest.approx(float(expected), rel=1e-4)
        labels = ids[0, first + 1 :]
        rise = [torch.nn.functional.nll_loss(logs[:-1], labels) for logs in (noisy, clean)]
        assert loss[at, 0] == pytest.approx(float(rise[0] - rise[1]), rel=1e-3, abs=1e-6)


def test_the_audit_says_what_noise_is_and_where_it_costs(lm, measured):
    passages, yardsticks = measured
    found = dose_audit(lm, passages, yardsticks, sigma=0.1, seed=0)
    assert set(found) == set(DEFINITIONS)
    assert found["dimension"]["relative"] == pytest.approx([0.1] * 6)
    assert found["dimension"]["variance"] == pytest.approx([0.01] * 6)
    for name in ("nonsink", "all", "own"):
        one = found[name]
        np.testing.assert_allclose(
            one["relative"], one["sigma"] / np.median(yardsticks.dimension, axis=1), rtol=1e-12
        )
        assert one["sigma"] == pytest.approx(0.1 * getattr(yardsticks, name))
    for one in found.values():
        assert min(one["kl"]) > 0
        assert one["ends"]["layers"] == [1, 2, 3, 4, 5, 6]
        # Noise after block 1 alone is the first end of the curve.
        assert one["ends"]["kl"][0] == pytest.approx(one["kl"][0], rel=1e-4)
    by_scale = scale_costs(lm, passages, SCALED, yardsticks, sigma=0.1, seed=0)
    for name in DEFINITIONS:
        assert by_scale[name]["local"]["kl"] == pytest.approx(found[name]["ends"]["kl"][1], rel=1e-4)


def test_scales_of_equal_divergence_cost_the_same(lm, measured):
    passages, yardsticks = measured
    found = equal_divergence(lm, passages, SCALED, yardsticks, definition="dimension", sigma=0.2, seed=0)
    assert found["reason"] is None
    whole = dict(SCALED.items())
    arms = [
        Arm(name, tuple(found["sizes"][name] if layer in whole[name] else 0.0 for layer in range(1, 7)))
        for name in SCALES
    ]
    kl, _ = passage_costs(lm, passages, arms, yardsticks, seed=0)
    assert kl.mean(axis=0) == pytest.approx([found["target"]] * 3, rel=0.021)
    before = scale_costs(lm, passages, SCALED, yardsticks, sigma=0.2, seed=0)["dimension"]
    apart = [before[name]["kl"] for name in SCALES]
    assert max(apart) > 1.1 * min(apart), "nothing had to be moved"
    assert found["target"] == pytest.approx(np.exp(np.mean(np.log(apart))), rel=1e-6)


def test_noise_without_a_finite_cost_is_null_with_a_reason(lm, measured):
    passages, yardsticks = measured
    found = equal_divergence(lm, passages, SCALED, yardsticks, definition="nonsink", sigma=3e38, seed=0)
    assert found["sizes"] is None
    assert "no finite cost" in found["reason"]
    assert scale_costs(lm, passages, SCALED, yardsticks, sigma=3e38, seed=0)["all"]["local"]["kl"] is None


def test_the_curve_goes_to_both_sides_of_a_sink():
    flat = np.ones(100)
    grown = np.where(np.arange(1, 101) >= 38, 9.0, 1.1)
    assert curve_depths(Yardsticks(flat[:, None], flat, flat, flat))[-1] == 100
    sunk = Yardsticks(flat[:, None], flat, grown, flat)
    assert sunk.sink_layer == 38
    assert {37, 38} <= set(curve_depths(sunk))
    assert Yardsticks(flat[:, None], flat, flat, flat).sink_layer is None
    # A small one early does not hide the massive one.
    early = sunk.all.copy()
    early[2:6] = 2.4
    assert Yardsticks(sunk.dimension, sunk.nonsink, early, sunk.own).sink_layer == 38

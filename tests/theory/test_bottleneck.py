"""An H-VIB on planted blocks: it finds the block that knows, and pays no more than that is worth."""

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.theory.bottleneck import block_bottleneck


@pytest.fixture(scope="module")
def planted():
    """Eight classes; the block behind G shows the class, the other two show noise."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 8, 3000)
    shown = 3 * np.eye(8)[labels] + 0.3 * rng.standard_normal((3000, 8))
    other = rng.standard_normal((2, 3000, 8))
    return [shown, *other], labels, np.arange(3000) // 100


def test_the_rate_is_paid_by_the_block_that_knows(planted):
    evidence, labels, document = planted
    found = block_bottleneck(evidence, labels, document, betas=(0.05, 1.0), steps=200, draws=50)
    low, high = found.curve[0], found.curve[-1]
    assert found.blind == pytest.approx(np.log(8), abs=0.02)
    assert low.distortion < 0.15
    assert low.kl[0] > 5 * low.kl[1:].sum()
    # What is known cannot exceed what was sent, nor what there is to know.
    assert np.log(8) - low.distortion <= low.kl.sum() + 0.05
    assert low.kl.sum() > high.kl.sum()
    assert low.distortion <= high.distortion + 0.02
    assert np.allclose(low.kl, low.information + low.gap, atol=0.35)
    # Only G is open; at the optimum a nat of its rate is worth β nats.
    assert found.weights[0, 0] == pytest.approx(0.05, abs=0.05)
    assert found.weights_ci[0, 0, 0] <= found.weights[0, 0] <= found.weights_ci[0, 1, 0]
    assert found.weights[1, 0] == pytest.approx(1.0, abs=0.35)
    assert found.elbo_reason == ""
    assert found.elbo_ci[0] < found.elbo < found.elbo_ci[1]
    assert found.elbo == pytest.approx(-high.distortion - high.kl.sum(), abs=1e-4)


def test_same_seed_same_numbers(planted):
    evidence, labels, document = planted
    one, two = (
        block_bottleneck(evidence, labels, document, betas=(1.0,), steps=10, draws=5) for _ in range(2)
    )
    assert one.curve[0].distortion == two.curve[0].distortion


def test_without_a_beta_of_one_there_is_no_bound_and_a_reason(planted):
    evidence, labels, document = planted
    found = block_bottleneck(evidence, labels, document, betas=(0.1, 0.3), steps=5, draws=5)
    assert (found.elbo, found.elbo_ci) == (None, None)
    assert "not among the β: 0.1, 0.3" in found.elbo_reason


def test_three_documents_held_out_give_a_bound_without_an_interval_and_a_reason(planted):
    evidence, labels, _ = planted
    found = block_bottleneck(evidence, labels, np.arange(3000) // 500, betas=(1.0,), steps=5, draws=5)
    assert np.isfinite(found.elbo)
    assert found.elbo_ci is None
    assert found.elbo_reason == "held out: 3 documents: an interval needs at least 6"
    assert np.isnan(found.weights_ci).all()


def test_refusals(planted):
    evidence, labels, document = planted
    with pytest.raises(InputError, match="rising"):
        block_bottleneck(evidence, labels, document, betas=(1.0, 0.1))
    with pytest.raises(InputError, match="at least 256"):
        block_bottleneck([e[:400] for e in evidence], labels[:400], document[:400])
    with pytest.raises(InputError, match="two different"):
        block_bottleneck(evidence, np.zeros_like(labels), document)

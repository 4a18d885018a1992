"""β_G against effective attention length, over planted architectures."""

import pytest

from mspgt.predictions.judging import verdicts
from mspgt.predictions.rules import Rules
from tests.predictions.planted import model, noise, results
from tests.whole import measured

REACH = [10.0, 14.0, 17.0, 21.0, 26.0, 30.0, 33.0, 40.0]


def study(weights, *, source="functional", windows=(128,) * 8, rates=(30.0, 100.0)):
    """Model k reaches REACH[k] tokens back; `weights[k]` is its β_G at 30 nats, twice that at 100."""
    models = {}
    for k, weight in enumerate(weights):
        one = model(f"f{k}", 24, **noise({"ttr": (1, 1, 1)}, source=source))
        at = [None if weight is None else {"value": factor * weight, "ci": None} for factor in (1, 2)]
        one["theory"] = {
            "reach": {"mean": {"value": REACH[k], "ci": None}, "window": windows[k]},
            "beta": {"response": {"rates": list(rates), "scales": {"global": {"at": at}}}},
        }
        models[f"m{k}"] = one
    return results(**models)


def judged(found):
    return verdicts(measured(found), Rules(), specification=False)["beta-reach"]


@pytest.mark.parametrize(
    ("weights", "verdict"),
    [
        ([8.0, 7, 6, 5, 4, 3, 2, 1], "supported"),
        ([1.0, 2, 3, 4, 5, 6, 7, 8], "refuted"),
        ([4.0, 7, 1, 8, 5, 2, 6, 3], "inconclusive"),
    ],
)
def test_whether_the_weight_falls_with_the_reach(weights, verdict):
    assert judged(study(weights)).verdict == verdict


def test_what_was_not_measured_leaves_too_few():
    found = judged(study([None, 7.0, 6, 5, 4, 3, 2, 1]))
    assert found.verdict == "not testable"
    assert any("7 architectures; needed are 8" in why for why in found.missing)


def test_all_are_told_at_the_rate_that_most_have():
    found = study([8.0, 7, 6, 5, 4, 3, 2, 1])
    first = found["models"]["m0"]["theory"]["beta"]["response"]["scales"]["global"]["at"]
    first[0] = None
    told = judged(found)
    assert "100 nats" in told.units[0].name
    assert "10 and 16" in told.units[0].note


def test_lengths_in_other_windows_do_not_compare():
    found = judged(study([8.0, 7, 6, 5, 4, 3, 2, 1], windows=(128,) * 7 + (512,)))
    assert found.verdict == "not testable"
    assert any("128, 512" in why for why in found.missing)


def test_scales_that_nobody_found_give_no_verdict():
    assert judged(study([8.0, 7, 6, 5, 4, 3, 2, 1], source="thirds")).verdict == "not testable"

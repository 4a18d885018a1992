"""P1.1 and P3.2 on planted positions: what is consistent, what drifts, and what does not test them at all."""

import numpy as np
import pytest

from mspgt.predictions.judging import verdicts
from mspgt.predictions.p3_2 import PREDICTION, discordant
from mspgt.predictions.readings import Reading, finished, position
from mspgt.predictions.rules import Rules
from tests.predictions.planted import claim, model, results

RULES = Rules()


def judged(found, name):
    return verdicts(found, RULES, specification=False)[name]


def family(layers=48, places=(), **more):
    return {f"m{i}": model("f", layers, li, ig, **more) for i, (li, ig) in enumerate(places)}


def test_a_family_at_one_depth_is_supported_and_a_scattered_one_refuted():
    steady = results(**family(96, [(40, 60)] * 6))
    found = judged(steady, "P1.1")
    assert found.verdict == "supported"
    assert found.statistic == 0.0
    assert found.ci[1] < 0.2
    assert found.evidence == ["families.f.LI"]
    wild = results(**family(96, [(4, 60), (50, 60), (9, 60), (60, 80), (30, 70), (3, 80)]))
    assert judged(wild, "P1.1").verdict == "refuted"


def test_one_scattered_family_refutes_what_every_family_should_show():
    models = family(96, [(40, 60)] * 6)
    wild = [(4, 60), (50, 60), (9, 60), (60, 80), (30, 70), (3, 80)]
    models |= {f"w{i}": model("wild", 96, *places) for i, places in enumerate(wild)}
    assert judged(results(**models), "P1.1").verdict == "refuted"


def test_the_papers_own_four_models_test_neither():
    paper = {
        "Llama-2-7B": model("llama", 32, 13, 16, paper=(13, 16)),
        "Llama-3-8B": model("llama", 32, 13, 16, paper=(13, 16)),
        "Qwen1.5-7B": model("qwen", 32, 2, 8, paper=(2, 8)),
        "Qwen2.5-7B": model("qwen", 28, 2, 20, paper=(2, 20)),
    }
    found = verdicts(results(**paper), RULES, specification=False)
    assert found["P1.1"].verdict == found["P3.2"].verdict == "not testable"
    # Its own rules say of the same positions what the paper says.
    assert found["P1.1"].paper_rule["says"] == found["P3.2"].paper_rule["says"] == "supported"
    assert f"{found['P3.2'].paper_rule['statistic']:.3f}" == "0.464"
    assert any("32 layers" in why and "28 layers" in why for why in found["P3.2"].missing)


def test_a_boundary_at_layer_two_cannot_show_a_small_cv():
    # Half a layer of rounding is a quarter of the position.
    assert judged(results(**family(28, [(2, 20)] * 4)), "P1.1").verdict == "inconclusive"


def test_a_family_counts_only_if_its_runs_have_the_boundary():
    models = family(96, [(40, 60)] * 3 + [(None, None)] * 2)
    found = judged(results(**models), "P1.1")
    assert found.verdict == "not testable"
    assert "3 of 5" in found.missing[0]


def test_states_of_one_run_are_one_run():
    along = {f"m{i}": model("f", 96, 40, 60, run="one", step=i) for i in range(8)}
    found = verdicts(results(**along), RULES, specification=False)
    assert found["P1.1"].verdict == found["P3.2"].verdict == "not testable"


def test_the_same_weights_count_once():
    twice = {f"m{i}": model("f", 96, 40, 60, revision="abc") for i in range(4)}
    assert judged(results(**twice), "P1.1").verdict == "not testable"


def test_drift_between_runs_of_one_architecture():
    apart = [(5, place) for place in (20, 22, 21, 60, 61, 90, 92)]
    found = judged(results(**family(96, apart, reach=1)), "P3.2")
    assert found.verdict == "supported"
    assert found.statistic == pytest.approx(72 / 96)
    assert found.ci[0] == pytest.approx(70 / 96)
    still = [(5, place) for place in (60, 61, 60, 62, 61, 60, 61)]
    assert judged(results(**family(96, still, reach=1)), "P3.2").verdict == "refuted"


def test_wide_sets_settle_nothing():
    apart = [(5, place) for place in (20, 22, 21, 60, 61, 90, 92)]
    assert judged(results(**family(96, apart, reach=40)), "P3.2").verdict == "inconclusive"


def test_drift_is_not_between_architectures():
    models = {f"m{i}": model("f", layers, 5, layers // 2) for i, layers in enumerate((24, 28, 32, 36))}
    found = judged(results(**models), "P3.2")
    assert found.verdict == "not testable"
    assert any("not training runs of one architecture" in why for why in found.missing)


def test_discordant_counts_the_fewest_sets_to_leave_out():
    spans = [(0.2, 0.25), (0.3, 0.4), (0.7, 0.72), (0.9, 0.95)]
    assert discordant(spans, 0.3) == 2
    assert discordant(spans, 0.5) == 1
    assert discordant(spans, 0.8) == 0


def test_runs_at_one_place_are_rarely_said_to_drift():
    # Each set misses its boundary in 5 % of runs, and then lies anywhere.
    rng = np.random.default_rng(0)
    said = 0
    for _ in range(300):
        places = np.where(rng.uniform(size=5) < 0.05, rng.integers(2, 95, size=5), 50)
        units = PREDICTION.judge(
            results(**family(96, [(1, int(place)) for place in places])), RULES, Reading()
        ).units
        said += units[0].p_support <= 0.05
    assert said / 300 <= 0.05


def test_the_other_normalisation_may_find_what_the_first_does_not():
    models = family(96, [(None, None)] * 3)
    for one in models.values():
        one["boundaries"]["paper"]["other_normalisation"] = {"LI": 20, "IG": 60}
    curve = verdicts(results(**models), RULES)["P3.2"].specification
    row = next(r for r in curve["readings"] if r["reading"] == {"mode": "paper", "normalisation": "maximum"})
    assert row["testable"]
    assert row["statistic"] == 0.0


def test_readings_of_a_position():
    one = model("f", 32, 13, 16, paper=(12, 20))
    one["boundaries"]["calibrated"]["chosen"]["LI"] = claim(13, 32, without_S1=True, without_S2=False)
    assert position(one, "LI", Reading()) == (13, 32)
    assert position(one, "LI", Reading(embedding=True)) == (14, 33)
    assert position(one, "LI", Reading(evidence="without_S1")) == (13, 32)
    assert position(one, "LI", Reading(evidence="without_S2")) is None
    assert position(one, "LI", Reading(evidence="with_sinks")) is None
    assert position(one, "IG", Reading(mode="paper")) == (20, 32)
    assert position(one, "IG", Reading(mode="paper", normalisation="maximum")) is None
    one["boundaries"]["paper"]["accepted"] = False
    assert position(one, "IG", Reading(mode="paper")) is None


@pytest.mark.parametrize("first", [True, False])
def test_a_finished_model_and_the_last_state_of_its_run_are_one_training_run(first):
    states = {f"r@{step}": {"revision": f"w{step}", "run": "r", "step": step} for step in (1, 2, 3)}
    alone = {"a": {"revision": "w3"}}
    models = alone | states if first else states | alone
    assert list(finished({"models": models})) == ["r@3"]
    assert list(finished({"models": {"x": {}, "y": {"revision": ""}}})) == ["x", "y"]

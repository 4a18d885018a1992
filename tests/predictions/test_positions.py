"""P1.1 and P3.2 on planted positions: what is consistent, what drifts, and what does not test them at all."""

import numpy as np
import pytest

from mspgt.families import cv_p_values
from mspgt.predictions.judging import verdicts
from mspgt.predictions.p1_1 import PREDICTION as P1_1
from mspgt.predictions.p3_2 import PREDICTION
from mspgt.predictions.places import Place, assignment, discordant, drifts, match, p_drifting
from mspgt.predictions.readings import Reading, finished, position
from mspgt.predictions.rules import Rules
from tests.predictions.planted import claim, kinks, model, noise, results, untested_order
from tests.whole import measured

RULES = Rules()


def whole_model(one):
    return measured(results(m=one)).models["m"]


def judged(found, name):
    return verdicts(measured(found), RULES, specification=False)[name]


def family(layers=48, places=(), **more):
    return {f"m{i}": model("f", layers, li, ig, **more) for i, (li, ig) in enumerate(places)}


def test_a_family_at_one_depth_is_supported_and_a_scattered_one_refuted():
    steady = results(**family(96, [(40, 60)] * 6))
    found = judged(steady, "P1.1")
    assert found.verdict == "supported"
    assert found.statistic == 0.0
    assert found.ci[1] < 0.2
    assert found.evidence == ["families.f.LI"]
    wild = results(**family(96, [(4, 60), (50, 66), (9, 60), (54, 80), (30, 72), (3, 86)]))
    assert judged(wild, "P1.1").verdict == "refuted"


def test_one_scattered_family_refutes_what_every_family_should_show():
    models = family(96, [(40, 60)] * 6)
    wild = [(4, 60), (50, 66), (9, 60), (54, 80), (30, 72), (3, 86)]
    models |= {f"w{i}": model("wild", 96, *places) for i, places in enumerate(wild)}
    assert judged(results(**models), "P1.1").verdict == "refuted"


def test_the_papers_own_four_models_test_neither():
    paper = {
        "Llama-2-7B": model("llama", 32, 13, 16, paper=(13, 16)),
        "Llama-3-8B": model("llama", 32, 13, 16, paper=(13, 16)),
        "Qwen1.5-7B": model("qwen", 32, 2, 8, paper=(2, 8)),
        "Qwen2.5-7B": model("qwen", 28, 2, 20, paper=(2, 20)),
    }
    found = verdicts(measured(results(**paper)), RULES, specification=False)
    assert found["P1.1"].verdict == found["P3.2"].verdict == "not testable"
    # Its own rules say of the same positions what the paper says.
    assert found["P1.1"].paper_rule.says == found["P3.2"].paper_rule.says == "supported"
    assert f"{found['P3.2'].paper_rule.statistic:.3f}" == "0.464"
    assert any("32 layers" in why and "28 layers" in why for why in found["P3.2"].missing)


def test_a_boundary_at_layer_two_cannot_show_a_small_cv():
    # Half a layer of rounding is a quarter of the position.
    assert judged(results(**family(28, [(2, 20)] * 4)), "P1.1").verdict == "inconclusive"


def test_no_family_is_consistent_by_what_is_missing():
    """Six runs of ten at one depth: the four without the boundary may have theirs anywhere."""
    models = family(96, [(40, 60)] * 6 + [(None, None)] * 4)
    found = judged(results(**models), "P1.1")
    assert found.verdict == "inconclusive"
    assert found.statistic == 0.0
    assert "6 of 10" in found.units[0].note


def test_a_family_without_the_boundary_is_not_left_out():
    models = family(96, [(40, 60)] * 6) | {f"w{i}": model("without", 96) for i in range(6)}
    found = judged(results(**models), "P1.1")
    assert found.verdict == "inconclusive"
    assert any("without: 0 of 6" in why for why in found.missing)
    nowhere = results(**{f"w{i}": model("without", 96) for i in range(6)})
    assert judged(nowhere, "P1.1").verdict == "not testable"


def test_states_of_one_run_are_one_run():
    along = {f"m{i}": model("f", 96, 40, 60, run="one", step=i) for i in range(8)}
    found = verdicts(measured(results(**along)), RULES, specification=False)
    assert found["P1.1"].verdict == found["P3.2"].verdict == "not testable"


def test_the_same_weights_count_once():
    twice = {f"m{i}": model("f", 96, 40, 60, revision="abc") for i in range(4)}
    assert judged(results(**twice), "P1.1").verdict == "not testable"


def test_drift_between_runs_of_one_architecture():
    apart = [(5, place) for place in (20, 22, 21, 60, 61, 90, 92)]
    found = judged(results(**family(96, apart, reach=1)), "P3.2")
    assert found.verdict == "supported"
    assert found.statistic == pytest.approx(72 / 96)
    # Each set of three layers, and two layers on either side for the error that a pair of sets shares.
    assert found.ci[0] == pytest.approx(66 / 96)
    assert "m0 and m6 0.75" in found.units[0].note
    assert any("half of equation 2" in why for why in found.why)
    still = [(5, place) for place in (60, 61, 60, 62, 61, 60, 61)]
    refuted = judged(results(**family(96, still, reach=1)), "P3.2")
    assert refuted.verdict == "refuted"
    assert refuted.excluded == ("a drift above 0.3 in 5% or more of the pairs of training runs of one recipe")


def test_two_runs_of_four_far_apart_are_enough_whatever_else_was_tested():
    """Sets that miss by far are rarer than one in twenty, so that four runs can show a drift among all five."""
    theory = {"kink": kinks(3.0)}
    effects = noise({"length_variance": (1.0, 3.0, 2.0)})
    models = {
        f"{family}{i}": model(family, 96, 20, place, reach=1, theory=theory, **effects)
        for family in ("f", "g")
        for i, place in enumerate((40, 41, 80, 82))
    }
    everything = verdicts(measured(results(**models)), RULES, specification=False)
    assert all(one.p_support is not None for one in everything.values() if one.headline)
    found = everything["P3.2"]
    assert found.verdict == "supported"
    assert found.ci[0] > RULES.drift
    still = {name: {**one} | family(96, [(20, 60)])["m0"] for name, one in models.items()}
    assert judged(results(**still), "P3.2").verdict != "supported"


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


def three(places, strongest):
    """Boundaries at three layers of 96, of which the detector names the two strongest."""
    one = model("f", 96)
    claims = [claim(layer, 96, 1, score=9.0 if i in strongest else 6.0) for i, layer in enumerate(places)]
    first, second = sorted(strongest)
    one["boundaries"]["calibrated"] = {
        "spike": claims, "chosen": {"LI": claims[first], "IG": claims[second]},
    }  # fmt: skip
    return one


def test_three_equal_boundaries_of_which_two_are_named_are_no_drift():
    """The two strongest are others in every run: I–G stands at 48 or at 77 of 96, and nothing has moved."""
    named = [(0, 1), (0, 2), (1, 2), (0, 1), (0, 2)]
    found = results(**{f"m{i}": three((19, 48, 77), pair) for i, pair in enumerate(named)})
    verdict = judged(found, "P3.2")
    assert verdict.verdict == "refuted"
    assert verdict.statistic == 0.0
    # The L–I boundary of the same runs is one and the same too.
    assert judged(found, "P1.1").statistic == 0.0


def test_runs_with_different_numbers_of_boundaries_are_not_compared():
    models = {f"m{i}": three((19, 48, 77), (0, 1)) for i in range(4)}
    models["m4"] = model("f", 96, 19, 77, reach=1) | {"parameters": models["m0"]["parameters"]}
    found = judged(results(**models), "P3.2")
    assert found.verdict == "not testable"
    assert any("different numbers of boundaries" in why for why in found.missing)


def test_a_boundary_that_meets_another_of_the_other_run_is_refused():
    """Of three planted boundaries one run shows the lower two, another the upper two."""
    places = [(19, 48), (48, 77), (19, 48), (19, 48), (48, 77)]
    found = judged(results(**family(96, places, reach=1)), "P3.2")
    assert found.verdict == "not testable"
    assert any("out of order" in why for why in found.missing)


def spot(relative, reach=0.02, strength=1.0, **more):
    wide = (relative - reach - 0.02, relative + reach + 0.02)
    return Place(relative, ((0.05, (relative - reach, relative + reach)), (0.01, wide)), strength, **more)


def test_assignment_keeps_boundaries_that_meet():
    a = [spot(0.2), spot(0.5), spot(0.8)]
    assert assignment(a, [spot(0.21), spot(0.49), spot(0.4)]) == [0, 1, 2]
    assert assignment([spot(0.2), spot(0.5)], [spot(0.5), spot(0.8)]) == [1, 0]


def test_boundaries_with_names_need_no_matching():
    runs = {
        "a": [spot(0.2, named=True, label="LI"), spot(0.5, named=True, label="IG")],
        "b": [spot(0.9, named=True, label="IG")],
    }
    assert match(runs, 1).places == {"a": runs["a"][1], "b": runs["b"][0]}
    assert match(runs, 0) == "LI is undefined in b"


def test_drift_of_pairs_has_intervals_that_hold_the_truth():
    found = drifts({"a": spot(0.2), "b": spot(0.7), "c": spot(0.3)})
    assert [(one.first, one.second) for one in found] == [("a", "b"), ("b", "c"), ("a", "c")]
    assert found[0].drift == pytest.approx(0.5)
    assert found[0].ci == pytest.approx((0.42, 0.58))


def test_two_sets_apart_are_enough_and_one_is_not():
    near = [spot(0.4), spot(0.41), spot(0.42)]
    assert p_drifting([*near, spot(0.8), spot(0.85)], 0.3) < 0.01
    assert p_drifting([*near, spot(0.42), spot(0.85)], 0.3) > 0.05


def test_runs_at_one_place_are_rarely_said_to_drift():
    # Each set misses its boundary in 5 % of runs, and in 1 % by far: then it lies anywhere.
    rng = np.random.default_rng(0)
    said = 0
    for _ in range(300):
        u = rng.uniform(size=5)
        near = 50 + rng.choice([-2, 2], size=5)
        places = np.where(u < 0.01, rng.integers(2, 95, size=5), np.where(u < 0.05, near, 50))
        units = PREDICTION.judge(
            measured(results(**family(96, [(1, int(place)) for place in places]))), RULES, Reading()
        ).units
        said += units[0].p_support <= 0.05
    assert said / 300 <= 0.05


def test_the_other_normalisation_may_find_what_the_first_does_not():
    models = family(96, [(None, None)] * 3)
    for one in models.values():
        one["boundaries"]["paper"]["other_normalisation"] = {"LI": 20, "IG": 60}
    curve = verdicts(measured(results(**models)), RULES)["P3.2"].specification
    row = next(r for r in curve.readings if r.reading == {"mode": "paper", "normalisation": "maximum"})
    assert row.testable
    assert row.statistic == 0.0


def test_readings_of_a_position():
    one = model("f", 32, 13, 16, paper=(12, 20))
    given = claim(13, 32, without_S1=True, without_S2=False)
    one["boundaries"]["calibrated"]["chosen"]["LI"] = one["boundaries"]["calibrated"]["spike"][0] = given
    assert position(whole_model(one), "LI", Reading()) == (13, 32)
    assert position(whole_model(one), "LI", Reading(embedding=True)) == (14, 33)
    assert position(whole_model(one), "LI", Reading(evidence="without_S1")) == (13, 32)
    assert position(whole_model(one), "LI", Reading(evidence="without_S2")) is None
    assert position(whole_model(one), "LI", Reading(evidence="with_sinks")) is None
    assert position(whole_model(one), "IG", Reading(mode="paper")) == (20, 32)
    assert position(whole_model(one), "IG", Reading(mode="paper", normalisation="maximum")) is None
    one["boundaries"]["paper"]["accepted"] = False
    assert position(whole_model(one), "IG", Reading(mode="paper")) is None


@pytest.mark.parametrize("first", [True, False])
def test_a_finished_model_and_the_last_state_of_its_run_are_one_training_run(first):
    states = {f"r@{step}": {"revision": f"w{step}", "run": "r", "step": step} for step in (1, 2, 3)}
    alone = {"a": {"revision": "w3"}}
    models = alone | states if first else states | alone
    assert list(finished(measured({"models": models}))) == ["r@3"]
    assert list(finished(measured({"models": {"x": {}, "y": {"revision": ""}}}))) == ["x", "y"]


def functional(ig=12.2, ci=(11.8, 12.9), **undefined):
    def one(which, value, ends):
        if which in undefined:
            return {"layer": None, "soft": {"value": None, "ci": None}, "reason": undefined[which]}
        return {"layer": round(value), "soft": {"value": value, "ci": list(ends)}, "reason": ""}

    return {"LI": one("LI", 3.0, (2.8, 3.2)), "IG": one("IG", ig, ci), "order": untested_order()}


def test_functional_scales_are_read_where_they_were_measured():
    models = {f"m{i}": model("f", 30, 10, 20, reach=1, scales=functional()) for i in range(5)}
    found = verdicts(measured(results(**models)), RULES, specification=False)
    assert found["P1.1"].positions == "functional"
    assert found["P3.2"].verdict == "refuted"
    assert position(whole_model(models["m0"]), "LI", Reading(positions="functional")) == (3.0, 30)
    # By shocks, which stand beside them in every specification curve, and when the rules ask for them.
    assert (
        verdicts(measured(results(**models)), Rules(positions="shocks"), specification=False)[
            "P1.1"
        ].positions
        == "shocks"
    )
    rows = verdicts(measured(results(**models)), RULES)["P3.2"].specification.readings
    assert rows[0].reading == {}
    asked = {row.reading.get("positions"): row.testable for row in rows if len(row.reading) == 1}
    assert asked["shocks"] is True
    assert asked["phases"] is False


def test_a_study_without_functional_scales_says_that_it_reads_shocks():
    found = judged(results(**family(96, [(40, 60)] * 6)), "P1.1")
    assert found.positions == "shocks"
    assert any("positions are shocks" in why for why in found.why)


def test_an_undefined_functional_boundary_is_evidence():
    """Five runs at one place and one whose L–I boundary is undefined: nothing is consistent by what is missing."""
    models = {f"m{i}": model("f", 30, scales=functional()) for i in range(6)}
    assert judged(results(**models), "P1.1").verdict == "supported"
    models["m5"] = model("f", 30, scales=functional(LI="L is flat"))
    assert judged(results(**models), "P1.1").verdict == "inconclusive"
    models["m5"] = model("f", 30, scales=functional(IG="G is flat"))
    found = judged(results(**models), "P3.2")
    assert found.verdict == "not testable"
    assert any("IG is undefined in m5" in why for why in found.missing)


def test_functional_boundaries_that_drift_are_said_to():
    places = (5.0, 5.1, 9.0, 20.0, 24.0)
    models = {
        f"m{i}": model("f", 30, scales=functional(ig, (ig - 0.6, ig + 0.6))) for i, ig in enumerate(places)
    }
    assert judged(results(**models), "P3.2").verdict == "supported"


def phase(layer, layers, score):
    return claim(layer, layers, 1, kind="phase", score=score)


def test_phases_are_matched_like_shocks():
    models = {
        f"m{i}": model(
            "f", 48, phases={"boundaries": [phase(12, 48, 5.0 + i), phase(30, 48, 5.5)], "why": []}
        )
        for i in range(4)
    }
    found = verdicts(measured(results(**models)), Rules(positions="phases"), specification=False)["P3.2"]
    assert found.positions == "phases"
    assert found.verdict == "refuted"
    assert position(whole_model(models["m0"]), "IG", Reading(positions="phases")) == (30, 48)
    models["m3"]["phases"] = {"boundaries": [], "why": ["below the threshold"]}
    lost = verdicts(measured(results(**models)), Rules(positions="phases"), specification=False)["P3.2"]
    assert any("below the threshold" in why for why in lost.missing)


def test_silent_runs_may_lie_at_either_end_and_at_both():
    """Where L–I lies early, half of the silent runs at each end scatter more than all at one."""
    places = np.array([10.0, 10, 10, 10, 10]) / 96
    at_ends = [
        np.std([*places, *ends], ddof=1) / np.mean([*places, *ends]) for ends in ((0, 0), (1, 1), (0, 1))
    ]
    assert at_ends[2] == max(at_ends)
    unit = P1_1.judge(measured(results(**family(96, [(10, 60)] * 5 + [(None, None)] * 2))), RULES, Reading())
    rounding = 0.5 / 96 / places.mean()
    assert unit.units[0].p_support == pytest.approx(cv_p_values(at_ends[2], 7, RULES.cv, rounding)[0])

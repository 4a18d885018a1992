"""P2.1, P3.1 and A3 on planted effects, with the paper's rules beside them."""

import numpy as np
import pytest

from mspgt.predictions.a3 import PREDICTION as A3
from mspgt.predictions.a3 import _unit
from mspgt.predictions.judging import AS_PUBLISHED, verdicts
from mspgt.predictions.p3_1 import PREDICTION
from mspgt.predictions.ratios import Effect
from mspgt.predictions.readings import Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import combined
from tests.predictions.planted import contrast, effect, model, noise, results
from tests.whole import measured

METRIC = "length_variance"


def judged(found, name):
    return verdicts(measured(found), Rules(), specification=False)[name]


def study(effects, count=3, families=("a", "b"), **how):
    return results(
        **{
            f"{family}{i}": model(family, 32, **noise(effects.get(family, effects), **how))
            for family in families
            for i in range(count)
        }
    )


def test_structure_that_the_intermediate_scale_governs():
    assert judged(study({METRIC: (1, 40, 2)}), "P2.1").verdict == "supported"
    assert judged(study({METRIC: (40, 1, 2)}), "P2.1").verdict == "refuted"
    assert judged(study({METRIC: (1, 1, 1)}), "P2.1").verdict == "inconclusive"


def test_a_lead_that_hangs_on_the_dose_settles_nothing():
    for count in (1, 3):
        found = study({METRIC: (1, 40, 2)}, count=count)
        for one in found["models"].values():
            one["interventions"]["local_matched_variance"][METRIC] = effect(70.0, 1.0)
            doses = one["interventions_about"]["contrasts"][METRIC]
            doses["matched_variance"]["signed"] = contrast(-30, 1.0)
        verdict = judged(found, "P2.1")
        assert verdict.verdict == "inconclusive"
        assert "matched variance, signed" in verdict.units[0].note


def test_many_models_show_together_what_none_shows_alone():
    """A lead of one and a half of its standard errors, the same in all: models are the random unit."""
    rng = np.random.default_rng(3)

    def planted(count):
        models = {}
        for family in ("a", "b"):
            for i in range(count):
                noisy = tuple(np.array((1.0, 26.0, 1.0)) + 10.0 * rng.standard_normal(3))
                one = model(family, 32, **noise({METRIC: noisy}, se=10.0))
                for number, percent in enumerate(np.linspace(-4.0, 4.0, 12), start=1):
                    wobbled = effect(percent + 2 * rng.standard_normal(), 10.0)
                    one["interventions"][f"random_{number}"] = {METRIC: wobbled}
                models[f"{family}{i}"] = one
        return results(**models)

    few, many = ([judged(planted(count), "P2.1").verdict for _ in range(20)] for count in (1, 10))
    assert few.count("supported") <= 2
    assert many.count("supported") >= 18


def test_a_tie_of_two_scales_is_no_lead():
    rng = np.random.default_rng(4)
    said = 0
    for _ in range(200):
        models = {
            f"{family}{i}": model(
                family,
                32,
                **noise({METRIC: tuple(np.array((40.0, 40.0, 1.0)) + rng.standard_normal(3))}, se=1.0),
            )
            for family in ("a", "b")
            for i in range(3)
        }
        said += judged(results(**models), "P2.1").p_support <= 0.05
    assert said / 200 <= 0.05


def test_few_models_speak_for_themselves_alone():
    found = judged(study({METRIC: (1, 40, 2)}, count=1), "P2.1")
    assert [unit.name for unit in found.units] == ["a0", "b0"]
    assert any("these models alone" in why for why in found.why)


def test_scales_that_nobody_found_give_no_verdict():
    for source in ("thirds", "paper", "given"):
        found = study({METRIC: (1, 40, 2)}, source=source)
        for name in ("P2.1", "P3.1", "A3"):
            verdict = judged(found, name)
            assert verdict.verdict == "not testable"
            assert any(source in why for why in verdict.missing)


def test_without_experiment_2_it_is_said_once():
    found = judged(results(a=model("a", 32), b=model("b", 32)), "P2.1")
    assert found.missing == ["Experiment 2 (interventions) was not run"]


def test_equal_layers_with_unequal_doses_are_not_brittleness():
    # The paper's doses: 13 layers against 2, every layer equally sensitive.
    models = {
        f"{family}{i}": model(family, 32, **noise({METRIC: (3.0 * n, 3.0, 3.0)}, se=0.5, layers=(n, 4, 4)))
        for family, n in (("llama", 13), ("qwen", 2))
        for i in range(3)
    }
    found = judged(results(**models), "P3.1")
    assert found.verdict == "refuted"
    assert found.statistic == pytest.approx(1.0)
    assert found.paper_rule.says == "supported"
    assert found.paper_rule.statistic == pytest.approx(6.5)


def test_figure_17_noise_about_equal_layers_is_rarely_supported():
    rng = np.random.default_rng(0)
    said = published = 0
    for _ in range(200):
        models = {}
        for family, n in (("llama", 13), ("qwen", 2)):
            for i in range(3):
                effects = {
                    metric: tuple(3.0 * n + 4.0 * rng.standard_normal() for _ in range(3))
                    for metric in (METRIC, "ttr", "coherence")
                }
                models[f"{family}{i}"] = model(family, 32, **noise(effects, se=4.0, layers=(n, n, n)))
        units = PREDICTION.judge(measured(results(**models)), Rules(), Reading()).units
        said += combined(units, PREDICTION.quantifier)[0] <= 0.05
        published += bool(PREDICTION.paper(measured(results(**models)), Rules(), AS_PUBLISHED).supported)
    assert said / 200 <= 0.05
    assert published / 200 > 0.9


def test_models_are_the_random_unit_of_a_family():
    """Families that do not differ, whose models do: effects are log-normal from model to model (SD 1 in logs)."""
    rng = np.random.default_rng(1)
    said = 0
    for _ in range(200):
        models = {
            f"{family}{i}": model(
                family, 32, **noise({METRIC: (8.0 * float(np.exp(rng.standard_normal())), 1, 1)}, se=0.3)
            )
            for family in ("a", "b")
            for i in range(3)
        }
        units = PREDICTION.judge(measured(results(**models)), Rules(), Reading()).units
        said += combined(units, PREDICTION.quantifier)[0] <= 0.05
    assert said / 200 <= 0.05


def test_two_models_are_not_two_families():
    found = study({"a": {METRIC: (40.0, 1, 1)}, "b": {METRIC: (1.0, 1, 1)}}, count=1, se=0.3)
    for name in ("P3.1", "A3"):
        verdict = judged(found, name)
        assert verdict.verdict == "not testable"
        assert verdict.missing
    assert "effects in 1 models" in judged(found, "P3.1").missing[0]


def test_scales_that_share_a_baseline_are_not_independent():
    """Every scale does the same in both families; all effects of a model wobble with its one baseline."""
    rng = np.random.default_rng(2)
    said = 0
    for _ in range(400):
        models = {}
        for family in ("a", "b"):
            for i in range(3):
                shared = 4.0 * rng.standard_normal()
                effects = tuple(10.0 + shared + 0.5 * rng.standard_normal() for _ in range(3))
                models[f"{family}{i}"] = model(family, 32, **noise({METRIC: effects}, se=4.0))
        units = A3.judge(measured(results(**models)), Rules(), Reading(metric=METRIC)).units
        said += min(units[0].p_support, units[0].p_refute) <= 0.05
    assert said / 400 <= 0.05


def test_opposite_differences_of_scales_that_share_a_baseline_are_no_step():
    """All scales differ by 10, Intermediate the other way: a baseline moves them apart by twice itself."""
    rng = np.random.default_rng(2)

    def drawn(effects):
        shared = 4.0 * rng.standard_normal(20)
        own = 0.5 * rng.standard_normal((20, 3))
        return [
            tuple(Effect(e + w + o, 4.0, 59) for e, o in zip(effects, row, strict=True))
            for w, row in zip(shared, own, strict=True)
        ]

    units = [_unit("a", "b", METRIC, drawn((10, -10, 10)), drawn((0, 0, 0)), "") for _ in range(600)]
    assert np.mean([unit.p_refute <= 0.05 for unit in units]) <= 0.05
    assert np.mean([unit.p_support <= 0.05 for unit in units]) <= 0.05


def test_a_hump_of_sensitivity_in_mid_depth_is_no_rule_of_the_intermediate_scale():
    """The Intermediate layers lie under the hump, as some random sets do; no number of models or of texts helps."""
    for count in (1, 3, 10):
        found = study({METRIC: (5, 60, 5)}, count=count, se=0.01)
        assert judged(found, "P2.1").verdict == "supported"
        for one in found["models"].values():
            for number, percent in enumerate((12.0, 25.0, 38.0, 50.0), start=1):
                one["interventions"][f"random_{number}"] = {METRIC: effect(percent, 0.01)}
        humped = judged(found, "P2.1")
        assert humped.verdict == "inconclusive"
        assert "random layer sets" in humped.units[0].note


def test_without_random_layer_sets_nothing_governs():
    found = study({METRIC: (1, 40, 2)})
    for one in found["models"].values():
        for number in (2, 3):
            del one["interventions"][f"random_{number}"]
    verdict = judged(found, "P2.1")
    assert verdict.verdict == "not testable"
    assert any("1 random layer sets" in why for why in verdict.missing)


@pytest.mark.parametrize(
    ("name", "metric", "governing", "other"),
    [
        ("G-coherence", "coherence", (-2, -5, -40), (-40, -5, -2)),
        ("L-lexical", "ttr", (40, 3, 2), (2, 3, 40)),
    ],
)
def test_what_the_paper_says_in_words(name, metric, governing, other):
    assert judged(study({metric: governing}), name).verdict == "supported"
    assert judged(study({metric: other}), name).verdict == "refuted"
    assert judged(study({metric: (5, 5, 5)}), name).verdict == "inconclusive"


def test_coherence_that_rises_under_noise_on_the_global_scale_is_not_what_was_said():
    assert judged(study({"coherence": (-2, -5, 40)}), "G-coherence").verdict != "supported"


def test_brittleness_beyond_five_is_supported_and_below_is_refuted():
    def families(a, b):
        return study({"a": {METRIC: (a, 1, 1)}, "b": {METRIC: (b, 1, 1)}}, se=0.3)

    assert judged(families(40.0, 1.0), "P3.1").verdict == "supported"
    assert judged(families(-40.0, 1.0), "P3.1").verdict == "supported"
    assert judged(families(10.0, 9.0), "P3.1").verdict == "refuted"


def test_brittleness_needs_two_families():
    found = judged(study({METRIC: (40, 1, 1)}, families=("a",)), "P3.1")
    assert found.verdict == "not testable"
    assert any("two families; found 1" in why for why in found.missing)


def test_a_metric_that_was_not_measured_does_not_count_as_none():
    found = study({METRIC: (40, 1, 1), "ttr": (1, 1, 1)})
    for one in found["models"].values():
        one["interventions"]["local"]["ttr"] |= {"percent": None, "percent_se": None}
    assert {unit.name.split(":")[0] for unit in judged(found, "P3.1").units} == {METRIC}


def test_sensitivity_to_architecture_in_and_against_the_order():
    def families(a):
        return study({"a": {METRIC: a}, "b": {METRIC: (1, 1, 1)}}, se=0.3)

    assert judged(families((1.5, 20, 60)), "A3").verdict == "supported"
    assert judged(families((60, 20, 1.5)), "A3").verdict == "refuted"
    assert judged(families((1, 1, 1)), "A3").verdict == "inconclusive"

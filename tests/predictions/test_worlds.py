"""Null worlds: the same whatever computes them, and the shipped rates within the bar."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from calibration.worlds.kinds import KINDS_OF_WORLDS
from calibration.worlds.simulate import (
    Recipe,
    detector_digest,
    judged,
    rate_lines,
    shipped,
    simulate,
    world,
)

from mspgt.predictions.judging import null_rates, verdicts
from mspgt.predictions.readings import Measurements
from mspgt.predictions.registry import predictions
from mspgt.predictions.rules import Rules
from mspgt.results import ModelResult, from_json, to_jsonable

CHEAP = [kind for kind in KINDS_OF_WORLDS if kind.name in ("featureless", "smooth", "markov chains")]


@pytest.fixture(scope="module")
def few():
    return simulate(shipped(1), kinds=CHEAP)


def kind_of(name):
    return next(kind for kind in KINDS_OF_WORLDS if kind.name == name)


def test_a_world_depends_on_its_place_alone():
    kind = KINDS_OF_WORLDS[0]
    assert world(kind, (2, 2), Recipe(), 3) == world(kind, (2, 2), Recipe(), 3)
    assert world(kind, (2, 2), Recipe(), 3) != world(kind, (2, 2), Recipe(), 4)


@pytest.mark.parametrize("kind", KINDS_OF_WORLDS, ids=lambda kind: kind.name)
def test_a_world_has_the_shape_of_a_run(kind):
    for model in world(kind, (1, 2), Recipe(), 0).models.values():
        content = json.loads(json.dumps(to_jsonable(model)))
        assert to_jsonable(from_json(ModelResult, content)) == content


def test_rates_do_not_depend_on_how_the_work_is_spread(few):
    def backwards(function, tasks):
        tasks = list(tasks)
        return reversed([function(task) for task in reversed(tasks)])

    assert simulate(shipped(1), backwards, kinds=CHEAP) == few


def test_every_prediction_is_false_in_some_world_or_says_why_not(few):
    kinds = {kind.name for kind in KINDS_OF_WORLDS}
    for name, one in predictions().items():
        assert bool(one.false_in) != (name in few["not_measured"]), name
        assert {*one.false_in, *one.true_in} <= kinds
        assert (name in few["estimators"]) == bool(one.false_in)
    for cells in few["rates"].values():
        for rate in cells.values():
            ours = rate["ours"]
            if not ours:
                assert rate["testable"] == 0
                continue
            total = sum(ours[key] for key in ("supported", "refuted", "inconclusive", "not testable"))
            assert total == pytest.approx(1)


def test_planted_boundaries_are_in_the_signals():
    found = [
        [claim.layer for claim in model.boundaries.calibrated.spike]
        for number in range(3)
        for name, model in world(kind_of("three alike"), (2, 2), Recipe(), number).models.items()
        if name.startswith("A")
    ]
    assert np.mean([layers == [6, 16, 26] for layers in found]) >= 0.5


def test_figure_25_three_boundaries_alike_are_no_drift_whatever_else_was_run():
    """The same worlds alone, and beside effects and a theory part: no drift is said of either."""
    for number in range(4):
        alone = world(kind_of("three alike"), (1, 5), Recipe(), number)
        texts = world(kind_of("equal layers"), (1, 2), Recipe(), 0).models["A-1"]
        beside = {
            name: replace(
                model, interventions=texts.interventions, interventions_about=texts.interventions_about
            )
            for name, model in alone.models.items()
        }
        found = [
            verdicts(one, Rules(), specification=False)["P3.2"]
            for one in (alone, replace(alone, models=beside))
        ]
        assert found[0].verdict == found[1].verdict != "supported"
        assert found[0].p_support_holm == found[1].p_support_holm


def test_a_rate_that_could_not_be_otherwise_is_not_measured(few):
    """Without a boundary anywhere nothing can be consistent, so 0 % would be no rate."""
    cell = few["rates"]["P1.1"]["featureless, 2 families of 3"]
    assert cell["testable"] == 0
    assert cell["ours"] is None
    lines = rate_lines(few)
    assert any("featureless" in line and "not measured" in line for line in lines)
    assert any("eq23: not measured" in line for line in lines)


def test_what_the_theory_predicts_can_be_supported():
    texts = [judged(("as predicted, texts", (2, 3), Recipe(), number)) for number in range(2)]
    assert "supported" in [one["L-lexical"][0] for one in texts]
    drifting = [judged(("as predicted", (2, 3), Recipe(), number)) for number in range(4)]
    assert [one["P1.2"][0] for one in drifting].count("supported") >= 2


def test_lines_for_a_terminal(few):
    lines = rate_lines(few)
    assert any("smooth" in line and "%" in line for line in lines)
    assert any("tier 1" in line for line in lines)


@pytest.fixture
def rates():
    found = null_rates()
    if not found:
        pytest.skip("no rates are shipped, so verdicts quote none: run `make worlds`")
    return found


def test_without_shipped_rates_a_verdict_quotes_none():
    if null_rates():
        pytest.skip("rates are shipped")
    nothing = verdicts(Measurements({}), Rules())
    assert all(one.null_rate is None for one in nothing.values())


def test_shipped_rates_were_computed_with_the_shipped_detector(rates):
    assert rates["detector"] == detector_digest()
    assert rates["recipe"] == json.loads(json.dumps(asdict(shipped(rates["recipe"]["worlds"]))))


def test_shipped_rates_are_within_the_bar(rates):
    recipe = rates["recipe"]
    assert recipe["worlds"] >= 200
    assert set(rates["rates"]) | set(rates["not_measured"]) == set(predictions())
    for name, cells in rates["rates"].items():
        assert any(rate["testable"] for rate in cells.values()), name
        for cell, rate in cells.items():
            assert rate["worlds"] >= 100
            assert rate["ours"] is None or rate["ours"]["supported"] <= 0.05, (name, cell)
    for cells in rates["tiers"].values():
        assert all(rate["supported"] <= 0.05 for rate in cells.values())
    alike = [rate for cell, rate in rates["rates"]["P3.2"].items() if cell.startswith("three alike")]
    assert all(rate["worlds"] >= 200 and rate["ours"]["supported"] <= 0.05 for rate in alike)
    chains = [rate for cell, rate in rates["power"]["A2"].items() if cell.startswith("markov chains")]
    assert all(rate["worlds"] >= 100 and rate["ours"]["refuted"] <= 0.05 for rate in chains)


def test_every_rule_can_support_what_is_true(rates):
    """A prediction without power is a rule that says nothing, whatever its error: so P3.2 was, in every design."""
    assert set(rates["power"]) == set(rates["rates"])
    for name, cells in rates["power"].items():
        assert max(rate["ours"]["supported"] for rate in cells.values() if rate["ours"]) >= 0.3, name
    drift = [
        rates["power"]["P3.2"][f"as predicted, 2 families of {runs}"]["ours"]["supported"] for runs in (5, 10)
    ]
    assert drift[1] > drift[0] > 0


def test_one_shipped_rate_can_be_computed_again(rates):
    name, cell = "P3.2", "three alike, 2 families of 3"
    again = [judged(("three alike", (2, 3), Recipe(), number))[name] for number in range(12)]
    published = np.mean([says == "supported" for _, says in again])
    assert abs(published - rates["rates"][name][cell]["paper"]["supported"]) <= 0.35

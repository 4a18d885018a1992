"""The engine: error held over the headline predictions, rules fixed in advance, every reading counted."""

import json
from dataclasses import fields

import pytest

from mspgt.predictions.judging import specification_curve, verdicts
from mspgt.predictions.readings import Reading
from mspgt.predictions.registry import fixed_in_advance, predictions
from mspgt.predictions.rules import Rules
from mspgt.results import to_jsonable
from mspgt.stats.multiplicity import holm
from tests.predictions.planted import model, noise, probe, results
from tests.whole import measured

IDS = [
    *("P1.1", "P1.2", "P2.1", "P3.1", "P3.2"),
    *("A2", "A3", "A3-positions", "G-coherence", "L-lexical", "P-order"),
    *("beta-reach", "eq23", "eq30", "eq31", "eq34"),
]


@pytest.fixture(scope="module")
def study():
    models = {
        f"{family}{i}": model(
            family,
            64,
            20,
            40 + i,
            reach=1,
            probes={"pos": probe(64, 10), "dep": probe(64, 30)},
            **noise({"length_variance": (1, 3, 2)}),
        )
        for family in ("a", "b")
        for i in range(4)
    }
    return results(**models)


@pytest.fixture(scope="module")
def judged(study):
    return verdicts(measured(study), Rules())


def test_every_prediction_is_judged_and_written_in_full(judged):
    assert list(judged) == IDS
    for one in judged.values():
        content = json.loads(json.dumps(to_jsonable(one)))
        assert content["rule"]
        assert content["power"]
        assert content["paper_claim"]["source"]
        assert content["paper_rule"]["rule"]
        assert content["verdict"] in ("supported", "refuted", "inconclusive", "not testable")
        if content["verdict"] == "not testable":
            assert content["missing"]
            assert content["statistic"] is None
        else:
            assert content["statistic"] is not None
            assert content["evidence"]


def test_holm_over_the_headline_predictions(judged):
    headline = [one for one in judged.values() if one.headline and one.p_support is not None]
    assert len(headline) == 4
    # The fifth, which these results cannot test, counts as one that nothing speaks for.
    expected = holm([*(one.p_support for one in headline), 1.0])[:4]
    assert [one.p_support_holm for one in headline] == pytest.approx(expected.tolist())
    assert all(one.p_support_holm is None for one in judged.values() if not one.headline)


def test_what_is_said_to_decide_agrees_with_every_verdict(judged):
    for one in judged.values():
        by = one.decided_by
        assert (by.units or 0) == len(one.units)
        if by.supported and by.refuted:
            assert by.unit in [unit.name for unit in one.units]
            sides = {"supported": by.supported, "refuted": by.refuted}
            enough = {side for side, share in sides.items() if share.in_ >= share.needed}
            assert enough == {one.verdict} & {"supported", "refuted"}, one.id


def test_a_verdict_does_not_depend_on_which_sections_were_run():
    """The same drift alone, and beside Experiment 2 and the theory: one p-value, one verdict."""
    places = [(5, place) for place in (20, 22, 21, 60, 61, 90, 92)]
    alone = {f"m{i}": model("f", 96, *pair, reach=1) for i, pair in enumerate(places)}
    effects = noise({"length_variance": (0.0, 40.0, 0.0)})
    beside = {name: one | effects | {"theory": {"kink": {}}} for name, one in alone.items()}
    found = [
        verdicts(measured(results(**models)), Rules(), specification=False)["P3.2"]
        for models in (alone, beside)
    ]
    assert found[0].p_support == found[1].p_support
    assert found[0].verdict == found[1].verdict == "supported"


def test_what_stands_alone_may_not_stand_among_five():
    # Alone 0.03; among the five 0.15, however few of them were run.
    kink = {"p": 0.03, "statistic": 4.0, "bend": 0.1, "layer": 20, "rank": 0.0, "laws": {
        "bends": {"scale": 1.0, "freedom": 12.0, "unit": 0.9},
    }}  # fmt: skip
    theory = {"kink": {"source": "calibrated", "primary": "all", "LI": {"all": kink}, "IG": {"all": kink}}}
    one = verdicts(measured(results(a=model("a", 64, 20, 40, theory=theory))), Rules(), specification=False)[
        "P1.2"
    ]
    assert one.p_support == 0.03
    assert one.p_support_holm == pytest.approx(5 * 0.03)
    assert one.verdict == "inconclusive"
    assert any("five headline predictions" in why for why in one.why)


def test_the_order_of_models_does_not_matter(study, judged):
    backwards = {**study, "models": dict(reversed(study["models"].items()))}
    again = verdicts(measured(backwards), Rules())
    assert to_jsonable(again) == to_jsonable(judged)


def test_one_model_tests_nothing_between_models():
    found = verdicts(measured(results(a=model("f", 64, 20, 40))), Rules(), specification=False)
    assert {one.verdict for one in found.values()} == {"not testable"}
    assert all(one.missing for one in found.values())


def test_no_model_at_all():
    assert {one.verdict for one in verdicts(measured(results()), Rules()).values()} == {"not testable"}


def test_a_threshold_changes_what_is_fixed_in_advance_and_the_verdict():
    strict = Rules(cv=0.001)
    assert fixed_in_advance(strict) != fixed_in_advance(Rules())
    steady = results(**{f"m{i}": model("f", 96, 40, 60) for i in range(6)})
    assert verdicts(measured(steady), Rules(), specification=False)["P1.1"].verdict == "supported"
    assert verdicts(measured(steady), strict, specification=False)["P1.1"].verdict == "inconclusive"


def test_rules_say_what_they_do_not_allow():
    for wrong in ({"cv": 0.0}, {"level": 0.2}, {"members": 2}, {"drift": 1.5}, {"ratio": 0.5}):
        with pytest.raises(ValueError, match="found"):
            Rules(**wrong)


def test_the_curve_counts_every_reading(study, judged):
    curve = judged["P1.1"].specification
    rows = curve.readings
    assert rows[0].reading == {}
    assert len({json.dumps(row.reading, sort_keys=True) for row in rows}) == len(rows)
    assert sum(curve.counts.values()) == len(rows)
    # Counting the embedding moves ρ by less than a layer: the verdict stays.
    counted = next(row for row in rows if row.reading == {"embedding": "yes"})
    assert counted.verdict == rows[0].verdict
    # Nothing was found without S1 here, and paper mode found nothing.
    lost = next(row for row in rows if row.reading == {"evidence": "without_S1"})
    assert not lost.testable
    others = [row for row in rows[1:] if row.testable]
    assert curve.agree == sum(row.verdict == rows[0].verdict for row in others) / len(others)
    assert all(set(row.reading) <= {field.name for field in fields(Reading)} for row in rows)


def test_a_reading_in_paper_mode_never_gives_the_verdict():
    models = {f"m{i}": model("f", 96, paper=(40, 60)) for i in range(6)}
    found = verdicts(measured(results(**models)), Rules())["P1.1"]
    assert found.verdict == "not testable"
    assert found.paper_rule.says == "supported"
    in_paper_mode = [row for row in found.specification.readings if row.reading.get("mode") == "paper"]
    assert any(row.verdict == "supported" for row in in_paper_mode)


def test_no_reading_agrees_with_a_primary_one_that_tested_nothing():
    """Thirds of the depth give no verdict; taken all the same they would, which is no disagreement of 100 %."""
    found = {
        f"m{i}": model("f", 32, **noise({"length_variance": (1, 40, 2)}, source="thirds")) for i in range(3)
    }
    curve = specification_curve(predictions()["P2.1"], measured(results(**found)), Rules())
    assert not curve.readings[0].testable
    assert any(row.testable for row in curve.readings)
    assert curve.agree is None
    assert curve.supported == 1.0


def test_nothing_testable_leaves_no_share():
    curve = specification_curve(predictions()["P2.1"], measured(results(a=model("f", 32))), Rules())
    assert curve.agree is None

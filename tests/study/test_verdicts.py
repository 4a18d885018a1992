"""Families and verdicts of a study, and what its plan says of them beforehand."""

from dataclasses import replace

import pytest
from calibration.worlds.theory import unmeasured_theory

from mspgt.predictions.judging import verdicts
from mspgt.predictions.rules import Rules
from mspgt.results import to_jsonable
from mspgt.results.theory import Theory
from mspgt.study.identity import Identity
from mspgt.study.loading import make_config
from mspgt.study.theory_results import judge_blocks
from mspgt.study.verdicts import conclude, conclusions, families_of, power_lines
from tests.predictions.planted import model, results
from tests.report.planted_results import claim as claimed
from tests.report.planted_results import model as measured
from tests.whole import measured as judged
from tests.whole import whole


def judgeable(**models):
    return judged(results(**models))


def identity(label, family="f", layers=24):
    return Identity(label, label, family, "r", label, "float32", layers, 64, 4, 1000 + layers, True, "")


def study(models, **sections):
    return make_config({"name": "s", "models": models, "corpus": {"source": "x"}, **sections})


def test_families_carry_both_modes_and_what_makes_drift_comparable():
    found = families_of(
        judgeable(
            a=model("f", 32, 13, 16, paper=(12, 15)),
            b=model("f", 32, 13, 20, paper=(12, 15)),
            c=model("f", 28, 13, 16),
            d=model("g", 28, 4, 8),
        )
    )
    boundary = found["f"]["IG"]
    assert boundary.members == {"a": 0.5, "b": 0.625, "c": pytest.approx(16 / 28)}
    assert not boundary.underpowered
    assert boundary.paper.members == {"a": 15 / 32, "b": 15 / 32}
    assert boundary.paper.missing == ["c"]
    same = {(pair.first, pair.second): pair.same_architecture for pair in boundary.drift}
    assert same == {("a", "b"): True, ("a", "c"): False, ("b", "c"): False}
    assert boundary.offsets["g"].offset == pytest.approx(boundary.mean - 8 / 28)
    assert found["g"]["IG"].underpowered


def test_what_could_not_be_said_is_a_warning():
    _, predictions, notices = conclusions(judgeable(a=model("f", 32, 13, 16)), study(["a"]).predictions)
    places = [notice.where for notice in notices]
    assert "families.f.LI" in places
    assert {f"predictions.{name}" for name in predictions} <= set(places)
    assert all(notice.what for notice in notices)


def test_states_of_a_run_are_marked_and_count_once():
    config = study([{"id": "m/run", "revision": "step{}", "steps": [1, 2, 3]}])
    models = {
        one.label: measured(24, seed=at, claims={
            "LI": claimed("spike", 5 + at, 24, [5 + at]), "IG": claimed("spike", 15, 24, [15])
        })
        for at, one in enumerate(config.models)
    }  # fmt: skip
    for at, one in enumerate(models.values()):
        one.revision = f"r{at}"
    families, _, _ = conclude(config, models, 60)
    assert [(one.run, one.step) for one in models.values()] == [("m/run", 1), ("m/run", 2), ("m/run", 3)]
    assert families["llama"]["LI"].members == {"m/run@3": 7 / 24}
    assert to_jsonable(models)["m/run@2"]["step"] == 2


def test_the_plan_says_what_each_verdict_could_show():
    labels = [f"m{i}" for i in range(3)]
    lines = list(power_lines(study(labels), [identity(label) for label in labels], 60))
    assert any("P1.1" in line and "if the true CV is" in line for line in lines)
    assert any("P2.1" in line and "needs Experiment 2" in line for line in lines)
    assert any("P3.2" in line and "the sets of 2 of them lie apart" in line for line in lines)
    alone = list(power_lines(study(["m0"]), [identity("m0")], 60))
    assert any("P1.1" in line and "1 of the 3 runs needed" in line for line in alone)


def test_the_plan_counts_a_run_once_however_many_states():
    config = study([{"id": "m/run", "revision": "step{}", "steps": [1, 2, 3]}])
    lines = list(power_lines(config, [identity(one.label) for one in config.models], 60))
    assert any("P3.2" in line and "1 of the 3 training runs" in line for line in lines)


def test_the_plan_counts_the_same_weights_once_under_whatever_names():
    twice = [identity("m0"), replace(identity("m1"), weights_sha256="m0"), identity("m2")]
    lines = list(power_lines(study(["m0", "m1", "m2"]), twice, 60))
    assert any("P1.1" in line and "2 of the 3 runs needed" in line for line in lines)


def slopes(loss):
    return {"scales": {scale: {"loss": loss, "kl": loss} for scale in ("local", "global")}}


@pytest.mark.parametrize(
    ("where", "name", "planted", "verdict"),
    [
        # Below 0 for certain, and so falling; no more than half as fast as claimed.
        (("concentration",), "eq34", {"by_draws": {"slope": -0.3, "ci": [-0.55, -0.05]}}, "inconclusive"),
        # An interval that reaches beyond the margin, in which the equivalence test is passed.
        (("fisher", "equation30"), "eq30", slopes({"value": 1.15, "ci": [1.045, 1.255]}), "supported"),
        # −1 excluded, and within the margin of it.
        (("beta", "equation23"), "eq23", {"slope": -1.3, "ci": [-1.4, -1.2]}, "supported"),
        (
            ("markov",),
            "A2",
            {"ratio": [0.3] * 9, "excess": [0.02] * 9, "se": [0.002] * 9, "groups": 20},
            "supported",
        ),
    ],
)
def test_the_theory_part_and_the_prediction_say_the_same(where, name, planted, verdict):
    """Cases in which a rule of its own would say another thing: `theory.*` quotes the verdict of the prediction."""
    given = planted
    for key in reversed(where):
        given = {key: given}
    blocks = to_jsonable(unmeasured_theory("planted"))
    blocks |= {key: blocks[key] | one for key, one in given.items()}
    blocks = whole(Theory, blocks)
    its = identity("m")
    judge_blocks(its, Rules(), blocks)
    found = verdicts(judged(results(m=model("f", its.layers, theory=given))), Rules(), specification=False)
    block = blocks
    for key in where:
        block = block[key]
    assert block["verdict"] == found[name].verdict == verdict

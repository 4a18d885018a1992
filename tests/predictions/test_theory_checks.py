"""P1.2, A2 and equations 23, 30 and 34 on planted inputs, and what they say where those are missing."""

import numpy as np
import pytest
from scipy import stats

from mspgt.predictions.judging import verdicts
from mspgt.predictions.rules import Rules
from tests.predictions.planted import model, results

LAYERS = 24


def judged(name, count=3, **theory):
    models = {f"m{i}": model("f", LAYERS, 8, 16, theory={**theory}) for i in range(count)}
    return verdicts(results(**models), Rules(), specification=False)[name]


def kinks(t, source="calibrated"):
    one = {
        "p": min(1.0, float(4 * stats.t.sf(t / 1.2, 12))),
        "statistic": -t, "freedom": 12.0, "bend": 0.01, "layer": 8, "rank": 0.1,
    }  # fmt: skip
    return {"source": source, "primary": "all", "LI": {"all": one}, "IG": {"all": one}}


def markov(ratio, se=0.002):
    return {
        "markov": {"ratio": [ratio] * (LAYERS - 2), "se": [se] * (LAYERS - 2)},
        "information": {"documents": 40},
    }


def edge(value, se, key="value"):
    return {key: value, "ci": [value - 1.96 * se, value + 1.96 * se]}


def slopes(loss, se=0.02):
    return {"fisher": {"equation30": {"scales": {s: {"loss": edge(loss, se)} for s in ("local", "global")}}}}


@pytest.mark.parametrize(("t", "verdict"), [(9.0, "supported"), (0.2, "refuted"), (3.0, "inconclusive")])
def test_kinks(t, verdict):
    assert judged("P1.2", kink=kinks(t)).verdict == verdict


def test_a_kink_of_the_size_asked_for_is_rarely_excluded():
    rng = np.random.default_rng(0)
    t = np.abs(stats.nct.rvs(12, 4.0, size=400, random_state=rng))
    from mspgt.predictions.p1_2 import _p_absent

    assert np.mean([_p_absent(float(one), 12, 4.0) <= 0.05 for one in t]) <= 0.08


def test_kinks_at_places_that_nobody_found():
    found = judged("P1.2", kink=kinks(9.0, source="paper"))
    assert found.verdict == "not testable"
    assert any("found by paper mode" in why for why in found.missing)


def test_the_papers_criterion_holds_at_every_bend():
    assert judged("P1.2", kink=kinks(0.2)).paper_rule["says"] == "supported"


def test_a_kink_that_could_not_be_tested_says_why():
    nothing = {"p": None, "reason": "fewer than 20 layers"}
    found = judged("P1.2", kink={"source": "calibrated", "LI": nothing, "IG": nothing})
    assert all("fewer than 20 layers" in why for why in found.missing)


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(0.02, "supported"), (0.09, "refuted"), (0.05, "inconclusive")]
)
def test_near_markov(ratio, verdict):
    assert judged("A2", **markov(ratio)).verdict == verdict


def test_one_layer_beyond_the_bound_is_not_a_chain():
    given = markov(0.02)
    given["markov"]["ratio"][5] = 0.2
    assert judged("A2", **given).verdict == "refuted"


@pytest.mark.parametrize(
    ("slope", "verdict"), [(-1.0, "supported"), (0.3, "refuted"), (-2.0, "refuted"), (-0.5, "inconclusive")]
)
def test_equation_23(slope, verdict):
    found = judged("eq23", beta={"equation23": edge(slope, 0.1, "slope")})
    assert found.verdict == verdict
    # One table of languages ships with the package: however many models, it is one piece of evidence.
    assert len(found.units) == 1


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.02, "supported"), (0.4, "refuted"), (-0.5, "refuted"), (1.25, "inconclusive")]
)
def test_equation_30(ratio, verdict):
    assert judged("eq30", **slopes(ratio)).verdict == verdict


def test_equation_30_needs_every_scale():
    given = slopes(1.0)
    given["fisher"]["equation30"]["scales"]["global"]["loss"] = edge(2.0, 0.02)
    assert judged("eq30", **given).verdict == "refuted"


@pytest.mark.parametrize(
    ("slope", "verdict"),
    [(-0.5, "supported"), (-1.0, "supported"), (0.0, "refuted"), (-0.4, "inconclusive")],
)
def test_equation_34(slope, verdict):
    assert judged("eq34", concentration={"by_draws": edge(slope, 0.02, "slope")}).verdict == verdict


@pytest.mark.parametrize("name", ["P1.2", "A2", "eq23", "eq30", "eq34"])
def test_what_is_missing_is_named(name):
    nothing = verdicts(results(a=model("f", LAYERS)), Rules(), specification=False)[name]
    assert nothing.verdict == "not testable"
    assert "the theory part was not run" in nothing.missing[0]
    empty = judged(name, information={"documents": 40})
    assert empty.verdict == "not testable"
    assert any("models.m0.theory" in why for why in empty.missing)

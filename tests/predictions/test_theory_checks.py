"""P1.2, A2 and equations 23, 30 and 34 on planted inputs, and what they say where those are missing."""

import numpy as np
import pytest
from scipy import stats

from mspgt.predictions.judging import verdicts
from mspgt.predictions.p1_2 import _p_absent
from mspgt.predictions.registry import predictions
from mspgt.predictions.rules import Rules
from mspgt.results.theory import NoiseLaw
from mspgt.stats.coverage import rate_lower
from mspgt.theory.kink import kink_test
from tests.predictions.planted import kinks, model, results
from tests.whole import measured

LAYERS = 24


def judged(name, count=3, **theory):
    models = {f"m{i}": model("f", LAYERS, 8, 16, theory={**theory}) for i in range(count)}
    return verdicts(measured(results(**models)), Rules(), specification=False)[name]


def markov(ratio, se=0.002):
    return {
        "markov": {
            "ratio": [ratio + 0.1] * (LAYERS - 2),
            "excess": [ratio] * (LAYERS - 2),
            "se": [se] * (LAYERS - 2),
            "groups": 20,
        },
    }


def edge(value, se, key="value"):
    return {key: value, "ci": [value - 1.96 * se, value + 1.96 * se]}


def slopes(loss, se=0.02):
    return {"fisher": {"equation30": {"scales": {s: {"loss": edge(loss, se)} for s in ("local", "global")}}}}


@pytest.mark.parametrize(("t", "verdict"), [(9.0, "supported"), (0.2, "refuted"), (3.0, "inconclusive")])
def test_kinks(t, verdict):
    assert judged("P1.2", kink=kinks(t)).verdict == verdict


def excluded(depth, boundary, boundaries, noise, at, size, runs=1500):
    """Share of rough profiles, with a kink of `size` SDs of bends at layer `at`, in which one of 4 is excluded."""
    rng = np.random.default_rng([depth, boundary, at])
    bends = rng.standard_normal((runs, depth - 2))
    if noise == "profile":
        bends = np.diff(rng.standard_normal((runs, depth)), 2) / 6**0.5
    bends[:, at - 2] += size
    profiles = np.cumsum(np.cumsum(np.pad(bends, ((0, 0), (2, 0))), axis=1), axis=1)
    found = [kink_test(profile, boundary, boundaries) for profile in profiles]
    return np.mean([_p_absent(abs(one.statistic), laws(one), 4.0) <= 0.05 for one in found])


def laws(kink):
    return {noise: NoiseLaw(law.freedom, law.scale, law.unit) for noise, law in kink.laws.items()}


@pytest.mark.parametrize("noise", ["bends", "profile"])
@pytest.mark.parametrize(
    ("depth", "boundary", "boundaries"),
    [(24, 8, (8, 16)), (32, 10, (10, 21)), (24, 4, (4, 8)), (20, 3, (3, 6))],
)
def test_a_kink_of_the_size_asked_for_is_rarely_excluded(depth, boundary, boundaries, noise):
    for end in (boundary, boundary + 1):
        rate = excluded(depth, boundary, boundaries, noise, end, 4.0)
        assert rate_lower(round(1500 * rate), 1500, 0.999) <= 0.05


@pytest.mark.parametrize("noise", ["bends", "profile"])
def test_where_there_is_no_kink_one_of_the_size_asked_for_is_mostly_excluded(noise):
    for depth, boundary, boundaries in ((24, 8, (8, 16)), (32, 10, (10, 21))):
        assert excluded(depth, boundary, boundaries, noise, boundary, 0.0) >= 0.65


def test_an_error_of_the_bend_beyond_the_scatter_excludes_no_kink():
    """Bends four SDs off, told by so few documents that they read as one standard error."""
    rng = np.random.default_rng(0)
    bends = rng.standard_normal(22)
    bends[6] = 4.0
    profile = np.cumsum(np.cumsum(np.pad(bends, (2, 0))))
    found = kink_test(profile, 8, (8, 16), spread=np.full(22, 5.0))
    assert abs(found.statistic) < 1
    assert _p_absent(abs(found.statistic), laws(found), 4.0) > 0.05


def test_a_result_that_says_no_law_of_its_statistic_gives_no_verdict():
    old = kinks(0.2)
    for which in ("LI", "IG"):
        old[which] = {"all": {key: value for key, value in old[which]["all"].items() if key != "laws"}}
    found = judged("P1.2", kink=old)
    assert found.verdict == "not testable"
    assert all("run the study again" in why for why in found.missing)


def test_a_kink_beyond_the_reach_of_the_noncentral_t_is_told_and_not_judged():
    chance = stats.nct.cdf(0.15, 1.0, 36.8)
    assert np.isnan(chance)
    law = {"bends": {"scale": 1.0, "freedom": 1.0, "unit": 36.8 / 4}}
    assert np.isnan(_p_absent(0.15, {"bends": NoiseLaw(**law["bends"])}, 4.0))
    given = kinks(0.15)
    given["LI"]["all"] = given["LI"]["all"] | {"laws": law, "statistic": 0.15}
    given["IG"] = given["LI"]
    assert "cannot be computed" in judged("P1.2", kink=given).missing[0]


def test_kinks_at_places_that_nobody_found():
    found = judged("P1.2", kink=kinks(9.0, source="paper"))
    assert found.verdict == "not testable"
    assert any("found by paper mode" in why for why in found.missing)


def test_the_papers_criterion_holds_at_every_bend():
    assert judged("P1.2", kink=kinks(0.2)).paper_rule.says == "supported"


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
    given["markov"]["excess"][5] = 0.2
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


BOUNDS = {
    "P1.1": "cv", "P1.2": "kink", "P3.1": "ratio", "P3.2": "drift", "A2": "markov", "eq23": "slope_margin",
    "eq30": "fisher_margin", "eq31": "association", "eq34": "exponent_margin", "beta-reach": "association",
}  # fmt: skip


def test_refuted_says_what_was_excluded_with_the_threshold_in_force():
    """A kink of two SDs is found absent where one of four is: the sentence must say four, and follow the rules."""
    found = judged("P1.2", kink=kinks(0.2))
    assert found.verdict == "refuted"
    assert "a kink of 4 SDs of the other layers' bends or more" in found.excluded
    for name, one in predictions().items():
        plain = one.excluded(Rules())
        assert plain, name
        if bound := BOUNDS.get(name):
            other = 0.8 * getattr(Rules(), bound)
            assert one.excluded(Rules(**{bound: other})) != plain, name
        else:
            # Nothing but a direction is excluded, or the share of units that stands in its words.
            assert one.threshold(Rules()) == 0, name


@pytest.mark.parametrize("name", ["P1.2", "A2", "eq23", "eq30", "eq34"])
def test_what_is_missing_is_named(name):
    nothing = verdicts(measured(results(a=model("f", LAYERS))), Rules(), specification=False)[name]
    assert nothing.verdict == "not testable"
    assert "the theory part was not run" in nothing.missing[0]
    empty = judged(name, information={"documents": 40})
    assert empty.verdict == "not testable"
    assert any("models.m0.theory" in why for why in empty.missing)

"""Claims over architectures: size and power of the rank test, and equation 31 on planted models."""

from collections import Counter
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from calibration.worlds.kinds import KINDS_OF_WORLDS
from calibration.worlds.simulate import Recipe, judged
from scipy import stats

from mspgt.predictions.association import Pair, means_by_architecture, rank_unit, spearman, told_power
from mspgt.predictions.judging import verdicts
from mspgt.predictions.registry import predictions
from mspgt.predictions.rules import Rules
from tests.predictions.planted import model, noise, results
from tests.whole import measured

METRICS = ("ttr", "coherence", "length_variance")


def drawn(correlation, n, rng):
    x, e = rng.standard_normal((2, n))
    y = correlation * x + np.sqrt(1 - correlation**2) * e
    return {str(i): Pair(float(a), float(b)) for i, (a, b) in enumerate(zip(x, y, strict=True))}


def rates(correlation, n, worlds=500):
    rng = np.random.default_rng(n)
    units = [rank_unit("m", drawn(correlation, n, rng), 1.0, "", Rules()) for _ in range(worlds)]
    return np.mean([one.p_support <= 0.05 for one in units]), np.mean([one.p_refute <= 0.05 for one in units])


@pytest.mark.parametrize("n", [8, 16])
def test_nothing_is_rarely_a_relation_and_a_relation_of_the_least_size_rarely_excluded(n):
    supported, _ = rates(0.0, n)
    # A normal correlation r has rank correlation 6/π asin(r/2).
    _, refuted = rates(2 * np.sin(np.pi / 6 * Rules().association), n)
    assert supported <= 0.075
    assert refuted <= 0.075


def test_a_close_relation_is_mostly_seen():
    assert rates(0.95, 8, 100)[0] >= 0.9
    assert rates(-0.5, 16, 100)[1] >= 0.9


def test_the_interval_covers_no_relation_as_often_as_it_says_in_all_orders_of_eight():
    """Exact: every order of eight architectures, each as likely as the next where nothing goes with anything."""
    first = np.arange(8)
    orders = np.array(list(permutations(first)))
    squares = ((orders - first) ** 2).sum(1)
    examples = dict(zip(squares.tolist(), orders.tolist(), strict=True))
    covered = 0
    for square, count in Counter(squares.tolist()).items():
        pairs = {str(i): Pair(float(i), float(y)) for i, y in enumerate(examples[square])}
        low, high = rank_unit("m", pairs, 1.0, "", Rules()).ci
        assert low < 1 - 6 * square / (8 * 63) < high or square in (0, 168)
        turned = rank_unit("m", pairs, -1.0, "", Rules()).ci
        assert turned == pytest.approx((-high, -low), abs=1e-9)
        covered += count * (low <= 0 <= high)
    assert 0.935 <= covered / len(orders) <= 0.965


@pytest.mark.parametrize("n", [8, 12])
def test_ends_and_the_test_against_a_relation_by_hand(n):
    unit = rank_unit("m", drawn(0.4, n, np.random.default_rng(n)), 1.0, "", Rules())
    at = np.arctanh(unit.statistic)
    for end, side in zip(unit.ci, (-1, 1), strict=True):
        error = np.sqrt((1 + end**2 / 2) / (n - 3))
        assert np.arctanh(end) == pytest.approx(at + side * 1.959964 * error, abs=1e-6)
    error = np.sqrt((1 + unit.statistic**2 / 2) / (n - 3))
    assert unit.p_refute == pytest.approx(stats.norm.cdf((at - np.arctanh(0.5)) / error))


def test_one_value_of_either_number_tests_nothing():
    pairs = drawn(0.0, 8, np.random.default_rng(0))
    for axis in ("x", "y"):
        flat = {name: replace(one, **{axis: 3.0}) for name, one in pairs.items()}
        assert "one value" in rank_unit("m", flat, 1.0, "", Rules())


def test_the_power_of_so_many_architectures():
    # tanh of the sum of both quantiles, 1.645 and .842, in standard errors of Fisher's transform.
    for n, correlation in ((8, "0.82"), (30, "0.46")):
        assert f"about {correlation} has 80 % power" in told_power(n, Rules())
    assert "needs 8 architectures; found 7" in told_power(7, Rules())


def test_ranks_with_ties_by_hand():
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: covariance 4.5 over √(4.5 · 5).
    assert spearman(np.array([1.0, 2, 2, 3]), np.array([1.0, 2, 3, 4])) == pytest.approx(4.5 / 22.5**0.5)


def study(trace_of, architectures=8, runs=1, **changed):
    """Architecture k has effects of size k + 1 on the Local scale."""
    models = {}
    for k in range(architectures):
        for run in range(runs):
            size = 2.0 * (k + 1)
            one = model(f"f{k}", 24, **noise(dict.fromkeys(METRICS, (size, 1, 1))))
            one["theory"] = {"fisher": {"fisher": {"value": [trace_of(k)] * 24}}}
            models[f"m{k}-{run}"] = one | changed
    return results(**models)


def eq31(found, **rules):
    return verdicts(measured(found), Rules(**rules), specification=False)["eq31"]


def test_traces_that_go_with_brittleness():
    assert eq31(study(lambda k: 0.1 * (k + 1))).verdict == "supported"
    assert eq31(study(lambda k: 1.0 / (k + 1))).verdict == "refuted"
    assert eq31(study(lambda k: [3, 1, 7, 5, 8, 2, 6, 4][k])).verdict == "inconclusive"


def test_few_architectures_test_nothing_and_say_how_many_there_were():
    found = eq31(study(lambda k: k + 1.0, architectures=7))
    assert found.verdict == "not testable"
    assert any("7 architectures; needed are 8" in why for why in found.missing)
    # Further runs of an architecture are no further architectures.
    assert eq31(study(lambda k: k + 1.0, architectures=4, runs=2)).verdict == "not testable"
    assert eq31(study(lambda k: k + 1.0, architectures=7), architectures=7).verdict == "supported"


def test_runs_of_an_architecture_are_averaged():
    found = study(lambda k: 1.0, architectures=2, runs=2)
    pairs = {name: Pair(float(i), 10.0 * i) for i, name in enumerate(sorted(found["models"]))}
    assert [(one.x, one.y) for one in means_by_architecture(measured(found), pairs).values()] == [
        (0.5, 5.0),
        (2.5, 25.0),
    ]


def test_equal_traces_say_nothing():
    assert any("one value" in why for why in eq31(study(lambda k: 1.0)).missing)


def test_refuting_says_which_correlation_was_excluded():
    assert "0.7 or more" in predictions()["eq31"].excluded(Rules(association=0.7))


@pytest.mark.parametrize(("name", "verdict"), [("as derived", "supported"), ("no relation", "not")])
def test_planted_worlds(name, verdict):
    assert name in {kind.name for kind in KINDS_OF_WORLDS}
    said = judged((name, (10, 1), Recipe(), 0))["eq31"][0]
    assert (said == "supported") == (verdict == "supported")

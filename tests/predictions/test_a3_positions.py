"""A3 by positions: planted boundaries of two families, by every account."""

import numpy as np
import pytest

from mspgt.predictions.a3_positions import Sorted, p_farther
from mspgt.predictions.judging import verdicts
from mspgt.predictions.rules import Rules
from tests.predictions.planted import claim, model, results, untested_order
from tests.whole import measured


def study(a, b, runs=4, layers=96, **more):
    return results(
        **{f"a{i}": model("a", layers, *a, reach=1, **more) for i in range(runs)},
        **{f"b{i}": model("b", layers, *b, reach=1, **more) for i in range(runs)},
    )


def judged(found, rules=None):
    return verdicts(measured(found), rules or Rules())["A3-positions"]


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ((24, 48), (24, 72), "supported"),
        ((24, 72), (48, 72), "refuted"),
        ((24, 48), (48, 72), "inconclusive"),
        ((24, 48), (24, 48), "inconclusive"),
        # Both move against each other: the larger distance counts, whatever its direction.
        ((24, 72), (30, 40), "supported"),
    ],
)
def test_which_boundary_depends_on_the_family(a, b, verdict):
    assert judged(study(a, b)).verdict == verdict


def test_two_models_are_not_a_family():
    found = judged(study((24, 48), (24, 72), runs=2))
    assert found.verdict == "not testable"
    assert any("needed are 3" in why for why in found.missing)


def test_families_whose_strongest_boundaries_are_others_are_not_compared():
    """Three boundaries in every run; in one family the first two are strong, in the other the last two."""
    found = study((24, 48), (24, 48))
    for name, one in found["models"].items():
        scores = (6.0, 5.0, 4.0) if name.startswith("a") else (4.0, 5.0, 6.0)
        one["boundaries"]["calibrated"]["spike"] = [
            claim(layer, 96, 1, score=score) for layer, score in zip((24, 48, 72), scores, strict=True)
        ]
    told = judged(found)
    assert told.verdict == "not testable"
    assert any("which is which" in why for why in told.missing)


def test_functional_positions_are_read_first_and_shocks_stand_beside():
    def scales(li, ig):
        ends = {"LI": li, "IG": ig}
        return {
            which: {"layer": round(at), "soft": {"value": at, "ci": [at - 0.5, at + 0.5]}, "reason": ""}
            for which, at in ends.items()
        } | {"order": untested_order()}

    found = study((24, 72), (48, 72))
    for name, one in found["models"].items():
        one["scales"] = scales(24, 48) if name.startswith("a") else scales(24, 72)
    told = judged(found)
    assert (told.verdict, told.positions) == ("supported", "functional")
    said = {tuple(row.reading.items()): row.verdict for row in told.specification.readings}
    assert said[("positions", "shocks"),] == "refuted"
    assert said[("positions", "phases"),] == "not testable"
    assert judged(found, Rules(positions="shocks")).verdict == "refuted"


def silent(found, names):
    """The study with some runs in which the detector found nothing."""
    for name in names:
        calibrated = found["models"][name]["boundaries"]["calibrated"]
        calibrated |= {"chosen": {"LI": None, "IG": None}, "spike": []}
    return found


def test_families_do_not_differ_by_what_is_missing():
    """Three of six runs show a late I–G boundary, and the other three none: they may have theirs early."""
    told = judged(silent(study((24, 48), (24, 72), runs=6), ("b3", "b4", "b5")))
    assert told.verdict == "inconclusive"
    assert told.statistic == pytest.approx(0.25)
    assert "6 of 6 against 3 of 6 training runs; those without" in told.units[0].note


def test_one_silent_run_of_many_does_not_hide_what_the_others_show():
    assert judged(silent(study((24, 48), (24, 76), runs=20), ("b19",))).verdict == "supported"
    assert judged(silent(study((24, 72), (52, 72), runs=20), ("a0",))).verdict == "refuted"


def test_a_family_that_shows_too_little_counts_as_one():
    """Two pairs of three lack a family whose runs show nothing: one pair alone is no majority."""
    found = study((24, 48), (24, 72))
    found["models"] |= {f"c{i}": model("c", 96) for i in range(4)}
    told = judged(found)
    assert told.verdict == "inconclusive"
    assert [unit.statistic is None for unit in told.units] == [False, True, True]
    assert any("c: 0 of 4 training runs" in why for why in told.missing)


def test_a_verdict_holds_wherever_silent_runs_have_their_boundaries():
    """What is told of absent runs is the largest p-value of all their places, L–I before I–G."""
    rng = np.random.default_rng(5)
    for shown, absent in ((9, 1), (6, 2), (4, 3)):
        places = np.array([0.25, 0.75]) + 0.03 * rng.standard_normal((2, shown, 2))
        places[1, :, 1] -= 0.4
        errors = np.full((shown, 2), 0.01)
        a, b = Sorted((), places[0], errors, 0), Sorted((), places[1], errors, absent)
        for more, less in ((1, 0), (0, 1)):
            worst = p_farther(a, b, more, less)
            for _ in range(100):
                anywhere = np.sort(rng.uniform(size=(absent, 2)), axis=1)
                everyone = np.concatenate([places[1], anywhere])
                whole = Sorted((), everyone, np.concatenate([errors, np.zeros((absent, 2))]), 0)
                assert p_farther(a, whole, more, less) <= worst + 1e-12

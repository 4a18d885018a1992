"""A3 by positions: planted boundaries of two families, by every account."""

import pytest

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

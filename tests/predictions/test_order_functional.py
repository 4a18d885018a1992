"""P-order by functional scales: planted states through readers and order test, and what is read where."""

import numpy as np
import pytest
from calibration.worlds.parts import DEPTH, functional

from mspgt.predictions.judging import verdicts
from mspgt.predictions.rules import Rules
from mspgt.results import to_jsonable
from tests.predictions.planted import model, probe, results
from tests.whole import measured


@pytest.fixture(scope="module")
def planted():
    rng = np.random.default_rng(0)
    places = {"ordered": (0.2, 0.45, 0.7), "tied": (0.45, 0.45, 0.45), "reversed": (0.7, 0.45, 0.2)}
    return {name: to_jsonable(functional(centres, rng)) for name, centres in places.items()}


def judged(scales, rules=None, **more):
    one = model("f", DEPTH, scales=scales, **more)
    return verdicts(measured(results(a=one)), rules or Rules())["P-order"]


@pytest.mark.parametrize(
    ("planted_as", "verdict"), [("ordered", "supported"), ("tied", "inconclusive"), ("reversed", "refuted")]
)
def test_the_order_of_planted_scales(planted, planted_as, verdict):
    found = judged(planted[planted_as])
    assert found.verdict == verdict
    assert found.positions == "functional"


def test_the_step_is_that_of_the_planted_depths(planted):
    assert judged(planted["ordered"]).statistic == pytest.approx(0.25, abs=0.06)


def test_probes_stand_beside_functional_scales_in_the_curve(planted):
    """Probes in the other order than scales: each reading says its own."""
    probes = {"pos": probe(DEPTH, 9), "dep": probe(DEPTH, 3)}
    found = judged(planted["ordered"], probes=probes)
    said = {tuple(row.reading.items()): row.verdict for row in found.specification.readings}
    assert said[()] == "supported"
    assert said[("positions", "shocks"),] == "refuted"
    by_shocks = judged(planted["ordered"], Rules(positions="shocks"), probes=probes)
    assert by_shocks.verdict == "refuted"


def test_an_undefined_scale_leaves_its_step_untested(planted):
    scales = planted["ordered"]
    lost = {**scales["order"]["IG"], "p": None, "p_reversed": None, "reason": "G is undefined"}
    lost["gap"] = {"value": None, "ci": None}
    found = judged({**scales, "order": {**scales["order"], "IG": lost}})
    assert found.verdict == "inconclusive"
    assert any("G is undefined" in why for why in found.missing)
    assert any("not be supported" in why for why in found.why)

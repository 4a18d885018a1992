"""Positions across sizes: planted slopes come back, runs of one configuration are one point, too few are refused."""

from dataclasses import replace

import pytest

from mspgt.predictions.readings import Reading
from mspgt.report.sizes_section import sizes_section
from mspgt.results import ModelResult, from_json, to_jsonable
from mspgt.results.comparison import Sizes, SizeTrend
from mspgt.study.sizes import against_sizes
from tests.report.planted_results import claim
from tests.report.planted_results import model as measured


def sized(doublings: int, LI: int, IG: int | None = 30, seed: int = 0) -> ModelResult:
    """A model of 40 layers with 2 ** doublings million parameters and boundaries at these layers."""
    claims = {"LI": claim("spike", LI, 40, [LI]), "IG": claim("spike", IG, 40, [IG]) if IG else None}
    one = measured(40, seed=seed, paper=None, claims=claims)
    return replace(one, parameters=2**doublings * 1_000_000, width=64 * 2**doublings)


def slopes(found: Sizes) -> dict[tuple[str, str], SizeTrend]:
    return {(one.boundary, one.against): one for one in found.trends}


def test_a_planted_slope_comes_back_for_each_doubling() -> None:
    models = {f"m{at}": sized(at, LI=8 + 4 * at) for at in range(4)}
    told = slopes(against_sizes(models, Reading()))
    moving = told["LI", "parameters"]
    assert (moving.n, moving.slope) == (4, pytest.approx(4 / 40))
    assert told["LI", "width"].slope == pytest.approx(4 / 40)
    assert told["IG", "parameters"].slope == pytest.approx(0.0, abs=1e-12)
    depth = told["LI", "layers"]
    assert (depth.slope, depth.ci) == (None, None)
    assert "1 sizes by layers" in str(depth.reason)


def test_runs_of_one_configuration_are_one_point() -> None:
    models = {f"m{at}": sized(at, LI=8 + 4 * at) for at in range(3)}
    models |= {"again": sized(0, LI=12, seed=7)}
    found = against_sizes(models, Reading())
    first = found.configurations[0]
    assert (first.models, first.LI_models) == (["m0", "again"], 2)
    assert pytest.approx(10 / 40) == first.LI
    assert slopes(found)["LI", "parameters"].n == 3


def test_two_sizes_are_refused_with_the_reason_and_shown() -> None:
    models = {"small": sized(0, LI=8), "large": sized(5, LI=20), "without": sized(7, LI=8, IG=None)}
    models["without"].boundaries.calibrated.chosen.update(LI=None, IG=None)
    found = against_sizes(models, Reading())
    assert slopes(found)["LI", "parameters"].slope is None
    assert to_jsonable(from_json(Sizes, to_jsonable(found))) == to_jsonable(found)
    section = sizes_section(found)
    assert section is not None
    assert "2 sizes by parameters among the configurations with this boundary; needed are 3" in section.html
    assert "no boundary" in section.html
    assert {table.name for table in section.tables} == {"sizes", "size_slopes"}
    assert sizes_section(None) is None

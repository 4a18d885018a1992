"""Benchmarks that cannot all be run here: their arithmetic, and the script for an accelerator in small."""

import numpy as np
import pytest
from bench import gpu, planned

from mspgt.errors import InputError


def test_the_growth_of_a_plans_error_is_that_of_planted_ratios():
    sizes = np.array([3e6, 1e8, 5e8, 2e9])
    rows = [{"parameters": int(n), "time_ratio": 1.3 * (n / 1e8) ** -0.1} for n in sizes]
    found = planned.growth(rows, "time_ratio")
    assert found["slope"] == pytest.approx(-0.1)
    expected = 1.3 * (planned.LARGE.parameters / 1e8) ** -0.1
    np.testing.assert_allclose(found["at_70_billion"], expected, rtol=0.01)
    rows[1]["time_ratio"] *= 1.5
    low, middle, high = planned.growth(rows, "time_ratio")["at_70_billion"]
    assert low < middle < high
    assert planned.growth(rows[:2], "time_ratio")["slope"] is None


def test_the_plan_for_70_billion_holds_its_weights():
    told = planned.of_70_billion()
    assert told["gib"] > told["gib_of_weights"] > 128
    assert told["sentences"] == planned.SENTENCES


def test_the_script_for_an_accelerator_measures_every_stage_and_agrees_with_itself():
    (told,) = gpu.main(tiny=True).values()
    assert told["processor_and_accelerator"]["cka"] == told["processor_and_accelerator"]["s3_bits"] == 0
    assert told["complete"]
    hours = told["hours_at_the_paper's_scale"]
    assert set(hours) == {"measuring", "reduction", "probes", "generation"}
    assert all(spent >= 0 for spent in hours.values())
    assert told["measuring_to_plain_pass"] > 0
    assert told["generation"]["rows"] == told["samples_at_once"] * told["generation"]["arms"]


def test_the_script_for_an_accelerator_begins_no_stage_when_time_is_over():
    (told,) = gpu.main(tiny=True, seconds=0).values()
    assert not told["complete"]
    assert told["measuring_to_plain_pass"] > 0
    assert "reduction_to_measuring" not in told
    assert "hours" not in told


def test_a_case_is_read_though_its_folder_holds_a_colon():
    assert planned.Case.of("a=zoo:b:20") == planned.Case("a", "zoo:b", 20)
    assert planned.Case.of("a=/x/y:3:bfloat16:1GB") == planned.Case("a", "/x/y", 3, "bfloat16", "1GB")
    with pytest.raises(InputError, match="NAME=FOLDER"):
        planned.Case.of("a=/x/y")

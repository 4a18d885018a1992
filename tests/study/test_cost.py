"""What a run took, against stages of known seconds."""

import pytest

from mspgt.results import StageCost
from mspgt.study.cost import cost_of, peak_bytes
from mspgt.study.store import Address, StageResult


def stage(root, model, name, seconds, meta=None, **inputs):
    address = Address(root, model, "main", name, inputs)
    address.save(StageResult(meta=meta or {}), seconds)
    return address


def test_seconds_are_summed_by_stage_and_every_stage_counts_once(tmp_path):
    model = stage(tmp_path, "a", "geometry", 2.0, {"measuring_seconds": 10.0})
    twin = stage(tmp_path, "a", "geometry", 1.0, {"measuring_seconds": 4.0}, twin=0)
    kept = stage(tmp_path, "a", "observe", 10.0)  # is in the reduction's record already
    controls = [stage(tmp_path, "planted", name, 0.5) for name in ("one", "two")]
    found = cost_of([model, twin, kept, *controls, model])
    assert found == {
        "measuring": StageCost(2, 14.0),
        "geometry": StageCost(2, 3.0),
        "planted": StageCost(2, 1.0),
    }
    assert list(found) == ["measuring", "geometry", "planted"]


def test_the_peak_is_that_of_the_process_in_bytes():
    pytest.importorskip("resource")
    held = bytearray(64 * 2**20)
    held[:: 2**10] = b"x" * len(held[:: 2**10])
    assert 64 * 2**20 < peak_bytes() < 2**40

"""Sentences say what the numbers say: when modes disagree, what a null is, and whose warning it is."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspgt.report import words
from mspgt.results import CalibratedResult, ModelResult
from tests.whole import record, typed


@given(st.sets(st.integers(1, 200)))
def test_a_layer_set_reads_back_as_the_same_layers(layers: set[int]) -> None:
    read = set()
    for low, high in re.findall(r"(\d+)(?:–(\d+))?", words.layer_set(layers)):
        read |= set(range(int(low), int(high or low) + 1))
    assert read == layers


def test_numbers() -> None:
    assert words.number(None) == words.MISSING
    assert words.number(0.0) == "0"
    assert words.number(-0.012345) == "−0.0123"
    assert words.number(213886) == "213,886"
    assert words.listing([]) == ""
    assert words.listing(["a", "b", "c"]) == "a, b and c"


def boundary(layer: int) -> dict[str, Any]:
    return {"layer": layer, "relative": layer / 24, "ci": None, "width": None}


def claim(layer: int, within: list[int]) -> dict[str, Any]:
    return {"kind": "spike", "layer": layer, "set": within, "critical": 3.6}


@pytest.mark.parametrize(
    ("accepted", "paper", "chosen", "disagree"),
    [
        (True, (7, 15), (None, None), ("L–I", "I–G")),
        (False, (7, 15), (None, None), ()),  # rejected by its own rule: nobody claims a boundary
        (None, (7, 15), (None, None), ("L–I", "I–G")),  # never tested, so never withdrawn
        (True, (7, 15), (claim(8, [7, 8]), claim(15, [15])), ()),
        (True, (7, 15), (claim(8, [6, 8]), claim(15, [15])), ("L–I",)),  # 7 is a gap of the set
        (False, (7, 15), (claim(8, [7, 8]), None), ("L–I",)),
        (None, (None, None), (None, None), ()),
        (True, (7, 15), (claim(7, [7]), claim(16, [16])), ("I–G",)),
    ],
)
def test_when_the_modes_disagree(
    results: dict[str, Any], accepted: bool | None, paper: tuple, chosen: tuple, disagree: tuple[str, ...]
) -> None:
    model = results["models"]["acme/llama-deep"]
    both = zip(("LI", "IG"), paper, chosen, strict=True)
    model["boundaries"]["paper"]["accepted"] = accepted
    for kind in words.KINDS:
        model["boundaries"]["calibrated"][kind] = []
    for which, layer, one in both:
        model["boundaries"]["paper"][which] = boundary(layer) if layer else None
        model["boundaries"]["calibrated"]["chosen"][which] = one
    assert words.disagreements(record(ModelResult, model)) == disagree


def test_disagreements_come_first_and_nothing_else_moves(results: dict[str, Any]) -> None:
    names = [finding.model for finding in words.findings(typed(results))]
    split = ["acme/llama-deep", "state/mamba", "<script>alert(1)</script>"]
    assert names == split + [name for name in results["models"] if name not in split]


def test_every_paper_mode_sentence_stands_beside_its_false_boundary_rate(results: dict[str, Any]) -> None:
    for name, model in results["models"].items():
        rates = model["boundaries"]["paper"]["false_boundary_rate"]
        said = words.finding(name, record(ModelResult, model)).noise
        assert ("93\u202f%" in said and "46\u202f%" in said) if rates else "not measured" in said


def test_power_is_said_where_nothing_was_found(results: dict[str, Any]) -> None:
    shallow = words.finding("stories", typed(results).models["stories"])
    assert "Could not have been seen at this depth: spike, bump, step, kink." in shallow.calibrated
    assert shallow.power == ""
    middle = results["models"]["unlabelled"]
    assert "a spike of 4.5 roughness SDs" in words.finding("unlabelled", record(ModelResult, middle)).power
    # Said once, whether the detector says it or only its power does.
    detector = record(CalibratedResult, middle["boundaries"]["calibrated"])
    silent = replace(detector, reasons=[])
    told = ["could not have been seen at this depth: bump, step, kink"]
    assert words.calibrated_notes(detector) == words.calibrated_notes(silent) == told


@pytest.mark.parametrize(
    ("paper", "disagree"),
    [
        ((9, 15), ("I–G",)),  # the lone boundary answers for the paper's L–I
        ((4, 10), ("L–I",)),
        ((4, 15), ("L–I", "I–G", "a spike at 9")),
        ((None, None), ("a spike at 9",)),
    ],
)
def test_a_lone_boundary_without_a_name(
    results: dict[str, Any], paper: tuple[int | None, ...], disagree: tuple[str, ...]
) -> None:
    model = results["models"]["state/mamba"]
    model["boundaries"]["paper"]["accepted"] = True
    for which, layer in zip(("LI", "IG"), paper, strict=True):
        model["boundaries"]["paper"][which] = boundary(layer) if layer else None
    assert words.disagreements(record(ModelResult, model)) == disagree


def test_the_reason_of_a_null_is_the_nearest_warning() -> None:
    results = typed(
        {
            "models": {"a": {}, "b": {}},
            "warnings": [
                {"where": "models.a.signals.S3", "what": "no attention"},
                {"where": "models.*.signals.S2", "what": "no labels"},
            ],
        }
    )
    assert words.reason(results, "models", "a", "signals", "S3", "paper") == "no attention"
    assert words.reason(results, "models", "b", "signals", "S2") == "no labels"
    assert words.reason(results, "models", "b", "signals", "S3") == words.NO_REASON


def test_a_warning_belongs_to_the_longest_name() -> None:
    results = typed({"models": {"Qwen2": {}, "Qwen2.5": {}}})
    assert words.model_of(results, "models.Qwen2.5.signals.S1") == "Qwen2.5"
    assert words.model_of(results, "models.Qwen2.signals.S1") == "Qwen2"
    assert words.model_of(results, "provenance.data") is None

"""A study of a half-precision model says how many digits of its signals hold; one in float32 has nothing to say."""

from __future__ import annotations

import json

import pytest
import torch

from mspgt.report.build import build_report
from mspgt.study.describe import describe, expected
from mspgt.study.looking import look
from mspgt.study.plan import Plan
from mspgt.study.reading import read_data
from mspgt.study.run import run_study
from tests.lm.tiny import tiny_model
from tests.study.small import study, write_corpus


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("precision")
    corpus = write_corpus(folder / "text.jsonl")
    tiny_model(folder / "half", "llama", layers=5, dtype=torch.bfloat16)
    models = [
        {"id": str(folder / "half"), "family": "a"},
        {"id": str(folder / "half"), "name": "wide", "dtype": "float32", "family": "b"},
    ]
    config = study(models, corpus)
    return config, folder / "run", run_study(config, folder / "run", quiet=True)


def test_results_say_how_many_digits_hold(run):
    _, _, results = run
    assert results["models"]["wide"]["precision"] is None
    found = results["models"]["half"]["precision"]
    assert found["dtype"] == "bfloat16"
    assert len(found["states"]) == 6
    for signal in ("S1", "S3"):
        one = found["signals"][signal]
        assert len(one["own"]) == len(one["float32"]) == len(one["digits"]) == 4
        lost = [at for at, digits in enumerate(one["digits"], start=1) if digits is not None and digits < 3]
        assert found["lost"][signal] == lost
    (warning,) = [one for one in results["warnings"] if one["where"] == "models.half.precision"]
    assert warning["what"] == found["statement"]
    assert "fewer than three digits" in warning["what"]


def test_the_estimate_is_the_difference_that_the_two_measurements_show(run):
    """All six documents are in the sample of 24 sentences, so the float32 side is nearly the float32 model's S3."""
    _, _, results = run
    half, wide = results["models"]["half"], results["models"]["wide"]
    found = half["precision"]
    assert found["documents"] == 6
    actual = max(
        abs(a - b)
        for a, b in zip(half["signals"]["S3"]["calibrated"], wide["signals"]["S3"]["calibrated"], strict=True)
    )
    estimated = max(abs(one) for one in found["signals"]["S3"]["difference"])
    assert actual / 4 < estimated < 4 * actual


def test_the_page_and_the_plan_show_it(run):
    config, out, _ = run
    page = build_report(out).read_text()
    assert 'id="model-half-precision"' in page
    assert "model-wide-precision" not in page
    table = (out / "tables" / "precision.csv").read_text().splitlines()
    assert table[0].startswith("model,layer,states,S1_own")
    assert len(table) == 1 + 6
    assert any("precision" in line and "done" in line for line in describe(config, out))


def test_a_run_says_beforehand_what_the_plan_says_it_needs_and_nothing_once_it_is_done(run, tmp_path):
    config, out, _ = run
    plan = Plan(config, *read_data(config), tuple(look(model).identity for model in config.models))
    told = [line for line in describe(config, tmp_path) if line.startswith(("needs", "time"))]
    assert len(told) == 3
    speed_apart = [line.split(" of one core")[-1] for line in told]
    assert [line.split(" of one core")[-1] for line in expected(plan, tmp_path)] == speed_apart
    assert list(expected(plan, out)) == []


def test_it_can_be_left_out(run, tmp_path):
    config, _, _ = run
    measure = config.measure.model_copy(update={"precision_sentences": 0})
    without = config.model_copy(update={"measure": measure, "models": config.models[:1]})
    results = run_study(without, tmp_path / "run", quiet=True)
    assert results["models"]["half"]["precision"] is None
    assert not any("precision" in one["where"] for one in results["warnings"])
    json.dumps(results)

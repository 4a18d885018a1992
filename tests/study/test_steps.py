"""States along a training run: a range of steps in the study file, on the Hub or in folders."""

import pytest

from mspgt.errors import InputError
from mspgt.study.loading import load_config, make_config


def models(*given):
    return make_config({"name": "s", "models": list(given), "corpus": {"source": "x"}}).models


def test_a_range_of_revisions():
    found = models(
        {
            "id": "EleutherAI/pythia-70m",
            "revision": "step{}",
            "steps": [0, {"from": 1, "to": 512, "times": 2}, {"from": 1000, "to": 143000, "every": 71000}],
        }
    )
    assert [one.step for one in found] == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 72000, 143000]
    assert found[-1].revision == "step143000"
    assert {one.id for one in found} == {"EleutherAI/pythia-70m"}
    assert {one.run for one in found} == {"EleutherAI/pythia-70m"}
    assert found[0].label == "EleutherAI/pythia-70m@0"


def test_a_folder_a_step_and_the_finished_model():
    found = models(
        {"id": "zoo:triscale-qwen2-1-step{}", "family": "qwen2", "steps": [25, 75]},
        {"id": "zoo:triscale-qwen2-1", "run": "triscale-qwen2-1", "step": 400},
    )
    assert [one.id for one in found] == [
        "zoo:triscale-qwen2-1-step25", "zoo:triscale-qwen2-1-step75", "zoo:triscale-qwen2-1",
    ]  # fmt: skip
    assert {one.run for one in found} == {"triscale-qwen2-1"}
    assert found[0].family == "qwen2"
    assert found[0].revision is None


def test_folders_beside_the_study_file(tmp_path):
    for step in (1, 2):
        (tmp_path / f"state-{step}").mkdir()
    file = tmp_path / "study.yaml"
    file.write_text("name: s\nmodels: [{id: 'state-{}', steps: [1, 2]}]\ncorpus: {source: x}\n")
    assert [one.id for one in load_config(file).models] == [str(tmp_path / f"state-{s}") for s in (1, 2)]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"id": "a", "steps": [1]}, "found 0 with steps"),
        ({"id": "a{}"}, "found 1 with no steps"),
        ({"id": "a{}", "revision": "b{}", "steps": [1]}, "found 2 with steps"),
        ({"id": "a{}", "steps": {"from": 3, "to": 2, "every": 1}}, "no steps from 3 to 2"),
        ({"id": "a{}", "steps": {"from": 0, "to": 8, "times": 2}}, "no steps from 0 to 8"),
        ({"id": "a{}", "steps": {"from": 1, "to": 2}}, "give `every`"),
        ({"id": "a{}", "steps": {"from": 1, "too": 2, "every": 1}}, "did you mean 'to'"),
        ({"id": "a", "step": 3}, "needs the `run`"),
    ],
)
def test_what_cannot_be_read_as_steps(wrong, told):
    with pytest.raises(InputError, match=told):
        models(wrong)


def test_thresholds_of_the_verdicts_are_knobs_with_the_usual_errors():
    given = {"name": "s", "models": ["a"], "corpus": {"source": "x"}}
    assert make_config({**given, "predictions": {"cv": 0.1}}).predictions.cv == 0.1
    assert make_config(given, ("predictions.drift=0.2",)).science()["predictions"]["drift"] == 0.2
    with pytest.raises(InputError, match="did you mean 'cv'"):
        make_config({**given, "predictions": {"cvv": 0.1}})
    with pytest.raises(InputError, match="cv must be positive"):
        make_config({**given, "predictions": {"cv": -1}})

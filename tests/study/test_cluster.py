"""Where jobs run changes nothing: here, in processes, or on a Ray cluster."""

import importlib.util
import json

import pytest

from mspgt.errors import InputError
from mspgt.study.run import run_study
from tests.lm.tiny import tiny_model
from tests.study.small import study, without_times, write_corpus

HAS_RAY = importlib.util.find_spec("ray") is not None


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    return tiny_model(folder / "tiny-llama", "llama", layers=3), write_corpus(folder / "text.jsonl")


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_the_extra_is_named_before_any_work(inputs, tmp_path):
    llama, corpus = inputs
    with pytest.raises(InputError, match=r"pip install 'mspgt\[ray\]'"):
        run_study(study([llama], corpus, run={"on": "ray"}), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / "plan.json").exists()


@pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed")
def test_a_cluster_gives_the_results_of_one_process(inputs, tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    llama, corpus = inputs
    here = run_study(study([llama], corpus), tmp_path / "here", quiet=True)
    there = run_study(study([llama], corpus, run={"on": "ray"}), tmp_path / "there", quiet=True)
    assert json.dumps(without_times(here)) == json.dumps(without_times(there))


@pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed")
def test_a_fault_of_one_job_is_told_and_the_others_are_finished(inputs, tmp_path):
    llama, corpus = inputs
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    with pytest.raises(Exception, match="broken"):
        run_study(study([llama, broken], corpus, run={"on": "ray"}), tmp_path / "run", quiet=True)

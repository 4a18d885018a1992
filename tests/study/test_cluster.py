"""Where jobs run changes nothing: here, in processes, or on a Ray cluster."""

import importlib.util
import json

import pytest

from mspgt.errors import InputError
from mspgt.study.engines import run_jobs
from mspgt.study.run import run_study
from tests.lm.tiny import tiny_model
from tests.study.small import study, without_times, write_corpus

HAS_RAY = importlib.util.find_spec("ray") is not None


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    return tiny_model(folder / "tiny-llama", "llama", layers=3), write_corpus(folder / "text.jsonl")


EXPERIMENT = {
    **{
        "samples": 4,
        "prompt_tokens": 8,
        "new_tokens": 6,
        "random_sets": 0,
        "shard_samples": 2,
        "encoder": None,
    },
    **{"draws": 100, "harper": False, "response": [0.1], "response_samples": 2},
}


def numbers_in(out):
    """What stages hold; how long a stage took stands beside, in manifests and in `meta.json` of geometry."""
    files = [path for path in out.glob("stages/*/*/*/*") if path.name != "manifest.json"]
    return {
        path.relative_to(out): path.read_bytes() for path in files if "geometry" not in str(path.parent.name)
    } | {path.relative_to(out): path.read_bytes() for path in files if path.name.endswith(".safetensors")}


def test_one_model_piece_by_piece_leaves_the_bytes_of_the_whole(tmp_path, inputs, monkeypatch):
    """Shards of documents and of prompts and the audit, each as a task of its own, in whatever order they come."""
    _, corpus = inputs
    llama = tiny_model(tmp_path / "tiny", "llama", layers=4)
    asked = {
        "interventions": EXPERIMENT,
        "measure": {"shard_documents": 2, "cka_tokens": 128, "context": "both"},
    }
    whole = run_study(study([llama], corpus, **asked), tmp_path / "whole", quiet=True)
    taken = []

    def backwards(jobs, context, *more):
        taken.extend(job.name.split(", ", 1)[1] for job in jobs if getattr(job, "piece", None))
        return run_jobs(jobs[::-1], context, *more)

    monkeypatch.setattr("mspgt.study.run.run_jobs", backwards)
    config = study([llama], corpus, run={"workers": 1, "spread": True}, **asked)
    spread = run_study(config, tmp_path / "spread", quiet=True)
    assert numbers_in(tmp_path / "spread") == numbers_in(tmp_path / "whole")
    for one in (whole, spread):
        one["models"]["tiny"]["interventions_about"].pop("seconds")
    assert without_times(spread) == without_times(whole)
    assert {"observe 3", "observe 3 of context 2", "interventions, audit", "interventions, texts 2"} < set(
        taken
    )
    taken.clear()
    run_study(config, tmp_path / "spread", quiet=True)
    assert taken == []  # nothing is missing, so nothing is handed out


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

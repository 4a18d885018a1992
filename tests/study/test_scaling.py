"""Functional scales as a part of a study: stored, resumed, told where they cannot be measured."""

import json
import shutil

import pytest

from mspgt.errors import InputError
from mspgt.report.functional import functional_lines
from mspgt.results import parse
from mspgt.study.describe import describe
from mspgt.study.engines import run_jobs
from mspgt.study.loading import make_config
from mspgt.study.run import run_study
from tests.lm.tiny import tiny_model

SCALES = {"documents": 40, "seeds": 1, "draws": 100}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    model = tiny_model(tmp_path_factory.mktemp("model") / "tiny", layers=4, max_position_embeddings=256)

    def make(**sections):
        data = {
            "name": "test",
            "models": [str(model)],
            "corpus": {"source": "triscale", "format": "triscale", "max_documents": 12},
            "treebank": {"planted": "triscale", "max_train": 40, "max_eval": 120},
            "twins": {"seeds": 1, "max_sentences": 50, "max_train": 40, "max_eval": 40},
            "probes": {"controls": False, "seeds": 2, "epochs": 1},
            "boundaries": {"draws": 100, "permutations": 99},
            "measure": {"cka_tokens": 128},
            "run": {"workers": 1},
            "scales": SCALES,
        }
        return make_config({**data, **sections})

    return make


def test_a_study_measures_them_once_and_says_what_is_undefined(config, tmp_path):
    results = run_study(config(), tmp_path / "run", quiet=True)
    found = results["models"]["tiny"]["scales"]
    assert len(found["tasks"]["relation"]["gain"]) == 5
    assert found["LI"]["layer"] is None
    assert "below 8 no boundary" in found["LI"]["reason"]
    assert found["twin"]["tasks"]["relation"]["twin_maximum"] is not None
    assert any(w["where"] == "models.tiny.scales.LI" for w in results["warnings"])
    assert any("functional scales over 40 documents" in line for line in functional_lines(parse(results)))
    stages = list((tmp_path / "run").glob("stages/*/*/functional-*/manifest.json"))
    assert len(stages) == 2
    before = {path: path.stat().st_mtime_ns for path in stages}
    again = run_study(config(), tmp_path / "run", quiet=True)
    assert {path: path.stat().st_mtime_ns for path in stages} == before
    assert json.dumps(again["models"]["tiny"]["scales"]) == json.dumps(found)


def test_the_task_list_and_the_text_are_in_the_plan(config, tmp_path):
    lines = list(describe(config(), tmp_path))
    assert any("functional" in line for line in lines)
    hashes = {
        next(line for line in describe(config(scales={**SCALES, "documents": n}), tmp_path) if "plan" in line)
        for n in (30, 40)
    }
    assert len(hashes) == 2


def test_without_a_treebank_the_study_is_refused_and_with_a_short_one_they_are_null(config, tmp_path):
    with pytest.raises(InputError, match="there is none"):
        list(describe(config(treebank=None), tmp_path))
    few = config(treebank={"planted": "triscale", "max_train": 12, "max_eval": 12})
    results = run_study(few, tmp_path / "few", quiet=True)
    assert results["models"]["tiny"]["scales"] is None
    told = [w["what"] for w in results["warnings"] if w["where"] == "models.tiny.scales"]
    assert any("at least 10 documents" in what for what in told)


def test_a_model_and_its_twin_are_taken_side_by_side_and_the_twin_alone_where_it_is_missing(
    config, tmp_path, monkeypatch
):
    """As tasks of their own, which any worker can take, in either order."""
    handed = []

    def watched(jobs, context, *more):
        handed.append([job.name for job in jobs if getattr(job, "piece", None)])
        return run_jobs(jobs[::-1], context, *more)

    monkeypatch.setattr("mspgt.study.run.run_jobs", watched)
    out = tmp_path / "run"
    whole = run_study(config(), out, quiet=True)
    assert [names for names in handed if names] == [
        ["tiny, scales, functional", "tiny (twin 0), scales, functional"]
    ]
    handed.clear()
    (lost,) = [
        path.parent
        for path in out.glob("stages/*/*/functional-*/manifest.json")
        if json.loads(path.read_text())["inputs"]["twin"] is not None
    ]
    shutil.rmtree(lost)
    again = run_study(config(), out, quiet=True)
    assert [names for names in handed if names] == [["tiny (twin 0), scales, functional"]]
    assert json.dumps(again["models"]["tiny"]["scales"]) == json.dumps(whole["models"]["tiny"]["scales"])

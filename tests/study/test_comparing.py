"""Comparing finished runs: only what was measured the same way, every difference named."""

import json

import pytest

from mspgt.errors import InputError
from mspgt.predictions.registry import fixed_in_advance
from mspgt.results import Claim, PhasesResult, to_jsonable
from mspgt.study.comparing import compare_runs, read_run
from mspgt.study.loading import make_config
from tests.report.planted_results import claim, planted
from tests.report.planted_results import model as measured

NO_PHASES = to_jsonable(
    PhasesResult(
        boundaries=[], candidate=None, why=[], score=None, threshold=None, size80=None, statement="", step=[],
        step_error=[], evidence=[], alone=[], inflation=None, similarity=[], checks={}, random_init=[], documents=60,
        tokens={},
    )
)  # fmt: skip


def run(folder, names, family="f", *, at=(7, 15), data="text", version="0.1.0", weights=None, **settings):
    """A run folder as `run_study` leaves it: plan.json and results.json."""
    config = make_config({"name": folder.name, "models": list(names), "corpus": {"source": data}, **settings})
    whole = planted()
    models = {}
    for at_, name in enumerate(names):
        one = measured(
            24, seed=at_, paper=(*at, True),
            claims={"LI": claim("spike", at[0], 24, [at[0]]), "IG": claim("spike", at[1], 24, [at[1]])},
        )  # fmt: skip
        one.family, one.revision = family, f"{folder.name}-{name}"
        models[name] = to_jsonable(one)
    digest = f"hash-{folder.name}"
    results = {**whole, "models": models, "families": {}, "predictions": {}, "warnings": []}
    results["study"] = {"name": folder.name, "hash": digest, "mode_default": "calibrated"}
    results["provenance"]["mspgt"] = version
    results["provenance"]["data"]["name"] = data
    plan = {
        "hash": digest,
        "config": json.loads(json.dumps(config.science())),
        "models": [
            [name, "r", (weights or {}).get(name, f"{folder.name}-{name}"), "float32"] for name in names
        ],
        "corpus": [data, data],
        "treebank": [None, None],
        "predictions": fixed_in_advance(config.predictions),
        "environment": {"mspgt": version},
    }
    folder.mkdir()
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def test_two_studies_become_one_comparison(tmp_path):
    one = run(tmp_path / "one", ["a", "b"])
    other = run(tmp_path / "other", ["c", "d"], at=(8, 15))
    found = compare_runs([one, other], tmp_path / "out")
    assert found["families"]["f"]["LI"]["members"] == {"a": 7 / 24, "b": 7 / 24, "c": 8 / 24, "d": 8 / 24}
    assert found["predictions"]["P1.1"]["verdict"] in ("supported", "inconclusive")
    assert [one["name"] for one in found["runs"]] == ["one", "other"]
    assert json.loads((tmp_path / "out" / "compare.json").read_text()) == found


def test_every_knob_that_differs_is_named(tmp_path):
    one = run(tmp_path / "one", ["a"])
    other = run(
        tmp_path / "other", ["b"], measure={"cka_tokens": 4096}, boundaries={"prominence": 0.2},
        predictions={"cv": 0.1},
    )  # fmt: skip
    with pytest.raises(InputError) as error:
        compare_runs([one, other], tmp_path / "out")
    told = str(error.value)
    assert "measure.cka_tokens: 8192 in one, 4096 in other" in told
    assert "boundaries.prominence: 0.3 in one, 0.2 in other" in told
    assert "predictions.cv: 0.2 in one, 0.1 in other" in told
    assert "rule of" not in told
    assert not (tmp_path / "out").exists()


def test_other_text_is_refused_by_content(tmp_path):
    one, other = run(tmp_path / "one", ["a"], data="x"), run(tmp_path / "other", ["b"], data="y")
    with pytest.raises(InputError, match=r"corpus: x .* in one, y .* in other: the content differs"):
        compare_runs([one, other], tmp_path / "out")


def test_names_and_seeds_may_differ_and_are_told(tmp_path):
    one, other = run(tmp_path / "one", ["a"]), run(tmp_path / "other", ["a"], seed=3)
    found = compare_runs([one, other], tmp_path / "out")
    assert set(found["models"]) == {"a", "a (other)"}
    assert any("seed" in notice["where"] for notice in found["warnings"])


def test_models_of_folders_that_share_a_name_all_count(tmp_path):
    folders = []
    for place in ("x", "y", "z"):
        (tmp_path / place).mkdir()
        folders.append(run(tmp_path / place / "demo", ["m"], weights={"m": f"weights of {place}"}))
    found = compare_runs(folders, tmp_path / "out")
    assert list(found["models"]) == ["m", "m (demo)", "m (demo, 2)"]


def test_the_same_weights_in_two_runs_count_once(tmp_path):
    one = run(tmp_path / "one", ["a"], weights={"a": "w"})
    other = run(tmp_path / "other", ["b"], weights={"b": "w"})
    found = compare_runs([one, other], tmp_path / "out")
    assert list(found["models"]) == ["a"]
    assert any("same weights" in notice["what"] for notice in found["warnings"])


def test_a_run_of_other_rules_is_explained_not_guessed(tmp_path):
    one, other = run(tmp_path / "one", ["a"]), run(tmp_path / "other", ["b"], version="0.0.9")
    plan = json.loads((other / "plan.json").read_text())
    plan["predictions"]["P1.1"]["rule"] = "a former rule"
    (other / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(InputError, match=r"rule of P1.1: .* under different rules \(mspgt 0.1.0 and 0.0.9\)"):
        compare_runs([one, other], tmp_path / "out")


def test_runs_that_agree_on_rules_that_are_gone(tmp_path):
    folders = [run(tmp_path / name, [name]) for name in ("one", "other")]
    for folder in folders:
        plan = json.loads((folder / "plan.json").read_text())
        del plan["predictions"]["P1.1"]
        (folder / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(InputError, match="rules that this version does not have"):
        compare_runs(folders, tmp_path / "out")


def test_what_is_no_finished_run(tmp_path):
    folder = run(tmp_path / "one", ["a"])
    results = json.loads((folder / "results.json").read_text())
    (folder / "results.json").write_text(json.dumps({**results, "schema": "0"}))
    with pytest.raises(InputError, match="schema '0'"):
        read_run(folder)
    (folder / "results.json").write_text("{")
    with pytest.raises(InputError, match="Expected the results of a finished run"):
        read_run(folder)
    (folder / "results.json").unlink()
    with pytest.raises(InputError, match="Run the study first"):
        read_run(folder)
    plan = json.loads((folder / "plan.json").read_text())
    del plan["predictions"]
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "results.json").write_text(json.dumps(results))
    with pytest.raises(InputError, match="fixed no rules"):
        read_run(folder)
    with pytest.raises(InputError, match="found none"):
        compare_runs([], tmp_path / "out")


def test_a_run_whose_next_plan_was_begun_and_not_ended_is_told_so(tmp_path):
    folder = run(tmp_path / "run", ["a"])
    plan = json.loads((folder / "plan.json").read_text())
    (folder / "plan.json").write_text(json.dumps(plan | {"hash": "later"}))
    with pytest.raises(InputError, match="plan later… was begun there after it and has not ended"):
        read_run(folder)


def test_an_experiment_that_one_run_lacks_is_missing_there(tmp_path):
    one, other = run(tmp_path / "one", ["a"]), run(tmp_path / "other", ["b"])
    plan = json.loads((other / "plan.json").read_text())
    plan["config"]["interventions"] = {"samples": 10}
    (other / "plan.json").write_text(json.dumps(plan))
    found = compare_runs([one, other], tmp_path / "out")
    assert found["predictions"]["P2.1"]["missing"]


def edited(folder, change):
    path = folder / "results.json"
    results = json.loads(path.read_text())
    change(results)
    path.write_text(json.dumps(results))


def test_a_run_cut_short_or_on_thirds_makes_a_sketch(tmp_path):
    one, other = run(tmp_path / "one", ["a"]), run(tmp_path / "other", ["b"])
    assert compare_runs([one, other], tmp_path / "out")["sketches"] == []
    edited(one, lambda results: results["provenance"].update(limits=["20 of 60 documents"]))
    thirds = {"scales": {"source": "thirds", "LI": 8, "IG": 16}}
    edited(other, lambda results: results["models"]["b"].update(interventions_about=thirds))
    short, on_thirds = compare_runs([one, other], tmp_path / "out")["sketches"]
    assert short == "one read 20 of 60 documents"
    assert on_thirds.endswith(": b")
    edited(other, lambda results: results["provenance"].update(limits=["30 of 60 documents"]))
    found = compare_runs([one, other], tmp_path / "out")
    assert found["sketches"][0].endswith(": one, other")
    told = {notice["where"]: notice["what"] for notice in found["warnings"]}
    assert told["runs.other"] == "other read 30 of 60 documents"


def test_an_account_may_be_asked_for_and_is_told_where_it_was_not_planned(tmp_path):
    folder = run(tmp_path / "one", ["a", "b", "c"])

    def phases(results):
        for layer, model in zip((6, 7, 8), results["models"].values(), strict=True):
            claims = [
                to_jsonable(Claim("phase", at, at - 1, at / 24, [at], 4.0, 2.6, 5))
                for at in (layer, 2 * layer)
            ]
            model["phases"] = {**NO_PHASES, "boundaries": claims}

    edited(folder, phases)
    found = compare_runs([folder], tmp_path / "out", "phases")
    assert found["account"] == "phases"
    assert any("not fixed in advance" in one["consequence"] for one in found["warnings"])
    members = found["families"]["f"]["LI"]["phases"]["members"]
    assert members == {"a": 6 / 24, "b": 7 / 24, "c": 8 / 24}
    assert found["families"]["f"]["LI"]["members"] == dict.fromkeys("abc", 7 / 24)
    with pytest.raises(InputError, match="functional, shocks, phases"):
        compare_runs([folder], tmp_path / "out", "paper")

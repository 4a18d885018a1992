"""Planted subjects of a study: stages in its store, results beside its models, computed where they are missing."""

import shutil

import pytest

from mspgt.planted.recipe import CONTROLS
from mspgt.results import PlantedControl, PlantedPlace, PlantedTest, from_json, to_jsonable
from mspgt.results.planted import PaperFound
from mspgt.study.config import StudyConfig
from mspgt.study.controlling import control_addresses, read_controls
from mspgt.study.describe import describe
from mspgt.study.kept import unused
from mspgt.study.loading import make_config
from mspgt.study.run import run_study
from mspgt.study.store import StageResult
from tests.lm.tiny import tiny_model
from tests.study.small import study, write_corpus

COMPUTED = "noise on none"


def stored(control) -> PlantedControl:
    places = [PlantedPlace("layer 7", 7, 6, 8, found=True), PlantedPlace("layer 17", 17, 16, 18)]
    claims = [PlantedTest("spike", 7, 5.0, 4.0, set=[6, 7], planted=True)]
    return PlantedControl(
        control.kind, control.says, control.seed, 24, control.size, control.unit, places, claims, claims, 5.0,
        PaperFound(None, None, None), False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A study whose planted subjects are in the store already, but for one that takes half a second."""
    folder = tmp_path_factory.mktemp("controls")
    model = tiny_model(folder / "tiny-llama", "llama", layers=7)
    config: StudyConfig = study(
        [model], write_corpus(folder / "text.jsonl"), controls="planted", twins={"seeds": 0}
    )
    for control, address in control_addresses(folder / "run", config):
        if control.name != COMPUTED:
            address.save(StageResult(meta={"control": to_jsonable(stored(control))}), 0.0)
    before = list(describe(config, folder / "run"))
    results = run_study(config, folder / "run", quiet=True)
    return folder, config, results, before


def test_results_hold_every_subject_with_what_was_missing_computed(run):
    folder, config, results, _ = run
    assert set(results["planted"]) == {one.name for one in CONTROLS}
    assert results["planted"][COMPUTED]["passed"]
    assert results["planted"][COMPUTED]["tests"]
    assert not results["planted"]["shocks, weak"]["passed"]
    assert read_controls(folder / "run", config)["shocks, weak"] == stored(CONTROLS[2])


def test_the_plan_says_what_will_run(run):
    folder, config, _, before = run
    rows = [line.split() for line in before if "planted:" in line]
    assert len(rows) == len(CONTROLS)
    assert [row[0] for row in rows].count("run") == 1
    after = [line.split() for line in describe(config, folder / "run") if "planted:" in line]
    assert {row[0] for row in after} == {"done"}


def test_their_stages_are_kept_while_the_plan_uses_them(run):
    folder, _, _, _ = run
    assert not [path for path, _ in unused(folder / "run") if "planted" in str(path)]


def test_a_damaged_result_is_computed_again(run, tmp_path):
    folder, config, results, _ = run
    shutil.copytree(folder / "run", tmp_path / "run")
    where = {control.name: address for control, address in control_addresses(tmp_path / "run", config)}
    (where[COMPUTED].folder / "meta.json").write_text("{}")
    again = run_study(config, tmp_path / "run", quiet=True)
    assert again["planted"] == results["planted"]


def test_keys_hold_what_decides_and_nothing_else(tmp_path):
    usual = study(["m"], "c.txt", controls="planted")
    keys = {c.name: a.key for c, a in control_addresses(tmp_path, usual)}
    other = study(
        ["m"], "c.txt", controls="planted", boundaries={"draws": 100, "permutations": 99, "prominence": 0.5}
    )
    changed = {c.name for c, a in control_addresses(tmp_path, other) if a.key != keys[c.name]}
    assert changed == {one.name for one in CONTROLS if one.kind == "shocks"}
    assert len(set(keys.values())) == len(CONTROLS)
    assert list(control_addresses(tmp_path, study(["m"], "c.txt"))) == []


def test_controls_change_no_plan_of_the_models():
    given = {"name": "s", "models": ["a"], "corpus": {"source": "x"}}
    assert make_config(given).science() == make_config({**given, "controls": "planted"}).science()


def test_a_stored_subject_comes_back_as_it_was():
    one = stored(CONTROLS[0])
    assert from_json(PlantedControl, to_jsonable(one)) == one

"""Which models of a study are runs of one configuration, and a study that judges them together."""

import json
from dataclasses import replace

import pytest

from mspgt.errors import InputError
from mspgt.study.describe import describe
from mspgt.study.identity import Identity
from mspgt.study.loading import make_config
from mspgt.study.replicates import replicate_groups
from mspgt.study.run import run_study
from tests.lm.tiny import tiny_model
from tests.study.small import study, write_corpus

ONE = Identity("a", "a", "llama", "main", "sha-a", "float32", 12, 64, 4, 1000, True, "")


def groups(*members: tuple[dict, dict]) -> dict[str, list[str]]:
    """Group → labels, from (settings of the study, facts of the model) of each."""
    models = [
        {"id": settings.pop("id", facts["label"]), "name": facts["label"], **settings}
        for settings, facts in members
    ]
    config = make_config({"name": "x", "models": models, "corpus": {"source": "x.txt"}})
    identities = [replace(ONE, weights_sha256=facts["label"], **facts) for _, facts in members]
    found = replicate_groups(config, identities)
    return {name: [member.label for member in group] for name, group in found.items()}


def test_models_of_one_family_and_shape_are_runs():
    assert groups(*(({}, {"label": name}) for name in "abc")) == {"llama": ["a", "b", "c"]}
    assert groups(({}, {"label": "a"}), ({}, {"label": "b", "family": "qwen2"})) == {}
    assert groups(({}, {"label": "a"}), ({}, {"label": "b", "layers": 24})) == {}
    two = [({}, {"label": n, "layers": layers}) for n, layers in (("a", 12), ("b", 12), ("c", 24), ("d", 24))]
    assert list(groups(*two).values()) == [["a", "b"], ["c", "d"]]


def test_groups_that_differ_in_parameters_alone_are_two():
    sizes = (("a", 1000), ("b", 1000), ("c", 2000), ("d", 2000), ("e", 3000), ("f", 3000))
    found = groups(*(({}, {"label": name, "parameters": parameters}) for name, parameters in sizes))
    assert found == {
        "llama": ["a", "b"],
        "llama, 12 layers, width 64": ["c", "d"],
        "llama, 12 layers, width 64, 3,000 parameters": ["e", "f"],
    }


def test_a_name_decides_where_one_is_given():
    named = [
        ({"replicates": "mine"}, {"label": "a"}),
        ({"replicates": "mine"}, {"label": "b"}),
        ({}, {"label": "c"}),
    ]
    assert groups(*named) == {"mine": ["a", "b"]}
    with pytest.raises(InputError, match=r"a: 12 layers.*b: 24 layers"):
        groups(({"replicates": "m"}, {"label": "a"}), ({"replicates": "m"}, {"label": "b", "layers": 24}))


def test_states_of_one_run_count_once_and_the_same_weights_too():
    states = [({"run": "r", "step": step}, {"label": f"r{step}"}) for step in (1, 2)]
    assert groups(*states) == {}
    assert groups(*states, ({}, {"label": "b"})) == {"llama": ["r2", "b"]}
    config = make_config(
        {
            "name": "x",
            "models": [{"id": "p", "name": "a"}, {"id": "q", "name": "b"}],
            "corpus": {"source": "x"},
        }
    )
    assert replicate_groups(config, [ONE, replace(ONE, label="b")]) == {}


def test_a_study_judges_runs_on_their_mean(tmp_path):
    models = [
        tiny_model(tmp_path / name, "llama", layers=7, seed=seed) for name, seed in (("one", 0), ("two", 1))
    ]
    config = study(models, write_corpus(tmp_path / "text.jsonl"), twins={"seeds": 0})
    lines = list(describe(config, tmp_path / "run"))
    assert any(line.startswith("runs    llama: 2 runs of one configuration (one, two)") for line in lines)
    results = run_study(config, tmp_path / "run", quiet=True)
    found = json.loads((tmp_path / "run" / "results.json").read_text())["replicated"]["llama"]
    assert found["runs"] == ["one", "two"]
    assert found["signals"]["S2"] is None
    assert len(found["signals"]["S1"]) == 6
    assert found["calibrated"]["chosen"] == {"LI": None, "IG": None}
    assert "2 runs" in found["statement"]
    assert results["replicated"]["llama"] == found

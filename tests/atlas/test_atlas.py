"""The atlas: what joins it, what is refused, and what its page says."""

import json
import re
from pathlib import Path

import pytest

from mspgt.atlas.entry import DIGITS, comparable, make_entry, missing_parts
from mspgt.atlas.page import write_page
from mspgt.atlas.shelf import add, differing, read_all
from mspgt.errors import InputError
from tests.report.planted_results import HOSTILE, planted
from tests.report.test_where import functional, phases  # noqa: F401 (a fixture)

NAME = "acme/llama-deep"


@pytest.fixture
def results(phases):  # noqa: F811
    """A run of one model, every account measured, with a twin."""
    found = planted()
    model = found["models"][NAME]
    model |= {"phases": phases, "scales": functional(7, 15)}
    model["controls"]["random_init"]["seeds"] = 1
    return found | {"models": {NAME: model}}


@pytest.fixture
def run(tmp_path, results):
    """Writes finished runs: `run(name, **changes)` of top-level keys of its results."""

    def write(name="run", **changes):
        folder = tmp_path / name
        folder.mkdir()
        found = json.loads(json.dumps(results | changes))
        (folder / "results.json").write_text(json.dumps(found), "utf-8")
        plan = {"hash": found["study"]["hash"], "predictions": {}, "config": {}}
        (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
        return folder

    return write


def test_what_was_added_is_read_back_and_says_what_the_run_said(run, results, tmp_path):
    atlas = tmp_path / "atlas"
    (path,), told = add(run(), atlas)
    assert told == []
    assert path.relative_to(atlas).parts[0] == "acme__llama-deep"
    (entry,) = read_all(atlas)
    model, kept = results["models"][NAME], entry["models"][NAME]
    assert kept["scales"]["LI"]["set"] == model["scales"]["LI"]["set"]
    assert kept["phases"]["boundaries"][0]["layer"] == model["phases"]["boundaries"][0]["layer"]
    assert kept["phases"]["score"] == pytest.approx(model["phases"]["score"], rel=10**-DIGITS)
    again, _ = add(run("again"), atlas)
    assert again == [path], "the same plan of the same model has one place"


@pytest.mark.parametrize(
    ("part", "message"),
    [("scales", "functional scales were not measured"), ("phases", "phases were not measured")],
)
def test_a_run_without_an_account_is_refused_and_nothing_is_written(run, results, tmp_path, part, message):
    results["models"][NAME][part] = None
    with pytest.raises(InputError, match=message):
        add(run(), tmp_path / "atlas")
    assert not (tmp_path / "atlas").exists()


def test_every_fault_is_named_at_once(results):
    model = results["models"][NAME] | {"scales": None, "phases": None}
    model["controls"] = {"random_init": {"seeds": 0}}
    assert len(missing_parts(model)) == 3


def test_other_data_or_settings_are_another_group_and_said(run, results, tmp_path):
    atlas = tmp_path / "atlas"
    add(run(), atlas)
    other = json.loads(json.dumps(results))
    other["models"] = {"acme/other": other["models"][NAME]}
    _, told = add(run("same", models=other["models"]), atlas)
    assert told == []
    other["provenance"]["settings"]["measure"]["cka_tokens"] = 64
    _, told = add(
        run("unlike", models={"acme/third": other["models"]["acme/other"]}, provenance=other["provenance"]),
        atlas,
    )
    assert re.search(r"acme/third cannot be compared .* measure\.cka_tokens \(64, there 8192\)", told[0])
    one, two = (
        entry for entry in read_all(atlas) if "acme/third" in entry["models"] or NAME in entry["models"]
    )
    assert differing(one, two)
    assert write_page(atlas, tmp_path / "atlas.html") == 3
    page = (tmp_path / "atlas.html").read_text("utf-8")
    assert len(re.findall(r'<section id="group-', page)) == 2
    assert 'href="figures/' not in page, "no figures lie beside the page of an atlas"
    assert "7 {7, 8}" in page or "7–8" in page, "the place and its set stand in the table"


def test_no_path_of_a_machine_stands_in_an_entry(run, results, tmp_path):
    made = json.loads(json.dumps(results["provenance"]))
    here, there = json.loads(json.dumps(made)), json.loads(json.dumps(made))
    here["settings"]["corpus"]["source"] = "/home/a/data/wiki.valid.raw"
    there["settings"]["corpus"]["source"] = "/srv/wiki.valid.raw"
    (path,), _ = add(run("here", provenance=here), tmp_path / "atlas")
    assert "/home" not in path.read_text("utf-8")
    assert comparable(here) == comparable(there) == comparable(made)


def test_the_entries_of_the_project_are_entries():
    entries = read_all(Path(__file__).parents[2] / "atlas")
    assert entries
    for entry in entries:
        ((_, model),) = entry["models"].items()
        assert missing_parts(model) == []


def test_sketches_are_called_so(run, results, tmp_path):
    made = results["provenance"] | {"limits": ["600 of 8,234 sentences of the corpus (corpus.max_sentences)"]}
    _, told = add(run(provenance=made), tmp_path / "atlas")
    assert "is a sketch" in told[0]
    write_page(tmp_path / "atlas", tmp_path / "atlas.html")
    assert "A sketch: 600 of 8,234 sentences" in (tmp_path / "atlas.html").read_text("utf-8")


def test_names_are_text_and_never_a_path(run, results, tmp_path):
    name = f"../../{HOSTILE}"
    folder = run(models={name: results["models"][NAME] | {"revision": "../x"}})
    (path,), _ = add(folder, tmp_path / "atlas")
    assert path.resolve().is_relative_to((tmp_path / "atlas").resolve())
    assert len(path.relative_to(tmp_path / "atlas").parts) == 3
    write_page(tmp_path / "atlas", tmp_path / "atlas.html")
    page = (tmp_path / "atlas.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "not json", "expected an entry"),
        (lambda text: "[]", "no mapping"),
        (lambda text: text.replace('"schema": "1"', '"schema": "9"'), "its schema is '9'"),
        (lambda text: text.replace('"phases"', '"phrases"'), "it has no phases"),
        (lambda text: text.replace("8192", "4096"), "settings were changed"),
        (lambda text: text.replace("acme/llama-deep", "acme/renamed"), "belongs at acme__renamed"),
        (lambda text: text + " " * 300_000, "at most"),
    ],
)
def test_a_file_that_is_no_entry_is_refused_by_name(run, tmp_path, change, message):
    (path,), _ = add(run(), tmp_path / "atlas")
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    with pytest.raises(InputError, match=message):
        read_all(tmp_path / "atlas")


def test_an_empty_atlas_and_none(tmp_path):
    with pytest.raises(InputError, match="found nothing at"):
        read_all(tmp_path / "none")
    with pytest.raises(InputError, match="Expected entries"):
        write_page(tmp_path, tmp_path / "atlas.html")


def test_only_models_of_the_run(results):
    with pytest.raises(InputError, match="one of the run's models"):
        make_entry(results, "other")

"""A results.json that lost a key: a typed error that names it, or all that can be told without it."""

import json
import random

import pytest

from mspgt.atlas.entry import make_entry
from mspgt.errors import InputError, ResultsError
from mspgt.predictions.readings import Measurements
from mspgt.predictions.rules import Rules
from mspgt.report.page import pages
from mspgt.report.story import story_lines
from mspgt.report.verdicts import verdicts
from mspgt.report.views import model_view
from mspgt.report.words import findings
from mspgt.results import read, to_jsonable
from mspgt.study.verdicts import conclusions
from tests.report.planted_results import planted


@pytest.fixture(scope="module")
def whole():
    """Two planted models, and verdicts of the present rules on them."""
    found = json.loads(json.dumps(to_jsonable(planted())))
    found["models"] = {name: found["models"][name] for name in ("acme/llama-deep", "unlabelled")}
    return found


def places(value, at=()):
    """The path of every key; of a list only through its first items."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield (*at, key)
            yield from places(one, (*at, key))
    elif isinstance(value, list):
        for number, one in enumerate(value[:2]):
            yield from places(one, (*at, number))


def without(found, place, folder):
    """A file that lacks one key."""
    copy = json.loads(json.dumps(found))
    held = copy
    for key in place[:-1]:
        held = held[key]
    del held[place[-1]]
    (folder / "results.json").write_text(json.dumps(copy), encoding="utf-8")
    return folder


def explain(run):
    results = read(run)
    assert list(story_lines(results))
    assert verdicts(results)


def page(run):
    results = read(run)
    views = [model_view(results, one.model, f"m{at}", []) for at, one in enumerate(findings(results))]
    assert pages(results, views, [])


def compare(run):
    found = read(run)
    conclusions(Measurements(found.models, found.provenance.data.documents), Rules())


def enter(run):
    results = to_jsonable(read(run), whole=True)
    for name in results["models"]:
        make_entry(results, name)


@pytest.mark.parametrize(("use", "count"), [(explain, 120), (enter, 120), (compare, 25), (page, 15)])
def test_a_lost_key_is_a_typed_error_or_none(whole, use, count, tmp_path):
    told = []
    for place in random.Random(7).sample(sorted(places(whole), key=str), count):
        try:
            use(without(whole, place, tmp_path))
        except ResultsError as error:
            told.append((str(place[-1]), str(error)))
        except InputError:
            continue  # an account that was not measured makes no entry
    assert told
    assert [key for key, words in told if key not in words] == []


@pytest.mark.parametrize("key", ["specification", "paper_rule", "units"])
def test_what_every_verdict_has_is_named_where_it_is_lost(whole, key, tmp_path):
    with pytest.raises(ResultsError, match=rf"predictions\.P1\.1\.{key}: expected a value"):
        read(without(whole, ("predictions", "P1.1", key), tmp_path))


def test_what_older_runs_lack_is_written_whole_for_readers_and_as_it_was_for_the_file(whole, tmp_path):
    run = without(whole, ("models", "unlabelled", "trained"), tmp_path)
    assert to_jsonable(read(run), whole=True)["models"]["unlabelled"]["trained"] == {}
    assert to_jsonable(read(run)) == json.loads((run / "results.json").read_text("utf-8"))

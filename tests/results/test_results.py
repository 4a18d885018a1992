"""The contract: what is read is written again to the byte, and what is malformed is named."""

import copy
import dataclasses
import json
import random
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

import mspgt.results
from mspgt.errors import ResultsError
from mspgt.results import dumped, parse, read, to_jsonable, write
from mspgt.results.record import Record
from tests.docs.tools import tool
from tests.report.planted_results import planted
from tests.report.test_interventions import model as disturbed
from tests.report.test_where import functional

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """What `json.load` gives of a run with an intervened model and with functional scales."""
    found = planted()
    found["models"]["stories"] |= disturbed()
    found["models"]["acme/llama-deep"]["scales"] = functional(7, 15)
    return found


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The published schema, as its tool makes it."""
    return json.loads(tool("schema").written())


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value below one, lists by their first two entries."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, one in value.items():
            found += places(one, (*path, key))
    elif isinstance(value, list):
        for at, one in enumerate(value[:2]):
            found += places(one, (*path, at))
    return found


def holder(content: Any, path: tuple[Any, ...]) -> Any:
    """What holds the value at a path."""
    for step in path[:-1]:
        content = content[step]
    return content


def dotted(path: tuple[Any, ...]) -> str:
    return ".".join(f"[{step}]" if isinstance(step, int) else step for step in path).replace(".[", "[")


def test_a_run_is_written_as_it_was_read(plain, tmp_path):
    text = dumped(plain)
    (tmp_path / "results.json").write_text(text, "utf-8")
    results = read(tmp_path)
    write(tmp_path / "again.json", results)
    assert (tmp_path / "again.json").read_text("utf-8") == text
    assert results.models["stories"].boundaries.paper.LI is None
    assert results.models["acme/llama-deep"].boundaries.paper.LI.ci == (5.5, 8.5)


def test_keys_of_a_later_version_are_kept_and_those_that_were_absent_stay_absent(plain):
    newer = copy.deepcopy(plain)
    newer["sixth_sense"] = {"a": [1, None]}
    newer["models"]["stories"]["boundaries"]["paper"]["mood"] = "good"
    del newer["models"]["stories"]["signals_bands"]
    assert dumped(parse(newer)) == dumped(newer)


WRONG = ("text", [[]], 1.5, True, None, {"a": {}})


def fault(content: Any) -> str:
    """What a reader says of results; empty where it takes them."""
    try:
        assert to_jsonable(parse(content)) == content
    except ResultsError as error:
        return str(error)
    return ""


def test_every_value_of_another_kind_is_named_by_its_path(plain):
    rng, told = random.Random(0), 0
    for path in rng.sample(places(plain), 250):
        broken = copy.deepcopy(plain)
        holder(broken, path)[path[-1]] = rng.choice(WRONG)
        if said := fault(broken):
            told += 1
            assert said.startswith(dotted(path))  # the place itself, or one in it
    assert told > 100


def test_the_reader_and_the_published_schema_agree(plain, schema):
    jsonschema = pytest.importorskip("jsonschema")
    valid = jsonschema.Draft202012Validator(schema).is_valid
    assert valid(plain)
    rng = random.Random(1)
    for path in rng.sample(places(plain), 20):
        broken = copy.deepcopy(plain)
        inside = holder(broken, path)
        if isinstance(inside, dict) and rng.random() < 0.5:
            del inside[path[-1]]
        else:
            inside[path[-1]] = rng.choice(WRONG)
        assert valid(broken) == (fault(broken) == ""), path


def test_every_key_says_what_it_is(schema):
    """In the published schema, and in records that no run holds."""
    untold = [
        f"{name}.{key}"
        for name, kind in schema["$defs"].items()
        for key, one in kind["properties"].items()
        if not one.get("description")
    ]
    assert untold == []
    comments = tool("schema").comments
    modules = [import_module(f"mspgt.results.{one.name}") for one in iter_modules(mspgt.results.__path__)]
    ours = {
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Record) and kind is not Record
    }
    assert len(ours) > len(schema["$defs"])
    assert [
        f"{kind.__name__}.{field.name}"
        for kind in ours
        for field in dataclasses.fields(kind)
        if field.name not in comments(kind)
    ] == []


@pytest.mark.usefixtures("schema")
def test_the_published_schemas_are_current():
    for name in tool("schema").PUBLISHED:
        stored = (DOCS / "reference" / f"{name}.schema.json").read_text("utf-8")
        assert stored == tool("schema").written(name), "run python docs/tools/schema.py"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "Run the study first"),
        ("[]", "found schema 'list'"),
        ('{"schema": "9"}', "found schema '9'"),
        ('{"schema": "1"}', "study: expected a value, found no such key"),
        ('{"schema": NaN}', "NaN, which is no number"),
        ('{"schema": "1", "study": "\\ud83d"}', "surrogates not allowed"),
        ("[" * 100_000, "found: "),
    ],
)
def test_what_are_no_results_is_said(text, told, tmp_path):
    (tmp_path / "results.json").write_text(text, "utf-8")
    with pytest.raises(ResultsError, match=told) as failure:
        read(tmp_path)
    assert str(tmp_path / "results.json") in str(failure.value)
    with pytest.raises(ResultsError, match="Run the study first"):
        read(tmp_path / "none")


def unknown(value: Any, place: str = "") -> list[str]:
    """Keys that no record knows, of results that were read."""
    if isinstance(value, Record):
        found = [f"{place}.{key}" for key in vars(value)["_more"]]
        held = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    else:
        found, held = [], value
    if isinstance(held, list | tuple):
        held = dict(enumerate(held))
    return found + [
        one
        for key, inner in (held.items() if isinstance(held, dict) else ())
        for one in unknown(inner, f"{place}.{key}")
    ]

"""Records of results from the few keys that a test says something about; what else they must have is neutral."""

import types
import typing
from dataclasses import MISSING, fields
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from mspgt.predictions.readings import Measurements
from mspgt.results import ModelResult, Results, from_json, to_jsonable
from mspgt.results.record import R, Record

NOTHING = {bool: False, int: 0, float: 0.0, str: ""}


def measured(found: dict[str, Any]) -> Measurements:
    """What verdicts rest on, from a mapping in the shape of `results.json` that has the tested keys only."""
    models = {name: record(ModelResult, one) for name, one in found["models"].items()}
    return Measurements(models, found.get("provenance", {}).get("data", {}).get("documents", 0))


def record(kind: type[R], given: Any) -> R:
    """A record from the keys that a test says something about."""
    return from_json(kind, whole(kind, to_jsonable(given)))


def typed(results: Any) -> Results:
    """All results, from a mapping in the shape of `results.json`."""
    return record(Results, results)


def whole(kind: Any, given: Any) -> Any:
    """JSON of a type, with every key that must be there."""
    origin, inside = get_origin(kind), get_args(kind)
    if given is None or kind is Any:
        return given
    if is_record(kind):
        hints, required = keys_of(kind)
        kept = {key: whole(hints[key], one) if key in hints else one for key, one in given.items()}
        return kept | {key: neutral(hints[key]) for key in required if key not in given}
    if origin is Annotated:
        return {name: neutral(get_args(inside[0])[1]) for name in inside[1].names} | whole(inside[0], given)
    if origin is dict:
        return {key: whole(inside[1], one) for key, one in given.items()}
    if origin is list:
        return [whole(inside[0], one) for one in given]
    if origin in (typing.Union, types.UnionType):
        (first, *_) = (one for one in inside if one is not types.NoneType)
        return whole(first, given)
    return given


def neutral(kind: Any) -> Any:
    """A value of a type that says nothing."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind is Any or types.NoneType in inside:
        return None
    if kind in NOTHING:
        return NOTHING[kind]
    if origin is typing.Literal:
        return inside[0]
    if origin is tuple:
        return [neutral(one) for one in inside]
    if origin is list:
        return []
    return whole(kind, {})


def is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Record)


@cache
def keys_of(kind: Any) -> tuple[dict[str, Any], list[str]]:
    """The types of a record's keys, and those that must be there."""
    needed = [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]
    return typing.get_type_hints(kind, include_extras=True), needed

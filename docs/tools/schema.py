"""The JSON Schemas of `results.json` and `compare.json` in `reference/`, from the types that read them.

`python docs/tools/schema.py` writes them; a test holds the files against the types. Each description is the comment
that stands at the key. Any record may have more keys than it names: later versions add some.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from mspgt.results import Results
from mspgt.results.comparison import Comparison
from mspgt.results.record import Record

FOLDER = Path(__file__).parents[1] / "reference"
PUBLISHED: dict[str, type[Record]] = {
    "results": Results,
    "compare": Comparison,
}  # name of the file → what it holds
PLAIN = {bool: "boolean", int: "integer", float: "number", str: "string"}
Json = dict[str, Any]


def written(name: str = "results") -> str:
    """The schema of a file as it should be now."""
    defined: dict[str, Json] = {}
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"{name}.json of mspgt"}
    whole |= schema(PUBLISHED[name], defined) | {"$defs": dict(sorted(defined.items()))}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def schema(kind: Any, defined: dict[str, Json]) -> Json:
    """The schema of a type; records that it names join `defined`."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind is Any:
        return {}
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    if isinstance(kind, type) and issubclass(kind, Record):
        if kind.__name__ not in defined:
            defined[kind.__name__] = {}
            defined[kind.__name__] = record(kind, defined)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if origin is Annotated:
        return schema(inside[0], defined) | {"required": list(inside[1].names)}
    if origin is Literal:
        return {"enum": list(inside)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema(inside[1], defined)}
    if origin is list:
        return {"type": "array", "items": schema(inside[0], defined)}
    if origin is tuple:
        items = [schema(one, defined) for one in inside]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin in (Union, types.UnionType):
        either = [schema(one, defined) for one in inside]
        if all(one.keys() == {"type"} for one in either):
            return {"type": [one["type"] for one in either]}
        return {"anyOf": either}
    assert kind is types.NoneType, kind
    return {"type": "null"}


def record(kind: type[Record], defined: dict[str, Json]) -> Json:
    """The schema of a record, with the words at its keys."""
    hints, words = get_type_hints(kind, include_extras=True), comments(kind)
    properties, needed = {}, []
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        key = field.name.removesuffix("_")
        said = {"description": words[field.name]} if field.name in words else {}
        properties[key] = schema(hints[field.name], defined) | said
        if field.default is field.default_factory is dataclasses.MISSING or field.name in kind.always:
            needed.append(key)
    about = (kind.__doc__ or "").strip().splitlines()[0]
    return {"type": "object", "description": about, "properties": properties, "required": needed}


def comments(kind: type) -> dict[str, str]:
    """What the source says of each key, behind it or in the lines above it."""
    found: dict[str, str] = {}
    for one in reversed([base for base in kind.__mro__ if base not in (Record, object)]):
        above: list[str] = []
        for line in inspect.getsource(one).splitlines():
            if match := re.match(r" {4}(\w+): .*?(?:  # (.*))?$", line):
                words = " ".join(above) or match[2]
                found |= {match[1]: words} if words else {}
            above = [*above, line.strip()[2:]] if line.startswith("    # ") else []
    return found


if __name__ == "__main__":
    for name in PUBLISHED:
        (FOLDER / f"{name}.schema.json").write_text(written(name), "utf-8")

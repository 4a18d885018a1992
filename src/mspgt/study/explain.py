"""What is wrong with a study file, where it stands in it, and what to write instead."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel, ValidationError

from mspgt.errors import near

Place = tuple[int | str, ...]


def explain(
    error: ValidationError, schema: type[BaseModel], where: str, text: str = "", given: tuple[str, ...] = ()
) -> str:
    """Every fault on a line of its own, under the file and line (or the flag) that it comes from.

    Args:
        schema: the type of the whole file.
        where: its path.
        text: what it holds; empty where there was none.
        given: keys that came from the command line, dotted.
    """
    lines = key_lines(text)
    told = []
    problems = error.errors()
    for problem in problems:
        place: Place = tuple(problem["loc"])
        if problem["type"] == "too_short" and any(
            other["loc"][0] in place for other in problems if other != problem
        ):
            continue  # a list whose items all failed is not also short
        dotted = ".".join(str(part) for part in place)
        source = f"--set {dotted}" if dotted in given else _source(where, lines, place)
        told.append(f"{source}: {_fault(problem, dotted, schema, place)}")
    return "\n".join(told)


def key_lines(text: str) -> dict[Place, int]:
    """The line of every key and list item of a YAML text, counted from 1, under its path."""
    found: dict[Place, int] = {}

    def walk(node: yaml.Node, path: Place) -> None:
        found.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                at = (*path, str(key.value))
                found[at] = key.start_mark.line + 1
                walk(value, at)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                walk(item, (*path, number))

    node = yaml.compose(text, Loader=yaml.BaseLoader) if text else None
    if node is not None:
        walk(node, ())
    return found


def known_keys(schema: type, place: Place) -> list[str]:
    """The keys that a section may have."""
    section = _section(schema, place)
    return [] if section is None else list(_fields(section))


def _source(where: str, lines: dict[Place, int], place: Place) -> str:
    """The file with the line of a place, or of the nearest one around it that stands in the file."""
    for end in range(len(place), -1, -1):
        if place[:end] in lines:
            return f"{where}:{lines[place[:end]]}"
    return where


def _fault(problem: Any, dotted: str, schema: type[BaseModel], place: Place) -> str:
    found = problem.get("input")
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = sorted(known_keys(schema, place[:-1]))
        meant = near(str(place[-1]), known)
        hint = f"did you mean {meant!r}?" if meant else f"known keys: {', '.join(known)}"
        return f"unknown key {dotted!r}; {hint}"
    if problem["type"] == "missing":
        return f"{dotted}: expected a value, found none; add the key"
    if problem["type"] == "literal_error":
        allowed = re.findall(r"'([^']*)'", problem["ctx"]["expected"])
        meant = near(str(found), allowed)
        hint = f"; did you mean {meant!r}?" if meant else ""
        return f"{dotted}: expected one of {', '.join(allowed)}, found {found!r}{hint}"
    if problem["type"] == "string_pattern_mismatch":
        return (
            f"{dotted}: expected at most 64 letters, digits, dots, dashes and underscores, starting with a letter or "
            f"digit, found {found!r}"
        )
    expected = problem["msg"].replace("Input should be", "expected").removeprefix("Value error, ")
    shown = "" if problem["type"] == "value_error" else f", found {found!r}"
    return f"{dotted + ': ' if dotted else ''}{expected}{shown}"


def _section(schema: type, place: Place) -> type | None:
    section: type | None = schema
    for part in place:
        if isinstance(part, int):
            continue  # an item of a list has the type that the list was declared with
        annotation = {} if section is None else _fields(section)
        section = next(sections_in(annotation.get(part)), None)
    return section


def _fields(section: type) -> dict[str, Any]:
    """The keys of a section as a study file writes them, and the type of each."""
    if issubclass(section, BaseModel):
        return {field.alias or name: field.annotation for name, field in section.model_fields.items()}
    return get_type_hints(section)


def sections_in(annotation: Any) -> Iterator[type]:
    """The section types within an annotation such as `tuple[ModelConfig, ...]` or `TreebankConfig | None`."""
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or is_dataclass(annotation)):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, tuple, list, dict):
        for inner in get_args(annotation):
            yield from sections_in(inner)

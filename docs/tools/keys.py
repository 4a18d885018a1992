"""The tables of `reference/study-file.md`, from the types that read a study file.

`python docs/tools/keys.py` writes them into the page, so that it reads as well in a clone; a test holds the page
against the types.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mspgt.study.config import StudyConfig
from mspgt.study.explain import sections_in

PAGE = Path(__file__).parents[1] / "reference" / "study-file.md"
MARK = "<!-- keys: written by docs/tools/keys.py -->\n"


def written(markdown: str) -> str:
    """The page with its tables as they are now."""
    return markdown.split(MARK)[0] + MARK + "\n" + "\n".join(tables(StudyConfig)).rstrip() + "\n"


def tables(schema: type) -> Iterator[str]:
    """A heading and a table for a section and for every section below it."""
    waiting: list[tuple[str, type]] = [("Top level", schema)]
    seen: set[type] = set()
    while waiting:
        name, section = waiting.pop(0)
        if section in seen:
            continue
        seen.add(section)
        said = (section.__doc__ or "").splitlines()[0]
        yield f"## {name}\n\n{said}\n\n| key | default | meaning |\n|---|---|---|"
        told = comments(section)
        for key, default, annotation in keys(section):
            meaning = told.get(key, "").replace("|", "\\|")
            yield f"| `{key}` | {default} | {meaning} |"
            inner = key if section is schema else f"{name}.{key}"
            waiting += [(inner, below) for below in sections_in(annotation)]
        yield ""


def keys(section: type) -> Iterator[tuple[str, str, Any]]:
    """Key, default in words, and type."""
    if issubclass(section, BaseModel):
        for name, field in section.model_fields.items():
            default = "needed" if field.is_required() else worded(field.default)
            yield field.alias or name, default, field.annotation
    else:
        for one in dataclasses.fields(section):
            yield one.name, worded(one.default), one.type


def worded(value: Any) -> str:
    """A default as a reader sees it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"`{value:.4g}`"
    if isinstance(value, int | str):
        return f"`{value}`"
    if isinstance(value, tuple | list):
        return f"`{', '.join(map(str, value))}`" if value else "empty"
    return "see below"


def comments(section: type) -> dict[str, str]:
    """What stands behind each key in the source."""
    lines = inspect.getsource(section).splitlines()
    found = (re.match(r" {4}(\w+)\s*:.*?#\s*(.*)$", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")

"""`results.json`: all of it, read and written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mspgt.errors import ResultsError
from mspgt.results.boundaries import ReplicatedResult
from mspgt.results.families import FamilyResult
from mspgt.results.model import ModelResult
from mspgt.results.planted import PlantedControl
from mspgt.results.predictions import PredictionResult
from mspgt.results.record import ByBoundary, Record, from_json, to_jsonable
from mspgt.results.study import Notice, Provenance, StudyName

SCHEMA = "1"
NAME = "results.json"


@dataclass
class Results(Record):
    """`results.json`."""

    study: StudyName  # which study this is
    provenance: Provenance  # what it was made with and from
    models: dict[str, ModelResult]  # by label
    families: dict[str, ByBoundary[FamilyResult]]  # family → LI, IG (Experiment 3)
    predictions: dict[str, PredictionResult]  # by id
    warnings: list[Notice]  # what the reader must know before believing a number
    # group of runs → what their mean says
    replicated: dict[str, ReplicatedResult] = field(default_factory=dict)
    schema: str = SCHEMA  # of this contract; changes within one are additive
    planted: dict[str, PlantedControl] = field(default_factory=dict)  # planted subject → what was found in it


def read(path: Path) -> Results:
    """The results of a finished run, from its folder or from the file.

    Raises:
        ResultsError: there are none, or they are not what this version reads; names the file, the key, what was
            expected and what was found.
    """
    file = path if path.is_file() else path / NAME
    if not file.exists():
        raise ResultsError(f"Expected a finished run in {path}, found no {NAME} there. Run the study first.")
    try:
        text = file.read_text("utf-8")
        content = json.loads(text, parse_constant=_no_number)
        if "\\ud" in text.lower():  # half a character, which no page could be written with
            json.dumps(content, ensure_ascii=False).encode("utf-8")
        return parse(content, str(file))
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(
            f"Expected the results of a finished run in {file}, found: {error}. Run the study first."
        ) from error


def parse(content: Any, where: str = "") -> Results:
    """The typed form of what a `results.json` holds.

    Raises:
        ResultsError: of another schema, or no results at all.
    """
    found = content.get("schema") if isinstance(content, dict) else type(content).__name__
    if found != SCHEMA:
        raise ResultsError(
            f"{where}: expected results of schema {SCHEMA!r}, found schema {found!r}. Use the mspgt that wrote "
            "them, or run the study again: finished stages whose code is the same are kept."
        )
    return from_json(Results, content, where)


def dumped(value: Any) -> str:
    """The text of a file: the same content gives the same bytes."""
    return json.dumps(to_jsonable(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write(path: Path, results: Results) -> None:
    """Write a file that `read` reads.

    Raises:
        OSError: it cannot be written.
    """
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(dumped(results), "utf-8")
    scratch.replace(path)


def _no_number(word: str) -> None:
    raise ValueError(f"{word}, which is no number")

"""The folder of entries: adding to it, and reading all of it."""

from __future__ import annotations

import json
from pathlib import Path

from mspgt.atlas.entry import LARGEST, OF_ITS_OWN, Json, comparable, dumped, make_entry, place_of
from mspgt.errors import InputError
from mspgt.report.writing import write
from mspgt.results import SCHEMA, to_jsonable
from mspgt.study.comparing import read_run
from mspgt.study.differences import short, unlike

# What every entry has, and what it is.
PARTS = {
    "schema": str,
    "study": dict,
    "provenance": dict,
    "comparable": str,
    "models": dict,
    "predictions": dict,
    "warnings": list,
}
ACCOUNTS = ("boundaries", "phases", "scales")


def add(run: Path, atlas: Path) -> tuple[list[Path], list[str]]:
    """Add every model of a finished run; returns the files written, and what their author must be told.

    Nothing is written unless every model of the run makes an entry.

    Raises:
        InputError: no finished run, or models that make no entry; all of them are named.
    """
    results = to_jsonable(read_run(run).results, whole=True)
    entries, faults = [], []
    for name in results["models"]:
        try:
            entries.append(make_entry(results, name))
        except InputError as error:
            faults.append(str(error))
    if faults:
        raise InputError("\n".join(faults))
    others = read_all(atlas) if atlas.is_dir() else []
    told = [words for entry in entries for words in _words(entry, others)]
    written = [atlas / place_of(entry) for entry in entries]
    for path, entry in zip(written, entries, strict=True):
        write(path, dumped(entry).encode())
    return written, told


def _words(entry: Json, others: list[Json]) -> list[str]:
    (name,) = entry["models"]
    limits = entry["provenance"].get("limits") or []
    told = [f"{name} is a sketch, and says so: {'; '.join(limits)}"] if limits else []
    apart = [other for other in others if name not in other["models"]]
    if apart and all(other["comparable"] != entry["comparable"] for other in apart):
        nearest = min(apart, key=lambda other: len(differing(entry, other)))
        told.append(
            f"{name} cannot be compared with any entry there; from {', '.join(nearest['models'])} it differs in "
            f"{'; '.join(differing(entry, nearest)[:5])}"
        )
    return told


def differing(one: Json, other: Json) -> list[str]:
    """What keeps two entries from being compared, in words; empty where nothing does."""
    if one["comparable"] == other["comparable"]:
        return []
    mine, yours = one["provenance"]["settings"], other["provenance"]["settings"]
    found = [
        f"{key} ({short(a)}, there {short(b)})"
        for section in sorted({*mine, *yours} - {*OF_ITS_OWN})
        for key, a, b in unlike(section, mine.get(section), yours.get(section))
    ]
    data = one["provenance"]["data"], other["provenance"]["data"]
    if data[0]["sha256"] != data[1]["sha256"]:
        found.append(f"the corpus ({data[0]['name']}, there {data[1]['name']})")
    return found or ["the labels"]


def read_all(atlas: Path) -> list[Json]:
    """All entries, by model, revision and plan.

    Raises:
        InputError: no folder, or a file in it that is no entry, is larger than one may be, or lies where it does not
            belong.
    """
    if not atlas.is_dir():
        raise InputError(
            f"Expected a folder with an atlas, found nothing at {atlas}. Begin one: mspgt atlas add RUN."
        )
    return [_read(path, atlas) for path in sorted(atlas.glob("*/*/*.json"))]


def _read(path: Path, atlas: Path) -> Json:
    if path.is_symlink() or path.stat().st_size > LARGEST:
        raise InputError(f"{path}: expected an entry of at most {LARGEST:,} bytes in a file of its own.")
    try:
        entry = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected an entry of the atlas, found: {error}.") from error
    if fault := _fault(entry, path.relative_to(atlas).as_posix()):
        raise InputError(f"{path}: expected an entry of the atlas, found that {fault}.")
    return dict(entry)


def _fault(entry: object, place: str) -> str:
    """What is wrong with an entry read from a file; empty if nothing is."""
    if not isinstance(entry, dict):
        return "it is no mapping"
    for key, kind in PARTS.items():
        if not isinstance(entry.get(key), kind):
            return f"{key} is no {kind.__name__}"
    if entry["schema"] != SCHEMA:
        return f"its schema is {entry['schema']!r}, where this version reads {SCHEMA!r}"
    models = list(entry["models"].values())
    if len(models) != 1 or not isinstance(models[0], dict):
        return f"it has {len(models)} models, not one"
    for account in ACCOUNTS:
        if not isinstance(models[0].get(account), dict):
            return f"it has no {account}"
    try:
        belongs, digest = place_of(entry), comparable(entry["provenance"])
    except (KeyError, TypeError, AttributeError) as error:
        return f"it lacks {error}"
    if belongs != place:
        return f"it belongs at {belongs}"
    return "" if digest == entry["comparable"] else "its settings were changed after it was made"

"""One page of an atlas: models measured alike side by side, each with every account of where its scales lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mspgt.atlas.entry import Json
from mspgt.atlas.shelf import read_all
from mspgt.errors import InputError
from mspgt.report.accounts import Account, accounts, disagreement
from mspgt.report.document import document
from mspgt.report.section import Section
from mspgt.report.tables import Table
from mspgt.report.where_section import where_section
from mspgt.report.words import counted, number
from mspgt.report.writing import write
from mspgt.results import Results, parse


@dataclass(frozen=True)
class Group:
    """Entries that were made from the same data under the same settings: only these may be compared."""

    anchor: str
    title: str
    about: str
    limits: str
    table: Table
    section: Section


def write_page(atlas: Path, out: Path) -> int:
    """Write the page of all entries; returns how many there are.

    Raises:
        InputError: no entries, or a file that is none.
        StoreError: the page cannot be written.
    """
    entries = read_all(atlas)
    if not entries:
        raise InputError(
            f"Expected entries in {atlas}, found none. Add some: mspgt atlas add RUN --atlas {atlas}."
        )
    write(out, _page(entries).encode())
    return len(entries)


def merged(entries: Sequence[Json]) -> Json:
    """Entries of one group as the results of one run, in the order of size; a model of two entries has its newest."""
    newest: dict[str, Json] = {}
    for entry in sorted(entries, key=lambda one: one["provenance"]["started"]):
        (name,) = entry["models"]
        newest[name] = entry
    ordered = sorted(newest.values(), key=lambda one: next(iter(one["models"].values()))["parameters"])
    return {
        **{key: ordered[0][key] for key in ("schema", "study", "provenance")},
        "models": {name: model for entry in ordered for name, model in entry["models"].items()},
        "warnings": [one for entry in ordered for one in entry["warnings"]],
        "families": {},
        "predictions": {},
    }


def groups(entries: Sequence[Json]) -> list[Group]:
    """Groups of entries that may be compared, the largest first."""
    alike: dict[str, list[Json]] = {}
    for entry in entries:
        alike.setdefault(entry["comparable"], []).append(entry)
    found = []
    for digest, members in sorted(alike.items(), key=lambda item: (-len(item[1]), item[0])):
        results = parse(merged(members))
        section = where_section(results, files=False)
        assert section is not None  # an entry without phases and functional scales is refused when it is read
        data = results.provenance.data
        documents, sentences = counted(data.documents, "document"), counted(data.sentences, "sentence")
        found.append(
            Group(
                f"group-{digest}",
                f"{counted(len(results.models), 'model')} on {data.name}",
                f"{documents}, {sentences}; labels: {data.treebank.name if data.treebank else 'none'}; "
                f"alike in data and settings ({digest}), so positions may be compared.",
                "; ".join(results.provenance.limits),
                Table.told("Models measured alike", _models(results)),
                section,
            )
        )
    return found


def _models(results: Results) -> Iterator[Json]:
    """A row a model: what each account places, and whether they agree."""
    for name, model in results.models.items():
        every = accounts(results, name)
        head = {"model": name, "blocks": model.layers, "parameters": number(model.parameters)}
        yield head | {one.key: _said(one) for one in every} | {"together": disagreement(every)}


def _said(one: Account) -> str:
    return "; ".join(mark.text for mark in one.row.marks) or "none" if one.measured else "not measured"


def _page(entries: Sequence[Json]) -> str:
    entered = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    about = f"{entered}; every account of where the scales of a model lie, with what each could have seen"
    return document("atlas.html.j2", "report.css", title="Atlas", about=about, groups=groups(entries))

"""`compare.html`: a comparison of finished runs, from its compare.json alone."""

from __future__ import annotations

import json
from pathlib import Path

from mspgt.errors import InputError
from mspgt.report.build import write_figures, write_tables
from mspgt.report.document import document
from mspgt.report.families import family_section
from mspgt.report.overlay import overlay_section
from mspgt.report.predictions import prediction_section
from mspgt.report.section import Section
from mspgt.report.sizes_section import sizes_section
from mspgt.report.tables import Table
from mspgt.report.verdicts import tally, verdict_section, verdicts
from mspgt.report.words import Json, counted
from mspgt.report.writing import write
from mspgt.results import from_json
from mspgt.results.comparison import Comparison


def build_comparison(folder: Path, *, venue: str = "neurips") -> Path:
    """Write tables/, figures/ and compare.html beside compare.json; returns the path of the page.

    Raises:
        InputError: no readable compare.json. ResultsError: it does not hold what this version reads.
        StoreError: a file cannot be written.
    """
    path = folder / "compare.json"
    try:
        content: Json = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: expected a comparison, found: {error}. Make one with `mspgt compare RUN...`."
        ) from error
    found = from_json(Comparison, content, str(path))
    made = (
        overlay_section(found),
        # A comparison shows no single model; the table of units names the evidence.
        verdict_section(found, None),
        family_section(found),
        sizes_section(found.sizes),
        prediction_section(found),
    )
    sections = [section for section in made if section is not None]
    for section in sections:
        write_tables(folder, section.tables)
        write_figures(folder, section.figures, venue)
    page = folder / "compare.html"
    write(page, _page(found, sections).encode())
    return page


def _page(found: Comparison, sections: list[Section]) -> str:
    told = verdicts(found)
    about = f"{counted(len(found.runs), 'run')}, {counted(len(found.models), 'model')}"
    runs = (
        {"run": run.name, "study": run.study, "plan": run.hash[:12], "mspgt": run.mspgt, "text": run.data}
        | {"begun": run.started}
        for run in found.runs
    )
    return document(
        "compare.html.j2",
        "report.css",
        "compare.css",
        title=" and ".join(run.name for run in found.runs),
        about=f"{about} · judged by {found.account} (where measured)" if found.account else about,
        limits=found.sketches,
        tally=tally(told) or "Curves of several runs; nothing was judged",
        verdicts=told,
        sections=sections,
        runs=Table.told("Runs", runs),
        warnings=found.warnings,
    )

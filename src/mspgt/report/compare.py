"""`compare.html`: a comparison of finished runs, from its compare.json alone."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from mspgt.errors import InputError
from mspgt.report.build import write_figure
from mspgt.report.families import family_section
from mspgt.report.markup import table_html
from mspgt.report.overlay import overlay_section
from mspgt.report.predictions import prediction_section
from mspgt.report.section import Section
from mspgt.report.sizes_section import sizes_section
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
        sizes_section(content),
        prediction_section(found),
    )
    sections = [section for section in made if section is not None]
    for section in sections:
        for table in section.tables:
            for form, text in (("csv", table.csv()), ("tex", table.latex())):
                write(folder / "tables" / f"{table.name}.{form}", text.encode())
            write(folder / "tables" / f"{table.name}.parquet", table.parquet())
        for stem, plate in section.figures.items():
            write_figure(folder, stem, plate, venue)
    page = folder / "compare.html"
    write(page, _page(found, sections).encode())
    return page


def _page(found: Comparison, sections: list[Section]) -> str:
    template = files("mspgt.report") / "template"
    style = "".join((template / name).read_text("utf-8") for name in ("report.css", "compare.css"))
    fingerprint = b64encode(sha256(style.encode()).digest()).decode()
    loader = PackageLoader("mspgt.report", "template")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.globals |= {"table_html": table_html}
    told = verdicts(found)
    return environment.get_template("compare.html.j2").render(
        policy=f"default-src 'none'; style-src 'sha256-{fingerprint}'",
        css=style,
        title=" and ".join(run.name for run in found.runs),
        about=f"{counted(len(found.runs), 'run')}, {counted(len(found.models), 'model')}",
        tally=tally(told) or "Curves of several runs; nothing was judged",
        account=found.account,
        sketches=found.sketches,
        verdicts=told,
        sections=sections,
        rows=[(run.name, run.study, run.hash[:12], run.mspgt, run.data, run.started) for run in found.runs],
        warnings=found.warnings,
    )

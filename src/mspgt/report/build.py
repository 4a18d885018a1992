"""A finished run's tables, figures and page, from its results.json alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from mspgt.report.dose_section import dose_section
from mspgt.report.effect_section import effect_section
from mspgt.report.families import family_section
from mspgt.report.figures import strips_figure
from mspgt.report.interventions import effects_of, table2
from mspgt.report.look import venue_width
from mspgt.report.metrics_section import metrics_section
from mspgt.report.page import pages
from mspgt.report.panels import strip_rows
from mspgt.report.paper_table import against_paper
from mspgt.report.planted_section import planted_section
from mspgt.report.precision_section import precision_section
from mspgt.report.predictions import prediction_section
from mspgt.report.replicated import replicated_section
from mspgt.report.section import Plate, Section
from mspgt.report.specification import specification_section
from mspgt.report.strips import strip_chart
from mspgt.report.table1 import table1, table1_for_reading
from mspgt.report.tables import Table, checks_table, latex_text, warnings_table
from mspgt.report.theory_section import theory_section
from mspgt.report.verdicts import verdict_section
from mspgt.report.views import View, model_view
from mspgt.report.where_section import where_section
from mspgt.report.words import findings
from mspgt.report.writing import stems, write
from mspgt.results import Results, read

# Sections that have a file of their own: of one model, (results, name, stem) → Section, and of the study.
MODEL_SECTIONS: tuple[Callable[[Results, str, str], Section | None], ...] = (
    metrics_section,
    precision_section,
    effect_section,
    dose_section,
    theory_section,
)
STUDY_SECTIONS: tuple[Callable[[Results], Section | None], ...] = (
    planted_section,
    where_section,
    family_section,
    replicated_section,
    prediction_section,
    specification_section,
)

STRIPS = (
    "Scales of every model over relative depth, calibrated mode above paper mode (pale; paler where its own rule "
    "rejects). Vertical lines: boundaries; bars below: 95 % confidence sets (calibrated) or 95 % percentile "
    "intervals of a bootstrap over documents (paper). White: no boundary; grey: one boundary of unknown name."
)


def build_report(run: Path, *, venue: str = "neurips") -> Path:
    """Write tables/, figures/ and report.html into a run folder; the same results give the same bytes.

    Args:
        run: a folder with results.json.
        venue: width of the figures: neurips, icml, icml-column, acl or acl-column.

    Returns:
        The path of report.html.

    Raises:
        ResultsError: no results, or not what this version reads. InputError: an unknown venue.
        StoreError: a file cannot be written.
    """
    venue_width(venue)
    results = read(run)
    names = stems(results.models)
    views = [_view(results, found.model, names[found.model]) for found in findings(results)]
    sections = _study_sections(results, views)
    # In the order of the study, where the page begins with models in which the modes disagree.
    own = {view.name: view.sections for view in views}
    every = [*(section for name in results.models for section in own[name]), *sections]
    write_tables(run, _tables(results, every))
    # Table 1 in full is too wide for a sheet of paper; LaTeX takes the one for reading.
    write(run / "tables" / "table1.tex", table1_for_reading(results).latex().encode())

    strips = {view.name: [*map(strip_chart, strip_rows(view.model))] for view in views}
    write_figures(run, {"strips": Plate(partial(strips_figure, strips), STRIPS)}, venue)
    for section in every:
        write_figures(run, section.figures, venue)

    # The page comes last, so that whatever it links to is there.
    for name, page in reversed(pages(results, views, sections).items()):
        write(run / name, page.encode())
    return run / "report.html"


def _view(results: Results, name: str, stem: str) -> View:
    """A model with every section that its results have something for."""
    made = (section(results, name, stem) for section in MODEL_SECTIONS)
    return model_view(results, name, stem, [one for one in made if one is not None])


def _study_sections(results: Results, views: Sequence[View]) -> list[Section]:
    anchors = {view.name: view.anchor for view in views}
    made = [verdict_section(results, anchors), *(section(results) for section in STUDY_SECTIONS)]
    return [one for one in made if one is not None]


def _tables(results: Results, sections: Sequence[Section]) -> Iterable[Table]:
    """Those of the study, and those of its sections: what several models have rows of is one table."""
    found = {one.name: one for one in (table1(results), against_paper(results))}
    found |= {one.name: one for one in (checks_table(results), warnings_table(results))}
    if any(effects_of(model) for model in results.models.values()):
        found["table2"] = table2(results)
    for own in (table for section in sections for table in section.tables):
        before = found.get(own.name)
        found[own.name] = replace(own, rows=before.rows + own.rows) if before else own
    return found.values()


def write_tables(run: Path, tables: Iterable[Table]) -> None:
    """Each table as CSV, LaTeX and Parquet."""
    for table in tables:
        forms = {"csv": table.csv().encode(), "tex": table.latex().encode(), "parquet": table.parquet()}
        for form, content in forms.items():
            write(run / "tables" / f"{table.name}.{form}", content)


def write_figures(run: Path, plates: Mapping[str, Plate], venue: str) -> None:
    """Each figure as SVG and PDF, and the LaTeX that sets it with its caption."""
    for stem, plate in plates.items():
        for form, content in plate.draw(venue).items():
            write(run / "figures" / f"{stem}.{form}", content)
        label = re.sub(r"[^A-Za-z0-9:-]", "-", stem)
        lines = [
            r"\begin{figure}",
            r"  \centering",
            rf"  \includegraphics{{{stem}.pdf}}",
            rf"  \caption{{{latex_text(plate.caption)}}}",
            rf"  \label{{fig:{label}}}",
            r"\end{figure}",
            "",
        ]
        write(run / "figures" / f"{stem}.tex", "\n".join(lines).encode())

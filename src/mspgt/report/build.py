"""A finished run's tables, figures and page, from its results.json alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from mspgt.errors import InputError
from mspgt.report.figures import panels_figure, strips_figure, venue_width
from mspgt.report.page import pages
from mspgt.report.panels import strip_rows
from mspgt.report.table1 import table1, table1_for_reading
from mspgt.report.tables import Table, checks_table, claims_table, curves_table, warnings_table
from mspgt.report.views import View, chart_groups
from mspgt.report.words import Json, findings
from mspgt.report.writing import stems, write
from mspgt.results import SCHEMA

DEPTHS = {"transition": "transition l, from layer l to l + 1", "layer": "layer"}

Progress = Callable[[int, int, str], None]  # done, total, what


def build_report(run: Path, *, venue: str = "neurips", progress: Progress | None = None) -> Path:
    """Write tables/, figures/ and report.html into a run folder; the same results give the same bytes.

    Args:
        run: a folder with results.json.
        venue: width of the figures: neurips, icml, icml-column, acl or acl-column.
        progress: called with (done, total, what) as the models are drawn.

    Returns:
        The path of report.html.

    Raises:
        InputError: no readable results.json, of a schema this version does not know, or an unknown venue.
        StoreError: a file cannot be written.
    """
    venue_width(venue)
    results = read_results(run)
    names = stems(results["models"])
    views = [
        View(results, found.model, names[found.model], chart_groups(results, found.model))
        for found in findings(results)
    ]
    for table in _tables(results, views):
        # Table 1 in full is too wide for a sheet of paper; LaTeX takes the one for reading.
        readable = table1_for_reading(results) if table.name == "table1" else table
        for form, content in (("csv", table.csv()), ("tex", readable.latex())):
            write(run / "tables" / f"{table.name}.{form}", content.encode())
        write(run / "tables" / f"{table.name}.parquet", table.parquet())

    strips = {view.name: strip_rows(view.model) for view in views}
    _write_figure(run, "strips", strips_figure(strips, venue))
    for done, view in enumerate(views):
        if progress:
            progress(done, len(views), f"figures of {view.name}")
        for group in view.groups:
            if group.drawn:
                figure = panels_figure(group.panels, view.name, DEPTHS[group.axis], venue)
                _write_figure(run, f"{view.stem}-{group.key}", figure)

    # The page comes last, so that whatever it links to is there.
    for name, page in reversed(pages(results, views).items()):
        write(run / name, page.encode())
    if progress:
        progress(len(views), len(views), "page")
    return run / "report.html"


def read_results(run: Path) -> Json:
    """The results of a run.

    Raises:
        InputError: there are none, or they cannot be read.
    """
    path = run / "results.json"
    try:
        results = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"Expected the results of a finished run in {path}, found: {error}. Run the study first."
        ) from error
    found = results.get("schema") if isinstance(results, dict) else type(results).__name__
    if found != SCHEMA:
        raise InputError(
            f"Expected schema {SCHEMA!r} in {path}, found {found!r}. Use the mspgt that wrote the run."
        )
    return dict(results)


def _tables(results: Json, views: list[View]) -> Iterator[Table]:
    yield table1(results)
    yield claims_table(results)
    for at, title in enumerate(
        ("Signals over transitions", "Probes over layers", "Controls over transitions")
    ):
        group = [(view.name, view.groups[at]) for view in views]
        key, axis = group[0][1].key, group[0][1].axis
        yield curves_table(key, title, axis, {name: one.panels for name, one in group})
    yield checks_table(results)
    yield warnings_table(results)


def _write_figure(run: Path, stem: str, forms: dict[str, bytes]) -> None:
    for form, content in forms.items():
        write(run / "figures" / f"{stem}.{form}", content)

"""Charts on the page: each under its name, with its legend, its caption and its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from mspgt.report.marks import Chart, Key
from mspgt.report.markup import data_block, folded, missing_html, tag
from mspgt.report.svg import legend_html, svg
from mspgt.report.tables import Table

SPAN = 4  # more rows than this, all alike in a column, are one cell


def figure_html(
    anchor: str,
    chart: Chart,
    *,
    title: str = "",
    legend: Iterable[Key] = (),
    twice: bool = False,
    caption: str = "",
    numbers: Table | None = None,
    beside: str = "",
    missing: Sequence[str] = (),
) -> Markup:
    """A chart under its name, which the page's script makes a link, its numbers as CSV, its caption, what it lacks.

    Args:
        anchor: its place on the page, after which the page's script names the file of its numbers.
        title: its name, where it is not that of the chart.
        legend: what is told of its curves above them.
        twice: whether the page shows the same drawing elsewhere.
        numbers: what it draws, to travel inside it; none where a table to read stands beside the chart.
        beside: address of a file with the same numbers, for where no script runs; none where it has no numbers.
    """
    links: list[str] = [tag("b", title or chart.title)]
    if beside:
        links += [" ", tag("a", "CSV", href=beside, download=True)]
    parts = [tag("figcaption", *links), legend_html(legend), svg(chart, anchor, twice=twice)]
    parts += [tag("p", caption, class_="caption")] if caption else []
    parts.append(missing_html(*missing))
    parts += [data_block(numbers)] if numbers else []
    return tag("figure", *parts, id=anchor)


def lit_html(drawings: Iterable[Markup], axis: str, kind: str = "") -> Markup:
    """Charts over layers side by side, and where the page's script tells the numbers of the layer that is pointed at.

    Args:
        axis: what a layer is called: `layer` or `transition`.
    """
    charts = tag("div", *drawings, class_=f"charts {kind}".strip(), data_axis=axis)
    return charts + tag("div", class_="readout", aria_live="polite", hidden=True)


def numbers_html(title: str, columns: Iterable[str], rows: Iterable[Sequence[str | int]]) -> Markup:
    """The numbers of one chart as a table to read, a row a layer; HTML can do without the end tags left out."""
    names = [Markup("<th>{}").format(name) for name in columns]
    lines = list(rows)
    # What is the same at every layer is said once, in a cell that spans them all.
    alike = {
        at for at, cells in enumerate(zip(*lines, strict=True)) if len(lines) > SPAN and len(set(cells)) == 1
    }
    body = []
    for line, (layer, *cells) in enumerate(lines):
        body.append(Markup("<tr><th>{}").format(layer))
        for at, one in enumerate(cells, 1):
            if at not in alike:
                body.append(Markup("<td>{}").format(one))
            elif not line:
                body.append(Markup('<td rowspan="{}">{}').format(len(lines), one))
    return tag(
        "table",
        tag("caption", title),
        Markup("<thead><tr>"),
        *names,
        Markup("<tbody>"),
        *body,
        class_="numbers",
    )


def numbers_folded(tables: Sequence[Markup], label: str) -> Markup:
    """Tables of numbers behind a line to open; together they scroll sideways where one is too wide."""
    about = {"role": "group", "aria-label": f"numbers: {label}"}
    return folded("Numbers", tag("div", *tables, class_="tables scroll", tabindex=0, **about))

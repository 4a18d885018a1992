"""How many digits hold in a half-precision model, as a section of the page: the same sentences in float32 beside."""

from __future__ import annotations

from markupsafe import Markup

from mspgt.report.markup import table_html, tag
from mspgt.report.section import Section
from mspgt.report.tables import Cell, Table
from mspgt.results import Results
from mspgt.results.precision import PrecisionResult

SIGNALS = ("S1", "S3")
METHOD = (
    "Models of half precision were measured in their own type; some sentences were read in float32 too, and three "
    "digits count as lost where a number differs by 0.1 % or more."
)


def precision_section(results: Results, name: str, stem: str) -> Section | None:
    """What rounding does to one model; None where it computes in float32, or nothing was compared."""
    found = results.models[name].precision
    if found is None:
        return None
    anchor = f"model-{stem}-precision"
    parts = [tag("p", f"{found.statement}.")]
    if not found.reason:
        rows = [row[1:] for row in _rows(name, found)]
        parts.append(
            table_html(list(_columns())[1:], rows, label=f"precision, {name}", kind="numbers", head=True)
        )
        parts.append(tag("p", tag("a", "CSV", href="tables/precision.csv"), class_="files"))
    return Section(
        anchor,
        "Precision",
        Markup("").join(parts),
        lead=f"how many digits hold in {found.dtype}",
        tables=(_table(results),),
        methods=(METHOD,),
    )


def _table(results: Results) -> Table:
    """All models of half precision, one row a layer; signals stand at the transition from it to the next."""
    rows = [
        row
        for name, model in results.models.items()
        if (found := model.precision) and not found.reason
        for row in _rows(name, found)
    ]
    return Table("precision", "Half precision against float32, on the same sentences", _columns(), rows)


def _columns() -> dict[str, str]:
    columns = {"model": "string", "layer": "int64", "states": "double"}
    for signal in SIGNALS:
        columns |= {f"{signal}_{key}": "double" for key in ("own", "float32", "digits")}
    return columns


def _rows(name: str, found: PrecisionResult) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for layer, apart in enumerate(found.states):
        cells: list[Cell] = [name, layer, apart]
        for signal in SIGNALS:
            one = found.signals[signal]
            for values in (one.own, one.float32, one.digits):
                cells.append(values[layer - 1] if values and 1 <= layer <= len(values) else None)
        rows.append(tuple(cells))
    return rows

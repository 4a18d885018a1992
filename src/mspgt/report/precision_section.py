"""How many digits hold in a half-precision model, as a section of the page: the same sentences in float32 beside."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from mspgt.report.markup import files_html, table_html, tag
from mspgt.report.section import Section
from mspgt.report.tables import Table
from mspgt.results import Results
from mspgt.results.precision import PrecisionResult, SignalPrecision

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
    parts, table = [tag("p", f"{found.statement}.")], _table(name, found)
    if not found.reason:
        own = table.without("model")
        parts.append(table_html(own, label=f"precision, {name}", kind="numbers", head=True))
        parts.append(files_html("", {"CSV": "tables/precision.csv"}))
    return Section(
        anchor,
        "Precision",
        Markup("").join(parts),
        lead=f"how many digits hold in {found.dtype}",
        tables=(table,),
        methods=(METHOD,),
    )


def _table(name: str, found: PrecisionResult) -> Table:
    """One row a layer; signals stand at the transition from it to the next."""
    columns = {"model": "string", "layer": "int64", "states": "double"}
    columns |= {f"{signal}_{key}": "double" for signal in SIGNALS for key in ("own", "float32", "digits")}
    rows = [
        (name, layer, apart, *(cell for signal in SIGNALS for cell in _at(found.signals[signal], layer)))
        for layer, apart in enumerate(() if found.reason else found.states)
    ]
    return Table("precision", "Half precision against float32, on the same sentences", columns, rows)


def _at(one: SignalPrecision, layer: int) -> Iterator[float | None]:
    for values in (one.own, one.float32, one.digits):
        yield values[layer - 1] if values and 1 <= layer <= len(values) else None

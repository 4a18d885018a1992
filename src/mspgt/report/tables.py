"""Tables of a report: Table 1 in both modes beside the paper's own rows, and everything the charts show."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO, StringIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mspgt.errors import printable
from mspgt.report.curves import Line, Panel
from mspgt.report.words import MISSING, claims, layer_set, model_of, number
from mspgt.results import CalibratedResult, Results

Cell = str | int | float | bool | None
INNER = ("low80", "high80", "low50", "high50")  # of nested intervals, after the widest one


def columns_of(*told: str) -> dict[str, str]:
    """Typed columns from words of the form `name:kind`.

    Example:
        >>> columns_of("model:string layer:int64")
        {'model': 'string', 'layer': 'int64'}
    """
    words = (word.partition(":") for line in told for word in line.split())
    return {name: kind for name, _, kind in words}


def ends(interval: Sequence[float | None] | None, prefix: str = "") -> dict[str, float | None]:
    """The cells `low` and `high` of an interval; none where there is none."""
    return {f"{prefix}low": interval[0], f"{prefix}high": interval[1]} if interval else {}


@dataclass(frozen=True)
class Table:
    """Rows under typed columns (`string`, `int64`, `double`, `bool`); a missing value is None."""

    name: str
    title: str
    columns: dict[str, str]
    rows: list[tuple[Cell, ...]]

    @classmethod
    def of(
        cls, name: str, title: str, columns: dict[str, str], records: Iterable[Mapping[str, Any]]
    ) -> Table:
        """A table of records: a cell is what its record has under the name of the column, else empty."""
        return cls(name, title, columns, [tuple(map(record.get, columns)) for record in records])

    @classmethod
    def told(cls, title: str, records: Iterable[Mapping[str, Any]], *, name: str = "") -> Table:
        """A table to read: a record a row, which names the column of each of its cells.

        Args:
            name: of its files, where it is written too.

        Example:
            >>> Table.told("Powers", ({"of": n, "square": n * n} for n in (2, 3))).rows
            [(2, 4), (3, 9)]
        """
        rows = list(records)
        names = dict.fromkeys(key for row in rows for key in row)
        return cls.of(name, title, {key: _kind(row.get(key) for row in rows) for key in names}, rows)

    def without(self, *names: str) -> Table:
        """The same table less some of its columns."""
        kept = [at for at, name in enumerate(self.columns) if name not in names]
        columns = {name: kind for name, kind in self.columns.items() if name not in names}
        return replace(self, columns=columns, rows=[tuple(row[at] for at in kept) for row in self.rows])

    @property
    def unmeasured(self) -> list[str]:
        """Columns in which every row has a dash."""
        return [
            name
            for at, name in enumerate(self.columns)
            if self.rows and all(str(row[at]).startswith(MISSING) for row in self.rows)
        ]

    def csv(self, digits: int | None = None) -> str:
        """Comma-separated text with a header; numbers in full or to `digits` digits, missing values empty."""
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow(
                [f"{c:.{digits}g}" if digits and isinstance(c, float) else csv_cell(c) for c in row]
            )
        return text.getvalue()

    def parquet(self) -> bytes:
        """The same rows, typed."""
        columns = zip(*self.rows, strict=True) if self.rows else ([] for _ in self.columns)
        arrays = [
            pa.array(list(c), type=pa.type_for_alias(t))
            for c, t in zip(columns, self.columns.values(), strict=True)
        ]
        buffer = BytesIO()
        pq.write_table(pa.table(arrays, names=list(self.columns)), buffer)
        return buffer.getvalue()

    def latex(self) -> str:
        """A booktabs table; long ones break over pages."""
        # Beyond a page, `tabular` would run off the paper.
        form = "tabular" if len(self.rows) <= 40 else "longtable"
        numeric = [kind in ("int64", "double") for kind in self.columns.values()]
        lines = [rf"% {self.title}; needs booktabs" + (" and longtable" if form == "longtable" else "")]
        lines += [rf"\begin{{{form}}}{{{''.join('r' if right else 'l' for right in numeric)}}}", r"\toprule"]
        lines += [_latex_row(self.columns), r"\midrule"]
        lines += [_latex_row(map(cell_text, row)) for row in self.rows]
        return "\n".join([*lines, r"\bottomrule", rf"\end{{{form}}}", ""])


def _kind(cells: Iterable[Cell]) -> str:
    """The type of a column, by what it holds."""
    types = {type(cell) for cell in cells if cell is not None}
    if types == {float} or types == {int, float}:
        return "double"
    return {bool: "bool", int: "int64"}.get(types.pop(), "string") if len(types) == 1 else "string"


FORMULA = ("=", "+", "-", "@")  # what a spreadsheet would compute, or send


def csv_cell(cell: Cell) -> Cell:
    """A cell that a spreadsheet shows as it stands: text that it would take for a formula gets an apostrophe."""
    if not isinstance(cell, str):
        return cell
    text = printable(cell).replace("\n", " ")
    return f"'{text}" if text.lstrip().startswith(FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def cell_text(cell: Cell) -> str:
    """A cell for reading."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return number(cell) if isinstance(cell, int | float) or cell is None else cell


LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    "—": "---",
    "−": "$-$",
    "τ": r"$\tau$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "\u202f": r"\,",
    "\n": " ",
    "\r": " ",
}


def latex_text(text: str) -> str:
    """Text with every character that LaTeX would read as a command made plain, and none that steers a terminal."""
    return "".join(LATEX.get(character, printable(character)) for character in text)


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(map(latex_text, cells)) + r" \\"


CLAIMS = columns_of(
    "model:string kind:string role:string layer:int64 layer_zero_based:int64 relative:double",
    "set:string score:double critical:double support:int64 robust:string",
)


def claims_table(found: Mapping[str, CalibratedResult]) -> Table:
    """Every boundary of the calibrated detector; `role` is empty for one that is neither L–I nor I–G."""
    held = {None: "not tested", True: "holds", False: "lost"}
    records = [
        vars(claim)
        | {"model": name, "role": role, "set": layer_set(claim.set)}
        | {"robust": "; ".join(f"{what.replace('_', ' ')}: {held[ok]}" for what, ok in claim.robust.items())}
        for name, calibrated in found.items()
        for role, claim in claims(calibrated)
    ]
    return Table.of("claims", "Boundaries of the calibrated detector", CLAIMS, records)


def curves_table(name: str, title: str, axis: str, charts: Mapping[str, Sequence[Panel]]) -> Table:
    """What charts draw, one row a model, panel, curve and layer; `low` and `high` are the 95 % interval.

    Of a random twin they are its range over seeds; the 80 and 50 % intervals follow where there are any.

    Args:
        axis: name of the horizontal axis: `transition` or `layer`.
        charts: model → its panels.
    """
    columns = {"model": "string", "panel": "string", "curve": "string", axis: "int64"}
    columns |= dict.fromkeys(("value", "low", "high", *INNER), "double")
    rows: list[tuple[Cell, ...]] = []
    for model, panels in charts.items():
        for panel in panels:
            for line in panel.told:
                for layer, value, ends in zip(panel.x, line.values, _ends(line, len(panel.x)), strict=True):
                    padded = (*ends, *[None] * 6)[:6]
                    rows.append((model, panel.key, line.label, layer, value, *padded))
    return Table(name, title, columns, rows)


def _ends(line: Line, positions: int) -> list[tuple[float | None, ...]]:
    """Low and high end of every interval of a curve at each position, the widest interval first."""
    bands = line.bands()
    return [tuple(end for band in bands for end in (band[at] or (None, None))) for at in range(positions)]


def warnings_table(results: Results) -> Table:
    """Everything that must be known before believing a number."""
    columns = dict.fromkeys(("model", "where", "what", "consequence"), "string")
    records = (vars(one) | {"model": model_of(results, one.where)} for one in results.warnings)
    return Table.of("warnings", "Warnings", columns, records)


def checks_table(results: Results) -> Table:
    """Whether each model could be measured; `ok` is empty where a check does not apply."""
    records = (
        vars(check) | {"model": name, "check": check.name}
        for name, model in results.models.items()
        for check in model.checks
    )
    columns = columns_of("model:string check:string ok:bool reason:string")
    return Table.of("checks", "Checks", columns, records)

"""A section of the page, whoever makes it: words and drawings, with the tables and figures that lie beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from mspgt.report.tables import Table

Draw = Callable[[str], Mapping[str, bytes]]  # venue → {"svg": …, "pdf": …}


@dataclass(frozen=True)
class Plate:
    """A figure for a paper: how it is drawn at a venue's width, and its caption (what, level, n, method)."""

    draw: Draw
    caption: str


@dataclass(frozen=True)
class Section:
    """One section, of a model or of the whole study.

    A section with a file of its own is a function from results.json (and a model's name) to this, or None where
    the study has no such part. Everything in `html` must be escaped; what `markup.tag` writes is.
    """

    anchor: str  # its place on the page; every other anchor inside starts with it
    title: str
    html: Markup
    lead: str = ""  # one line to be read while it is closed
    tables: tuple[Table, ...] = ()  # written to tables/, as CSV, Parquet and LaTeX
    figures: Mapping[str, Plate] = field(default_factory=dict)  # by file name without extension
    methods: tuple[str, ...] = ()  # sentences for the methods text, where the same one is said once
    shown: bool = False  # open from the start

    @property
    def body(self) -> Markup:
        """What is inside: where it starts closed, elements only once it is opened (or where no script runs)."""
        if self.shown:
            return self.html
        # Elements of raw text cannot be nested, so what was to wait inside waits with the whole.
        inner = self.html.replace("<noscript>", "").replace("</noscript>", "")
        return Markup("<noscript>") + Markup(inner) + Markup("</noscript>")  # noqa: S704 (it was markup before)

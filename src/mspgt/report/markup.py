"""Building blocks of the page: elements with everything escaped, tables, lists of facts, figures with their links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from mspgt.report.tables import Cell, Table, cell_text

Facts = Sequence[tuple[str, str]]


def tag(name: str, *children: str, **attributes: str | float | bool) -> Markup:
    """An element with everything escaped that is not markup already.

    `data_t=1` writes `data-t="1"`, `class_` writes `class`; True writes the name alone, "" and False nothing.
    """
    written = []
    for key, value in attributes.items():
        word = key.rstrip("_").replace("_", "-")
        if value is True:
            written.append(Markup(" {}").format(word))
        elif value is not False and value != "":
            text = f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value
            written.append(Markup(' {}="{}"').format(word, text))
    opening = Markup("<{}{}>").format(name, Markup("").join(written))
    if name in ("input", "br"):
        return opening
    return opening + Markup("").join(children) + Markup("</{}>").format(name)


def table_html(
    columns: Iterable[str], rows: Iterable[Sequence[Cell]], *, label: str, kind: str = "", head: bool = False
) -> Markup:
    """A table that scrolls sideways where it is too wide.

    Args:
        label: what it shows, for those who cannot see it.
        kind: its class: `numbers` for right-aligned figures.
        head: whether the first cell of a row names the row.
    """
    names = [tag("th", column.replace("_", " "), scope="col") for column in columns]
    opening = (Markup("<tr><th scope=row>") if head else Markup("<tr><td>"), Markup("<td>"))
    # Without the end tags that HTML does not need: tables are most of a page.
    body = [
        Markup("").join(opening[at > 0] + Markup("{}").format(cell_text(cell)) for at, cell in enumerate(row))
        for row in rows
    ]
    table = tag("table", tag("thead", tag("tr", *names)), tag("tbody", Markup("\n").join(body)), class_=kind)
    return tag("div", table, class_="scroll", tabindex=0, role="group", aria_label=label)


def facts_html(pairs: Facts) -> Markup:
    """Single values under their names."""
    return tag(
        "dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs), class_="facts"
    )


def folded(summary: str, body: Markup, *, anchor: str = "", lead: str = "", kind: str = "") -> Markup:
    """A part that opens on demand; its inside becomes elements only when it is opened, or where no script runs."""
    words = [tag("span", summary)] + ([tag("small", lead)] if lead else [])
    return tag("details", tag("summary", *words), tag("noscript", body), id=anchor, class_=kind or "folded")


def data_block(table: Table) -> Markup:
    """A table inside the page, once, for reading out and for downloads; the browser never runs it."""
    # Within an element of raw text only its own end tag could end it, and a table may hold any text.
    text = table.csv(digits=4).replace("<", "\\u003c")
    return Markup('<script type="text/csv" data-file="{}.csv">{}</script>').format(
        table.name,
        Markup(text),  # noqa: S704 (its only dangerous sign was replaced above)
    )


def figure_html(
    anchor: str, title: str, drawing: Markup, *, caption: str, table: Table | None, beside: str,
    missing: Sequence[str] = (), files: Sequence[tuple[str, str]] = (),
) -> Markup:  # fmt: skip
    """A chart under its name, with a link to itself, its numbers as CSV, its caption, and what it lacks.

    Args:
        anchor: its place on the page.
        table: the numbers that it draws; they travel inside the page.
        beside: address of a file with the same numbers, for where no script runs.
        files: further downloads, (word, address).
    """
    links = [tag("a", "#", class_="self", href=f"#{anchor}", aria_label=f"link to this chart: {title}")]
    if table is not None:
        links.append(
            tag(
                "a",
                "CSV",
                class_="csv",
                href=beside,
                download=f"{table.name}.csv",
                aria_label=f"CSV: {title}",
            )
        )
    links += [tag("a", word, href=href, aria_label=f"{word}: {title}") for word, href in files]
    parts = [tag("figcaption", tag("b", title), " ", tag("span", *_spaced(links), class_="links")), drawing]
    parts += [tag("p", caption, class_="caption")] if caption else []
    parts += [tag("p", f"— {why}", class_="missing") for why in missing]
    parts += [data_block(table)] if table is not None else []
    return tag("figure", *parts, id=anchor)


def _spaced(items: Sequence[Markup]) -> list[str]:
    return [part for item in items for part in (item, " ")][:-1]

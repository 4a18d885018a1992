"""Building blocks of the page: elements with everything escaped, tables, lists of facts, figures with their links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from mspgt.report.tables import Table, cell_text
from mspgt.report.words import MISSING

SAME, ENDED = Markup("<!--same-->"), Markup("<!--/same-->")  # around a part until the page is put together
Facts = Sequence[tuple[str, str]]
LEAVES = ("path", "rect", "line", "use")  # of drawings: where they hold nothing they need no end tag


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
    if name in LEAVES and not children:
        return opening[:-1] + Markup("/>")
    return opening + Markup("").join(children) + Markup("</{}>").format(name)


def table_html(table: Table, *, label: str = "", kind: str = "", head: bool = False) -> Markup:
    """A table that scrolls sideways where it is too wide.

    Args:
        label: what it shows, for those who cannot see it; its title where nothing else is said.
        kind: its class: `numbers` for right-aligned figures; `stacked` for a table of few rows that a narrow screen
            shows row by row, each cell behind the name of its column.
        head: whether the first cell of a row names the row.
    """
    called = [column.replace("_", " ") for column in table.columns]
    names = [Markup("<th>{}").format(name) for name in called]
    first = Markup("<tr><th scope=row>") if head else Markup("<tr><td>")
    # Without the end tags that HTML does not need: tables are most of a page.
    later = [
        Markup('<td data-label="{}">').format(n) if kind == "stacked" else Markup("<td>") for n in called
    ]
    opening = [first, *later[1:]]
    body = [
        Markup("").join(opening[at] + Markup("{}").format(cell_text(cell)) for at, cell in enumerate(row))
        for row in table.rows
    ]
    drawn = tag(
        "table", Markup("<thead><tr>"), *names, Markup("<tbody>"), Markup("\n").join(body), class_=kind
    )
    return tag("div", drawn, class_="scroll", tabindex=0, role="group", aria_label=label or table.title)


def files_html(told: str, files: Mapping[str, str]) -> Markup:
    """Files that lie beside the page, name → address, behind a few words."""
    links = (tag("a", name, href=address) for name, address in files.items())
    return tag("p", told, Markup(", ").join(links), class_="files")


def facts_html(pairs: Facts) -> Markup:
    """Single values under their names."""
    return tag(
        "dl",
        *(Markup("<div><dt>{}<dd>{}</div>").format(name, value) for name, value in pairs),
        class_="facts",
    )


def folded(summary: str, body: Markup, *, lead: str = "") -> Markup:
    """A part that opens on demand; its inside becomes elements only when it is opened, or where no script runs."""
    words = [tag("span", summary)] + ([tag("small", lead)] if lead else [])
    return tag("details", tag("summary", *words), tag("noscript", body), class_="folded")


def shared(*parts: Markup) -> Markup:
    """A part that several drawings of a page have alike; `once` writes it a single time."""
    return Markup("{}{}{}").format(SAME, Markup("").join(parts), ENDED)


def once(page: str) -> str:
    """A page in which parts marked by `shared` stand once, at its end, and are referred to where they were."""
    marked = re.compile(f"{SAME}(.*?){ENDED}", re.DOTALL)
    used = Counter(marked.findall(page))
    names: dict[str, str] = {}

    def refer(found: re.Match[str]) -> str:
        if used[found[1]] == 1:
            return found[1]
        name = names.setdefault(found[1], f"s{len(names)}")
        return f'<use href="#{name}"/>'

    referring = marked.sub(refer, page)
    if not names:
        return page
    parts = "".join(f'<g id="{name}" class="chart same">{part}</g>' for part, name in names.items())
    return referring.replace("</main>", f'</main>\n<svg class="same" aria-hidden="true">{parts}</svg>', 1)


def data_block(table: Table) -> Markup:
    """A table inside the page, once, for reading out and for downloads; the browser never runs it."""
    # Within an element of raw text only its own end tag could end it, and a table may hold any text.
    text = table.csv(digits=4).replace("<", "\\u003c")
    return Markup('<script type="text/csv">{}</script>').format(
        Markup(text)  # noqa: S704 (its only dangerous sign was replaced above)
    )


def missing_html(*reasons: str) -> Markup:
    """Why something is not there, a line a reason; empty ones are none."""
    return Markup("").join(tag("p", f"{MISSING} {why}", class_="missing") for why in reasons if why)

"""The table of docs/promises.md, from the stored figures of every row."""

from __future__ import annotations

import json
from pathlib import Path

from soak.record import RESULTS, ROWS

PAGE = Path(__file__).parents[1] / "docs" / "promises.md"
MARKS = ("<!-- written by `python -m soak` -->", "<!-- end of what is written -->")


def table() -> str:
    """Lines of every row that was run, in the order of ROWS."""
    lines = ["| row | what was done | how often | seed | what was seen |", "|---|---|---|---|---|"]
    for row in ROWS:
        file = RESULTS / f"{row}.json"
        if file.exists():
            content = json.loads(file.read_text("utf-8"))
            for found in content["found"]:
                seed = found.get("seed", content["seed"])
                seed = "" if seed is None else seed
                lines.append(f"| `{row}` | {found['done']} | {found['count']:,} | {seed} | {found['seen']} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with the table of now between its marks."""
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return f"{before}{MARKS[0]}\n\n{table()}\n\n{MARKS[1]}{after}"


def write_page() -> None:
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")

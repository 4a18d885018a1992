"""What the paper prints, as data: every value with its source and status."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def printed(what: str) -> dict[str, Any]:
    """`table1`, `table2`, `table3`, `equation8`, `figure7` or `widths`, each with `source`, `status` and `note`.

    What is `CONFLICT` contradicts itself in the paper: it is shown, and never held against a result.
    """
    text = (files("mspgt.predictions") / "data" / "paper.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)[what]
    return values

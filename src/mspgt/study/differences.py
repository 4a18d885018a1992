"""What differs between two plans, key by key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

ABSENT = "(absent)"


def unlike(key: str, a: Any, b: Any) -> Iterator[tuple[str, Any, Any]]:
    """Dotted key and both values of whatever differs between two values of plans."""
    if isinstance(a, dict) and isinstance(b, dict):
        for name in sorted({*a, *b}):
            yield from unlike(f"{key}.{name}", a.get(name, ABSENT), b.get(name, ABSENT))
    elif a != b:
        yield key, a, b


def short(value: Any) -> str:
    """A value of a plan, as long as fits a line."""
    text = value if value == ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"

"""Places in a drawing as the letters of an SVG path, as few as they can be told by."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from mspgt.report.marks import Point


def path(points: Iterable[Point], unit: float = 0.1) -> str:
    """A line through points, in steps from point to point: half the letters of places.

    Args:
        unit: what places are rounded to: a tenth of a pixel for a line, a pixel for the edge of a band.
    """
    scale = round(10 * unit)
    tenths = [(scale * round(across / unit), scale * round(down / unit)) for across, down in points]
    steps = [(x - a, y - b) for (a, b), (x, y) in pairwise(tenths)]
    start = f"M{_tenths(tenths[0][0])} {_tenths(tenths[0][1])}"
    return start + ("l" if steps else "") + "".join(_step(*step) for step in steps).strip()


def _step(across: int, down: int) -> str:
    """A sign separates two numbers as well as a space does."""
    return "".join(text if text.startswith("-") else f" {text}" for text in (_tenths(across), _tenths(down)))


def _tenths(count: int) -> str:
    whole, tenth = divmod(abs(count), 10)
    digits = f"{whole or ''}.{tenth}" if tenth else f"{whole}"
    return f"-{digits}" if count < 0 else digits


def short(value: float) -> str:
    """To a tenth of a pixel, in as few letters as it takes."""
    return _tenths(round(10 * value))

"""`speed.md` and its picture, from `bench/results/`: every bar beside what was measured, and how costs grow.

`python docs/tools/speed.py` writes both after `make bench`; a test holds them against the results.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "speed.md"
PICTURE = ROOT / "docs" / "images" / "speed.svg"
MARK = "<!-- speed: written by docs/tools/speed.py -->\n"
Json = dict[str, Any]


class Bar(NamedTuple):
    """What was measured of one thing beside what it should be; `most`: less is better, else more is."""

    what: str
    file: str
    read: Callable[[Json], float]
    bar: float
    most: bool = True

    def measured(self) -> float:
        return float(self.read(figures(self.file)["figures"]))

    def excess(self) -> float:
        """1 at the bar, above 1 where it is missed."""
        return self.measured() / self.bar if self.most else self.bar / self.measured()


BARS = (
    Bar("measuring / pass without logits, SmolLM2", "measuring", lambda f: f["SmolLM2-135M"]["ratio"], 1.15),
    Bar("measuring / pass without logits, 12 layers of 128", "measuring", lambda f: f["llama-a"]["ratio"], 1.6),
    Bar(
        "reduction / measuring, SmolLM2",
        "measuring", lambda f: f["SmolLM2-135M"]["reduction_to_measuring"], 0.1,
    ),
    Bar("1,000 bootstrap iterations, s", "bootstrap", lambda f: f["seconds_1000_draws"], 2.0),
    Bar(
        "probes: times faster than scikit-learn, as it comes",
        "probes", lambda f: f["scikit-learn, as it comes"]["times_faster"], 20, most=False,
    ),
    Bar(
        "probes: times faster than scikit-learn, stopped early",
        "probes", lambda f: f["scikit-learn, early stopping"]["times_faster"], 20, most=False,
    ),
    Bar("Self-BLEU: times faster than nltk", "self_bleu", lambda f: f["times_faster_than_nltk"], 300, most=False),
    Bar(
        "Self-BLEU: times faster than fast-bleu",
        "self_bleu", lambda f: f["times_faster_than_fast_bleu"], 3, most=False,
    ),
    Bar("generation of all arms / plain generate, a token", "generation", lambda f: f["llama-a"]["ratio"], 1.1),
)  # fmt: skip


def figures(name: str) -> Json:
    return dict(json.loads((RESULTS / f"{name}.json").read_text("utf-8")))


def written(markdown: str) -> str:
    """The page with its tables as the results are now."""
    return markdown.split(MARK)[0] + MARK + "\n" + "\n".join(tables()).rstrip() + "\n"


def tables() -> Iterator[str]:
    """The bars, then how costs grow."""
    yield "## Bars\n"
    yield "| what | bar | measured | held | processor |"
    yield "|---|---|---|---|---|"
    for one in BARS:
        sign = "≤" if one.most else "≥"
        held = "yes" if one.excess() <= 1 else "**no**"
        on = figures(one.file)["hardware"]["processor"]
        yield f"| {one.what} | {sign} {one.bar:,g} | {one.measured():,g} | {held} | {on} |"
    grown = figures("growth")["figures"]
    for axis in ("sentences", "layers", "width"):
        yield f"\n## Growth with {axis}\n"
        points, found = grown[axis]["points"], grown[axis]["exponents"]
        names = list(found)
        yield f"| {axis} | {' | '.join(name.replace('_', ', ').replace('mib', 'MiB') for name in names)} |"
        yield "|---|" + "---|" * len(names)
        for point in points:
            yield f"| {point[axis]:,} | {' | '.join(_cell(point.get(name)) for name in names)} |"
        yield f"| exponent | {' | '.join(_exponent(found.get(name)) for name in names)} |"
        tails = [(found.get(name) or {}).get("tail") for name in names]
        yield f"| of the last two points | {' | '.join(map(_cell, tails))} |"


def _cell(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,g}".replace("-", "−")


def _exponent(found: Json | None) -> str:
    if found is None or found["exponent"] is None:
        return "not measured"
    low, high = found["interval"]
    return f"{found['exponent']:g} [{low:g}, {high:g}]".replace("-", "−")


def picture() -> str:
    """Each figure over its bar on a logarithmic axis: to the right of the line is missed."""
    left, width, step = 310, 300, 24
    low, high = math.log10(0.005), math.log10(4)
    height = 40 + step * len(BARS)

    def at(value: float) -> float:
        return left + width * (min(max(math.log10(value), low), high) - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 60} {height}" '
        'font-family="sans-serif" font-size="12" role="img">',
        "<title>Measured over bar: left of the line is held</title>",
        f'<rect width="{left + width + 60}" height="{height}" fill="#fff"/>',
    ]
    for tick in (0.01, 0.1, 1):
        x, colour = at(tick), "#222" if tick == 1 else "#ddd"
        parts.append(f'<path d="M{x:.1f} 10V{height - 24}" stroke="{colour}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{tick:g}</text>')
    for row, one in enumerate(BARS):
        y, x = 24 + step * row, at(one.excess())
        colour = "#1b7f5c" if one.excess() <= 1 else "#c1440e"
        parts.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(one.what)}</text>')
        parts.append(f'<path d="M{at(1):.1f} {y}H{x:.1f}" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + (9 if x > at(1) else -9):.1f}" y="{y + 4}" '
                     f'text-anchor="{"start" if x > at(1) else "end"}">{one.excess():.2g}</text>')  # fmt: skip
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), encoding="utf-8")
    PICTURE.write_text(picture(), encoding="utf-8")

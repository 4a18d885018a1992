"""A similarity matrix as a picture: every pair of blocks a cell, darker where they write alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from mspgt.report.curves import Values, depth_ticks
from mspgt.report.markup import shared, tag
from mspgt.report.words import number

SHADES = 10
SIZE, LEFT, BELOW = 230, 26, 34  # of the drawing: its square, and the margins of its axes
KEY, SHADE = SIZE + 20, 9  # top of the key, and the width of one shade in it


@dataclass(frozen=True)
class Heat:
    """(L, L) similarities of blocks 1..L with the boundaries between them."""

    title: str
    rows: Sequence[Values]
    boundaries: tuple[int, ...] = ()
    candidate: int | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """Least and most similarity of two blocks; of a block with itself it is 1."""
        known = [v for i, row in enumerate(self.rows) for j, v in enumerate(row) if i != j and v is not None]
        return (min(known), max(known)) if known else (0.0, 1.0)

    def shades(self) -> list[list[int]]:
        """A shade 1..`SHADES` for every pair; 0 where it was not measured."""
        low, high = self.ends
        span = high - low or 1.0
        return [
            [0 if v is None else 1 + min(SHADES - 1, max(0, int(SHADES * (v - low) / span))) for v in row]
            for row in self.rows
        ]


def heat_svg(heat: Heat, identifier: str) -> Markup:
    """The matrix as an SVG element: one path a shade, block 1 in the upper left corner.

    Args:
        identifier: of the drawing on its page; the half of a matrix that is mirrored takes it with a suffix.
    """
    blocks = len(heat.rows)
    low, high = heat.ends
    places = [f"a boundary after block {layer}" for layer in heat.boundaries] or ["no boundary"]
    words = (
        f"similarity of blocks 1 to {blocks}, from {number(low, 2)} to {number(high, 2)}; {', '.join(places)}"
    )
    inside = [*_cells(heat, f"{identifier}-half"), *_lines(heat)]
    cells = tag("svg", *inside, x=LEFT, y=0, width=SIZE, height=SIZE, viewBox=f"0 0 {blocks} {blocks}")
    parts = [cells, shared(*_axes(blocks), *_key()), *_key_ends(low, high)]
    return tag(
        "svg", *parts, class_="chart heat", viewBox=f"0 0 {LEFT + SIZE + 8} {SIZE + BELOW + 16}", role="img",
        aria_label=words,
    )  # fmt: skip


def _cells(heat: Heat, half: str) -> Iterator[Markup]:
    shades = heat.shades()
    if shades != [list(column) for column in zip(*shades, strict=True)]:
        yield tag("g", *_paths(shades), class_="cells")
        return
    pairs = [[shade if at < to else 0 for to, shade in enumerate(row)] for at, row in enumerate(shades)]
    itself = [[shade if at == to else 0 for to, shade in enumerate(row)] for at, row in enumerate(shades)]
    yield tag("g", *_paths(pairs), id=half, class_="cells")
    yield tag("use", href=f"#{half}", transform="matrix(0 1 1 0 0 0)")
    yield tag("g", *_paths(itself), class_="cells")


def _paths(shades: Sequence[Sequence[int]]) -> Iterator[Markup]:
    paths: dict[int, list[str]] = {}
    for at, row in enumerate(shades):
        start = 0
        for shade, group in groupby(row):
            length = len(list(group))
            if shade:
                paths.setdefault(shade, []).append(f"M{start} {at}h{length}")
            start += length
    for shade, steps in sorted(paths.items()):
        yield tag("path", d="".join(steps), opacity=f"{shade / SHADES:g}".lstrip("0"))


def _lines(heat: Heat) -> Iterator[Markup]:
    blocks = len(heat.rows)
    for layer in heat.boundaries:
        yield tag("path", class_="cut", d=f"M{layer} 0V{blocks}M0 {layer}H{blocks}")
    if heat.candidate is not None:
        yield tag(
            "path", class_="cut candidate", d=f"M{heat.candidate} 0V{blocks}M0 {heat.candidate}H{blocks}"
        )


def _axes(blocks: int) -> Iterator[Markup]:
    step = SIZE / blocks
    for tick in depth_ticks(range(1, blocks + 1)):
        middle = (tick - 0.5) * step
        yield tag("text", str(tick), class_="tick middle", x=LEFT + middle, y=SIZE + 12)
        yield tag("text", str(tick), class_="tick end", x=LEFT - 4, y=middle + 3.5)
    yield tag("text", "block", class_="tick", x=0, y=SIZE + 12)


def _key() -> Iterator[Markup]:
    """Shades from the least to the most alike."""
    for shade in range(1, SHADES + 1):
        x, opacity = LEFT + 28 + (shade - 1) * SHADE, f"{shade / SHADES:g}".lstrip("0")
        yield tag("rect", class_="shade", x=x, y=KEY, width=SHADE, height=9, fill_opacity=opacity)


def _key_ends(low: float, high: float) -> Iterator[Markup]:
    yield tag("text", number(low, 2), class_="end", x=LEFT + 24, y=KEY + 8)
    yield tag(
        "text", f"{number(high, 2)} similarity", class_="start", x=LEFT + 32 + SHADES * SHADE, y=KEY + 8
    )


def draw_heat(axes: Axes, heat: Heat, colour: str) -> None:
    """The same on the axes of a figure."""
    blocks = len(heat.rows)
    values = [[float("nan") if v is None else v for v in row] for row in heat.rows]
    low, high = heat.ends
    ramp = LinearSegmentedColormap.from_list("heat", ["#ffffff", colour])
    axes.imshow(values, cmap=ramp, vmin=low, vmax=high, extent=(0.5, blocks + 0.5, blocks + 0.5, 0.5))
    for layer in heat.boundaries:
        axes.axhline(layer + 0.5, color="black", linewidth=0.8)
        axes.axvline(layer + 0.5, color="black", linewidth=0.8)
    if heat.candidate is not None:
        axes.axhline(heat.candidate + 0.5, color="black", linewidth=0.5, dashes=(2, 2))
        axes.axvline(heat.candidate + 0.5, color="black", linewidth=0.5, dashes=(2, 2))
    ticks = depth_ticks(range(1, blocks + 1))
    axes.set(xticks=ticks, yticks=ticks, title=heat.title, xlabel="block")
    axes.grid(visible=False)

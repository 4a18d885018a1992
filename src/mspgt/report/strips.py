"""Strips of layers: every block in the colour of its scale, as wide as their container, and for a paper.

They are no charts of marks: on the page their places are shares of whatever width there is, while letters and bars
keep their size, and one figure holds many of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from mspgt.report.curves import Mark, StripRow, rows_apart
from mspgt.report.look import BLACK, COLOURS, SCALES, files_of, grid_of, new_figure, style
from mspgt.report.markup import shared, tag
from mspgt.report.panels import UNDIVIDED
from mspgt.report.svg import LETTER, ROW, Name, names_apart
from mspgt.report.words import BOUNDARIES

NARROW = 230  # pixels of a strip on the smallest screen


def strip_svg(row: StripRow) -> Markup:
    """One mode of the layer strip, as wide as its container: blocks, boundaries, and the sets below them."""
    layers = len(row.scales)
    share = 100 / layers
    across = [mark.layer * share for mark in row.marks]
    texts = [(f"{one.label} {one.layer}", at) for one, at in zip(row.marks, across, strict=True)]
    outwards = [one.label == BOUNDARIES["LI"] for one in row.marks]
    names = names_apart(
        [(*one, out) for one, out in zip(texts, outwards, strict=True)], 100 * LETTER / NARROW, 0, 100
    )
    # More rows of names move all the rest down.
    down = ROW * max((name.row for name in names), default=0)
    rects, scales, start = [], [], 0
    for scale, group in groupby(row.scales):
        length = len(list(group))
        rects.append(tag("rect", class_=f"block {scale.lower()}", x=start, width=length, height=1))
        # About seven pixels a letter on the narrowest strip.
        label = scale if length * share > 2.8 * len(scale) else scale[0]
        middle = percent_of_width((start + length / 2) * share)
        scales.append(tag("text", label, class_=f"on middle {scale.lower()}", x=middle, y=29 + down))
        start += length
    lines = "".join(f"M{block} .06V.94" for block in range(1, layers))
    seams = tag("path", class_="seams" if row.marks else "seams plain", d=lines)
    # A strip without boundaries looks like every other of its depth.
    drawn = (*rects, shared(seams)) if len(rects) > 1 else (shared(*rects, seams),)
    # A drawing within the drawing: its unit is one block, whatever the width of the screen.
    box = f"0 0 {layers} 1"
    blocks = tag("svg", *drawn, y=16 + down, height=18, viewBox=box, preserveAspectRatio="none")
    marks = [
        *(_edge(at, name, down) for at, name in zip(across, names, strict=True)),
        # After the lines, which they may cross.
        *(_edge_name(at, name, down) for at, name in zip(across, names, strict=True)),
        *_strip_sets(row.marks, share, down),
    ]
    kind = f"strip {row.role}" if row.claimed else f"strip {row.role} rejected"
    words = "; ".join(mark.text for mark in row.marks) or "no boundary"
    label = f"scale of each block, {row.role} mode: {words}"
    size: dict[str, str | float] = {"height": 48 + down, "data-count": layers}
    return tag("svg", blocks, *scales, *marks, class_=kind, role="img", aria_label=label, **size)


def strips_html(rows: Mapping[str, StripRow]) -> Markup:
    """Strips below one another, each behind its name."""
    drawn = [(tag("span", name, class_=f"role {row.role}"), strip_svg(row)) for name, row in rows.items()]
    return tag("div", *chain.from_iterable(drawn), class_="strips")


def _edge(across: float, name: Name, down: int) -> Markup:
    place = percent_of_width(across)
    return tag("line", class_="edge", x1=place, x2=place, y1=12 + down - ROW * name.row, y2=36 + down)


def _edge_name(across: float, name: Name, down: int) -> Markup:
    kind = f"edge {name.anchor}"
    return tag("text", name.text, class_=kind, x=percent_of_width(across), y=10 + down - ROW * name.row)


def _strip_sets(marks: Sequence[Mark], share: float, down: int) -> Iterator[Markup]:
    spans = [mark.spans() for mark in marks]
    # In two rows, where those of two boundaries overlap.
    whole = [(min(low for low, _ in one), max(high for _, high in one)) if one else (0, 0) for one in spans]
    for one, row in zip(spans, rows_apart(whole), strict=True):
        for low, high in one:
            place, width = percent_of_width(low * share), percent_of_width(max((high - low) * share, 0.4))
            yield tag("rect", class_="set", x=place, y=37 + down + 5 * (row % 2), width=width, height=4)


def percent_of_width(share: float) -> str:
    """Of the width of the drawing, to a hundredth, in as few letters as it takes."""
    return f"{share:.2f}".rstrip("0").rstrip(".") + "%"


def strips_figure(models: dict[str, list[StripRow]], venue: str = "neurips") -> dict[str, bytes]:
    """Draw the layer strips of all models over relative depth, calibrated mode above paper mode.

    Returns:
        `svg` and `pdf` → the file's bytes.
    """
    with style():
        figure = new_figure(venue, 0.75 + 0.55 * len(models))
        grid = grid_of(figure, 1, 1, top=0.05, bottom=0.6, left=0.08, right=0.62)
        axes = figure.add_subplot(grid[0, 0])
        for at, (name, rows) in enumerate(models.items()):
            axes.text(0, at - 0.42, name, va="bottom")
            for offset, row in zip((-0.2, 0.12), rows, strict=True):
                _draw(axes, row, at + offset)
        axes.set(xlim=(0, 1), ylim=(len(models) - 0.4, -0.75), xlabel="relative depth")
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        handles = [Patch(fc=colour, ec=BLACK, lw=0.3, label=scale) for scale, colour in SCALES.items()]
        figure.legend(
            handles=handles, loc="lower center", ncols=len(SCALES), columnspacing=1.2, handlelength=1.2
        )
        return files_of(figure)


def draw_strips(axes: Axes, rows: Sequence[StripRow]) -> None:
    """Strips of one model below one another."""
    for at, row in enumerate(rows):
        _draw(axes, row, float(at))
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.6, -0.6), xticks=[0, 0.5, 1], yticks=[])
    axes.spines["left"].set_visible(False)


def _draw(axes: Axes, row: StripRow, height: float) -> None:
    """A layer strip over relative depth, with its name at its end."""
    layers = len(row.scales)
    # Paper mode never stands for a verdict, so it never looks like one.
    strength = 0.2 if not row.claimed else 0.5 if row.role == "paper" else 1.0
    for block, scale in enumerate(row.scales):
        edge = "#b5b5b5" if scale == UNDIVIDED else "white"
        place = (block / layers, height - 0.11)
        axes.add_patch(Rectangle(place, 1 / layers, 0.2, fc=SCALES[scale], ec=edge, lw=0.4, alpha=strength))
    for mark in row.marks:
        axes.vlines(mark.layer / layers, height - 0.14, height + 0.14, color=BLACK, linewidth=0.9)
        # Two rows, because the sets of two boundaries may overlap.
        below = height + (0.14 if mark.label == BOUNDARIES["IG"] else 0.1)
        for low, high in mark.spans():
            axes.add_patch(Rectangle((low / layers, below), (high - low) / layers, 0.03, fc=BLACK, lw=0))
    axes.annotate(
        row.role,
        (1, height),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        color=COLOURS.get(row.role, BLACK),
        fontsize=7,
        annotation_clip=False,
    )

"""How figures for a paper look: widths of venues, colours and lines of every role, and the style of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from mspgt.errors import InputError, did_you_mean
from mspgt.report.panels import UNDIVIDED, UNNAMED

# Width of the text, or of one column, in inches.
VENUES = {"neurips": 5.5, "icml": 6.75, "icml-column": 3.25, "acl": 6.3, "acl-column": 3.03}

BLUE, VERMILLION, PURPLE, BLACK, GREY = "#0b5a9e", "#c1440e", "#7b3f8c", "#1a1a1a", "#8f8f8f"
WHITE = "#ffffff"
COLOURS = {
    **{"calibrated": BLUE, "paper": VERMILLION, "twin": GREY, "variant": PURPLE, "level": BLACK},
    **{"edge": BLACK, "on local": "#12300a", "on intermediate": WHITE, "on global": WHITE},
    **{"on unnamed": GREY, "on undivided": GREY},
    **{"functional": BLACK, "local": "#4d9a2a", "intermediate": "#2a788e", "global": "#440154"},
}
LOOKS: dict[str, dict[str, Any]] = {
    "calibrated": {"linewidth": 1.1, "marker": "o", "markersize": 1.7, "zorder": 4},
    "paper": {"linewidth": 0.7, "dashes": (4, 1.5), "zorder": 3},
    "twin": {"linewidth": 0.7, "zorder": 2},
    "variant": {"linewidth": 0.8, "dashes": (1.5, 1), "zorder": 3},
    "level": {"linewidth": 0.7, "dashes": (1, 1.5), "zorder": 2},
    # Told apart without colour too.
    "local": {"linewidth": 1.2, "dashes": (1.2, 1), "zorder": 4},
    "intermediate": {"linewidth": 1.2, "dashes": (4, 1.5), "zorder": 4},
    "global": {"linewidth": 1.2, "zorder": 4},
    "beyond": {"linewidth": 0.7, "dashes": (3, 3), "zorder": 2},
    "within": {"linewidth": 0.7, "zorder": 2},
}
# Curves of models beside one another: six colours, whole and dashed.
PRINTED = (BLUE, VERMILLION, PURPLE, COLOURS["local"], BLACK, GREY)
for _model in range(2 * len(PRINTED)):
    COLOURS[f"m{_model}"] = PRINTED[_model % len(PRINTED)]
    LOOKS[f"m{_model}"] = {"linewidth": 1.0, "linestyle": "-" if _model < len(PRINTED) else (0, (4, 1.5))}
# The scales are ordered with depth, so they take three steps of an ordered map (viridis), and their letters.
SCALES = {
    "Local": "#7ad151",
    "Intermediate": "#2a788e",
    "Global": "#440154",
    UNNAMED: "#e3e3e3",
    UNDIVIDED: "#ffffff",
}
FILLS = {
    **COLOURS,
    **{scale.lower(): colour for scale, colour in SCALES.items()},
    **{
        "supported": BLUE,
        "refuted": VERMILLION,
        "inconclusive": GREY,
        "not testable": "#ececec",
        "chance": GREY,
    },
}
SHEER = {"chance": 0.25}  # surfaces that others are seen through
OUTLINED = {UNDIVIDED: {"edgecolor": "#b5b5b5", "linewidth": 0.4}}
# Paper mode never stands for a verdict, so it never looks like one.
STRENGTHS = {"paper": 0.5, "paper rejected": 0.2}
MARKERS = {"calibrated": "o", "paper": "s", "variant": "D"}
RULES: dict[str, dict[str, Any]] = {
    "reference": {"linewidth": 0.5},
    "axis": {"linewidth": 0.5},
    "level": {"linewidth": 0.7, "dashes": (1, 1.5)},
    "sink": {"linewidth": 0.6, "linestyle": ":"},
    "cut": {"linewidth": 0.8},
    "candidate": {"linewidth": 0.5, "dashes": (2, 2)},
    "edge": {"linewidth": 0.9},
    # Above the sets of a strip.
    "seams": {"color": "#ffffff", "linewidth": 0.4, "ymin": 1 / 3},
    "seams plain": {"color": "#b5b5b5", "linewidth": 0.4, "ymin": 1 / 3},
}
RAMP = LinearSegmentedColormap.from_list("shades", ["#ffffff", BLUE])

# The Times-like face that comes with matplotlib, so that a figure is the same on every machine.
FACE = "STIXGeneral"
STYLE = {
    "font.family": "serif",
    "font.serif": [FACE, "Times New Roman", "Times", "serif"],
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.5,
    "axes.edgecolor": BLACK,
    "axes.titlelocation": "left",
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.4,
    "axes.axisbelow": True,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.0,
    "xtick.major.size": 2,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "mspgt",
    # A model may be called `$x$`.
    "text.parse_math": False,
}


def surface(role: str) -> dict[str, Any]:
    """How a surface of a role is painted."""
    return {"facecolor": FILLS[role], "alpha": SHEER.get(role, 1.0), "linewidth": 0} | OUTLINED.get(role, {})


def ink(role: str, strength: float) -> str:
    """The colour of words: never white on a surface that is pale."""
    colour = COLOURS.get(role, BLACK)
    return BLACK if strength < 1 and colour == WHITE else colour


def venue_width(venue: str) -> float:
    """Width of a figure in inches.

    Raises:
        InputError: an unknown venue.
    """
    if venue not in VENUES:
        raise InputError(
            f"Expected a venue out of {', '.join(VENUES)}, found {venue!r}. Choose one of them."
            f"{did_you_mean(venue, VENUES)}"
        )
    return VENUES[venue]


def new_figure(venue: str, height: float) -> Figure:
    """An empty figure of a venue's width; `height` in inches."""
    return Figure(figsize=(venue_width(venue), height))


@contextmanager
def style() -> Iterator[None]:
    """The look of every figure, whatever the machine's own settings."""
    # Its list of fonts is a file that another installation may have written, without this one's.
    if not any(font.name == FACE for font in fontManager.ttflist):
        for path in Path(mpl.get_data_path(), "fonts", "ttf").glob(f"{FACE}*.ttf"):
            fontManager.addfont(path)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def files_of(figure: Figure) -> dict[str, bytes]:
    """`svg` and `pdf` → the bytes of the file, without a date."""
    files = {}
    for form, metadata in (("svg", {"Date": None, "Creator": "mspgt"}), ("pdf", {"CreationDate": None})):
        buffer = BytesIO()
        figure.savefig(buffer, format=form, metadata=metadata)
        files[form] = buffer.getvalue()
    return files

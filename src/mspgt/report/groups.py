"""Charts that share a horizontal axis, with their legend, and their numbers to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mspgt.report.charts import keys_of, panel_chart
from mspgt.report.curves import Panel
from mspgt.report.figures import charts_plate
from mspgt.report.markup import missing_html, tag
from mspgt.report.section import Plate
from mspgt.report.shown import figure_html, lit_html, numbers_folded, numbers_html
from mspgt.report.svg import legend_html

DEPTHS = {"transition": "transition l, from layer l to l + 1", "layer": "layer"}


@dataclass(frozen=True)
class ChartGroup:
    """Charts that share a horizontal axis."""

    key: str  # also in the names of its files
    title: str
    axis: str  # transition | layer
    panels: Sequence[Panel]

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return any(panel.drawn for panel in self.panels)

    def plate(self, title: str, caption: str) -> Plate:
        """All panels for a paper, with level, n and method of their bands."""
        bands = dict.fromkeys(panel.caption for panel in self.panels if panel.drawn and panel.caption)
        charts = [panel_chart(panel, DEPTHS[self.axis]) for panel in self.panels]
        return charts_plate(charts, " ".join([caption, *bands]), title)


def charts_html(group: ChartGroup, anchor: str, beside: str) -> Markup:
    """The drawings of a group with their legend, and their numbers to read, from which the script makes files.

    Args:
        beside: address of the file that has them all.
    """
    # What several charts have for a caption is said once.
    captions = Counter(panel.caption for panel in group.panels if panel.drawn and panel.caption)
    charts = [panel_chart(panel) for panel in group.panels]
    kinds = keys_of(charts)
    roles = Counter(key.role for key in kinds)
    # What looks the same in all charts, the foremost first.
    legend = [key for key in kinds if roles[key.role] == 1]
    drawings, tables = [], []
    for panel, chart in zip(group.panels, charts, strict=True):
        own = f"{anchor}-{panel.key}"
        # Curves that another chart draws alike under another name are told here.
        drawing = figure_html(
            own,
            chart,
            legend=(key for key in chart.legend if key not in legend),
            caption=panel.caption if captions[panel.caption] == 1 else "",
            beside=beside if panel.drawn else "",
            missing=panel.missing,
        )
        drawings.append(drawing)
        if panel.drawn:
            columns = (group.axis, *(line.label for line in panel.told))
            tables.append(numbers_html(panel.title, columns, panel.numbers()))
    said = (tag("p", caption, class_="caption") for caption, count in captions.items() if count > 1)
    lit = lit_html(drawings, group.axis)
    return Markup("").join([legend_html(legend), *said, lit, numbers_folded(tables, group.title)])


def titled_html(group: ChartGroup, anchor: str, beside: str) -> Iterator[Markup]:
    """A group under its title; where nothing was measured, why."""
    yield tag("h4", group.title)
    if group.drawn:
        yield charts_html(group, anchor, beside)
    else:
        yield missing_html(*(why for panel in group.panels for why in panel.missing))

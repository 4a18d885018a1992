"""Figures for a paper: same bytes every time, at the venue's width, with fonts a submission system takes."""

import re
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from matplotlib.font_manager import fontManager

from mspgt.errors import InputError
from mspgt.report import figures, look
from mspgt.report.charts import panel_chart
from mspgt.report.curves import Line, Mark, Panel, StripRow
from mspgt.report.forest import Dot, Forest, Row
from mspgt.report.look import venue_width
from mspgt.report.panels import signal_panels, strip_rows
from mspgt.report.strips import strip_chart
from mspgt.report.svg import svg
from tests.report.planted_results import HOSTILE
from tests.whole import typed

SVG = "{http://www.w3.org/2000/svg}"


def test_same_bytes_at_the_width_of_the_venue(results: dict[str, Any]) -> None:
    shown = [panel_chart(panel) for panel in signal_panels(typed(results), "stories")]
    once, again = (figures.charts_figure(shown, "$x_1$", "acl-column") for _ in range(2))
    assert once == again
    drawing = ElementTree.fromstring(once["svg"])
    assert drawing.get("width") == "218.16pt"  # 3.03 inches of 72 points
    words = ["".join(text.itertext()) for text in drawing.iter(f"{SVG}text")]
    assert "$x_1$" in words
    assert b"dc:date" not in once["svg"]
    assert b"CreationDate" not in once["pdf"]


def test_pdf_fonts_are_truetype() -> None:
    panel = Panel("k", "t", "u", (1, 2, 3), (Line("c", "calibrated", [1.0, None, 3.0]),))
    pdf = figures.charts_figure([panel_chart(panel)], "title")["pdf"]
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    plain = pdf + b"".join(zlib.decompressobj().decompress(s) for s in streams if s[:1] == b"x")
    assert b"/FontFile2" in plain
    assert b"/Type3" not in plain


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="no pdffonts on this machine")
def test_every_font_of_every_kind_of_figure_is_embedded_truetype(report: Path) -> None:
    kinds = ("strips", "stories-signals", "stories-probes", "stories-controls", "specification")
    for kind in kinds:
        told = subprocess.run(
            ["pdffonts", str(report / "figures" / f"{kind}.pdf")], capture_output=True, text=True, check=True
        ).stdout.splitlines()[2:]
        assert told, kind
        for font in told:
            # Type 42 is TrueType in PostScript's words; "CID TrueType" is its form for more than 256 signs.
            assert "TrueType" in font, font
            assert re.search(r"\byes yes\b|\byes\b", font.split("TrueType")[1]), font


@pytest.mark.parametrize(("venue", "inches"), [("neurips", 5.5), ("icml", 6.75), ("icml-column", 3.25), ("acl", 6.3),
                                               ("acl-column", 3.03)])  # fmt: skip
def test_every_venue_has_its_width(venue: str, inches: float) -> None:
    forest = Forest("t", "layer", (Row("a", (Dot("calibrated", 3.0, (2.0, 5.0)),)),))
    drawing = ElementTree.fromstring(figures.charts_figure([forest.chart], "", venue)["svg"])
    assert float(drawing.get("width", "").removesuffix("pt")) == pytest.approx(72 * inches, abs=0.01)


def test_a_caption_says_level_n_and_method(report: Path) -> None:
    text = (report / "figures" / "stories-signals.tex").read_text()
    assert r"\includegraphics{stories-signals.pdf}" in text
    assert r"50, 80 and 95\,\% intervals, bootstrap over n = 60 documents, 1,000 draws" in text


def test_the_face_is_found_where_the_list_of_fonts_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [font for font in fontManager.ttflist if font.name != look.FACE]
    monkeypatch.setattr(fontManager, "ttflist", others)
    with look.style():
        assert fontManager.findfont(look.FACE, fallback_to_default=False)


def test_a_strip_says_the_same_on_the_page_and_on_paper() -> None:
    own = (Mark("L–I", "paper", 6, interval=(4.0, 8.0)), Mark("I–G", "paper", 16, interval=(7.0, 18.0)))
    chart = strip_chart(StripRow("paper", ("Local",) * 6 + ("Intermediate",) * 10 + ("Global",) * 8, own))
    page, paper = (
        ElementTree.fromstring(text) for text in (svg(chart), figures.strips_figure({"m": [chart]})["svg"])
    )
    words = {one.text for one in page.iter("text")}
    assert words == {"Local", "Intermediate", "Global", "L–I 6", "I–G 16"}
    assert words <= {"".join(one.itertext()) for one in paper.iter("{http://www.w3.org/2000/svg}text")}
    # Sets that overlap lie in two rows, each as wide as it is.
    sets = [one for one in page.iter("rect") if one.get("class") == "set"]
    assert [one.get("width") for one in sets] == ["16.67%", "45.83%"]
    assert len({one.get("y") for one in sets}) == 2


def test_strips_of_all_models_name_every_model(results: dict[str, Any]) -> None:
    rows = {name: [*map(strip_chart, strip_rows(model))] for name, model in typed(results).models.items()}
    drawing = ElementTree.fromstring(figures.strips_figure(rows)["svg"])
    words = {"".join(text.itertext()) for text in drawing.iter(f"{SVG}text")}
    assert set(rows) <= words
    assert HOSTILE in words


def test_an_unknown_venue_is_refused() -> None:
    with pytest.raises(InputError, match="neurips"):
        venue_width("nature")

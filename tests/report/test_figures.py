"""Figures for a paper: same bytes every time, at the venue's width, with fonts a submission system takes."""

import re
import zlib
from typing import Any
from xml.etree import ElementTree

import pytest

from mspgt.errors import InputError
from mspgt.report import figures
from mspgt.report.curves import Line, Panel
from mspgt.report.panels import signal_panels, strip_rows
from tests.report.planted_results import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


def test_same_bytes_at_the_width_of_the_venue(results: dict[str, Any]) -> None:
    shown = signal_panels(results, "stories")
    once, again = (figures.panels_figure(shown, "$x_1$", "layer", "acl-column") for _ in range(2))
    assert once == again
    drawing = ElementTree.fromstring(once["svg"])
    assert drawing.get("width") == "218.16pt"  # 3.03 inches of 72 points
    words = ["".join(text.itertext()) for text in drawing.iter(f"{SVG}text")]
    assert "$x_1$" in words
    assert b"dc:date" not in once["svg"]
    assert b"CreationDate" not in once["pdf"]


def test_pdf_fonts_are_truetype() -> None:
    panel = Panel("k", "t", "u", (1, 2, 3), (Line("c", "calibrated", [1.0, None, 3.0]),))
    pdf = figures.panels_figure([panel], "title", "layer")["pdf"]
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    plain = pdf + b"".join(zlib.decompressobj().decompress(s) for s in streams if s[:1] == b"x")
    assert b"/FontFile2" in plain
    assert b"/Type3" not in plain


def test_strips_of_all_models_name_every_model(results: dict[str, Any]) -> None:
    rows = {name: strip_rows(model) for name, model in results["models"].items()}
    drawing = ElementTree.fromstring(figures.strips_figure(rows)["svg"])
    words = {"".join(text.itertext()) for text in drawing.iter(f"{SVG}text")}
    assert set(rows) <= words
    assert HOSTILE in words


def test_an_unknown_venue_is_refused() -> None:
    with pytest.raises(InputError, match="neurips"):
        figures.venue_width("nature")

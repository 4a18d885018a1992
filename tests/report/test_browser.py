"""The page in a browser: nothing breaks, nothing is fetched, everything can be reached, read, heard and printed."""

import csv
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mspgt.report.svg import FRAMES
from tests.report.planted_results import planted

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
# An assertion that waits: what a click or a key starts (a link's hashchange) ends some time after the call returns.
expect = playwright.expect
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
QUIET += ("--disable-component-update", "--disable-sync")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Any]:
    """A function from settings of a browser's context to the page, open in it, with all that it said."""
    contexts = []

    def go(anchor: str = "", **settings: Any) -> Any:
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "offline": True, **settings}
        )
        contexts.append(context)
        page = context.new_page()
        page.heard = []
        page.on("console", lambda message: page.heard.append(message.text))
        page.on("pageerror", lambda error: page.heard.append(str(error)))
        page.on("dialog", lambda dialog: (page.heard.append("dialog"), dialog.dismiss()))
        page.on("request", lambda request: page.heard.append(request.url))
        page.goto((report / "report.html").as_uri() + anchor)
        return page

    yield go
    for context in contexts:
        context.close()


def test_quiet_self_contained_and_linked(opened: Any, report: Path) -> None:
    page = opened()
    model = page.locator("#model-acme__llama-deep")
    chart = model.locator(".chart").first
    chart.scroll_into_view_if_needed()
    box, about = (
        chart.bounding_box(),
        chart.evaluate("chart => ({...chart.dataset, wide: chart.viewBox.baseVal.width})"),
    )
    share = (FRAMES["panel"].left + 6 * float(about["step"])) / about["wide"]
    page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    expect(model.locator(".glow.lit")).to_have_count(4 + 2)  # the charts that are open, and the strips
    readout = model.locator(".readout").first
    value = planted()["models"]["acme/llama-deep"]["signals"]["S1"]["calibrated"][6]
    expect(readout).to_contain_text(re.compile(r"^transition 7(?!\d)"))
    assert f"calibrated mode {value:.3g}"[:20] in readout.inner_text()
    page.evaluate("openAll()")
    assert model.locator("tr.lit").count() == 0  # what is made later is not lit until the pointer moves
    page.locator("#show-paper").uncheck()
    expect(model.locator(".chart .line.paper").first).to_be_hidden()
    assert page.heard == [(report / "report.html").as_uri()]


def test_light(opened: Any) -> None:
    """How soon it is seen is measured by `python -m bench waiting`."""
    page = opened()
    assert page.evaluate("document.querySelectorAll('*').length") < 5000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_that_a_checker_knows(opened: Any, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = opened(color_scheme=scheme)
    for part in ("at load", "opened"):
        if part == "opened":
            # Two models of six hold every kind of part; the checker is slow on large pages.
            page.evaluate("document.querySelectorAll('.model').forEach((one, at) => at % 3 && one.remove())")
            page.evaluate("openAll()")
        found = axe.run(page).response["violations"]
        told = [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
        assert not told, (scheme, part, told)


def test_every_control_by_keyboard(opened: Any) -> None:
    page = opened()
    page.evaluate("openAll()")
    # A chart without a readout (those of the cards) is a picture, no control.
    controls = "a[href], button, input, summary, .charts:has(+ .readout) .chart, .scroll, pre"
    assert page.locator(".charts:has(+ .readout) .chart").count() > 10
    assert page.evaluate(f"[...document.querySelectorAll('{controls}')].every(one => one.tabIndex >= 0)")
    chart = page.locator("#model-stories .chart").first
    chart.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#model-stories .readout").first).to_contain_text(re.compile(r"^transition 3(?!\d)"))
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#model-stories .readout").first).to_contain_text(re.compile(r"^transition 2(?!\d)"))
    page.keyboard.press("Escape")
    expect(page.locator("#model-stories .readout").first).to_be_hidden()


def test_a_link_leads_into_a_closed_part(opened: Any) -> None:
    page = opened("#model-stories-probes-dep")
    expect(page.locator("#model-stories-probes-dep .chart")).to_be_visible()
    page.locator(".tile a").first.click()
    expect(page.locator("#verdict-P1-1")).to_be_visible()


def test_the_numbers_of_a_chart_as_a_file(opened: Any, report: Path) -> None:
    page = opened()
    with page.expect_download() as waiting:
        page.locator("#model-stories-signals-S1 a[download]").click()
    assert waiting.value.suggested_filename == "stories-signals-S1.csv"
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text("utf-8").splitlines()))
    model = planted()["models"]["stories"]
    expected = model["signals"]["S1"]["calibrated"]
    assert [float(row["calibrated mode"]) for row in rows] == pytest.approx(expected, rel=1e-3)
    lows = [low for low, _ in model["signals_ci"]["S1"]["calibrated"]]
    assert [float(row["calibrated mode low"]) for row in rows] == pytest.approx(lows, rel=1e-3)
    with page.expect_download() as waiting:
        page.locator("a[download='table1.csv']").click()
    made, beside = (list(csv.reader(path.open(encoding="utf-8"))) for path in (
        Path(waiting.value.path()), report / "tables" / "table1.csv"
    ))  # fmt: skip
    assert [row[:4] for row in made] == [row[:4] for row in beside]


def test_text_from_models_is_inert(opened: Any) -> None:
    page = opened()
    page.evaluate("openAll()")
    assert "dialog" not in page.heard
    assert page.evaluate("document.scripts.length") == page.evaluate(
        "document.querySelectorAll('script[type=\"text/csv\"]').length + 1"
    )


def test_complete_without_scripts_and_on_paper(opened: Any, tmp_path: Path) -> None:
    page = opened(java_script_enabled=False)
    assert page.locator("article.card").count() == 6
    assert page.locator("table.numbers tbody tr").count() > 200
    parts = page.locator("details.part > summary")
    assert parts.count() > 20
    page.locator("#model-stories-probes > summary").click()
    expect(page.locator("#model-stories-probes .chart").first).to_be_visible()
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext on this machine")
    for scripts in (False, True):
        printed = opened(java_script_enabled=scripts)
        target = tmp_path / f"{scripts}.pdf"
        printed.pdf(path=str(target))
        text = subprocess.run(
            ["pdftotext", str(target), "-"], capture_output=True, text=True, check=True
        ).stdout
        closed = planted()["models"]["stories"]["probes"]["pos"]["codelength"][2]
        assert f"{closed:.4g}" in text, scripts
        assert "supported when the one-sided" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(opened: Any, scheme: str) -> None:
    page = opened(viewport={"width": 360, "height": 700}, color_scheme=scheme)
    page.evaluate("openAll()")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_marks_and_words_stand_out_in_both_themes(opened: Any) -> None:
    for scheme in ("light", "dark"):
        page = opened(color_scheme=scheme)
        colours = page.evaluate(
            """names => Object.fromEntries(names.map(name => {
              const probe = document.body.appendChild(document.createElement("i"));
              probe.style.color = `var(--${name})`;
              return [name, getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(Number)];
            }))""",
            [*TEXT, *MARKS, "bg", "raise"],
        )
        for ground in ("bg", "raise"):
            for name in TEXT:
                assert contrast(colours[name], colours[ground]) >= 4.5, (scheme, name, ground)
            for name in MARKS:
                assert contrast(colours[name], colours[ground]) >= 3, (scheme, name, ground)


TEXT = ("ink", "soft", "calibrated", "paper", "good", "bad")
MARKS = ("twin", "variant", "level", "edge")


def contrast(one: list[float], other: list[float]) -> float:
    """Contrast ratio of two colours (WCAG 2.2), each as red, green and blue in 0..255."""
    lights = sorted(
        sum(share * (v / 3294.6 if v <= 10.31 else ((v / 255 + 0.055) / 1.055) ** 2.4)
            for share, v in zip((0.2126, 0.7152, 0.0722), colour, strict=True))
        for colour in (one, other)
    )  # fmt: skip
    return (lights[1] + 0.05) / (lights[0] + 0.05)

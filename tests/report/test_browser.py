"""The page in a browser: nothing breaks, nothing is fetched, and a layer lights up everywhere at once."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
QUIET += ("--disable-component-update", "--disable-sync")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield browser
        browser.close()


def test_quiet_self_contained_and_linked(browser: Any, report: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: heard.append(request.url))
    address = (report / "report.html").as_uri()
    page.goto(address)
    model = page.locator("#model-acme__llama-deep")
    model.locator(".hit[data-t='7']").first.hover()
    assert heard == [address]
    lit = model.locator(".lit").evaluate_all("found => found.map(one => one.dataset.t)")
    assert set(lit) == {"7"}
    assert len(lit) == 2 * (4 + 3 + 3) + 2  # panels and their tables, blocks of the strips
    assert model.locator(".readout").first.inner_text().startswith("transition 7")
    page.locator("#show-paper").uncheck()
    assert model.locator(".chart .line.paper").first.is_hidden()
    page.close()


def test_readable_on_a_phone_and_without_scripts(browser: Any, report: Path) -> None:
    context = browser.new_context(
        viewport={"width": 360, "height": 700}, java_script_enabled=False, color_scheme="dark"
    )
    page = context.new_page()
    page.goto((report / "report.html").as_uri())
    assert page.locator("article.card").count() == 6
    assert page.locator("tr[data-t]").count() > 200
    context.close()
    scripted = browser.new_page(viewport={"width": 360, "height": 700})
    scripted.goto((report / "report.html").as_uri())
    assert scripted.evaluate("document.documentElement.scrollWidth") <= 360
    scripted.close()

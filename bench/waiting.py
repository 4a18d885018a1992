"""What a person waits for: help of a command, the plan of the demo, the first paint of a page.

Processor seconds of the commands (the least of three runs); the page, of six invented models, is painted by a
Chromium without a screen, and its milliseconds are by the clock. Bars: help 0.3 s, first paint 1000 ms.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.record import record

TRIES = 3
FIRST = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def processor_seconds(*arguments: str) -> float:
    spent = []
    for _ in range(TRIES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = "from mspgt.cli import main; main()"
        subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return round(min(spent), 3)


def first_paint(folder: Path) -> float | None:
    """Milliseconds until something is seen; None where there is no browser."""
    from tests.report.planted_results import planted

    from mspgt.report import build_report

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        return None
    from playwright.sync_api import sync_playwright

    (folder / "results.json").write_text(json.dumps(planted()))
    build_report(folder)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        seen = []
        for _ in range(TRIES):
            page = browser.new_page()
            page.goto((folder / "report.html").as_uri())
            while (at := page.evaluate(FIRST)) is None:
                page.wait_for_timeout(20)
            seen.append(float(at))
            page.close()
        browser.close()
    return round(min(seen), 1)


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        figures = {
            "help of run, processor seconds": processor_seconds("run", "--help"),
            "plan of the demo, processor seconds": processor_seconds("plan", "demo", "--out", made, "-q"),
            "first paint of six models, ms": first_paint(Path(made)),
        }
    record("waiting", figures)

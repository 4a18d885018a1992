"""A report from results.json alone: self-contained, inert, complete, and the same bytes every time."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from mspgt.errors import InputError, StoreError
from mspgt.report import build_report
from mspgt.report.page import pages
from mspgt.report.views import View, chart_groups
from mspgt.report.words import findings, number
from mspgt.report.writing import stems, write
from tests.report.planted_results import HOSTILE


class Page(HTMLParser):
    """Elements with their attributes, and the text of each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        self.text.setdefault(self._open, []).append(data)

    def links(self) -> list[str]:
        return [a["href"] or "" for tag, a in self.elements if tag == "a"]


@pytest.fixture(scope="session")
def page(report: Path) -> Page:
    return Page((report / "report.html").read_text("utf-8"))


def test_the_same_results_give_the_same_bytes(results: dict[str, Any], tmp_path: Path) -> None:
    results["models"] = {name: results["models"][name] for name in ("stories", "one-block")}
    results["models"]["stories"]["probes"] = {}
    built = []
    for run in (tmp_path / "a", tmp_path / "b"):
        run.mkdir()
        (run / "results.json").write_text(json.dumps(results))
        build_report(run)
        files = sorted(path for path in run.rglob("*") if path.is_file())
        built.append({path.relative_to(run): path.read_bytes() for path in files})
    assert built[0] == built[1]
    names = {str(path) for path in built[0]}
    assert {f"tables/table1.{form}" for form in ("csv", "parquet", "tex")} <= names
    assert {f"figures/stories-signals.{form}" for form in ("svg", "pdf")} <= names
    assert not [name for name in names if "/." in f"/{name}"]


def test_the_page_asks_for_nothing_and_its_links_lead_somewhere(report: Path, page: Page) -> None:
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    for tag, attributes in page.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert not {"src", "srcset", "style"} & attributes.keys()
    for link in page.links():
        if link.startswith("data:text/csv"):
            assert "\n" in unquote(link)
        elif link.startswith("#"):
            assert link[1:] in ids
        else:
            assert (report / link).exists(), link
    assert len(ids) == len([1 for _, attributes in page.elements if "id" in attributes])
    assert (report / "report.html").stat().st_size < 2**20


def test_only_the_pages_own_script_and_style_may_run(page: Page) -> None:
    assert len(page.text["script"]) == len(page.text["style"]) == 1
    (policy,) = [a["content"] or "" for tag, a in page.elements if tag == "meta" and "http-equiv" in a]
    for kind in ("script", "style"):
        digest = b64encode(sha256(page.text[kind][0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith("on")]


def test_a_hostile_name_is_text_everywhere(report: Path, page: Page) -> None:
    assert "alert(1)" not in "".join(page.text["script"])
    assert HOSTILE in page.text["h2"]
    assert all("<" not in path.name for path in report.rglob("*"))


def test_disagreement_comes_first(page: Page) -> None:
    cards = [a["class"] or "" for tag, a in page.elements if tag == "article"]
    assert cards == ["card disagree"] * 3 + ["card"] * 3
    assert "The two modes disagree on 3 of 6 models" in page.text["h2"]


def test_every_number_is_there_without_scripts(results: dict[str, Any], page: Page) -> None:
    cells = " ".join(page.text["td"])
    for model in results["models"].values():
        for signal in model["signals"].values():
            for value in [value for values in signal.values() for value in values or ()]:
                assert number(value) in cells
        for probe in model["probes"].values():
            assert all(number(value) in cells for key in ("f1", "codelength") for value in probe[key])


def test_warnings_and_reasons_are_shown(page: Page) -> None:
    said = " ".join(text for texts in page.text.values() for text in texts)
    assert "S3 takes no part in the fusion" in said
    assert "calibrated mode: the model has no attention" in said
    assert "Sentences were cut to the context" in said
    assert "could not have been seen" in said


def test_a_page_too_large_is_spread_over_one_page_a_model(results: dict[str, Any]) -> None:
    names = stems(results["models"])
    views = [
        View(results, f.model, names[f.model], chart_groups(results, f.model)) for f in findings(results)
    ]
    limit = 300_000
    spread = pages(results, views, max_bytes=limit)
    assert len(spread) == 7
    assert all(len(text.encode()) < limit for text in spread.values())
    for link in Page(spread["report.html"]).links():
        file, _, anchor = link.partition("#")
        if anchor and file:
            assert f'id="{anchor}"' in spread[file]
    assert 'class="chart"' not in spread["report.html"]


def test_progress_is_told(results: dict[str, Any], tmp_path: Path) -> None:
    results["models"] = {"one-block": results["models"]["one-block"]}
    (tmp_path / "results.json").write_text(json.dumps(results))
    told: list[tuple[int, int, str]] = []
    build_report(tmp_path, progress=lambda *step: told.append(step))
    assert told == [(0, 1, "figures of one-block"), (1, 1, "page")]


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "Run the study first"), ("{", "Run the study first"), ("[]", "list"), ("{}", "None")],
)
def test_results_that_cannot_be_read_are_refused(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "results.json").write_text(content)
    with pytest.raises(InputError, match=words):
        build_report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["results.json"])


def test_a_file_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("in the way")
    with pytest.raises(StoreError, match="tables"):
        write(tmp_path / "tables" / "table1.csv", b"x")


def test_stems_are_safe_and_never_the_same() -> None:
    names = ["a/b", "A/B", "a__b", "../..", "", "x" * 300, HOSTILE, "模型"]
    made = stems(names)
    assert len({stem.lower() for stem in made.values()}) == len(names)
    assert made["a/b"] == "a__b"
    for stem in made.values():
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,90}", stem)

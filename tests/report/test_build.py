"""A report from results.json alone: self-contained, inert, complete, and the same bytes every time."""

import csv
import io
import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mspgt.errors import InputError, StoreError
from mspgt.report import build_report
from mspgt.report.document import _bare
from mspgt.report.page import MAX_BYTES, pages
from mspgt.report.verdicts import verdict_section
from mspgt.report.views import model_view
from mspgt.report.words import number
from mspgt.report.writing import stems, write
from mspgt.results import to_jsonable
from mspgt.signals.probes import ProbeResults, TaskResult
from tests.report.planted_results import HOSTILE
from tests.report.planted_results import model as model_of_depth
from tests.whole import typed


class Page(HTMLParser):
    """Elements with their attributes, and the text of each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)

    @property
    def data(self) -> list[str]:
        """Blocks of numbers, which no browser runs."""
        return self.text.get("script text/csv", [])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = " ".join([tag, dict(attrs).get("type") or ""]) if tag == "script" else tag
        self._open = self._open.strip()

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
        if link.startswith("#"):
            assert link[1:] in ids, link
        else:
            assert (report / link).exists(), link
    assert len(ids) == len([1 for _, attributes in page.elements if "id" in attributes])
    assert (report / "report.html").stat().st_size < 2**20 / 2


def test_only_the_pages_own_script_and_style_may_run(page: Page) -> None:
    assert len(page.text["script"]) == len(page.text["style"]) == 1
    (policy,) = [a["content"] or "" for tag, a in page.elements if tag == "meta" and "http-equiv" in a]
    for kind in ("script", "style"):
        digest = b64encode(sha256(page.text[kind][0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith("on")]
    assert {attributes.get("type") for tag, attributes in page.elements if tag == "script"} == {
        None,
        "text/csv",
    }


def test_a_hostile_name_is_text_everywhere(report: Path, page: Page) -> None:
    assert "alert(1)" not in "".join(page.text["script"])
    assert not [block for block in page.data if "<" in block]
    assert HOSTILE in page.text["h2"]
    assert HOSTILE in page.text["dd"]  # the rule of a verdict
    assert all("<" not in path.name for path in report.rglob("*"))


def test_the_numbers_of_a_chart_travel_with_it(results: dict[str, Any], report: Path, page: Page) -> None:
    model = results["models"]["stories"]
    low, high = model["signals_ci"]["S1"]["calibrated"][0]
    value = model["signals"]["S1"]["calibrated"][0]
    assert f"{number(value, 4)} [{number(low, 4)}, {number(high, 4)}]" in page.text["td"]
    dot = next(csv.DictReader(io.StringIO(next(block for block in page.data if block.startswith("case,")))))
    assert {"case", "value", "low", "high"} <= dot.keys()
    whole = csv.DictReader((report / "tables" / "signals.csv").read_text("utf-8").splitlines())
    row = next(row for row in whole if (row["model"], row["curve"]) == ("stories", "calibrated mode"))
    inner = model["signals_bands"]["S1"]["calibrated"]
    assert float(row["high80"]) == inner["80"][0][1]
    assert float(row["low50"]) == inner["50"][0][0]


def test_every_verdict_is_told_with_its_rule_its_claim_and_its_error_rate(page: Page) -> None:
    heads = [text.strip() for text in page.text["span"]]
    assert {"✓ supported", "✗ refuted", "≈ inconclusive", "○ not testable"} <= set(heads)
    assert "1 supported, 1 refuted, 1 inconclusive and 1 not testable" in page.text["h2"]
    assert {"0.061 [0.02, 0.17]", "0.3 [−0.1, ∞]", "−0.4", "4.0\u202f%"} <= set(page.text["dd"])
    assert "two training runs of one architecture" in page.text["dd"]
    assert "#model-acme__llama-deep-signals" in page.links()


def test_a_run_cut_short_is_marked(results: dict[str, Any]) -> None:
    results["provenance"]["limits"] = ["20 of 60 documents of the corpus (corpus.max_documents)"]
    views = [model_view(typed(results), "stories", "stories")]
    marked = Page(pages(typed(results), views)["report.html"])
    assert "limited" in [a.get("class") for tag, a in marked.elements if tag == "body"]
    assert any("20 of 60 documents" in text for text in marked.text["b"] + marked.text[""] + marked.text["p"])


def test_the_methods_text_holds_what_was_done(page: Page) -> None:
    (text,) = page.text["blockquote"]
    for said in ("wikitext gave 60 documents with 8,234 sentences", "1,000 draws", "family-wise error of 5 %",
                 "at most 8,192 tokens", "3 independent seeds", "5 networks", "9f9f9f9f9f9f9f9f"):  # fmt: skip
        assert said in text, said
    assert any(text.startswith("@software{mspgt,") for text in page.text["pre"])


def test_selectivity_is_told_as_it_is_computed(page: Page) -> None:
    counts = np.array([[[[1, 1, 3]]]])
    task = TaskResult(counts, np.array([[0.9]]), counts[..., 0, 0], np.array([0.2]), None, 3, 0.5, {})
    probes = ProbeResults({"ner": task}, np.zeros(1, int), {})
    assert probes.selectivity("ner") == [pytest.approx(0.9 - 0.2)]
    told = " ".join(text for texts in page.text.values() for text in texts)
    assert "Selectivity is accuracy, for entities that of words, minus the accuracy of a control task" in told
    assert "F1 minus" not in told


def test_disagreement_comes_first(page: Page) -> None:
    cards = [a["class"] or "" for tag, a in page.elements if tag == "article"]
    assert cards == ["card disagree"] * 3 + ["card"] * 3
    assert "The two modes disagree on 3 of 6 models." in page.text["b"]


def test_every_number_is_there_without_scripts(results: dict[str, Any], page: Page) -> None:
    cells = " ".join(page.text["td"])
    for model in results["models"].values():
        for signal in model["signals"].values():
            for value in [value for values in signal.values() for value in values or ()]:
                assert number(value, 4) in cells
        for probe in model["probes"].values():
            assert all(number(value, 4) in cells for key in ("f1", "codelength") for value in probe[key])


def test_warnings_and_reasons_are_shown(page: Page) -> None:
    said = " ".join(text for texts in page.text.values() for text in texts)
    assert "S3 takes no part in the fusion" in said
    assert "calibrated mode: the model has no attention" in said
    assert "Sentences were cut to the context" in said
    assert "could not have been seen" in said


def test_a_page_too_large_is_spread_over_one_page_a_model(results: dict[str, Any]) -> None:
    names = stems(results["models"])
    views = [model_view(typed(results), name, names[name]) for name in results["models"]]
    verdicts = verdict_section(typed(results), {view.name: view.anchor for view in views})
    assert verdicts is not None
    limit = 200_000
    spread = pages(typed(results), views, [verdicts], max_bytes=limit)
    assert len(spread) == 7
    assert all(len(text.encode()) < limit for text in spread.values())
    for link in Page(spread["report.html"]).links():
        file, _, anchor = link.partition("#")
        if anchor and file:
            assert f'id="{anchor}"' in spread[file]
        elif anchor:
            assert f'id="{anchor}"' in spread["report.html"]
    assert 'class="chart"' not in spread["report.html"]
    assert "Too large for one file" in spread["report.html"]
    assert (
        "report-acme__llama-deep.html#model-acme__llama-deep-signals" in Page(spread["report.html"]).links()
    )


def test_the_page_grows_with_its_results_and_not_faster(report: Path) -> None:
    style, script = (len(_bare(f"report.{form}")) for form in ("css", "js"))
    whole = len((report / "report.html").read_bytes())
    measured = len((report / "results.json").read_bytes())
    # A number is once in the results, and on the page as text and as a place in a drawing.
    assert whole - style - script < 1.6 * measured


def test_a_deep_model_takes_few_bytes(results: dict[str, Any]) -> None:
    view = model_view(typed(results), "acme/llama-deep", "acme__llama-deep")
    assert sum(len(section.body.encode()) for section in view.sections) < 52_000


def test_no_model_is_deep_enough_to_fill_a_page_of_its_own(results: dict[str, Any]) -> None:
    size = {}
    for layers in (40, 80):
        deep = model_of_depth(layers, seed=1, paper=(7, 15, True))
        results["models"] = {"deep": json.loads(json.dumps(to_jsonable(deep)))}
        size[layers] = len(
            pages(typed(results), [model_view(typed(results), "deep", "deep")])["report.html"].encode()
        )
    # Interventions do not grow with depth; the theory's seven charts a model do, as the eleven here.
    assert 2 * 1500 * (size[80] - size[40]) / 40 < MAX_BYTES


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

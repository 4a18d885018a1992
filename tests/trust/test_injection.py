"""Text of models, prompts, names and messages is text: on the page, in tables, in a terminal."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
import sys
from typing import Any
from unittest import mock

import pytest

from mspgt.cli import main
from mspgt.errors import printable
from mspgt.report.markup import tag
from mspgt.report.page import pages
from mspgt.report.tables import FORMULA, Table, csv_cell, warnings_table
from mspgt.report.verdicts import verdict_section
from mspgt.report.views import model_view
from mspgt.report.writing import stems
from mspgt.results import Notice, to_jsonable
from tests.report.planted_results import planted
from tests.report.test_build import Page
from tests.report.test_interventions import model as disturbed
from tests.whole import typed

CANARY = "mspgtcanary"
CALLS = (
    f"{CANARY}(1)",
    f"{CANARY}`1`",
    f"top['{CANARY}'](1)",
    "&#109;spgtcanary(1)",
    "\\u006dspgtcanary(1)",
)
SHAPES = (
    "<script>{}</script>",
    "<ScRiPt >{}</sCrIpT>",
    "</script><script>{}</script>",
    "<script src=//x.example/{}></script>",
    "<img src=x onerror={}>",
    "<img/src=x/onerror={}>",
    "<svg onload={}>",
    "<svg><script>{}</script></svg>",
    "<body onload={}>",
    "<iframe srcdoc='<script>{}</script>'>",
    "<iframe src=javascript:{}>",
    "<a href=javascript:{}>x</a>",
    "<a href='java\tscript:{}'>x</a>",
    "<a href=' &#1;javascript:{}'>x</a>",
    "<math><mtext><script>{}</script></mtext></math>",
    "<details open ontoggle={}>",
    "<input autofocus onfocus={}>",
    "<video><source onerror={}></video>",
    "<marquee onstart={}>",
    "<form action=javascript:{}><input type=submit>",
    "<object data=javascript:{}>",
    "<embed src=javascript:{}>",
    "<base href=javascript:{}//>",
    "<link rel=stylesheet href=javascript:{}>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>",
    "<style>@import 'javascript:{}';</style>",
    '<div style="background:url(javascript:{})">',
    '"><script>{}</script>',
    "'><script>{}</script>",
    '" onmouseover={} x="',
    "' onmouseover={} x='",
    "` onmouseover={} x=`",
    "--><script>{}</script><!--",
    "]]><script>{}</script>",
    "</style><script>{}</script>",
    "</title><script>{}</script>",
    "</textarea><script>{}</script>",
    "</td></tr></table><script>{}</script>",
    "<!--><script>{}</script>-->",
    '<noscript><p title="</noscript><script>{}</script>">',
    "<template><script>{}</script></template>",
    "<svg><a xlink:href=javascript:{}><text>x</text></a></svg>",
    "<svg><animate onbegin={} attributeName=x>",
    "<svg><foreignObject><script>{}</script></foreignObject></svg>",
    "<x contenteditable onblur={}>",
    "{{{{constructor.constructor('{}')()}}}}",
    "${{{}}}",
    "{{% {} %}}",
    "javascript:{}",
    "data:text/html,<script>{}</script>",
    "vbscript:{}",
    "<\x00script>{}</script>",
    "<script\n>{}</script>",
    "\u2028<script>{}</script>",
    "\ufeff<script>{}</script>",
    "＜script＞{}＜/script＞",
    "<a\rhref=javascript:{}>",
    "<img src=x:x onerror\n=\n{}>",
    "<b>{}",
    "</b></p></section></main></body></html><script>{}</script>",
    "&lt;script&gt;{}",
)
PAYLOADS = [shape.format(call) for shape, call in itertools.product(SHAPES, CALLS)]


ACTIVE = re.compile(r"[\s\x00-\x20]*(javascript|vbscript|data):", re.IGNORECASE)


def faults(page: Page, calm: Page) -> list[str]:
    """What of a page could act, and does not stand in a page without payloads."""
    found = []
    kinds = {tag for tag, _ in calm.elements}
    if len(page.text["script"]) != 1 or page.text["script"] != calm.text["script"]:
        found.append("a script of theirs")
    for name, attributes in page.elements:
        if name not in kinds:
            found.append(f"an element <{name}>")
        for key, value in attributes.items():
            if key.startswith("on") or key in ("srcdoc", "style", "src", "action", "formaction", "data"):
                found.append(f"an attribute {key} of <{name}>")
            if key in ("href", "xlink:href") and ACTIVE.match(value or ""):
                found.append(f"a link {value!r}")
    return found


def built(results: Any) -> Page:
    results = typed(results)
    names = stems(results.models)
    views = [model_view(results, name, names[name]) for name in results.models]
    section = verdict_section(results, {view.name: view.anchor for view in views})
    return Page("".join(pages(results, views, [section] if section else []).values()))


def with_payloads() -> Any:
    """Every payload in a warning's place, fault and consequence, and some in every other free text there is."""
    results = planted()
    results["models"] = {name: results["models"][name] for name in ("stories", "one-block")}
    results["warnings"] = to_jsonable([Notice(f"models.{p}", p, p) for p in PAYLOADS])
    return results


@pytest.fixture(scope="module")
def calm() -> Page:
    results = planted()
    results["models"] = {name: results["models"][name] for name in ("stories", "one-block")}
    return built(results)


def test_three_hundred_payloads_are_text_on_the_page(calm: Page) -> None:
    assert len(set(PAYLOADS)) >= 300
    page = built(with_payloads())
    assert faults(page, calm) == []
    assert sum(CANARY in text for texts in page.text.values() for text in texts) >= 150


@pytest.mark.parametrize("start", range(0, len(PAYLOADS), 30))
def test_names_of_models_studies_and_rules(calm: Page, start: int) -> None:
    results = with_payloads()
    results["warnings"] = []
    model = results["models"].pop("one-block")
    for payload in PAYLOADS[start : start + 30 : 10]:
        checks = [{"name": payload, "ok": False, "reason": payload}]
        results["models"][payload] = {**model, "family": payload, "checks": checks}
    results["study"]["name"] = PAYLOADS[start]
    for verdict in results["predictions"].values():
        verdict["rule"] = PAYLOADS[start + 1]
    assert faults(built(results), calm) == []


def with_texts(texts: list[str]) -> Any:
    """Results with texts as prompts, as what two arms wrote, as findings of checks, and as all words of verdicts."""
    results = planted()
    model = results["models"]["stories"] | disturbed()
    model["checks"] = [{"name": text, "ok": False, "reason": text} for text in texts]
    model["interventions_about"]["texts"] = [
        {"sample": at, "prompt": text, "arms": {"baseline": text, "local": text}}
        for at, text in enumerate(texts)
    ]
    results["models"] = {"stories": model}
    turn = itertools.cycle(texts)
    for verdict in results["predictions"].values():
        free = {key for key, held in verdict.items() if isinstance(held, str)}
        verdict |= {key: next(turn) for key in sorted(free - {"verdict", "id", "tier", "positions"})}
        verdict["why"] = verdict["missing"] = [next(turn) for _ in range(40)]
    return results


def test_prompts_generated_texts_findings_and_words_of_verdicts() -> None:
    page, harmless = built(with_texts(PAYLOADS)), built(with_texts(["Plain words."] * len(PAYLOADS)))
    assert faults(page, harmless) == []
    # Of every five payloads three hold the canary's name as it is.
    assert (
        sum(text.count(CANARY) for texts in page.text.values() for text in texts) >= 3 * len(PAYLOADS) * 3 / 5
    )


def test_a_page_that_does_not_escape_is_seen(calm: Page) -> None:
    """Planted: the same payloads put into a page as they are."""
    harmless = 0
    for payload in PAYLOADS:
        page = Page(f"<html><body><script>{calm.text['script'][0]}</script><p>{payload}</p></body></html>")
        harmless += not faults(page, calm)
    assert harmless < 0.35 * len(PAYLOADS)


@pytest.mark.parametrize("payload", PAYLOADS[::5])
def test_elements_and_attributes(payload: str) -> None:
    page = Page(str(tag("p", payload, title=payload, aria_label=payload)))
    assert [name for name, _ in page.elements] == ["p"]
    assert set(page.elements[0][1]) == {"title", "aria-label"}


COMMANDS = ("cmd|' /C calc'!A0", 'HYPERLINK("http://x.example")', "1+1", "SUM(A1:A9)*cmd")
FORMULAS = [f"{lead}{sign}{rest}" for lead in ("", " ", "\t") for sign in FORMULA for rest in COMMANDS]
ESCAPES = [
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\x1b[2J",
    "a\x08b",
    "\x1bP+q\x1b\\",
    "\r overwritten",
    "\x00",
    "\u202e",
]


def test_tables_hold_no_formula_and_no_terminal_escape() -> None:
    rows = [(text, text, text, text) for text in FORMULAS + ESCAPES + PAYLOADS]
    table = Table("x", "x", dict.fromkeys("abcd", "string"), rows)
    read = list(csv.reader(io.StringIO(table.csv())))[1:]
    assert len(read) == len(rows)
    for row, text in zip(read, FORMULAS, strict=False):
        assert all(
            not cell.lstrip().startswith(FORMULA) or isinstance(csv_cell(text), float) for cell in row
        ), text
    for text in (table.csv(), table.latex(), *(printable(escape) for escape in ESCAPES)):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text.replace("\r\n", "\n"))
    assert "\\write18" not in table.latex()
    assert warnings_table(typed(with_payloads())).csv().count("\n") == len(PAYLOADS) + 1


def said(*words: str) -> str:
    """What the command line writes, on both streams."""
    out, told = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["mspgt", *words]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(told),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    assert ended.value.code == 2, (words, told.getvalue())
    return out.getvalue() + told.getvalue()


@pytest.mark.parametrize("text", [*(one for one in ESCAPES if "\x00" not in one), *PAYLOADS[::60]])
def test_messages_of_the_command_line_hold_no_terminal_escape(text: str) -> None:
    for words in (
        ["report", text],
        ["run", text],
        ["plan", "demo", "--set", text],
        [text],
    ):
        found = said(*words)
        assert found
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", found), words

"""The two checkers: LanguageTool's client against a server that speaks its HTTP API, and Harper itself."""

import math
import os
import sys

import pytest

from mspgt.errors import InputError, MissingExtraError, UnavailableError
from mspgt.interventions.grammar import errors_of, harper, languagetool
from mspgt.interventions.metrics import rate_scores, value
from tests.interventions.languagetool_server import install, serving


def test_errors_are_counted_over_http():
    with serving() as server, languagetool(server.url) as tool:
        assert tool.version == "6.5"
        assert tool.errors("I saw teh cat and teh dog.") == 2
        assert tool.errors("I saw the cat.") == 0
        assert server.asked[-1] == {"language": "en-US", "text": "I saw the cat."}


@pytest.mark.parametrize("ending", ["", "/", "/v2", "/v2/", "/v2/check"])
def test_the_address_may_be_given_in_any_form(ending):
    with serving() as server, languagetool(server.url + ending, language="en-GB") as tool:
        assert tool.errors("teh") == 1
        assert server.asked[-1]["language"] == "en-GB"


def test_html_and_control_characters_are_text_like_any_other():
    text = "<script>alert('teh')</script>\x00\x07 & 100% naïve\n\t+ ünïcode 😀 teh"
    with serving() as server, languagetool(server.url) as tool:
        assert tool.errors(text) == 2
        assert server.asked[-1]["text"] == text.replace("\x00", "").replace("\x07", "")
        asked = len(server.asked)
        assert tool.errors("") == tool.errors(" \n") == 0
        assert len(server.asked) == asked, "nothing to check needs no server"


def test_errors_per_hundred_words():
    with serving() as server, languagetool(server.url) as tool:
        texts = ["teh cat", "a b c d e f", "", "teh cat", "!!"]
        scores = rate_scores(errors_of(texts, tool.errors), texts)
        assert float(value(scores.law, scores.sums.sum(0))) == pytest.approx(100 * 2 / 10)
        assert scores.defined.tolist() == [True, True, False, True, False]
        assert len(server.asked) == 1 + 3, "equal texts are checked once, an empty one never"


def test_a_text_that_a_checker_fails_on_is_left_out_and_counted_as_such():
    counted = {"teh cat": 1.0, "must of": math.nan, "a b c d": 0.0}
    scores = rate_scores(errors_of(list(counted), counted.__getitem__), list(counted))
    assert scores.defined.tolist() == [True, False, True]
    assert float(value(scores.law, scores.sums.sum(0))) == pytest.approx(100 * 1 / 6)


def test_another_version_is_refused():
    with (
        serving(version="5.9") as server,
        pytest.raises(UnavailableError, match=r"6\.5, found 5\.9"),
        languagetool(server.url, wanted="6.5"),
    ):
        pass


def test_a_server_that_goes_away_is_an_error_and_never_a_zero():
    with serving(fails_after=2) as server, languagetool(server.url) as tool:
        assert tool.errors("teh") == 1
        with pytest.raises(UnavailableError, match="503"):
            tool.errors("teh teh")
    with pytest.raises(UnavailableError, match="does not answer"):
        tool.errors("teh")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"status": 413}, "a text too long: start it with a larger maxTextLength"),
        ({"status": 429}, "asked too often: start it with a larger requestLimit"),
        ({"status": 200, "instead": {"warnings": {"incompleteResults": True}}}, "results are incomplete"),
        ({"status": 200, "instead": {"incompleteResults": True}}, "results are incomplete"),
    ],
)
def test_what_a_server_did_not_read_is_never_a_zero(settings, message):
    with (
        serving(fails_after=1, **settings) as server,
        languagetool(server.url) as tool,
        pytest.raises(UnavailableError, match=message),
    ):
        tool.errors("A text without any fault.")


def test_nobody_there_and_no_address():
    with serving() as server:
        gone = server.url
    with pytest.raises(UnavailableError, match="Start the server"), languagetool(gone):
        pass
    for wrong in ("localhost:8081", "file:///etc/passwd", ""):
        with pytest.raises(InputError, match="URL"), languagetool(wrong):
            pass


def test_a_local_languagetool_is_never_downloaded(monkeypatch, tmp_path):
    pytest.importorskip("language_tool_python", reason="the extra grammar is not installed")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LTP_PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="found none"), languagetool("local"):
        pass
    assert not any(tmp_path.iterdir())
    # One that cannot be started, another version, and a machine without Java.
    install(tmp_path, java="exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(UnavailableError, match="Java"), languagetool("local"):
        pass
    with pytest.raises(UnavailableError, match=r"6\.4 .*found 6\.5"), languagetool("local", wanted="6.4"):
        pass
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnavailableError, match="Java"), languagetool("local"):
        pass


def test_without_the_wrapper_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "language_tool_python.download_lt", None)
    with pytest.raises(MissingExtraError, match=r"mspgt\[grammar\]"), languagetool("local"):
        pass


def test_harper_is_a_checker_of_its_own(monkeypatch):
    pytest.importorskip("harper", reason="the extra harper is not installed")
    errors, version = harper()
    assert version.startswith("harper-py ")
    assert errors("This is an test of the the linter.") == 2
    assert errors("This is a test of the linter.") == 0
    assert errors("") == 0
    assert errors("A test \x00\x1b of <b>marks</b>.") >= 0
    # Release 2.13 panics on this; a later one may count it. Either way what comes after is counted.
    broken = errors("must\n of")
    assert broken >= 0 or math.isnan(broken)
    assert errors("This is an test of the the linter.") == 2
    monkeypatch.setitem(__import__("sys").modules, "harper", None)
    with pytest.raises(MissingExtraError, match=r"mspgt\[harper\]"):
        harper()

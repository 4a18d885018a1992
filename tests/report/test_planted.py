"""Planted subjects on the page and the terminal: hits, misses, silence and false alarms, as they came."""

import re
from dataclasses import replace

import pytest

from mspgt.report.planted import by_size, headline, outcome, planted_lines, planted_table
from mspgt.report.planted_section import planted_first, planted_section
from tests.report.planted_results import HOSTILE, planted
from tests.whole import typed


@pytest.fixture
def controls(results):
    return typed(results).planted


def test_every_subject_counts_once(controls):
    assert headline(controls) == (
        "Of 3 planted boundaries 2 were found and of 1 planted effect 1; "
        "of 2 subjects with nothing planted 1 gave any"
    )
    assert by_size(controls).startswith("Of 1 planted boundaries at least as large")
    assert by_size(controls).endswith("all were found; of 2 smaller ones, 1.")


def test_a_boundary_that_is_taken_away_turns_a_hit_into_a_miss(controls):
    before = headline(controls)
    subject = controls["two breaks"]
    assert outcome(subject) == "1 of 2 found"
    controls["two breaks"] = subject = replace(
        subject, planted=[replace(one, found=False) for one in subject.planted], found=[]
    )
    assert outcome(subject) == "0 of 2 found"
    assert headline(controls) != before
    html = str(planted_first(replace(typed({}), planted=controls)))
    assert html.count("▽") == 3  # two of the subject, one of the legend
    assert "✗ 0 of 2 found" in html
    assert "5 roughness SDs would be found in 80" in html


def test_what_nobody_planted_is_a_false_alarm(controls):
    assert outcome(controls["flat"]) == "silent"
    assert outcome(controls["alarm"]) == "false alarm: step at layer 12 (95\u202f% set 12)"
    controls["two breaks"].found.append(controls["alarm"].found[0])
    assert "false alarm: step at layer 12" in outcome(controls["two breaks"])
    assert headline(controls).endswith("; 1 claim where nothing is")


def test_truth_stands_over_its_strip(controls):
    html = str(planted_first(replace(typed({}), planted=controls)))
    assert re.search(r'x="29\.17%"[^>]*>▼', html)
    assert re.search(r'x="70\.83%"[^>]*>▽', html)
    assert "planted: 4 roughness SDs at layers 7 and 17" in html
    assert "scales whose noise changes the text: Local" in html
    assert HOSTILE not in html


def test_a_run_without_planted_subjects_shows_none(results):
    results = replace(typed(results), planted={})
    assert planted_first(results) == ""
    assert planted_section(results) is None
    assert list(planted_lines(results)) == []


def test_the_terminal_says_what_the_page_says(results):
    lines = list(planted_lines(typed(results)))
    assert lines[0].startswith("Of 3 planted boundaries 2 were found")
    assert sum(line.startswith("  MISS") for line in lines) == 2
    assert sum(line.startswith("  hit") for line in lines) == 3


def test_the_table_holds_every_place_claim_and_test(controls):
    rows = planted_table(controls).rows
    counts = [len(one.planted) + len(one.found) + len(one.tests) for one in controls.values()]
    assert len(rows) == sum(counts)


def test_the_row_is_the_first_of_the_page(report):
    page = (report / "report.html").read_text()
    assert page.index('id="planted-first"') < page.index('id="found"')
    assert 'id="planted"' in page
    assert (report / "tables" / "planted.csv").read_text().count("\n") == 1 + len(
        planted_table(typed(planted()).planted).rows
    )

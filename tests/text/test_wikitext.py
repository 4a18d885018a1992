import re
from collections import Counter

import pytest

from mspgt.text.wikitext import articles, heading, restore
from tests.effort import linear

RESTORED = [
    (
        " weigh 0 @.@ 7 – 2 @.@ 2 kg , 20 @,@ 000 in all ; red @-@ tipped . ",
        "weigh 0.7–2.2 kg, 20,000 in all; red-tipped.",
    ),
    (
        ' only becoming " lobster red " on cooking ( 24 in ) . ',
        'only becoming "lobster red" on cooking (24 in).',
    ),
    (
        " Kwik @-@ E @-@ Mart isn 't there ; it 's gone , they 'll say ",
        "Kwik-E-Mart isn't there; it's gone, they'll say",
    ),
    (
        " the Knights ' two leading scorers ",
        "the Knights' two leading scorers",
    ),
    (
        " he said , \" the word ' sorry ' is enough . \" ",
        "he said, \"the word 'sorry' is enough.\"",
    ),
    (
        " known as ' plantie scrubs ' in the ' 80s ",
        "known as 'plantie scrubs' in the '80s",
    ),
    (
        " K 'awiil , O 'Neil and d 'affaires ",
        "K'awiil, O'Neil and d'affaires",
    ),
    (
        " Jenny ’ s “ fun ” week ",
        "Jenny’s “fun” week",
    ),
    (
        " US $ 16 million at 120 km / h , 29 % of them , # 7 ",
        "US $16 million at 120 km/h, 29% of them, #7",
    ),
    (
        " At 18 : 05 it was 6 ° C at 9 ° 15 ′ 32 ″ ",
        "At 18:05 it was 6 °C at 9° 15′ 32″",
    ),
    (
        " from Canada – US trade — mostly — [ and ] more ... ",
        "from Canada – US trade — mostly — [and] more...",
    ),
    (
        " 1 @,@ 000 @,@ 000 ",
        "1,000,000",
    ),
    (
        "",
        "",
    ),
]


@pytest.mark.parametrize(("line", "plain"), RESTORED)
def test_restores_plain_text(line, plain):
    assert restore(line) == plain


def test_headings_have_levels():
    assert heading(" = Homarus gammarus = ") == (1, "Homarus gammarus")
    assert heading(" = = Life cycle = = \r") == (2, "Life cycle")
    assert heading("= = = Post @-@ war career = = =") == (3, "Post-war career")
    assert heading(" = = ( album ) = ") == (1, "= (album)")
    assert heading(" = E = mc2 = ") == (1, "E = mc2")
    for line in ("", " = = = ", " = open ", "text = text", " x = ", "=Title="):
        assert heading(line) is None


def test_lines_that_only_look_like_headings_are_text():
    text = (
        " \n = First = \n \n = = Section = = \n \n The value is L \n = 1 henry and C = \n 1 farad . \n"
        " q = 2 = \n \n = Second = \n \n More text . \n"
    )
    assert articles(text) == [
        ("First", ["The value is L", "= 1 henry and C =", "1 farad.", "q = 2 ="]),
        ("Second", ["More text."]),
    ]


def test_text_before_the_first_heading_is_kept():
    assert articles("A torn piece .\n\n = Title = \n\n Rest .") == [
        ("", ["A torn piece."]),
        ("Title", ["Rest."]),
    ]


def test_a_hostile_line_takes_linear_time():
    for unit in ("= ", "' ", '" ', "@-@ ", " ", "x "):
        assert len(restore(unit * 50_000)) <= len(unit) * 50_000
        assert linear(lambda size, unit=unit: (restore(unit * size), heading(unit * size)), 50_000)


@pytest.mark.parametrize(("split", "false_headings"), [("valid", 0), ("test", 2)])
def test_real_articles_lose_only_spaces_and_markers(data, split, false_headings):
    raw = (data / "wikitext" / f"wiki.{split}.raw").read_text(encoding="utf-8")
    found = articles(raw)
    assert len(found) == 60
    plain = [paragraph for _, body in found for paragraph in body]
    lines = [line for line in raw.split("\n") if line.strip() and heading(line) is None]
    kept = Counter(re.sub("[ @]", "", each) for each in plain)
    given = Counter(re.sub("[ @]", "", each) for each in lines)
    assert not given - kept
    assert (kept - given).total() == false_headings
    residues = r" @[-,.]@ | [,.;!?)\]](?=\s|$)|[(\[] | '(?:s|t|re|ve|ll|m|d)\b"
    assert re.findall(residues, "\n".join(plain)) == []

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspgt.text.columns import read_blocks
from mspgt.text.sentences import split_sentences
from tests.effort import linear

# Sentences as a reader would divide them; each row is one text.
HAND_CHECKED = [
    ["It rained.", "We stayed in!", "Why?", "Nobody knew."],
    ["Dr. Brown met Mrs. J. K. Rowling at St. Mary's on Feb. 3.", "They talked."],
    ["The U.S. Navy left at 5 p.m. on Sunday.", "The U.S. team stayed."],
    ["He came from the U.S.", "She did not."],
    ["It weighs 0.7 kg, i.e. 1.5 lb, per 1,000 units.", "That is v. 2.0 of it."],
    ['"Why?" he asked.', '"Because," she said.', '"It is late!" he cried.'],
    ['She said "it is late."', '"I know," he said.'],
    ["He waited ... and waited… then left.", "Nobody came..."],
    ["He waited . . . then left.", "It was late . . .", "Nobody came."],
    ["(It was late.)", "They left [at 9 p.m.] together."],
    ["See Fig. 3, No. 5 and pp. 4–7 of vol. 2.", "No.", "Not yet."],
    [
        "J. C. W. Beckham was born there.",
        "The lobster H. gammarus and its relative H. americanus are similar.",
    ],
    ["It was World War I.", "He fought in it."],
    ["Smith et al. found it, cf. Jones Jr. and Acme Inc. of Delaware.", "It held."],
    ["Yahoo! is a company.", "Jeopardy! was a show."],
    ["Really?!", "Yes!!!", "Fine."],
    ["i left early.", "it was boring.", "nobody cared?", "nope!"],
    ["We will be back!", "Thanks! :)", "Bye."],
    ["1. Open the box.", "2. Take it out."],
    ["He was ill.", "John was ill too."],
    ["Price: $3.50.", "10 people came.", "3 left."],
    ["He said ‘no.’", "“Fine,” she said."],
]


@pytest.mark.parametrize("sentences", HAND_CHECKED, ids=lambda row: row[0])
def test_hand_checked(sentences):
    assert split_sentences(" ".join(sentences)) == sentences


def test_only_a_blank_line_ends_a_sentence_without_a_mark():
    assert split_sentences("A heading\n \nsome text\nthat goes on\n\n\nand more\n") == [
        "A heading",
        "some text\nthat goes on",
        "and more",
    ]
    assert split_sentences("") == split_sentences(" \n\t\n ") == []


@given(st.text(alphabet=st.sampled_from("aBc.!?…\"')( \n\t1:)\x00\x1c\u2028é"), max_size=80))
def test_nothing_but_space_is_lost(text):
    sentences = split_sentences(text)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(sentence == sentence.strip() and sentence in text for sentence in sentences)


@pytest.mark.parametrize(
    "unit", ["word ", "word", ".", ". ", "a.", "'", '." ', "\n", "Mr. ", "<b>", "\x00", "( ", "A. B? "]
)
def test_long_text_of_anything_takes_linear_time(unit):
    text = unit * (300_000 // len(unit))
    sentences = split_sentences(text)
    assert linear(lambda size: split_sentences(text[:size]), len(text))
    assert len("".join("".join(sentences).split())) == len("".join(text.split()))


def paragraphs(path) -> Iterator[list[str]]:
    """Gold sentences of each paragraph of a UD treebank, each with the space that follows it."""
    gold: list[str] = []
    for block in read_blocks(path):
        if gold and any(line.startswith(("# newpar", "# newdoc")) for _, line in block.lines):
            yield gold
            gold = []
        gold.append(block.comment("text") + ("" if "SpaceAfter=No" in block.rows[-1][1] else " "))
    yield gold


def boundaries(sentences: list[str]) -> set[int]:
    """Where sentences end inside the paragraph, in characters other than space."""
    ends, end = set(), 0
    for sentence in sentences[:-1]:
        end += len("".join(sentence.split()))
        ends.add(end)
    return ends


def agreement(path, split: Callable[[str], list[str]]) -> tuple[float, float, float]:
    """Precision and recall of the boundaries, and recall of those that follow a mark of punctuation."""
    hits = proposed = marked = marked_hits = total = 0
    for gold in paragraphs(path):
        text = "".join(gold)
        flat = "".join(text.split())
        true, found = boundaries(gold), boundaries(split(text))
        visible = {end for end in true if flat[:end].rstrip("\"'”’)]*")[-1:] in {*".!?…"}}
        hits += len(true & found)
        proposed += len(found)
        total += len(true)
        marked += len(visible)
        marked_hits += len(visible & found)
    return hits / proposed, hits / total, marked_hits / marked


@pytest.mark.parametrize("split", ["dev", "test"])
def test_agrees_with_the_gold_boundaries_of_a_treebank(data, split):
    """Web text: a fifth of its sentences end without any mark, which no rule can see."""
    precision, recall, marked_recall = agreement(data / "ewt" / f"en_ewt-ud-{split}.conllu", split_sentences)
    assert precision > 0.98
    assert 2 / (1 / precision + 1 / marked_recall) > 0.965
    assert 2 / (1 / precision + 1 / recall) > 0.855

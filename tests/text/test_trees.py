import pytest

from mspgt.errors import InputError
from mspgt.text.trees import read_conllu


def row(id_, form, upos="X", head=0, deprel="dep", misc="_"):
    return "\t".join([str(id_), form, "_", upos, "_", "_", str(head), deprel, "_", misc])


def conllu(*sentences):
    return "".join("\n".join(lines) + "\n\n" for lines in sentences)


FIRST = [
    "# newdoc id = story",
    "# sent_id = s1",
    "# text = They don't  vámonos, she said.",
    row(1, "They", "PRON", 3, "nsubj:pass"),
    row("2-3", "don't", "_", "_", "_"),
    row(2, "do", "AUX", 3, "aux"),
    row(3, "n't", "PART", 0, "root"),
    row("4-5", "vámonos", "_", "_", "_", "SpaceAfter=No"),
    row(4, "vamos", "VERB", 3, "x"),
    row(5, "nos", "PRON", 4, "obj"),
    row("5.1", "ghost", "VERB", "_", "_"),
    row(6, ",", "PUNCT", 3, "punct"),
    row(7, "she", "PRON", 8, "nsubj"),
    row(8, "said", "VERB", 3, "parataxis", "SpaceAfter=No|Other=1"),
    row(9, ".", "PUNCT", 3, "punct"),
]
SECOND = ["# sent_id = s2", row(1, "Who", misc="SpaceAfter=No"), row(2, "?", head=1)]


def read(tmp_path, text):
    file = tmp_path / "x-test.conllu"
    file.write_text(text, encoding="utf-8")
    return [sentence for _, sentence in read_conllu(file)]


def test_words_spans_and_labels(tmp_path):
    first, second = read(tmp_path, conllu(FIRST, SECOND))
    assert first.words == ("They", "do", "n't", "vamos", "nos", ",", "she", "said", ".")
    at = [first.text[start:end] for start, end in first.spans]
    assert at == ["They", "do", "n't", "vámonos", "vámonos", ",", "she", "said", "."]
    assert first.heads == (2, 2, -1, 2, 3, 2, 7, 2, 2)
    assert first.deprels[:3] == ("nsubj", "aux", "root")
    assert first.upos[1] == "AUX"
    assert (first.entities, first.propositions) == (None, None)
    assert (first.document, second.document) == ("story", "story")
    assert (second.text, second.spans) == ("Who?", ((0, 3), (3, 4)))


def test_documents(tmp_path):
    unnamed = [["# newdoc", *SECOND[1:]], ["# newdoc", *SECOND[1:]]]
    assert len({sentence.document for sentence in read(tmp_path, conllu(*unnamed))}) == 2
    assert {sentence.document for sentence in read(tmp_path, conllu(SECOND[1:], SECOND[1:]))} == {"x-test"}
    assert len({sentence.sent_id for sentence in read(tmp_path, conllu(SECOND[1:], SECOND[1:]))}) == 2


def test_missing_labels_are_none(tmp_path):
    (sentence,) = read(tmp_path, conllu([row(1, "Who", "_", "_", "_"), row(2, "?", "PUNCT", 1, "punct")]))
    assert (sentence.upos, sentence.heads, sentence.deprels) == (None, None, None)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([row(1, "Who"), row(3, "?", head=1)], ":2: expected word 2, found 3"),
        ([row(1, "Who"), row(2, "?", head=3)], r":2: expected the head of word 2 .*0\.\.2, found 3"),
        ([row(1, "Who"), row(2, "?", head=-1)], ":2: .*found -1"),
        ([row(1, "Who"), row(2, "?", head=2)], ":2: .*found 2"),
        ([row(1, "Who"), row(2, "?", head="one")], ":1: expected a CoNLL-U sentence: .*one"),
        ([row(1, "Who"), row("two", "?")], ":1: expected a CoNLL-U sentence: .*two"),
        ([row(1, "Who"), row("_", "?")], ":2: expected the number of a word in the first column .* found _"),
        ([row(1, "Who"), "2\t?\t_"], ":2: expected 10 tab-separated CoNLL-U columns"),
        ([row(1, "Who", misc="")], ":1: expected 10 tab-separated CoNLL-U columns"),
        (["plain text"], ":1: expected 10 tab-separated CoNLL-U columns"),
        ([row(1, "Who"), row("\x1f#2", "came")], ":2: expected the number of a word in the first column"),
        ([row(" # 1", "Who"), row(2, "came")], ":1: expected the number of a word in the first column"),
        (["# text = Who!", row(1, "Who"), row(2, "?", head=1)], ":1: expected the words to spell"),
        (["# text = Who? Me.", row(1, "Who"), row(2, "?", head=1)], ":1: expected the words to spell"),
    ],
)
def test_bad_sentences_name_the_line(tmp_path, lines, message):
    with pytest.raises(InputError, match="conllu" + message):
        read(tmp_path, conllu(lines))


def test_every_cut_inside_a_sentence_is_noticed(tmp_path):
    whole = conllu(FIRST)
    for end in range(whole.index("1\tThey"), len(whole.rstrip("\n")) - len("\t_\t_")):
        with pytest.raises(InputError, match=r"x-test\.conllu:\d+: "):
            read(tmp_path, whole[:end])
    for complete in (whole, whole.rstrip("\n")):
        assert len(read(tmp_path, complete)) == 1
    without_text = conllu(SECOND)
    assert len(read(tmp_path, without_text)) == 1
    with pytest.raises(InputError, match="cut off"):
        read(tmp_path, without_text.rstrip("\n") + "\n")


def test_a_file_of_comments_holds_no_sentence(tmp_path):
    with pytest.raises(InputError, match=r"expected sentences in .* found none"):
        read(tmp_path, "# only a comment\n\n")

"""Running documents of real and planted treebanks, and their labels against the files themselves."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.scales.documents import draw_documents
from mspgt.scales.tasks import TASKS, read_labels
from mspgt.synthetic.corpora import sample_treebank
from mspgt.synthetic.lexicon import TOPICS
from mspgt.synthetic.triscale import TriScale
from mspgt.text.treebank import load_treebank

COLUMNS = """# newdoc id = {doc}
# sent_id = {doc}-1
1\tShe\tshe\tPRON\tPRP\t_\t2\tnsubj\t_\t_
2\tsaw\tsee\tVERB\tVBD\t_\t0\troot\t_\t_
3\tdogs\tdog\tNOUN\tNNS\t_\t2\tobj\t_\tSpaceAfter=No
4\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_

# sent_id = {doc}-2
1\tThe\tthe\tDET\tDT\t_\t2\tdet\t_\t_
2\tdog\tdog\tNOUN\tNN\t_\t3\tnsubj\t_\t_
3\tran\trun\tVERB\tVBD\t_\t0\troot\t_\t_

# sent_id = {doc}-3
1\tHi\thi\tINTJ\tUH\t_\t0\troot\t_\t_

"""


@pytest.fixture
def small(tmp_path):
    """Forty equal documents of two genres in their names."""
    file = tmp_path / "x-test.conllu"
    file.write_text("".join(COLUMNS.format(doc=f"{'mail' if n % 2 else 'web'}-{n}") for n in range(40)))
    return load_treebank([file], max_eval=10)


def labels_of(text, name):
    found, off = read_labels(text, TASKS)
    assert name not in off, off
    one = next(each for each in found if each.task.name == name)
    return [None if c < 0 else one.classes[c] for c in one.labels[: len(text.documents[0].words)]]


def test_labels_are_those_of_the_columns(small):
    text = draw_documents(small, documents=30)
    document = text.documents[0]
    assert document.text == "She saw dogs. The dog ran Hi"
    assert [document.text[a:b] for a, b in document.spans] == document.words
    assert labels_of(text, "previous") == [None, "she", "saw", "dogs", ".", "the", "dog", "ran"]
    assert labels_of(text, "before_previous") == [None, None, "she", "saw", "dogs", ".", "the", "dog"]
    assert labels_of(text, "head") == ["+1", "root", "-1", "-2", "+1", "+1", "root", "root"]
    assert labels_of(text, "depth") == ["1", "0", "1", "1", "2", "1", "0", "0"]
    assert labels_of(text, "xpos")[:3] == ["PRP", "VBD", "NNS"]
    assert set(labels_of(text, "genre")) <= {"mail", "web"}
    assert Counter(d.genre for d in text.documents) == {"mail": 15, "web": 15}


def test_a_limit_on_sentences_does_not_break_documents_up(small):
    assert len(small.test) == 10
    assert len(draw_documents(small, documents=40).documents) == 40


def test_documents_are_cut_between_sentences(small):
    assert draw_documents(small, words=5).documents[0].words == ["She", "saw", "dogs", "."]
    assert draw_documents(small, words=2).documents[0].words == ["She", "saw"]


def test_a_class_alone_and_a_missing_column_turn_a_task_off_with_a_reason(small):
    bare = {s: tuple(replace(x, xpos=None, lemmas=None) for x in part) for s, part in small.whole.items()}
    _, off = read_labels(draw_documents(replace(small, whole=bare), documents=30), TASKS)
    assert "no word has such a label" in off["xpos"]
    assert "no word has such a label" in off["role"]
    rooted = {
        s: tuple(replace(x, heads=tuple(-1 for _ in x.words)) for x in part)
        for s, part in small.whole.items()
    }
    _, off = read_labels(draw_documents(replace(small, whole=rooted), documents=30), TASKS)
    assert "fewer than two classes" in off["head"]


def test_drawing_repeats_and_follows_its_seed(small):
    names = [[d.name for d in draw_documents(small, documents=12, seed=s).documents] for s in (0, 0, 1)]
    assert names[0] == names[1] != names[2]


def test_too_few_documents_and_no_running_text_are_refused(small):
    few = {"test": small.whole["test"][:6]}
    with pytest.raises(InputError, match="at least 10 documents"):
        draw_documents(replace(small, whole=few))
    with pytest.raises(InputError, match="running text"):
        draw_documents(replace(small, whole={}))


def test_fewer_than_thirty_documents_is_said(small):
    assert any("below 30" in note for note in draw_documents(small, documents=20).notes)
    assert not draw_documents(small, documents=40).notes


def test_without_marks_sentences_stand_for_documents_and_the_note_says_what_that_does(gsd):
    text = draw_documents(gsd, documents=40)
    assert text.unit == "sentence"
    assert 40 * 90 <= text.n_words < 40 * 90 + 90
    assert any("intervals are too narrow" in note for note in text.notes)
    found, off = read_labels(text, TASKS)
    assert {"previous", "xpos", "relation", "head", "depth"} <= {each.task.name for each in found}
    assert "marks no documents" in off["genre_beyond_bag"]
    assert "given" in off


def test_ewt_has_five_genres_eight_topics_and_every_task(ewt):
    text = draw_documents(ewt)
    assert len(text.documents) == 240
    assert {d.genre for d in text.documents} == {"answers", "email", "newsgroup", "reviews", "weblog"}
    assert {d.topic for d in text.documents} == {f"t{n}" for n in range(8)}
    found, off = read_labels(text, TASKS)
    assert not off
    entropy = {each.task.name: each.entropy(np.ones(text.n_words, bool)) for each in found}
    # As in the definition's own table, of another draw of these files.
    for name, bits in {"xpos": 4.4, "relation": 4.3, "head": 2.95, "depth": 2.36, "genre": 2.3}.items():
        assert entropy[name] == pytest.approx(bits, abs=0.15)


def test_the_planted_language_brings_its_topics():
    text = draw_documents(sample_treebank(TriScale(), 0, train=40, dev=200, test=200), documents=60)
    assert len(text.documents) == 60
    assert all(document.topic in TOPICS for document in text.documents)
    assert "genre" in text.off
    assert "topic" not in text.off

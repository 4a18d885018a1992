"""Examples from sentences, and the counting of answers, against hand-written cases and a slow reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mspgt.errors import InputError
from mspgt.signals.labels import SPLITS, Examples, ProbeTask, probe_tasks
from mspgt.text.treebank import LabelledSentence, Proposition, Treebank


def sentence(words: str, document: str = "d", **labels: object) -> LabelledSentence:
    forms = tuple(words.split())
    ends = np.cumsum([len(form) + 1 for form in forms]) - 1
    spans = tuple((int(end) - len(form), int(end)) for form, end in zip(forms, ends, strict=True))
    blank = dict.fromkeys(("upos", "heads", "deprels", "entities", "propositions"))
    return LabelledSentence(words, document, words, forms, spans, **{**blank, **labels})


MARY = sentence(
    "Mary Smith gave Bob books",
    upos=("PROPN", "PROPN", "VERB", "PROPN", "NOUN"),
    heads=(2, 0, -1, 2, 2),
    deprels=("nsubj", "flat", "root", "iobj", "obj"),
    entities=("B-PER", "I-PER", "O", "B-PER", "O"),
    propositions=(Proposition(2, (("ARG0", 0, 2), ("V", 2, 3), ("ARG2", 3, 4), ("ARG1", 4, 5))),),
)
DOGS = sentence(
    "dogs bark", "e", upos=("NOUN", "VERB"), heads=(1, -1), deprels=("nsubj", "root"), entities=("O", "O")
)


def treebank(
    train: list, dev: list, test: list, tasks: tuple[str, ...] = ("pos", "dep", "ner", "srl")
) -> Treebank:
    return Treebank("hand", tuple(train), tuple(dev), tuple(test), "0", tasks, {}, {})


def ner_task(labels: tuple[str, ...], gold: list[int], sentences: list[int]) -> ProbeTask:
    rows = np.arange(len(gold))
    examples = Examples(rows[:, None], np.array(gold), rows[:, None], np.array(sentences))
    documents = ("d",) * (max(sentences) + 1)
    return ProbeTask("ner", labels, len(labels), documents, dict.fromkeys(SPLITS, examples))


def test_examples_of_the_four_tasks() -> None:
    tasks = probe_tasks(treebank([DOGS, MARY], [MARY], [MARY, DOGS]))
    train = {
        name: [
            (tuple(map(int, row)), task.labels[label], int(place))
            for row, label, place in zip(
                task.examples["train"].rows,
                task.examples["train"].labels,
                task.examples["train"].sentence,
                strict=True,
            )
        ]
        for name, task in tasks.items()
    }
    assert train["pos"][:3] == [((0,), "NOUN", 0), ((1,), "VERB", 0), ((2,), "PROPN", 1)]
    assert train["dep"] == [
        ((0, 1), "nsubj", 0),
        ((2, 4), "nsubj", 1),
        ((3, 2), "flat", 1),
        ((5, 4), "iobj", 1),
        ((6, 4), "obj", 1),
    ]
    assert train["srl"] == [((4, 3), "ARG0", 1), ((4, 5), "ARG2", 1), ((4, 6), "ARG1", 1)]
    assert [label for _, label, _ in train["ner"]] == ["O", "O", "B-PER", "I-PER", "O", "B-PER", "O"]
    assert tasks["dep"].documents == ("d", "e")


def test_labels_that_train_lacks_cost_an_error_each() -> None:
    tasks = probe_tasks(treebank([DOGS], [DOGS], [MARY], ("pos",)))
    task = tasks["pos"]
    assert task.classes == 2
    assert set(task.labels[task.classes :]) == {"PROPN"}
    perfect = np.where(task.examples["test"].labels < 2, task.examples["test"].labels, 0)
    assert task.counts(perfect[None]).tolist() == [[[2, 3, 3]]]


def test_counts_by_sentence() -> None:
    task = probe_tasks(treebank([MARY, DOGS], [MARY], [DOGS, MARY], ("pos",)))["pos"]
    right = task.examples["test"].labels
    wrong = right.copy()
    wrong[1] = (wrong[1] + 1) % task.classes
    counts = task.counts(np.stack([right, wrong]))
    assert counts.tolist() == [[[2, 0, 0], [5, 0, 0]], [[1, 1, 1], [5, 0, 0]]]


BIO = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


@pytest.mark.parametrize(
    ("gold", "answer", "expected"),
    [
        ("B-PER I-PER O", "B-PER I-PER O", (1, 0, 0)),
        ("B-PER I-PER O", "B-PER O O", (0, 1, 1)),  # too short
        ("B-PER I-PER O", "B-PER I-PER I-PER", (0, 1, 1)),  # too long
        ("B-PER I-PER O", "I-PER I-PER O", (1, 0, 0)),  # I- opens a span
        ("B-PER B-PER O", "B-PER I-PER O", (0, 1, 2)),  # two joined to one
        ("B-PER I-PER O", "B-LOC I-LOC O", (0, 1, 1)),  # another kind
        ("B-PER I-LOC O", "B-PER I-PER O", (0, 1, 2)),  # I- of another kind opens a span
        ("O O O", "O B-LOC O", (0, 1, 0)),
        ("O B-LOC O", "O O O", (0, 0, 1)),
        ("O O B-LOC", "O O B-LOC", (1, 0, 0)),  # up to the last word
    ],
)
def test_entities_by_hand(gold: str, answer: str, expected: tuple[int, int, int]) -> None:
    def places(tags: str) -> list[int]:
        return [BIO.index(tag) for tag in tags.split()]

    task = ner_task(BIO, places(gold), [0, 0, 0])
    assert tuple(task.counts(np.array([places(answer)]))[0, 0]) == expected


def spans(tags: list[str]) -> set[tuple[int, int, str]]:
    """Slow reference: extend every span word by word."""
    found, i = set(), 0
    while i < len(tags):
        if tags[i] == "O":
            i += 1
            continue
        kind, end = tags[i][2:], i + 1
        while end < len(tags) and tags[end] == f"I-{kind}":
            end += 1
        found.add((i, end, kind))
        i = end
    return found


def test_entities_against_a_slow_reference() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 8, size=60)
    place = np.repeat(np.arange(60), lengths)
    gold, answers = rng.integers(0, 5, len(place)), rng.integers(0, 5, (3, len(place)))
    counts = ner_task(BIO, gold.tolist(), place.tolist()).counts(answers)
    for probe in range(3):
        for number in range(60):
            expected = spans([BIO[tag] for tag in gold[place == number]])
            found = spans([BIO[tag] for tag in answers[probe, place == number]])
            both = len(expected & found)
            assert counts[probe, number].tolist() == [both, len(found) - both, len(expected) - both]


def test_control_task_is_a_function_of_the_word_type() -> None:
    rng = np.random.default_rng(0)
    kinds = ("NOUN",) * 7 + ("VERB",) * 3

    def draw(words: int) -> LabelledSentence:
        chosen = rng.integers(0, 3000, words)
        return sentence(" ".join(f"w{c}" for c in chosen), upos=tuple(kinds[c % 10] for c in chosen))

    task = probe_tasks(treebank([draw(8000)], [draw(100)], [draw(4000)], ("pos",)))["pos"]
    control = task.control(3)
    label_of: dict[int, int] = {}
    for split in SPLITS:
        each = control.examples[split]
        for kind, label in zip(each.types[:, 0], each.labels, strict=True):
            assert label_of.setdefault(int(kind), int(label)) == label
        assert np.array_equal(each.rows, task.examples[split].rows)
    share = np.mean([control.labels[label] == "NOUN" for label in label_of.values()])
    assert share == pytest.approx(0.7, abs=0.03)
    assert np.array_equal(control.examples["test"].labels, task.control(3).examples["test"].labels)
    assert not np.array_equal(control.examples["test"].labels, task.control(4).examples["test"].labels)


def test_control_task_of_pairs_follows_the_dependent() -> None:
    task = probe_tasks(treebank([MARY, DOGS], [MARY], [MARY], ("dep",)))["dep"]
    types = task.examples["train"].types
    assert len(set(types[:, 0].tolist())) == 5  # Mary, Smith, Bob, books, dogs: not gave, which heads them


def test_unigram_floor_by_hand() -> None:
    train = sentence("a a a b b c", upos=("X", "X", "Y", "Y", "Z", "Y"))
    test = sentence("a b c new", upos=("X", "Y", "X", "Y"))  # a: X, b: tie, Y is more frequent, c: Y, new: Y
    task = probe_tasks(treebank([train], [train], [test], ("pos",)))["pos"]
    assert task.floor() == pytest.approx(3 / 4)


def test_floor_of_pairs_is_that_of_both_word_types() -> None:
    def pair(words: str, relation: str) -> LabelledSentence:
        return sentence(words, heads=(1, -1), deprels=(relation, "root"))

    train = [
        pair("dog barks", "nsubj"),
        pair("dog barks", "nsubj"),
        pair("dog feed", "obj"),
        pair("cat feed", "x"),
    ]
    test = [
        pair("dog barks", "nsubj"),  # the pair says nsubj
        pair("dog feed", "obj"),  # the pair says obj, though the word alone says nsubj
        pair("dog see", "nsubj"),  # unknown pair: the word alone
        pair("cow feed", "nsubj"),  # unknown word: the most frequent
        pair("cat barks", "obj"),  # wrong: cat alone says x
    ]
    task = probe_tasks(treebank(train, train, test, ("dep",)))["dep"]
    assert task.floor() == pytest.approx(4 / 5)


def test_a_score_is_called_what_it_is() -> None:
    names = ("pos", "dep", "ner", "srl")
    tasks = probe_tasks(treebank([MARY, DOGS], [MARY], [MARY], names))
    assert [tasks[name].score for name in names] == ["accuracy", "accuracy", "entity F1", "accuracy"]


def test_unusable_treebanks_are_refused() -> None:
    with pytest.raises(InputError, match="test split of hand, found none among 0"):
        probe_tasks(treebank([MARY], [MARY], [], ("pos",)))
    with pytest.raises(InputError, match="examples of srl in the dev split"):
        probe_tasks(treebank([MARY], [DOGS], [MARY], ("srl",)))
    with pytest.raises(InputError, match="at least two labels of ner"):
        probe_tasks(treebank([DOGS], [MARY], [MARY], ("ner",)))
    tagged = replace(DOGS, entities=("S-LOC", "O"))
    with pytest.raises(InputError, match="S-LOC"):
        probe_tasks(treebank([tagged], [MARY], [MARY], ("ner",)))

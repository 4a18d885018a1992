import unicodedata

import pytest

from mspgt.interventions.diversity import self_bleu
from mspgt.interventions.lexical import ttr
from mspgt.text.words import count_words, script_shares, word_spans, words, words_and_marks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("हिन्दी में लिखा है।", ["हिन्दी", "में", "लिखा", "है"]),
        ("می‌خواهم بروم؟", ["می‌خواهم", "بروم"]),
        ("Straße, zum Über-Ich", ["straße", "zum", "über", "ich"]),
        ("今天3月。カタカナー", ["今", "天", "3", "月", "カ", "タ", "カ", "ナ", "ー"]),
        ("한국어 단어", ["한국어", "단어"]),
        ("don't 1,234.5 a_b", ["don't", "1,234.5", "a_b"]),
        ("—…!? \x00", []),
    ],
)
def test_words_in_many_scripts(text, expected):
    assert words(text) == expected
    assert count_words(text) == len(expected)


@pytest.mark.parametrize("text", ["été à Zürich, déjà vu", "नमस्ते दुनिया", "Việt Nam ở đâu"])
def test_the_form_of_the_characters_changes_nothing(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert words(composed) == words(decomposed)
    assert words_and_marks(composed) == words_and_marks(decomposed)
    assert len(word_spans(composed)) == len(word_spans(decomposed))
    other = "un texte tout autre, déjà lu"
    assert self_bleu([composed, other]) == self_bleu([decomposed, other])
    assert ttr(words(decomposed)) == ttr(words(composed))


def test_marks_stand_alone_or_in_runs():
    assert words_and_marks("Wait... €50!") == ["Wait", ".", ".", ".", "€", "50", "!"]
    assert [slice(*span) for span in word_spans("a -- b")] == [slice(0, 1), slice(2, 4), slice(5, 6)]


def test_scripts_of_a_text():
    assert script_shares(["plain text", "more"]) == {"Latin": 1.0}
    assert script_shares(["abcд 12"]) == {"Latin": 0.75, "Cyrillic": 0.25}
    assert script_shares(["123 !"]) == {}

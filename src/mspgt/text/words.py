"""What a word is: one definition for the whole project, in any script.

A word is a run of letters, figures and the marks that belong to them, with apostrophes inside it and with the
separators inside a number (`don't`, `1,234.5`); a hyphen parts two words, as in Universal Dependencies. In scripts
that write no spaces between words (Han, kana, Thai, Lao, Khmer, Burmese) the unit is the character with its marks.
Whatever else is not space is a punctuation mark.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import regex

# Zero-width joiners and non-joiners stand inside Persian and Indic words.
_PART = r"[\p{L}\p{M}\p{N}\p{Pc}\u200c\u200d]"
_UNSPACED = (
    r"(?:(?=[\p{L}\p{N}])[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])"
)
_SPACED = rf"(?:(?!{_UNSPACED}){_PART})"
_WORD = rf"{_UNSPACED}[\p{{M}}\u200c\u200d]*|{_SPACED}+(?:(?:['’]|(?<=\p{{N}})[.,](?=\p{{N}})){_SPACED}+)*"
_MARK = rf"(?!{_PART})[^\s\x1c-\x1f]"  # those four are space to Python
_WORDS = regex.compile(_WORD)
_WORDS_AND_MARKS = regex.compile(rf"{_WORD}|{_MARK}")
_WORDS_AND_RUNS = regex.compile(rf"{_WORD}|({_MARK})\1*")
_SCRIPTS = (
    *(
        "Latin",
        "Cyrillic",
        "Greek",
        "Armenian",
        "Georgian",
        "Hebrew",
        "Arabic",
        "Devanagari",
        "Bengali",
        "Gujarati",
    ),
    *(
        "Gurmukhi",
        "Kannada",
        "Malayalam",
        "Oriya",
        "Sinhala",
        "Tamil",
        "Telugu",
        "Tibetan",
        "Ethiopic",
        "Hangul",
    ),
    *("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"),
)
_LETTERS_OF = {script: regex.compile(rf"(?=\p{{L}})\p{{{script}}}") for script in _SCRIPTS}
_LETTER = regex.compile(r"\p{L}")


def composed(text: str) -> str:
    """The text in Unicode's composed form (NFC), so that `é` is one character however it was typed."""
    return unicodedata.normalize("NFC", text)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Character spans (start, end) of the words and punctuation marks of a text; "--" and "..." are one mark."""
    return [match.span() for match in _WORDS_AND_RUNS.finditer(text)]


def words(text: str) -> list[str]:
    """The words of a text, composed, in lower case; punctuation marks are none."""
    return [word.lower() for word in _WORDS.findall(composed(text))]


def words_and_marks(text: str) -> list[str]:
    """The words of a text and each of its punctuation marks, composed, case kept."""
    return _WORDS_AND_MARKS.findall(composed(text))


def count_words(text: str) -> int:
    """How many words a text has."""
    return sum(1 for _ in _WORDS.finditer(text))


def script_shares(texts: Iterable[str]) -> dict[str, float]:
    """Share of the letters of texts in each script that has any, in [0, 1], the largest first; {} without letters."""
    joined = "".join(texts)
    if joined.isascii():
        return {"Latin": 1.0} if any(map(str.isalpha, joined)) else {}
    total = sum(1 for _ in _LETTER.finditer(joined))
    counts = {script: sum(1 for _ in letters.finditer(joined)) for script, letters in _LETTERS_OF.items()}
    shares = {script: count / total for script, count in counts.items() if count}
    return dict(sorted(shares.items(), key=lambda each: -each[1]))

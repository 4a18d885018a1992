"""The one error family. A message says what was expected, what was found, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import category

CLOSE = 0.6  # how alike two words must be (difflib's ratio) before one is offered for the other


class MspgtError(Exception):
    """Any failure that a user can act upon; the command line prints it without a traceback."""


class InputError(MspgtError):
    """A corpus, treebank, configuration or argument cannot be used as given."""


class ResultsError(InputError):
    """A file of results is not what its contract says; the message names the file, the key and what stands there."""


class ModelError(MspgtError):
    """A model cannot be loaded or measured."""


class NumericsError(MspgtError):
    """A computation left the range in which its result would mean anything (NaN, overflow, singular)."""


class StoreError(MspgtError):
    """A run folder cannot be written, or holds something other than what its manifest says."""


class MissingExtraError(MspgtError):
    """An optional dependency is needed; the message names the extra to install."""


class StoppedError(MspgtError):
    """The user stopped a run (Ctrl-C); the message says what is kept and how to go on."""

    def __init__(
        self, told: str = "stopped. Nothing was left half-written; run the same command again."
    ) -> None:
        super().__init__(told)


class TerminatedError(StoppedError):
    """The system ended a run (SIGTERM, as schedulers send it); the same command goes on from what is kept."""


class UnavailableError(MspgtError):
    """A program or server that one metric needs is not there, is another version, or stopped answering."""


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one most likely meant; None where none is close enough to be worth a guess."""
    from difflib import get_close_matches

    found = get_close_matches(word, list(known), n=1, cutoff=CLOSE)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or nothing."""
    meant = near(word, known)
    return f" Did you mean {meant!r}?" if meant is not None else ""


# What turns the direction of text, or hides in it; marks that letters of some scripts need stay.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def printable(text: str) -> str:
    """Text without what steers a terminal: control characters and marks of direction become blanks."""
    return "".join(
        " " if (category(c) in ("Cc", "Cs") and c not in "\n\t") or c in _DIRECTIONS else c for c in text
    )

"""Prompts: the first tokens of held-out documents, and of later places in them when there are more samples."""

from __future__ import annotations

from dataclasses import dataclass

from mspgt.lm.model import LanguageModel
from mspgt.lm.start import AUTO, start_token
from mspgt.lm.tokenize import encode
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document
from mspgt.text.limits import evenly_spread


@dataclass(frozen=True)
class Prompt:
    """What one sample starts from: its number, its document, and its first tokens; `special` of them are added."""

    sample: int
    document: int
    ids: tuple[int, ...]
    special: int  # tokens in front of the text, which is the start token, not counted as length

    @property
    def spared(self) -> int:
        """Positions in front that take no noise: the start token, or without one the first token of the text."""
        return max(1, self.special)


def make_prompts(
    lm: LanguageModel, corpus: Corpus, samples: int, length: int, *, start: str = AUTO
) -> list[Prompt]:
    """One prompt a sample: the start token, and `length` tokens from the start of a document.

    Samples go round the documents. A document asked more than once starts at sentences spread evenly over it,
    its first among them; one with fewer such places than samples repeats them, and the number of the sample
    alone makes the texts differ. A document shorter than `length` tokens gives all it has.

    Args:
        start: the start token, as in `lm.start.start_token`.

    Raises:
        ModelError: no start token.
    """
    found = start_token(lm, start)
    front = None if found is None else found.id
    count = len(corpus.documents)
    starts = [
        _starts(document, len(range(place, samples, count)), length)
        for place, document in enumerate(corpus.documents)
    ]
    chosen = [(sample, sample % count, starts[sample % count][sample // count]) for sample in range(samples)]
    texts = [_text(corpus.documents[place], sentence, length) for _, place, sentence in chosen]
    ahead = int(found is not None)
    return [
        Prompt(sample, place, tokens.ids[: ahead + length], ahead)
        for (sample, place, _), tokens in zip(
            chosen, encode(lm, texts, too_long="cut", front=front), strict=True
        )
    ]


def _starts(document: Document, wanted: int, length: int) -> list[int]:
    """Sentences to start at, (wanted,). A word is at least one token, so words tell where enough text is left."""
    left, places = 0, []
    for place in range(len(document.sentences) - 1, -1, -1):
        left += len(document.sentences[place].split())
        if left >= length:
            places.append(place)
    places = sorted(places) or [0]
    later = evenly_spread(places[1:], min(wanted - 1, len(places) - 1)) if wanted > 1 and places[1:] else []
    spread = [places[0], *later]
    return [spread[at % len(spread)] for at in range(wanted)]


def _text(document: Document, start: int, length: int) -> str:
    words: list[str] = []
    for sentence in document.sentences[start:]:
        words += sentence.split()
        if len(words) >= length:
            break
    return " ".join(words[: max(length, 1)])

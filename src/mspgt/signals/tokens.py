"""Which tokens speak for a corpus: chosen before any forward pass, so that nothing else can change the choice.

Two sets are kept side by side (methods of the two modes):

- *paper*: every real token, BOS and sinks included, since the protocol excludes none;
- *calibrated*: word-final sub-tokens, without the start token and without the first position. Sinks can only be
  known after the forward pass; each token keeps how far its norm exceeds its layers' medians, so that they are left
  out, or not, when the sample is reduced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mspgt.lm.model import LanguageModel
from mspgt.lm.reading import Context, Reading, TooLong, read, read_plainly
from mspgt.lm.start import AUTO
from mspgt.lm.tokenize import Encoded
from mspgt.signals.words import DrawnWords, drawn_words
from mspgt.text.align import last_subtokens
from mspgt.text.corpus import Corpus
from mspgt.text.words import word_spans
from mspgt.vocabulary import MODES

Positions = list[NDArray[np.int64]]  # per sentence: token positions, ascending

TOKEN_SETS = MODES  # each mode reads tokens of its own


@dataclass(frozen=True)
class CorpusTokens:
    """A tokenised corpus and the tokens drawn from it, aligned by sentence."""

    readings: dict[
        str, Reading
    ]  # token set → how the model reads its sentences; one object where both sets share it
    document: NDArray[np.int64]  # (sentences,)
    n_documents: int
    drawn: dict[str, Positions]  # token set → positions within each sentence, as its reading has it
    real: int  # tokens of the paper's set
    word_final: int  # tokens that end a word and are not at the first position of a sequence
    words: DrawnWords  # of the calibrated set's drawn tokens

    @property
    def encoded(self) -> list[Encoded]:
        """The sentences of the calibrated set."""
        return self.readings["calibrated"].sentences

    def passes(self) -> list[tuple[Reading, tuple[str, ...]]]:
        """What goes through the model, and the token sets that each pass serves."""
        paper, calibrated = self.readings["paper"], self.readings["calibrated"]
        if paper is calibrated:
            return [(paper, TOKEN_SETS)]
        return [(paper, ("paper",)), (calibrated, ("calibrated",))]


def read_corpus(
    lm: LanguageModel,
    corpus: Corpus,
    *,
    limit: int,
    unit: str = "token",
    seed: int,
    context: Context = "window",
    start: str = AUTO,
    window: int | None = None,
    too_long: TooLong = "error",
) -> CorpusTokens:
    """Tokenise a corpus as each mode reads it, and draw tokens; see `read` and `draw_tokens`.

    Raises:
        ModelError: no start token.
        InputError: a sentence, or the window, is longer than the context.
    """
    documents = [document.sentences for document in corpus.documents]
    reading = read(lm, documents, context=context, start=start, window=window, too_long=too_long)
    plainly = read_plainly(lm, documents, too_long)
    return draw_tokens(corpus, reading, plainly=plainly, limit=limit, unit=unit, seed=seed)


def draw_tokens(
    corpus: Corpus,
    encoded: Sequence[Encoded] | Reading,
    *,
    limit: int,
    unit: str = "token",
    seed: int,
    plainly: Reading | None = None,
) -> CorpusTokens:
    """Draw up to `limit` tokens (or, with unit "sentence", sentences) for each token set.

    Args:
        encoded: how calibrated mode reads the sentences; a list of texts is read text by text.
        plainly: how paper mode reads them; the same where None.

    Documents share the draw in proportion to what they have, with at least one each, and each document draws from
    its own generator: leaving documents out, or splitting the corpus, changes no other document's tokens.
    """
    document = np.repeat(np.arange(len(corpus.documents)), [len(d.sentences) for d in corpus.documents])
    texts = [sentence for d in corpus.documents for sentence in d.sentences]
    reading = encoded if isinstance(encoded, Reading) else Reading.of(encoded)
    paper = reading if plainly is None or plainly.same_as(reading) else plainly
    final = []
    for text, tokens, (_, first) in zip(texts, reading.sentences, reading.place.tolist(), strict=True):
        ends = np.unique(np.array(last_subtokens(tokens.offsets, word_spans(text)), dtype=np.int64))
        ends = ends[(ends >= 0) & (ends + first > 0)]
        final.append(ends[~np.asarray(tokens.special, dtype=bool)[ends]])
    eligible: dict[str, Positions] = {
        "paper": [np.arange(len(tokens.ids)) for tokens in paper.sentences],
        "calibrated": final,
    }
    drawn = {
        name: _draw(eligible[name], document, len(corpus.documents), limit, unit, [seed, number])
        for number, name in enumerate(TOKEN_SETS)
    }
    return CorpusTokens(
        readings={"paper": paper, "calibrated": reading},
        document=document,
        n_documents=len(corpus.documents),
        drawn=drawn,
        words=drawn_words(texts, reading.sentences, drawn["calibrated"]),
        real=sum(map(len, eligible["paper"])),
        word_final=sum(map(len, eligible["calibrated"])),
    )


def _draw(
    eligible: Positions, document: NDArray[np.int64], n_documents: int, limit: int, unit: str, seed: list[int]
) -> Positions:
    sizes = np.array([len(positions) for positions in eligible])
    available = sizes if unit == "token" else (sizes > 0).astype(np.int64)

    by_document = [np.flatnonzero(document == d) for d in range(n_documents)]
    counts = np.array([available[members].sum() for members in by_document])
    shares = _shares(counts, limit)
    drawn: Positions = [positions[:0] for positions in eligible]
    for d, members in enumerate(by_document):
        rng = np.random.default_rng([*seed, d])
        if unit == "sentence":
            for s in rng.permutation(members[available[members] > 0])[: shares[d]]:
                drawn[s] = eligible[s]
            continue
        owner = np.repeat(members, [len(eligible[s]) for s in members])
        positions = np.concatenate([eligible[s] for s in members]) if len(members) else owner
        chosen = np.sort(rng.permutation(len(owner))[: shares[d]])
        for s in np.unique(owner[chosen]):
            drawn[s] = positions[chosen[owner[chosen] == s]]
    return drawn


def _shares(counts: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Split `limit` in proportion to `counts`, at least one where there is one (largest remainders)."""
    if counts.sum() <= limit:
        return counts
    exact = counts * (limit / counts.sum())
    shares = np.maximum(np.floor(exact).astype(np.int64), np.minimum(counts, 1))
    order = np.argsort(np.floor(exact) - exact, kind="stable")
    left = limit - int(shares.sum())
    if left > 0:
        shares[order[:left]] += 1
    return np.minimum(shares, counts)

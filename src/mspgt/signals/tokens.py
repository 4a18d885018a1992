"""Which tokens speak for a corpus: chosen before any forward pass, so that nothing else can change the choice.

Two sets are kept side by side (methods of the two modes):

- *paper*: every real token, BOS and sinks included, since the protocol excludes none;
- *calibrated*: word-final sub-tokens, without special tokens and without the first position. Sinks can only be
  known after the forward pass and are dropped then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mspgt.lm.tokenize import Encoded
from mspgt.text.align import last_subtokens
from mspgt.text.corpus import Corpus
from mspgt.text.words import word_spans

Positions = list[NDArray[np.int64]]  # per sentence: token positions, ascending

TOKEN_SETS = ("paper", "calibrated")


@dataclass(frozen=True)
class CorpusTokens:
    """A tokenised corpus and the tokens drawn from it, aligned by sentence."""

    encoded: list[Encoded]
    document: NDArray[np.int64]  # (sentences,)
    n_documents: int
    drawn: dict[str, Positions]  # token set → positions per sentence
    real: int  # tokens that are not padding
    word_final: int  # of these, the last of a word and not at the first position


def draw_tokens(
    corpus: Corpus, encoded: Sequence[Encoded], *, limit: int, unit: str = "token", seed: int
) -> CorpusTokens:
    """Draw up to `limit` tokens (or, with unit "sentence", sentences) for each token set.

    Documents share the draw in proportion to what they have, with at least one each, and each document draws from
    its own generator: leaving documents out, or splitting the corpus, changes no other document's tokens.
    """
    document = np.repeat(np.arange(len(corpus.documents)), [len(d.sentences) for d in corpus.documents])
    texts = [sentence for d in corpus.documents for sentence in d.sentences]
    eligible: dict[str, Positions] = {"paper": [], "calibrated": []}
    for text, tokens in zip(texts, encoded, strict=True):
        eligible["paper"].append(np.arange(len(tokens.ids)))
        final = np.unique(np.array(last_subtokens(tokens.offsets, word_spans(text)), dtype=np.int64))
        special = np.asarray(tokens.special, dtype=bool)
        final = final[final > 0]
        eligible["calibrated"].append(final[~special[final]])
    return CorpusTokens(
        encoded=list(encoded),
        document=document,
        n_documents=len(corpus.documents),
        drawn={
            name: _draw(eligible[name], document, len(corpus.documents), limit, unit, [seed, number])
            for number, name in enumerate(TOKEN_SETS)
        },
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

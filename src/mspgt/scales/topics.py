"""Topics of documents: k-means clusters of latent semantic analysis of their content words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mspgt.text.treebank import LabelledSentence

TOPICS = 8
DIMENSIONS = 30
LEAST_DOCUMENTS = 3 * TOPICS
CONTENT = ("NOUN", "VERB", "ADJ", "PROPN")
RARE, COMMON = 3, 0.3  # a term is in at least so many documents, and in at most this share of them
STARTS, ROUNDS = 10, 100

Array = NDArray[np.float64]


def document_topics(documents: Sequence[Sequence[LabelledSentence]]) -> tuple[list[str | None], str]:
    """The topic ("t0" … "t7") of every document, and why there are none (then all are None).

    Terms are lower-cased lemmas (forms where there are no lemmas) of content words, weighted (1 + log tf) · idf;
    documents are projected on the first 30 singular directions, scaled to length one, and clustered.
    """
    nothing: list[str | None] = [None] * len(documents)
    if len(documents) < LEAST_DOCUMENTS:
        return nothing, f"{len(documents)} documents cannot be sorted into {TOPICS} topics"
    if any(sentence.upos is None for document in documents for sentence in document):
        return nothing, "topics are clusters of content words, which need parts of speech"
    weights = _weights([_terms(document) for document in documents])
    if weights.shape[1] < TOPICS:
        return (
            nothing,
            f"{weights.shape[1]} content words are shared by documents: too few for {TOPICS} topics",
        )
    return [f"t{number}" for number in _clusters(_directions(weights))], ""


def _terms(document: Sequence[LabelledSentence]) -> Counter[str]:
    return Counter(
        term.lower()
        for sentence in document
        for term, pos in zip(sentence.lemmas or sentence.words, sentence.upos or (), strict=True)
        if pos in CONTENT
    )


def _weights(counts: Sequence[Counter[str]]) -> Array:
    """(documents, terms), rows of length one."""
    spread = Counter(term for count in counts for term in count)
    terms = sorted(t for t, n in spread.items() if RARE <= n <= COMMON * len(counts))
    place = {term: i for i, term in enumerate(terms)}
    table = np.zeros((len(counts), len(terms)))
    for row, count in zip(table, counts, strict=True):
        for term, n in count.items():
            if term in place:
                row[place[term]] = (1 + np.log(n)) * (1 + np.log((1 + len(counts)) / (1 + spread[term])))
    return _unit(table)


def _directions(weights: Array) -> Array:
    """Documents on the leading singular directions, each of length one."""
    values, vectors = np.linalg.eigh(weights @ weights.T)
    kept = np.argsort(values)[::-1][:DIMENSIONS]
    return _unit(vectors[:, kept] * np.sqrt(np.maximum(values[kept], 0)))


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _clusters(points: Array) -> NDArray[np.int64]:
    """k-means: the best of ten starts, each from centres drawn far from one another."""
    best, answer = np.inf, np.zeros(len(points), dtype=np.int64)
    for start in range(STARTS):
        centres = _start(points, np.random.default_rng(start))
        member = np.full(len(points), -1)
        for _ in range(ROUNDS):
            distance = ((points[:, None] - centres[None]) ** 2).sum(-1)
            moved = distance.argmin(1)
            if (moved == member).all():
                break
            member = moved
            centres = np.stack(
                [points[member == k].mean(0) if (member == k).any() else centres[k] for k in range(TOPICS)]
            )
        if (cost := float(distance.min(1).sum())) < best:
            best, answer = cost, member
    return answer


def _start(points: Array, rng: np.random.Generator) -> Array:
    chosen = [int(rng.integers(len(points)))]
    while len(chosen) < TOPICS:
        distance = ((points[:, None] - points[chosen][None]) ** 2).sum(-1).min(1)
        chosen.append(int(rng.choice(len(points), p=distance / distance.sum())))
    return points[chosen]

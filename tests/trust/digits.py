"""Every public estimator beside its exact value, on data that are easy, typical, or far from zero.

`CASES[name](offset)` returns what the package finds and what is true. An offset of 1e6 is added to data whose
estimator should not mind, or cannot; estimators of counts and probabilities know no offset.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import torch

from mspgt.interventions.coherence import coherence
from mspgt.interventions.diversity import self_bleu
from mspgt.interventions.lexical import mattr, ttr
from mspgt.signals.attention import jensen_shannon, row_drift
from mspgt.signals.cka import cka
from mspgt.signals.document_tables import layer_tables
from mspgt.signals.similarity import update_similarity
from tests.trust import exact

Case = Callable[[float], tuple[Any, Any]]
CASES: dict[str, Case] = {}
NO_OFFSET: set[str] = set()


def case(name: str, *, offset: bool = True) -> Callable[[Case], Case]:
    def add(function: Case) -> Case:
        CASES[name] = function
        if not offset:
            NO_OFFSET.add(name)
        return function

    return add


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def related(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    x = drawn(rows, 3, seed=seed)
    return x, x @ drawn(3, 4, seed=seed + 1) + 0.7 * drawn(rows, 4, seed=seed + 2)


@case("CKA, unbiased")
def _cka(offset: float) -> tuple[Any, Any]:
    x, y = (v + offset for v in related(14))
    return cka(x, y), exact.cka(x, y, unbiased=True)


@case("CKA, biased")
def _cka_biased(offset: float) -> tuple[Any, Any]:
    x, y = (v + offset for v in related(14))
    return cka(x, y, unbiased=False), exact.cka(x, y, unbiased=False)


@case("CKA across documents")
def _cka_across(offset: float) -> tuple[Any, Any]:
    x, y = related(15)
    y = y[:, :3]
    documents = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4]
    states = [torch.from_numpy(v + offset) for v in (x, y)]
    tables = layer_tables(
        lambda layer: states[layer] - states[layer].mean(0), 2, torch.tensor(documents), 5, across=True
    )
    return tables.cka()[0], exact.cka_across(x + offset, y + offset, documents)


@case("similarity of updates (float32)", offset=False)
def _similarity(_: float) -> tuple[Any, Any]:
    hidden = np.cumsum(drawn(3, 12, 4), axis=0).astype(np.float32)
    documents = [0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3]
    found = update_similarity(torch.from_numpy(hidden), torch.tensor(documents), 4, {}).matrices["main"]
    units = []
    for step in range(2):
        rows = [[b - a for a, b in zip(*pair, strict=True)] for pair in
                zip(exact.numbers(hidden[step]), exact.numbers(hidden[step + 1]), strict=True)]  # fmt: skip
        rows = [[v / mp.sqrt(exact.mean([u * u for u in row])) for v in row] for row in rows]
        centre = [exact.mean(column) for column in zip(*rows, strict=True)]
        units.append(exact.gram([[v - c for v, c in zip(row, centre, strict=True)] for row in rows]))
    apart = [(i, j) for i in range(12) for j in range(12) if documents[i] != documents[j]]
    s = [[mp.fsum(a[i, j] * b[i, j] for i, j in apart) for b in units] for a in units]
    return found[0, 1], s[0][1] / mp.sqrt(s[0][0] * s[1][1])


@case("Jensen–Shannon divergence", offset=False)
def _js(_: float) -> tuple[Any, Any]:
    p, q = np.exp(6 * drawn(2, 5, 12))
    return jensen_shannon(p, q), [exact.jensen_shannon(a, b) for a, b in zip(p, q, strict=True)]


@case("Jensen–Shannon divergence of near equals", offset=False)
def _js_near(_: float) -> tuple[Any, Any]:
    p = np.exp(drawn(12))
    p /= p.sum()
    q = p + np.resize([1e-6, -1e-6], 12)
    # Weights are normalised in double precision first, whose last bit is all that q − p is known to.
    return jensen_shannon(p, q), exact.jensen_shannon(p, q)


@case("drift of attention (float32)", offset=False)
def _drift(_: float) -> tuple[Any, Any]:
    maps = torch.softmax(4 * torch.from_numpy(drawn(2, 1, 12, 12)).float(), -1).tril()
    whole = torch.ones(1, 12, dtype=torch.bool)
    found = row_drift(maps, whole, whole)[0, 0, 2:]
    return found, [exact.jensen_shannon(maps[0, 0, i, : i + 1], maps[1, 0, i, : i + 1]) for i in range(2, 12)]


WORDS = [list(np.random.default_rng(7).choice(list("abcdefgh"), size=n)) for n in (12, 9, 15, 11)]


@case("Self-BLEU", offset=False)
def _bleu(_: float) -> tuple[Any, Any]:
    return self_bleu(WORDS), exact.self_bleu(WORDS)


@case("TTR and MATTR", offset=False)
def _lexical(_: float) -> tuple[Any, Any]:
    text = WORDS[2]
    return [ttr(text), mattr(text, 7)], [mp.mpf(len(set(text))) / len(text), exact.moving_ratio(text, 7)]


@case("coherence", offset=False)
def _coherence(_: float) -> tuple[Any, Any]:
    vectors = drawn(3, 6)
    order = {"One here.": 0, "Two here.": 1, "Three here.": 2}
    found = coherence(
        ["One here. Two here. Three here."], lambda sentences: vectors[[order[s] for s in sentences]]
    )
    rows = exact.numbers(vectors)

    def cosine(a: Any, b: Any) -> Any:
        return mp.fdot(a, b) / mp.sqrt(mp.fdot(a, a) * mp.fdot(b, b))

    return found[0], (cosine(rows[0], rows[1]) + cosine(rows[1], rows[2])) / 2

"""Estimators by their textbook definitions in 50-digit arithmetic; nothing is shared with the code under test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations, product
from typing import Any

import mpmath as mp
import numpy as np

mp.mp.dps = 50
MOST = 17.0  # digits that double precision has to give


def digits(found: Any, exact: Any) -> float:
    """Decimal digits in which every entry of `found` agrees with `exact`; the worst entry counts, NaN has none."""
    ours, truth = (
        np.ravel(np.asarray(found, dtype=np.float64)),
        list(np.ravel(np.asarray(exact, dtype=object))),
    )
    assert len(ours) == len(truth)
    worst = MOST
    for a, b in zip(ours, truth, strict=True):
        if not np.isfinite(a):
            return 0.0
        error = abs(mp.mpf(float(a)) - b) / (abs(b) if b else 1)
        worst = min(worst, MOST if error == 0 else float(-mp.log10(error)))
    return max(worst, 0.0)


def numbers(array: Any) -> list[Any]:
    """The doubles of an array as they are, nested alike."""
    return [numbers(row) if np.ndim(row) else mp.mpf(float(row)) for row in array]


def mean(values: Sequence[Any]) -> Any:
    return mp.fsum(values) / len(values)


def variance(values: Sequence[Any]) -> Any:
    """Over n − 1."""
    centre = mean(values)
    return mp.fsum((v - centre) ** 2 for v in values) / (len(values) - 1)


def gram(rows: Sequence[Sequence[Any]]) -> Any:
    return mp.matrix(rows) * mp.matrix(rows).T


def centred(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    means = [mean(column) for column in zip(*rows, strict=True)]
    return [[v - m for v, m in zip(row, means, strict=True)] for row in rows]


def total(matrix: Any) -> Any:
    return mp.fsum(matrix)


def product_trace(a: Any, b: Any) -> Any:
    return mp.fsum(a[i, j] * b[j, i] for i in range(a.rows) for j in range(a.rows))


def hsic_biased(k: Any, l: Any) -> Any:
    """tr(KHLH) / n² (Gretton et al. 2005)."""
    n = k.rows
    h = mp.eye(n) - mp.ones(n) / n
    return product_trace(k * h, l * h) / n**2


def hsic_unbiased(k: Any, l: Any) -> Any:
    """HSIC₁ of Song et al. (2012)."""
    n = k.rows
    k, l = k.copy(), l.copy()
    for i in range(n):
        k[i, i] = l[i, i] = mp.mpf(0)
    rows = mp.ones(1, n)
    chain = (rows * k * l * rows.T)[0]
    return (product_trace(k, l) + total(k) * total(l) / ((n - 1) * (n - 2)) - 2 * chain / (n - 2)) / (
        n * (n - 3)
    )


def cka(x: Any, y: Any, unbiased: bool) -> Any:
    hsic = hsic_unbiased if unbiased else hsic_biased
    k, l = gram(numbers(x)), gram(numbers(y))
    return hsic(k, l) / mp.sqrt(hsic(k, k) * hsic(l, l))


def cka_across(x: Any, y: Any, documents: Sequence[int]) -> Any:
    """The U-statistic over tuples of tokens of distinct documents, of features centred on all tokens."""
    c, n = max(documents) + 1, len(documents)
    size = Counter(documents)
    k, l = (gram(centred(numbers(v))) for v in (x, y))

    def hsic(a: Any, b: Any) -> Any:
        pairs, sums_a, sums_b = mp.zeros(c), mp.zeros(c), mp.zeros(c)
        for i, j in product(range(n), repeat=2):
            p, q = documents[i], documents[j]
            pairs[p, q] += a[i, j] * b[i, j]
            sums_a[p, q] += a[i, j]
            sums_b[p, q] += b[i, j]
        rows_a, rows_b = mp.zeros(n, c), mp.zeros(n, c)
        for i, j in product(range(n), repeat=2):
            rows_a[i, documents[j]] += a[i, j]
            rows_b[i, documents[j]] += b[i, j]

        def average(count: int, term: Any) -> Any:
            above = below = mp.mpf(0)
            for some in permutations(range(c), count):
                above += term(*some)
                below += mp.fprod(size[d] for d in some)
            return above / below

        def chain(p: int, q: int, r: int) -> Any:
            return mp.fsum(rows_a[j, p] * rows_b[j, r] for j in range(n) if documents[j] == q)

        return (
            average(2, lambda p, q: pairs[p, q])
            - 2 * average(3, chain)
            + average(4, lambda p, q, r, s: sums_a[p, q] * sums_b[r, s])
        )

    return hsic(k, l) / mp.sqrt(hsic(k, k) * hsic(l, l))


def jensen_shannon(p: Any, q: Any) -> Any:
    """In bits, of weights that are normalised first."""
    a, b = ([v / mp.fsum(row) for v in row] for row in (numbers(p), numbers(q)))
    bits = mp.mpf(0)
    for u, v in zip(a, b, strict=True):
        middle = (u + v) / 2
        bits += mp.fsum(w * mp.log(w / middle, 2) for w in (u, v) if w) / 2
    return bits


def self_bleu(texts: Sequence[Sequence[str]]) -> Any:
    """Mean BLEU-4 of each text against all others, smoothed by 0.1 where an order has no match."""
    found = []
    for at, text in enumerate(texts):
        others = [other for place, other in enumerate(texts) if place != at]
        logs = mp.mpf(0)
        matched_words = 0
        for order in range(1, 5):
            mine = Counter(tuple(text[i : i + order]) for i in range(len(text) - order + 1))
            theirs: Counter[tuple[str, ...]] = Counter()
            for other in others:
                theirs |= Counter(tuple(other[i : i + order]) for i in range(len(other) - order + 1))
            matched = sum((mine & theirs).values())
            matched_words = matched if order == 1 else matched_words
            precision = (mp.mpf(matched) if matched else mp.mpf("0.1")) / max(sum(mine.values()), 1)
            logs += mp.log(precision) / 4
        closest = min((abs(len(o) - len(text)), len(o)) for o in others)[1]
        penalty = mp.mpf(0) if len(text) > closest else 1 - mp.mpf(closest) / len(text)
        found.append(mp.exp(logs + penalty) if matched_words else mp.mpf(0))
    return mean(found)


def t_tail(t: Any, df: Any) -> Any:
    """P(T > t) of Student's law."""
    half = mp.betainc(df / mp.mpf(2), mp.mpf(1) / 2, 0, df / (df + t * t), regularized=True) / 2
    return half if t > 0 else 1 - half


def t_quantile(level: Any, df: Any, near: float) -> Any:
    return mp.findroot(lambda t: t_tail(t, df) - (1 - level), mp.mpf(near))


def tost_p(values: Any, low: float, high: float) -> Any:
    x = numbers(values)
    n = len(x)
    error = mp.sqrt(variance(x) / n)
    return max(t_tail((mean(x) - low) / error, n - 1), t_tail((high - mean(x)) / error, n - 1))


def permutation_p(differences: Any) -> Any:
    """Two-sided, over all sign flips, in rational numbers."""
    x = [Fraction(float(v)) for v in differences]
    observed = abs(sum(x))
    hits = sum(
        abs(sum(s * v for s, v in zip(signs, x, strict=True))) >= observed
        for signs in product((1, -1), repeat=len(x))
    )
    return mp.mpf(hits) / 2 ** len(x)


def _log_det_of_correlation(columns: Sequence[Sequence[Any]]) -> Any:
    centred = [[v - mean(column) for v in column] for column in columns]
    size = [mp.sqrt(mp.fsum(v * v for v in column)) for column in centred]
    p = len(columns)
    r = mp.matrix(p)
    for i, j in product(range(p), repeat=2):
        r[i, j] = mp.fsum(a * b for a, b in zip(centred[i], centred[j], strict=True)) / size[i] / size[j]
    return mp.log(mp.det(r))


def _entropy(columns: Sequence[Sequence[Any]]) -> Any:
    freedom, p = len(columns[0]) - 1, len(columns)
    bias = mp.fsum(mp.digamma(mp.mpf(freedom - i) / 2) for i in range(p)) + p * mp.log(mp.mpf(2) / freedom)
    return (_log_det_of_correlation(columns) - bias) / 2


def gaussian_information(x: Any, y: Any) -> Any:
    a, b = (list(map(list, zip(*numbers(v), strict=True))) for v in (x, y))
    return _entropy(a) + _entropy(b) - _entropy(a + b)


def conditional_information(x: Any, y: Any, given: Any) -> Any:
    a, b, c = (list(map(list, zip(*numbers(v), strict=True))) for v in (x, y, given))
    return _entropy(a + c) + _entropy(b + c) - _entropy(a + b + c) - _entropy(c)


def polynomial_at_zero(x: Sequence[float], values: Any) -> Any:
    """Of the polynomial through all points, by Lagrange's formula."""
    nodes, y = numbers(x), numbers(values)
    return mp.fsum(
        v * mp.fprod(-o / (n - o) for k, o in enumerate(nodes) if k != i)
        for i, (n, v) in enumerate(zip(nodes, y, strict=True))
    )


def moving_ratio(tokens: Sequence[str], window: int) -> Any:
    stretches = [tokens[i : i + window] for i in range(len(tokens) - window + 1)]
    return mean([mp.mpf(len(set(part))) / window for part in stretches])

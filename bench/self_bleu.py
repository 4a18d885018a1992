"""Self-BLEU of 1,000 texts of 50 tokens against nltk and fast-bleu; bars: ≥ 300 × and ≥ 3 ×, and equal to 1e-9.

nltk scores 40 of the texts, each against all 999 others, and is scaled up; fast-bleu is left out where it is not
installed (it comes as source only).
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from bench.record import record
from mspgt.interventions.diversity import self_bleu_scores

TEXTS, TOKENS, BY_NLTK, REPEATS = 1000, 50, 40, 5


def main() -> None:
    rng = np.random.default_rng(0)
    texts = [[f"w{k}" for k in np.minimum(rng.zipf(1.3, TOKENS), 5000)] for _ in range(TEXTS)]
    ours = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        scores = self_bleu_scores(texts)
        ours.append(time.perf_counter() - started)
    own = float(np.median(ours))
    started = time.perf_counter()
    smoothing = SmoothingFunction().method1
    reference = [
        sentence_bleu(texts[:at] + texts[at + 1 :], texts[at], smoothing_function=smoothing)
        for at in range(BY_NLTK)
    ]
    by_nltk = (time.perf_counter() - started) * TEXTS / BY_NLTK
    figures: dict[str, Any] = {
        "texts": TEXTS,
        "tokens_a_text": TOKENS,
        "seconds": round(own, 4),
        "nltk_seconds": round(by_nltk, 1),
        "times_faster_than_nltk": round(by_nltk / own),
        "largest_difference_from_nltk": float(np.abs(scores[:BY_NLTK] - reference).max()),
        **_fast_bleu(texts, scores, own),
    }
    record("self_bleu", figures)


def _fast_bleu(texts: list[list[str]], scores: Any, own: float) -> dict[str, Any]:
    try:
        from fast_bleu import SelfBLEU
    except (ImportError, OSError) as error:
        return {"fast_bleu": f"not installed ({error})"}
    started = time.perf_counter()
    found = SelfBLEU(texts).get_score()[4]
    seconds = time.perf_counter() - started
    return {
        "fast_bleu_seconds": round(seconds, 2),
        "times_faster_than_fast_bleu": round(seconds / own, 1),
        "largest_difference_from_fast_bleu": float(np.abs(scores - np.array(found)).max()),
    }


if __name__ == "__main__":
    main()

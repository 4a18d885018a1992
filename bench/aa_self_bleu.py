"""How often the test of Self-BLEU finds an effect where there is none; bar: 3.5 to 6.5 % over 1,000 pairs of arms.

Two arms are drawn without replacement from the same documents: passages of three sentences of real text where it lies
beside the checkout (WikiText validation), else documents of the planted language. `shares` is the test that exchanges
each text's own score as if scores did not move when their references do; `anew` scores every exchange anew.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.random import Generator

from bench.measuring import DATA
from bench.record import record
from mspgt.interventions.diversity import self_bleu_scores
from mspgt.interventions.exchange import exchanged_self_bleu
from mspgt.stats.coverage import clopper_pearson
from mspgt.stats.permutation import p_value, paired_permutation
from mspgt.synthetic.corpora import sample_corpus
from mspgt.synthetic.triscale import TriScale
from mspgt.text.corpus import load_corpus

PAIRS, DRAWS, SENTENCES, SEED = 1000, 199, 3, 20250524
DESIGNS = ((24, 2), (120, 2), (300, 5))  # texts an arm, texts a document


def main() -> None:
    name, documents = pools()
    figures: dict[str, Any] = {"texts": name, "pairs": PAIRS, "draws": DRAWS, "seed": SEED, "rejected": {}}
    for texts, each in DESIGNS:
        rng = np.random.default_rng([SEED, texts])
        started = time.process_time()
        found = [_pair(documents, texts, each, rng, seed) for seed in range(PAIRS)]
        counts = np.sum(found, axis=0).tolist()
        figures["rejected"][str(texts)] = {
            test: {"rate": count / PAIRS, "ci": [round(end, 4) for end in clopper_pearson(count, PAIRS)]}
            for test, count in zip(("anew", "shares"), counts, strict=True)
        } | {"cpu_seconds": round(time.process_time() - started, 1)}
    record("aa_self_bleu", figures)


def pools() -> tuple[str, list[list[str]]]:
    """What arms are drawn from: the texts of each document."""
    path = DATA / "wikitext" / "wiki.valid.raw"
    if not path.exists():
        planted = sample_corpus(TriScale(), 600, 0)
        every = [" ".join(document.sentences) for document in planted.documents]
        return "the planted language", [every[at : at + 10] for at in range(0, len(every), 10)]
    corpus = load_corpus(path)
    return "WikiText-103 validation", [
        [
            " ".join(one.sentences[at : at + SENTENCES])
            for at in range(0, len(one.sentences) - SENTENCES + 1, SENTENCES)
        ]
        for one in corpus.documents
    ]


def _pair(documents: list[list[str]], texts: int, each: int, rng: Generator, seed: int) -> tuple[bool, bool]:
    able = [document for document in documents if len(document) >= 2 * each]
    count = texts // each
    chosen = rng.choice(len(able), count, replace=count > len(able))
    arms: tuple[list[str], list[str]] = ([], [])
    for document in chosen:
        drawn = rng.choice(able[document], 2 * each, replace=False).tolist()
        arms[0].extend(drawn[:each])
        arms[1].extend(drawn[each:])
    groups = np.repeat(np.arange(count), each)
    swapped = exchanged_self_bleu(*arms, groups, draws=DRAWS, seed=seed)
    before, after = map(self_bleu_scores, arms)
    shares = paired_permutation(after - before, groups=groups, draws=DRAWS, seed=seed).p
    anew = p_value(swapped[0], swapped, exact=True, alternative="two-sided")
    return anew <= 0.05, shares <= 0.05


if __name__ == "__main__":
    main()

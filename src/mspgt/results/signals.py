"""What the signals of Experiment 1 rest on: probes, metrics of S1, and S1 over other tokens."""

from __future__ import annotations

from dataclasses import dataclass, field

from mspgt.results.record import Numbers, Record, Rows


@dataclass(frozen=True)
class ProbeResult(Record):
    """One probing task of S2, per layer 0..L (layer 0 is the embedding)."""

    f1: Numbers  # test score in [0, 1], mean over seeds: micro F1, which is what `score` says
    f1_ci: Rows | None  # 95 % over documents of the treebank
    selectivity: list[float] | None  # accuracy (ner: of words) less control accuracy (Hewitt & Liang 2019)
    codelength: list[float] | None  # online codelength in bits a label (Voita & Titov 2020)
    floor: float | None  # score of the most frequent label of each word type (dep, srl: pair of word types)
    ceiling: float | None = None  # Bayes F1 where it is known (planted languages)
    labels: str = "gold"  # gold | silver
    examples: dict[str, int] = field(default_factory=dict)  # split → examples
    f1_bands: dict[str, Rows] | None = None  # "80", "50" → [lo, hi] per layer, inside f1_ci
    score: str = "F1"  # accuracy (of given words, heads and spans: pos, dep, srl) | entity F1 (ner)


@dataclass(frozen=True)
class MetricResult(Record):
    """S1 by what is compared: raw, rms (primary), as_read, standardised; raw_limit_10: sinks above 10 medians."""

    S1: Numbers | None  # −log CKA across documents, of calibrated tokens, over transitions 1..L−1
    # Of the variance, per layer 0..L: participation ratio (Σλ)²/Σλ², and the share of its largest dimension
    participation: Numbers | None = None
    largest_share: Numbers | None = None  # over layers 0..L
    flagged: list[int] = field(default_factory=list)  # layers where one dimension holds more than half of it


@dataclass(frozen=True)
class TokenSetResult(Record):
    """Calibrated S1 over other tokens: another sink limit, frequent words or first words left out."""

    S1: Numbers | None  # −log CKA over transitions 1..L−1
    tokens: int  # how many

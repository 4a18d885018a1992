"""Entropies of a TriScale language in closed form, in bits."""

import itertools
from dataclasses import dataclass

import numpy as np

from mspgt.synthetic.grammar import TEMPLATES
from mspgt.synthetic.triscale import TriScale


@dataclass(frozen=True)
class Entropies:
    """Bits at each scale. `topic` and `text` are per document, the other two per sentence.

    `topic_given_text` is what no reader can recover: a document of shared words alone leaves the topic open.
    Templates and words are always recoverable from a whole sentence (no two choices give the same sentence),
    so H(X) = H(G, I, L) - H(G | X). `tokens` is the mean number of words a document.
    """

    topic: float
    template_given_topic: float
    words_given_template: float
    topic_given_text: float
    text: float
    tokens: float


def entropy(p: np.ndarray, axis: int = -1) -> np.ndarray:
    """Shannon entropy in bits along an axis, 0 log 0 = 0."""
    return -np.sum(p * np.log2(p, where=p > 0, out=np.zeros_like(p)), axis=axis)


def entropies(language: TriScale) -> Entropies:
    """Every entropy of a language, exact (no sampling)."""
    template_of, kinds = language.patterns
    # Patterns of one template differ in number only, which no kind's rank law depends upon.
    first = np.unique(template_of, return_index=True)[1]
    rank_bits = np.append(entropy(language.rank_law), 0.0)  # index -1 is the padding
    word_bits = rank_bits[kinds[first]].sum(axis=1) + [len(t.agreeing) for t in TEMPLATES]
    length = np.array([len(t.slots) for t in TEMPLATES])

    template = language.template_given_topic.mean(axis=0)
    h_topic = float(np.log2(language.topics))
    h_template = float(entropy(language.template_given_topic).mean())
    h_words = float(template @ word_bits)
    h_rest = _topic_given_text(language, kinds[first])
    text = h_topic + language.sentences * (h_template + h_words) - h_rest
    return Entropies(
        h_topic, h_template, h_words, h_rest, text, language.sentences * float(template @ length)
    )


def _topic_given_text(language: TriScale, kinds: np.ndarray) -> float:
    """H(G | X): doubt remains only where no word belongs to one topic; templates are the evidence then."""
    shared = (language.forms == language.forms[:, :1]).all(axis=1)
    silent = np.append((language.rank_law * shared).sum(axis=1), 1.0)[kinds].prod(axis=1)
    joint = language.template_given_topic * silent  # p(template, no topic word | topic)
    total = 0.0
    # Order does not matter, so sum over multisets of templates with their multiplicities.
    for combo in itertools.combinations_with_replacement(range(len(TEMPLATES)), language.sentences):
        p = joint[:, combo].prod(axis=1) / language.topics
        mass = p.sum()
        total += _arrangements(combo) * float(mass * entropy(p / mass))
    return total


def _arrangements(combo: tuple[int, ...]) -> int:
    ways = 1
    for done, item in enumerate(combo, start=1):
        ways = ways * done // combo[:done].count(item)
    return ways

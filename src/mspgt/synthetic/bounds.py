"""What any probe of TriScale can reach: from the token alone (floor), and from the text so far (ceiling)."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mspgt.synthetic.bayes import filter_sentences
from mspgt.synthetic.grammar import TEMPLATES, Template
from mspgt.synthetic.triscale import TriScale

# A labelled item of a template: the words a probe is shown, by index (one, or two for a pair), and its label.
Item = tuple[tuple[int, ...], str]

ITEMS: dict[str, Callable[[Template], list[Item]]] = {
    "pos": lambda t: [((i,), label) for i, label in enumerate(t.upos)],
    "ner": lambda t: [((i,), label) for i, label in enumerate(t.entities)],
    "dep": lambda t: [((i, h), t.deprels[i]) for i, h in enumerate(t.heads) if h >= 0],
    "srl": lambda t: [((v, end - 1), label) for v, spans in t.propositions for label, _, end in spans],
    "template": lambda t: [((i,), t.name) for i in range(len(t.slots))],
}


@dataclass(frozen=True)
class Bounds:
    """Accuracies in [0, 1] for one kind of label, over the words (or pairs) of sentences that stand alone.

    `floor`: the best guess from the words shown, without context (exact). `ceiling`: the best guess of the
    exact reader, which sees all words up to the last one shown, as a causal model does (posterior exact,
    averaged over sampled sentences; `ceiling_se` is its standard error).
    """

    floor: float
    ceiling: float
    ceiling_se: float


def bounds(language: TriScale, *, sentences: int = 2000, seed: int = 0) -> dict[str, Bounds]:
    """Floors and ceilings of parts of speech, entities, dependencies, roles, template and topic."""
    sample = language.sample(sentences, [seed, sentences, 5])
    words, patterns = sample.words[:, 0], sample.patterns[:, 0]
    uniform = np.full((sentences, language.topics), 1 / language.topics)
    joint = filter_sentences(language, words, uniform)[:, 1:]
    joint /= joint.sum(axis=(2, 3), keepdims=True)
    found = {
        task: Bounds(_floor(language, items), *_ceiling(language, items, joint.sum(axis=3), patterns))
        for task, items in ITEMS.items()
    }
    best = joint.sum(axis=2).max(axis=-1)
    per_sentence = [(row[: (w >= 0).sum()].sum(), (w >= 0).sum()) for row, w in zip(best, words, strict=True)]
    return found | {"topic": Bounds(_topic_floor(language), *_ratio(per_sentence))}


def _floor(language: TriScale, items: Callable[[Template], list[Item]]) -> float:
    """Accuracy of the most frequent label of each word (or pair of words), from exact probabilities."""
    template_of, kinds = language.patterns
    weight: dict[tuple[tuple[int, ...], str], np.ndarray] = defaultdict(lambda: np.zeros(language.topics))
    for pattern, template in enumerate(template_of):
        for places, label in items(TEMPLATES[template]):
            weight[tuple(kinds[pattern, list(places)]), label] += language.pattern_given_topic[:, pattern]
    size = len(language.vocabulary)
    table: dict[str, np.ndarray] = {}
    for (slot_kinds, label), mass in weight.items():
        # Given the topic and the pattern, words are independent.
        words = [language.emissions[kind] for kind in slot_kinds]
        seen = mass @ words[0] if len(words) == 1 else np.einsum("g,gv,gw->vw", mass, *words, optimize=True)
        table[label] = table.get(label, np.zeros((size,) * len(words))) + seen
    stacked = np.stack(list(table.values()))
    return float(stacked.max(axis=0).sum() / stacked.sum())


def _topic_floor(language: TriScale) -> float:
    _, kinds = language.patterns
    table = np.zeros((language.topics, len(language.vocabulary)))
    for pattern, slots in enumerate(kinds):
        for kind in slots[slots >= 0]:
            table += language.pattern_given_topic[:, pattern, None] * language.emissions[kind]
    return float(table.max(axis=0).sum() / table.sum())


def _ceiling(
    language: TriScale, items: Callable[[Template], list[Item]], posterior: np.ndarray, patterns: np.ndarray
) -> tuple[float, float]:
    """Expected accuracy of the exact reader from p(pattern | words so far), (sentences, slots, patterns)."""
    template_of, _ = language.patterns
    labels: dict[tuple[int, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for pattern, template in enumerate(template_of):
        for places, label in items(TEMPLATES[template]):
            labels[places][label].append(pattern)
    return _ratio(list(_sentence_scores(labels, items, template_of, posterior, patterns)))


def _sentence_scores(
    labels: dict[tuple[int, ...], dict[str, list[int]]],
    items: Callable[[Template], list[Item]],
    template_of: np.ndarray,
    posterior: np.ndarray,
    patterns: np.ndarray,
) -> Iterator[tuple[float, int]]:
    for row, pattern in zip(posterior, patterns, strict=True):
        score, count = 0.0, 0
        for places, _ in items(TEMPLATES[template_of[pattern]]):
            # Being shown the pair tells that there is one: patterns without it drop out.
            mass = [row[max(places), members].sum() for members in labels[places].values()]
            score += max(mass) / sum(mass)
            count += 1
        yield score, count


def _ratio(scores: list[tuple[float, int]]) -> tuple[float, float]:
    """Mean over items, with the standard error of sentences as the unit."""
    score, count = np.array(scores, dtype=float).T
    mean = score.sum() / count.sum()
    return float(mean), float(np.std(score - mean * count) / count.mean() / np.sqrt(len(count)))

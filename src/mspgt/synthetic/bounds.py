"""What any probe of TriScale can reach: from the token alone (floor), and from the text so far (ceiling)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mspgt.synthetic.bayes import filter_sentences
from mspgt.synthetic.grammar import TEMPLATES, Template
from mspgt.synthetic.triscale import Sample, TriScale

# A labelled item of a template: the words a probe is shown, by index (one, or two for a pair), and its label.
Item = tuple[tuple[int, ...], str]

ITEMS: dict[str, Callable[[Template], list[Item]]] = {
    "pos": lambda t: [((i,), label) for i, label in enumerate(t.upos)],
    "dep": lambda t: [((i, h), t.deprels[i]) for i, h in enumerate(t.heads) if h >= 0],
    "srl": lambda t: [((v, end - 1), label) for v, spans in t.propositions for label, _, end in spans],
    "template": lambda t: [((i,), t.name) for i in range(len(t.slots))],
}


@dataclass(frozen=True)
class Bounds:
    """Scores in [0, 1] for one kind of label, on sentences that stand alone.

    Entity F1 (as conlleval counts) for "ner", accuracy over words or pairs for the others. `floor`: the most
    frequent label of the words shown, without context. `ceiling`: the best guess of the exact reader, which
    sees all words up to the last one shown, as a causal model does; an average over sampled sentences with
    standard error `ceiling_se`. Floors of accuracies are exact, that of "ner" is from the same sample.
    """

    floor: float
    ceiling: float
    ceiling_se: float


def bounds(language: TriScale, *, sentences: int = 2000, seed: int = 0) -> dict[str, Bounds]:
    """Floors and ceilings of parts of speech, dependencies, roles, entities, template and topic."""
    sample = language.sample(sentences, [seed, sentences, 5])
    uniform = np.full((sentences, language.topics), 1 / language.topics)
    joint = filter_sentences(language, sample.words[:, 0], uniform)[:, 1:]
    joint /= joint.sum(axis=(2, 3), keepdims=True)
    posterior = joint.sum(axis=3)
    found = {}
    for task, items in ITEMS.items():
        _, table = _table(language, items)
        scores = _accuracies(language, items, posterior, sample.patterns[:, 0])
        found[task] = Bounds(_majority(table), *_ratio(scores))
    table = _topic_table(language)
    lengths = (sample.words[:, 0] >= 0).sum(axis=1)
    best = joint.sum(axis=2).max(axis=-1)
    right = [(row[:n].sum(), n) for row, n in zip(best, lengths, strict=True)]
    found["topic"] = Bounds(_majority(table), *_ratio(right))
    found["ner"] = _entity_bounds(language, posterior, sample)
    return found


def _table(language: TriScale, items: Callable[[Template], list[Item]]) -> tuple[list[str], np.ndarray]:
    """Labels, and the exact p(label, words shown) up to scale as (labels, vocabulary[, vocabulary])."""
    template_of, kinds = language.patterns
    weight: dict[tuple[tuple[int, ...], str], np.ndarray] = defaultdict(lambda: np.zeros(language.topics))
    for pattern, template in enumerate(template_of):
        for places, label in items(TEMPLATES[template]):
            weight[tuple(kinds[pattern, list(places)]), label] += language.pattern_given_topic[:, pattern]
    table: dict[str, np.ndarray] = {}
    for (slots, label), mass in weight.items():
        # Given the topic and the pattern, words are independent.
        words = [language.emissions[kind] for kind in slots]
        seen = mass @ words[0] if len(words) == 1 else np.einsum("g,gv,gw->vw", mass, *words, optimize=True)
        table[label] = table.get(label, 0.0) + seen
    return list(table), np.stack(list(table.values()))


def _topic_table(language: TriScale) -> np.ndarray:
    _, kinds = language.patterns
    table = np.zeros((language.topics, len(language.vocabulary)))
    for pattern, slots in enumerate(kinds):
        for kind in slots[slots >= 0]:
            table += language.pattern_given_topic[:, pattern, None] * language.emissions[kind]
    return table


def _majority(table: np.ndarray) -> float:
    return float(table.max(axis=0).sum() / table.sum())


def _accuracies(
    language: TriScale,
    items: Callable[[Template], list[Item]],
    posterior: np.ndarray,
    patterns: np.ndarray,
) -> Iterator[tuple[float, int]]:
    """Expected right answers of the exact reader, and items, of each sentence."""
    template_of, _ = language.patterns
    labels: dict[tuple[int, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for pattern, template in enumerate(template_of):
        for places, label in items(TEMPLATES[template]):
            labels[places][label].append(pattern)
    for row, pattern in zip(posterior, patterns, strict=True):
        score, count = 0.0, 0
        for places, _ in items(TEMPLATES[template_of[pattern]]):
            # Being shown the pair tells that there is one: patterns without it drop out.
            mass = [row[max(places), members].sum() for members in labels[places].values()]
            score += max(mass) / sum(mass)
            count += 1
        yield score, count


def _entity_bounds(language: TriScale, posterior: np.ndarray, sample: Sample) -> Bounds:
    template_of, _ = language.patterns
    labels, table = _table(language, lambda t: [((i,), label) for i, label in enumerate(t.entities)])
    of_word = [labels[i] for i in table.argmax(axis=0)]
    is_label = np.zeros((posterior.shape[1], len(template_of), len(labels)))
    for pattern, template in enumerate(template_of):
        for slot, label in enumerate(TEMPLATES[template].entities):
            is_label[slot, pattern, labels.index(label)] = 1
    answers = np.einsum("stp,tpl->stl", posterior, is_label).argmax(axis=-1)
    floor, ceiling = [], []
    for template, words, answer in zip(sample.templates[:, 0], sample.words[:, 0], answers, strict=True):
        gold = TEMPLATES[template].entities
        floor.append(_found(gold, [of_word[w] for w in words if w >= 0]))
        ceiling.append(_found(gold, [labels[a] for a in answer[: len(gold)]]))
    return Bounds(_ratio(floor)[0], *_ratio(ceiling))


def _found(gold: Sequence[str], answer: Sequence[str]) -> tuple[int, int]:
    """Numerator and denominator of F1."""
    a, b = _entities(gold), _entities(answer)
    return 2 * len(a & b), len(a) + len(b)


def _entities(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """(start, end, kind); an I- tag that continues nothing starts an entity, as in conlleval."""
    found, start = set(), 0
    for i, tag in enumerate(tags):
        if not (tag.startswith("I-") and i and tags[i - 1][2:] == tag[2:]):
            start = i
        if tag != "O" and list(tags[i + 1 : i + 2]) != [f"I-{tag[2:]}"]:
            found.add((start, i + 1, tag[2:]))
    return found


def _ratio(scores: Iterable[tuple[float, int]]) -> tuple[float, float]:
    """Sum of the first over sum of the second, with the standard error of sentences as the unit."""
    score, count = np.array(list(scores), dtype=float).T
    mean = score.sum() / count.sum()
    return float(mean), float(np.std(score - mean * count) / count.mean() / np.sqrt(len(count)))

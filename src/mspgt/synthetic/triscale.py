"""TriScale: a language whose three scales, and all their entropies, are known exactly.

A document draws one topic G (uniform); each of its sentences draws a template I given G, then the word
choices L given I alone (numbers, determiners, and ranks: Zipf within part of speech); the text X is a
function of (G, I, L), the topic deciding which word a rank stands for. This is equation 9 of the paper, with
one G a document and one I and L a sentence.
"""

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mspgt.errors import InputError
from mspgt.synthetic import lexicon
from mspgt.synthetic.grammar import NUMBERS, TEMPLATES

LONGEST = max(len(template.slots) for template in TEMPLATES)


@dataclass(frozen=True)
class Sample:
    """Documents drawn from a language, with every latent that made them.

    `topics` (documents,); `templates` (documents, sentences) and `patterns` alike (a pattern is a template
    with its numbers fixed); `words` (documents, sentences, slots) vocabulary indices, -1 beyond the end.
    """

    topics: np.ndarray
    templates: np.ndarray
    patterns: np.ndarray
    words: np.ndarray


@dataclass(frozen=True)
class TriScale:
    """A language by its knobs: topics (2 to 8), skew of templates within a topic, Zipf exponent of words.

    Raises InputError for knobs that leave an entropy undefined.
    """

    topics: int = 8
    template_skew: float = 1.2
    zipf: float = 1.0
    sentences: int = 4

    def __post_init__(self) -> None:
        if self.topics not in range(2, len(lexicon.TOPICS) + 1):
            raise InputError(
                f"topics must be from 2 to {len(lexicon.TOPICS)} (one has no entropy), got {self.topics}"
            )
        if self.sentences < 1:
            raise InputError(f"a document needs at least one sentence, got sentences={self.sentences}")
        for knob, value in (("template_skew", self.template_skew), ("zipf", self.zipf)):
            # Above 20 the second rank falls under 1e-6 and the entropy is lost to rounding.
            if not (math.isfinite(value) and 0 <= value <= 20):
                raise InputError(f"{knob} must be a number from 0 (uniform) to 20, got {value}")

    @property
    def name(self) -> str:
        """A name that says every knob."""
        return f"triscale-g{self.topics}-t{self.template_skew:g}-z{self.zipf:g}-s{self.sentences}"

    @cached_property
    def template_given_topic(self) -> np.ndarray:
        """p(I | G) as (topics, templates): one Zipf law, its ranking rotated from topic to topic."""
        law = power_law(len(TEMPLATES), self.template_skew)
        shift = [len(TEMPLATES) * g // self.topics for g in range(self.topics)]
        return np.stack([np.roll(law, s) for s in shift])

    @cached_property
    def kinds(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """For each inflected slot kind, the words by rank in each topic: (topics, ranks)."""
        names = lexicon.TOPICS[: self.topics]
        nouns = [lexicon.interleave(lexicon.SHARED_NOUNS, lexicon.TOPIC_NOUNS[t]) for t in names]
        verbs = [lexicon.interleave(lexicon.SHARED_VERBS, lexicon.TOPIC_VERBS[t]) for t in names]
        adjectives = [
            lexicon.interleave(lexicon.SHARED_ADJECTIVES, lexicon.TOPIC_ADJECTIVES[t]) for t in names
        ]
        with_s, participle = lexicon.with_s, lexicon.participle
        fixed = {
            "DET:sg": lexicon.DETERMINERS["sg"],
            "DET:pl": lexicon.DETERMINERS["pl"],
            "First DET:sg": tuple(w.capitalize() for w in lexicon.DETERMINERS["sg"]),
            "First DET:pl": tuple(w.capitalize() for w in lexicon.DETERMINERS["pl"]),
            "NAME": lexicon.NAMES,
            "PLACE": lexicon.PLACE_PREFIXES,
            "SAY": lexicon.SAYING_VERBS,
            "BE:sg": ("is",),
            "BE:pl": ("are",),
            "REL": ("that",),
            "COMP": ("that",),
            **{word: (word,) for word in ("by", "in", "and", ".")},
        }
        return {
            "NOUN:sg": tuple(nouns),
            "NOUN:pl": tuple(tuple(with_s(w) for w in row) for row in nouns),
            "VERB:sg": tuple(tuple(with_s(w) for w in row) for row in verbs),
            "VERB:pl": tuple(verbs),
            "PARTICIPLE": tuple(tuple(participle(w) for w in row) for row in verbs),
            "ADJ": tuple(adjectives),
            **{kind: (words,) * self.topics for kind, words in fixed.items()},
        }

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word form, sorted."""
        return tuple(sorted({word for rows in self.kinds.values() for row in rows for word in row}))

    @cached_property
    def rank_law(self) -> np.ndarray:
        """p(rank | kind) as (kinds, ranks), zero beyond a kind's last rank."""
        ranks = max(len(rows[0]) for rows in self.kinds.values())
        law = np.zeros((len(self.kinds), ranks))
        for row, words in zip(law, self.kinds.values(), strict=True):
            row[: len(words[0])] = power_law(len(words[0]), self.zipf)
        return law

    @cached_property
    def forms(self) -> np.ndarray:
        """Vocabulary index of (kinds, topics, ranks), -1 beyond a kind's last rank."""
        index = {word: i for i, word in enumerate(self.vocabulary)}
        table = np.full((len(self.kinds), self.topics, self.rank_law.shape[1]), -1)
        for kind, rows in enumerate(self.kinds.values()):
            for topic, words in enumerate(rows):
                table[kind, topic, : len(words)] = [index[word] for word in words]
        return table

    @cached_property
    def emissions(self) -> np.ndarray:
        """p(word | kind, topic) as (kinds, topics, vocabulary)."""
        table = np.zeros((len(self.kinds), self.topics, len(self.vocabulary)))
        for kind, ranks in enumerate(self.rank_law):
            used = ranks > 0
            for topic in range(self.topics):
                table[kind, topic, self.forms[kind, topic, used]] = ranks[used]
        return table

    @cached_property
    def patterns(self) -> tuple[np.ndarray, np.ndarray]:
        """Templates with their numbers fixed: template (patterns,), kinds (patterns, slots), -1 padded."""
        kind_index = {kind: i for i, kind in enumerate(self.kinds)}
        template_of, rows = [], []
        for index, template in enumerate(TEMPLATES):
            for numbers in itertools.product(NUMBERS, repeat=len(template.agreeing)):
                value = dict(zip(template.agreeing, numbers, strict=True))
                row = np.full(LONGEST, -1)
                for place, slot in enumerate(template.slots):
                    kind, _, mark = slot.partition(":")
                    kind = f"{kind}:{value.get(mark, mark)}" if mark else kind
                    row[place] = kind_index[
                        f"First {kind}" if place == 0 and slot.startswith("DET") else kind
                    ]
                template_of.append(index)
                rows.append(row)
        return np.array(template_of), np.array(rows)

    @cached_property
    def pattern_given_topic(self) -> np.ndarray:
        """p(pattern | G) as (topics, patterns): each free number is singular or plural with equal chance."""
        template_of, _ = self.patterns
        return self.template_given_topic[:, template_of] / np.bincount(template_of)[template_of]

    def sample(self, documents: int, seed: int | list[int]) -> Sample:
        """Draw `documents` documents; equal seeds give equal documents."""
        if documents < 1:
            raise InputError(f"at least one document must be drawn, got {documents}")
        rng = np.random.default_rng(seed)
        template_of, kinds = self.patterns
        topics = rng.integers(self.topics, size=documents)
        cumulative = self.pattern_given_topic.cumsum(axis=1)
        draw = rng.random((documents, self.sentences))
        patterns = (draw[..., None] > cumulative[topics, None, :-1]).sum(axis=-1)
        slots = kinds[patterns]
        draw = rng.random(slots.shape)
        ranks = (draw[..., None] > self.rank_law.cumsum(axis=1)[slots, :-1]).sum(axis=-1)
        words = np.where(slots >= 0, self.forms[slots, topics[:, None, None], ranks], -1)
        return Sample(topics, template_of[patterns], patterns, words)


def power_law(size: int, exponent: float) -> np.ndarray:
    """Zipf probabilities of ranks 1 to `size`."""
    weights = np.arange(1, size + 1, dtype=float) ** -exponent
    return weights / weights.sum()

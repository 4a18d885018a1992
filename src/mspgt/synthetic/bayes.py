"""The exact reader of TriScale: likelihoods and posteriors by enumeration of every hypothesis.

A hypothesis is a topic and a pattern (8 topics x 12 templates, each template with its numbers fixed). Given
one, the words of a sentence are independent, so likelihoods are products and nothing is approximated.
"""

import numpy as np

from mspgt.errors import InputError
from mspgt.synthetic.triscale import TriScale


def filter_sentences(language: TriScale, words: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """p(words up to and including each slot, pattern, topic) as (sentences, slots + 1, patterns, topics).

    `words` (sentences, slots) vocabulary indices, -1 padded (padding leaves the value as it was); `prior`
    (sentences, topics). Entry 0 along `slots + 1` stands before the first word.
    """
    _, kinds = language.patterns
    start = prior[:, None, :] * language.pattern_given_topic.T
    steps = [start]
    for slot in range(words.shape[1]):
        # A pattern shorter than the sentence has kind -1: it cannot emit a word there.
        factor = language.emissions[kinds[None, :, slot], :, words[:, slot, None]]
        factor = np.where((kinds[:, slot] >= 0)[None, :, None], factor, 0.0)
        steps.append(np.where((words[:, slot] >= 0)[:, None, None], steps[-1] * factor, steps[-1]))
    return np.stack(steps, axis=1)


def surprisal(language: TriScale, words: np.ndarray) -> np.ndarray:
    """-log2 p(word | the document so far), in bits, (documents, sentences, slots), NaN beyond the end.

    `words` (documents, sentences, slots) as in `Sample.words`. Raises InputError for an impossible text.
    """
    documents, sentences, _ = words.shape
    topic = np.full((documents, language.topics), 1.0 / language.topics)
    bits = np.full(words.shape, np.nan)
    for s in range(sentences):
        joint = filter_sentences(language, words[:, s], topic)
        mass = joint.sum(axis=(2, 3))
        if not (mass > 0).all():
            raise InputError(
                f"{int((mass <= 0).any(axis=1).sum())} sentences cannot be produced by {language.name}; "
                "score only text drawn from the same language"
            )
        bits[:, s] = np.where(words[:, s] >= 0, -np.log2(mass[:, 1:] / mass[:, :-1]), np.nan)
        topic = joint[:, -1].sum(axis=1) / mass[:, -1:]
    return bits

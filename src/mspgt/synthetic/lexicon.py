"""Words of TriScale: real English, some shared by every topic, the rest owned by one topic.

Lemmas that stand both among the nouns and among the verbs are homographs ("guards": plural noun or
singular verb); "light" and "patient" are noun and adjective. All inflect regularly, so that forms are rules.
"""

TOPICS = ("garden", "sea", "court", "music", "kitchen", "market", "sport", "hospital")

SHARED_NOUNS = ("guard", "watch", "record", "guide", "light", "visitor", "group", "stone")
TOPIC_NOUNS = {
    "garden": ("plant", "rake", "seed", "weed", "gardener", "flower", "tree", "hedge"),
    "sea": ("ship", "pilot", "anchor", "harbor", "sailor", "crew", "wave", "island"),
    "court": ("judge", "witness", "charge", "sentence", "lawyer", "jury", "trial", "appeal"),
    "music": ("score", "sample", "tune", "dance", "singer", "drummer", "concert", "orchestra"),
    "kitchen": ("cook", "roast", "spice", "butter", "sauce", "oven", "plate", "recipe"),
    "market": ("trade", "price", "bill", "invoice", "merchant", "broker", "market", "coin"),
    "sport": ("coach", "race", "tackle", "kick", "athlete", "team", "referee", "goal"),
    "hospital": ("nurse", "doctor", "bandage", "dose", "patient", "surgeon", "ward", "fever"),
}

SHARED_VERBS = ("watch", "guard", "guide", "record", "follow", "mention")
TOPIC_VERBS = {
    "garden": ("plant", "rake", "seed", "weed", "water", "prune"),
    "sea": ("pilot", "ship", "anchor", "harbor", "navigate", "board"),
    "court": ("judge", "charge", "witness", "sentence", "accuse", "question"),
    "music": ("sample", "score", "tune", "dance", "rehearse", "perform"),
    "kitchen": ("cook", "roast", "spice", "butter", "taste", "bake"),
    "market": ("trade", "price", "bill", "invoice", "purchase", "audit"),
    "sport": ("coach", "race", "tackle", "kick", "defend", "train"),
    "hospital": ("nurse", "doctor", "bandage", "dose", "examine", "cure"),
}

SHARED_ADJECTIVES = ("old", "light", "small", "quiet")
TOPIC_ADJECTIVES = {
    "garden": ("green", "leafy", "wild", "fragrant"),
    "sea": ("deep", "salty", "stormy", "coastal"),
    "court": ("guilty", "legal", "solemn", "innocent"),
    "music": ("loud", "choral", "melodic", "soft"),
    "kitchen": ("sweet", "sour", "spicy", "fresh"),
    "market": ("cheap", "costly", "fiscal", "foreign"),
    "sport": ("swift", "athletic", "unbeaten", "muscular"),
    "hospital": ("patient", "sterile", "feverish", "medical"),
}

DETERMINERS = {"sg": ("the", "this", "our", "that"), "pl": ("the", "these", "our", "those")}
# Each of these names a person or a place, so that no entity label can be read off the word.
NAMES = (
    "Jordan",
    "Madison",
    "Lincoln",
    "Victoria",
    "Austin",
    "Florence",
    "Carson",
    "Sydney",
    "Georgia",
    "Chelsea",
)
PLACE_PREFIXES = ("Port", "New", "Fort")
SAYING_VERBS = ("says", "thinks", "knows", "hopes")
SEPARATOR = "\n"


def with_s(lemma: str) -> str:
    """Plural of a noun, or third person singular of a verb, by the regular rules."""
    if lemma.endswith(("s", "sh", "ch", "x")):
        return lemma + "es"
    if lemma.endswith("y") and lemma[-2] not in "aeiou":
        return lemma[:-1] + "ies"
    return lemma + "s"


def participle(lemma: str) -> str:
    """Past participle of a regular verb."""
    if lemma.endswith("e"):
        return lemma + "d"
    if lemma.endswith("y") and lemma[-2] not in "aeiou":
        return lemma[:-1] + "ied"
    return lemma + "ed"


def interleave(shared: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    """Lemmas of one part of speech in one topic by Zipf rank: shared and own in turn, shared first."""
    return tuple(word for pair in zip(shared, own, strict=False) for word in pair) + own[len(shared) :]

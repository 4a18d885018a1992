"""The twelve sentence templates of TriScale and the gold labels that each carries.

A slot is `KIND`, or `KIND:n` where slots that share n agree in number, or `KIND:sg` / `KIND:pl` where the
number is fixed. Heads are word indices, -1 for the root; relations are without subtype, as `mspgt.text` reads
them. No two templates yield the same sentence.
"""

from dataclasses import dataclass

UPOS = {
    "DET": "DET",
    "NOUN": "NOUN",
    "VERB": "VERB",
    "PARTICIPLE": "VERB",
    "SAY": "VERB",
    "ADJ": "ADJ",
    "NAME": "PROPN",
    "PLACE": "PROPN",
    "BE": "AUX",
    "REL": "PRON",
    "COMP": "SCONJ",
    "by": "ADP",
    "in": "ADP",
    "and": "CCONJ",
    ".": "PUNCT",
}
NUMBERS = ("sg", "pl")


@dataclass(frozen=True)
class Template:
    """A clause structure: slots, dependencies, entities and propositions, all by word index."""

    name: str
    slots: tuple[str, ...]
    heads: tuple[int, ...]
    deprels: tuple[str, ...]
    entities: tuple[str, ...]
    propositions: tuple[tuple[int, tuple[tuple[str, int, int], ...]], ...]

    @property
    def upos(self) -> tuple[str, ...]:
        """Universal part of speech of each slot."""
        return tuple(UPOS[slot.split(":")[0]] for slot in self.slots)

    @property
    def agreeing(self) -> tuple[str, ...]:
        """Names of the noun phrases whose number is free."""
        marks = (slot.partition(":")[2] for slot in self.slots)
        return tuple(sorted({mark for mark in marks if mark and mark not in NUMBERS}))


def _template(
    name: str,
    slots: str,
    heads: str,
    deprels: str,
    propositions: tuple[tuple[int, tuple[tuple[str, int, int], ...]], ...],
    entities: str = "",
) -> Template:
    words = tuple(slots.split())
    return Template(
        name,
        words,
        tuple(int(h) for h in heads.split()),
        tuple(deprels.split()),
        tuple(entities.split()) or ("O",) * len(words),
        propositions,
    )


TEMPLATES = (
    _template(
        "transitive",
        "DET:1 NOUN:1 VERB:1 DET:2 NOUN:2 .",
        "1 2 -1 4 2 2",
        "det nsubj root det obj punct",
        ((2, (("ARG0", 0, 2), ("ARG1", 3, 5))),),
    ),
    _template(
        "compound",
        "DET:1 NOUN:sg NOUN:1 VERB:1 DET:2 NOUN:2 .",
        "2 2 3 -1 5 3 3",
        "det compound nsubj root det obj punct",
        ((3, (("ARG0", 0, 3), ("ARG1", 4, 6))),),
    ),
    _template(
        "located",
        "DET:1 ADJ NOUN:1 VERB:1 DET:2 NOUN:2 in NAME .",
        "2 2 3 -1 5 3 7 3 3",
        "det amod nsubj root det obj case obl punct",
        ((3, (("ARG0", 0, 3), ("ARG1", 4, 6), ("ARGM-LOC", 6, 8))),),
        "O O O O O O O B-LOC O",
    ),
    _template(
        "passive",
        "DET:1 NOUN:1 BE:1 PARTICIPLE by DET:2 NOUN:2 .",
        "1 3 3 -1 6 6 3 3",
        "det nsubj aux root case det obl punct",
        ((3, (("ARG1", 0, 2), ("ARG0", 4, 7))),),
    ),
    _template(
        "passive-located",
        "DET:1 NOUN:1 BE:1 PARTICIPLE in PLACE NAME .",
        "1 3 3 -1 6 6 3 3",
        "det nsubj aux root case compound obl punct",
        ((3, (("ARG1", 0, 2), ("ARGM-LOC", 4, 7))),),
        "O O O O O B-LOC I-LOC O",
    ),
    _template(
        "subject-relative",
        "DET:1 NOUN:1 REL VERB:1 DET:2 NOUN:2 VERB:1 DET:3 NOUN:3 .",
        "1 6 3 1 5 3 -1 8 6 6",
        "det nsubj nsubj acl det obj root det obj punct",
        (
            (3, (("ARG0", 0, 2), ("R-ARG0", 2, 3), ("ARG1", 4, 6))),
            (6, (("ARG0", 0, 6), ("ARG1", 7, 9))),
        ),
    ),
    _template(
        "object-relative",
        "DET:1 NOUN:1 REL DET:2 NOUN:2 VERB:2 VERB:1 DET:3 NOUN:3 .",
        "1 6 5 4 5 1 -1 8 6 6",
        "det nsubj obj det nsubj acl root det obj punct",
        (
            (5, (("ARG1", 0, 2), ("R-ARG1", 2, 3), ("ARG0", 3, 5))),
            (6, (("ARG0", 0, 6), ("ARG1", 7, 9))),
        ),
    ),
    _template(
        "person",
        "NAME NAME VERB:sg DET:1 NOUN:1 .",
        "2 0 -1 4 2 2",
        "nsubj flat root det obj punct",
        ((2, (("ARG0", 0, 2), ("ARG1", 3, 5))),),
        "B-PER I-PER O O O O",
    ),
    # A firm takes a singular verb, two people a plural one: only the verb tells which they were.
    _template(
        "firm",
        "NAME and NAME VERB:sg DET:1 NOUN:1 .",
        "3 2 0 -1 5 3 3",
        "nsubj cc conj root det obj punct",
        ((3, (("ARG0", 0, 3), ("ARG1", 4, 6))),),
        "B-ORG I-ORG I-ORG O O O O",
    ),
    _template(
        "pair",
        "NAME and NAME VERB:pl DET:1 NOUN:1 .",
        "3 2 0 -1 5 3 3",
        "nsubj cc conj root det obj punct",
        ((3, (("ARG0", 0, 3), ("ARG1", 4, 6))),),
        "B-PER O B-PER O O O O",
    ),
    _template(
        "clausal",
        "NAME SAY COMP DET:1 NOUN:1 VERB:1 DET:2 NOUN:2 .",
        "1 -1 5 4 5 1 7 5 1",
        "nsubj root mark det nsubj ccomp det obj punct",
        ((1, (("ARG0", 0, 1), ("ARG1", 2, 8))), (5, (("ARG0", 3, 5), ("ARG1", 6, 8)))),
        "B-PER O O O O O O O O",
    ),
    _template(
        "copular",
        "DET:1 NOUN:1 BE:1 ADJ .",
        "1 3 3 -1 3",
        "det nsubj cop root punct",
        (),
    ),
)

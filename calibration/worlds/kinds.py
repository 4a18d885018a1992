"""Kinds of planted studies: ways of having no structure, and the structures that are predicted.

A world is drawn by the place of its kind in the list, so that new kinds are added at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

Triple = tuple[float, float, float]
Design = tuple[int, int]  # families, training runs of each

SMALL: tuple[Design, ...] = ((2, 3), (2, 5))
POWER: tuple[Design, ...] = ((2, 3), (2, 5), (2, 10))
ONE: tuple[Design, ...] = ((2, 3),)
MANY: tuple[Design, ...] = ((10, 1),)
ARCHITECTURES: tuple[Design, ...] = ((8, 1), (16, 1))
MODELS: tuple[Design, ...] = ((1, 3), (1, 5), (1, 10))


@dataclass(frozen=True)
class Kind:
    """One way of having no structure, or (last) the structure that is predicted; None: that part is not planted."""

    name: str
    what: str
    designs: tuple[Design, ...] = ONE
    # none | scattered | three | four | drifting; late (families differ in I–G alone) | both (as much in L–I) |
    # late-silent (late, one run in ten without any) | late-shown (half of the runs of one family without any)
    boundaries: str | None = None
    # Percent of the baseline by perturbed layer, of the scales in order, in families of even and of odd number; by
    # metric (length_variance, ttr, coherence), or one for all.
    effects: tuple[tuple[Triple, ...], tuple[Triple, ...]] | None = None
    # SD in relative depth of a hump of effects on the middle of the Intermediate scale.
    hump: float | None = None
    spread: float = 0.0  # SD of the logarithm of a model's effects
    random_sets: bool = True  # of layers, which only what a scale governs is held against
    order: tuple[float, float, float, float] | None = None  # relative depths of the gains of the four tasks
    kink: float | None = None  # in SDs of the bends of information
    skip: float | None = None  # of a chain of blocks
    functional: Triple | None = None  # relative depths at which Local, Intermediate and Global become usable
    fisher: str | None = None  # traces of layers: derived (they go with the effects) | unrelated
    reach: str | None = None  # of attention: derived (β_G falls with it) | unrelated
    divisor: int = 1  # worlds of this kind are so many times fewer: texts and chains cost most


KINDS_OF_WORLDS = (
    Kind("featureless", "signals of the null family, no boundary anywhere", ONE, boundaries="none"),
    Kind("scattered", "strong boundaries at random places of every model", SMALL, boundaries="scattered"),
    Kind(
        "three alike",
        "three boundaries at the same places in every model, of which the two strongest are named",
        SMALL,
        boundaries="three",
    ),
    Kind("four alike", "four boundaries at the same places in every model", ONE, boundaries="four"),
    Kind(
        "equal layers",
        "every layer of every model is equally sensitive, so that only doses differ",
        effects=(((-3.0, -3.0, -3.0),), ((-3.0, -3.0, -3.0),)),
        divisor=2,
    ),
    Kind(
        "equal families",
        "families are alike, their models are not: effects are log-normal from model to model (SD 1 in logs)",
        effects=(((6.0, 6.0, 6.0),), ((6.0, 6.0, 6.0),)),
        spread=1.0,
        divisor=2,
    ),
    Kind(
        "hump",
        "sensitivity is a hump just over the Intermediate scale and broader than it",
        effects=(((40.0, 40.0, 40.0),), ((40.0, 40.0, 40.0),)),
        hump=0.15,
        spread=0.15,
        divisor=2,
    ),
    Kind(
        "smooth",
        "information has no kink at the boundaries, and all tasks are gained at one depth",
        ONE,
        order=(0.4, 0.4, 0.4, 0.4),
        kink=0.0,
    ),
    Kind("skip", "blocks read two layers back: no chain is near Markov", ((1, 1),), skip=0.8, divisor=2),
    Kind("markov chains", "exactly Markov chains of nonlinear blocks", ((1, 1),), skip=0.0, divisor=2),
    Kind(
        "as predicted",
        "the L–I boundary at a quarter of the depth, the I–G boundary anywhere beyond it. What the rules say here is "
        "their power",
        POWER,
        boundaries="drifting",
        order=(0.2, 0.35, 0.5, 0.7),
        kink=12.0,
        divisor=8,
    ),
    Kind(
        "as predicted, texts",
        "the Intermediate scale governs structure (+160 % at the matched dose), Global coherence, Local lexical "
        "richness, in which the Local scale of one family is 40 times as brittle. What the rules say here is "
        "their power",
        POWER,
        effects=(
            ((2.0, 40.0, 2.0), (12.0, 0.05, 0.05), (-0.5, -1.0, -10.0)),
            ((2.0, 40.0, 2.0), (0.3, 0.05, 0.05), (-0.5, -1.0, -10.0)),
        ),
        spread=0.15,
        divisor=4,
    ),
    Kind(
        "on the edge",
        "every scale that should lead leads one other scale and equals the second; brittleness differs by exactly 5",
        effects=(
            ((40.0, 40.0, 2.0), (10.0, 10.0, 0.5), (-5.0, -10.0, -10.0)),
            ((8.0, 8.0, 0.4), (2.0, 2.0, 0.1), (-1.0, -2.0, -2.0)),
        ),
        spread=0.15,
        divisor=2,
    ),
    Kind(
        "one depth",
        "all three functional scales become usable at one depth",
        ((1, 1),),
        functional=(0.45, 0.45, 0.45),
        divisor=2,
    ),
    Kind(
        "in order",
        "functional scales become usable at .2, .45 and .7 of the depth. What the rules say here is their power",
        ((1, 1),),
        functional=(0.2, 0.45, 0.7),
        divisor=8,
    ),
    Kind("both apart", "families differ by a fifth of the depth in both boundaries", ONE, boundaries="both"),
    Kind(
        "late apart",
        "families differ by a quarter of the depth in I–G and not in L–I. What the rules say here is their power",
        POWER,
        boundaries="late",
        divisor=8,
    ),
    Kind(
        "no relation",
        "Fisher traces and brittleness, and β_G and the reach of attention, differ between architectures and have "
        "nothing to do with each other",
        MANY,
        effects=(((-3.0, -3.0, -3.0),), ((-3.0, -3.0, -3.0),)),
        spread=0.8,
        random_sets=False,
        fisher="unrelated",
        reach="unrelated",
        divisor=2,
    ),
    Kind(
        "as derived",
        "Fisher traces go with what noise on a layer does, and β_G falls with the reach of attention. What the rules "
        "say here is their power",
        ARCHITECTURES,
        effects=(((-3.0, -3.0, -3.0),), ((-3.0, -3.0, -3.0),)),
        spread=0.8,
        random_sets=False,
        fisher="derived",
        reach="derived",
        divisor=8,
    ),
    Kind(
        "late shown",
        "families are alike on average; of one of them only those runs show boundaries whose I–G lies late, and the "
        "other half shows none",
        ((2, 6),),
        boundaries="late-shown",
        divisor=2,
    ),
    Kind(
        "late apart, some silent",
        "as late apart, and one run in ten shows no boundary. What the rules say here is their power",
        POWER,
        boundaries="late-silent",
        divisor=8,
    ),
    Kind(
        "stratified",
        "what noise does differs between families not at all on Local, by 10 % of the baseline a layer on "
        "Intermediate and by 40 % on Global. What the rules say here is their power",
        POWER,
        effects=(((3.0, 13.0, 43.0),), ((3.0, 3.0, 3.0),)),
        spread=0.15,
        random_sets=False,
        divisor=8,
    ),
    Kind(
        "families of chains",
        "markov chains, several models in a study. What the rules say here is their power",
        MODELS,
        skip=0.0,
        divisor=16,
    ),
)

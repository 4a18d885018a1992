"""The three scales of a model: which layers are Local, Intermediate and Global, and on whose word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mspgt.errors import InputError
from mspgt.results import Boundaries

SCALES = ("local", "intermediate", "global")
# Whose word a pair of boundaries is, the most trusted first. Only the calibrated detector's may carry a verdict.
SOURCES = ("given", "calibrated", "paper", "thirds")


@dataclass(frozen=True)
class Scales:
    """Layers 1..LI are Local, LI+1..IG Intermediate, IG+1..layers Global (section 1 of the paper's protocol).

    Layer l is the raw residual stream after block l, counted from 1.

    Raises:
        InputError: a scale would be empty.
    """

    LI: int
    IG: int
    layers: int
    source: str  # given | calibrated | paper | thirds

    def __post_init__(self) -> None:
        if not 1 <= self.LI < self.IG < self.layers:
            raise InputError(
                f"Three scales need boundaries 1 <= LI < IG < {self.layers} (the number of layers); "
                f"found LI = {self.LI}, IG = {self.IG}."
            )

    @property
    def local(self) -> range:
        return range(1, self.LI + 1)

    @property
    def intermediate(self) -> range:
        return range(self.LI + 1, self.IG + 1)

    @property
    def global_(self) -> range:
        return range(self.IG + 1, self.layers + 1)

    def items(self) -> Iterator[tuple[str, range]]:
        """Name and layers of each scale, from the embedding up."""
        return iter(zip(SCALES, (self.local, self.intermediate, self.global_), strict=True))


def scales_of(layers: int, found: Boundaries, given: tuple[int, int] | None = None) -> Scales | None:
    """The scales to work with: given in advance, else found, else thirds of the depth; None below 3 layers.

    Found means both boundaries chosen by the calibrated detector or, failing that, both accepted by the paper's
    own rule. Thirds stand for nothing that was found and must never carry a verdict; `source` says which it is.
    """
    if given is not None:
        return Scales(*given, layers, "given")
    chosen = found.calibrated.chosen
    li, ig = chosen.get("LI"), chosen.get("IG")
    if li is not None and ig is not None and li.layer < ig.layer < layers:
        return Scales(li.layer, ig.layer, layers, "calibrated")
    paper = found.paper
    if paper.accepted and paper.LI is not None and paper.IG is not None:
        return Scales(paper.LI.layer, paper.IG.layer, layers, "paper")
    return thirds(layers) if layers >= len(SCALES) else None


def thirds(layers: int) -> Scales:
    """Three scales of equal depth, where nothing was found or given; of three layers or more."""
    return Scales(max(1, round(layers / 3)), min(layers - 1, round(2 * layers / 3)), layers, "thirds")

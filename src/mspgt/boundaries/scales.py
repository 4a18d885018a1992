"""The three scales of a model: which layers are Local, Intermediate and Global, and on whose word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mspgt.errors import InputError
from mspgt.results import Boundaries, FunctionalScales, PhasesResult
from mspgt.vocabulary import SCALES

# What may be asked for, and whose boundaries are then taken: the first account that has a pair. One asked for by
# its own name is never replaced by another's boundaries, only by thirds.
CHOICES: dict[str, tuple[str, ...]] = {
    "functional": ("functional", "calibrated", "paper"),
    "phases": ("phases",),
    "shocks": ("calibrated",),
    "paper": ("paper",),
    "thirds": (),
    "given": (),
}


class _Placed(Protocol):
    """A boundary of any account."""

    @property
    def layer(self) -> int: ...


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
    source: str  # given | functional | phases | calibrated (shocks) | paper | thirds

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


def scales_of(
    layers: int,
    found: Boundaries,
    given: tuple[int, int] | None = None,
    *,
    choice: str = "functional",
    functional: FunctionalScales | None = None,
    phases: PhasesResult | None = None,
) -> Scales | None:
    """The scales to work with: given in advance, else as chosen, else thirds of the depth; None below 3 layers.

    Args:
        found: shocks (both boundaries chosen by the calibrated detector) and the paper's (accepted by its own rule).
        given: boundaries of this model that the study states.
        choice: a key of `CHOICES`.
        functional: where context of each kind becomes usable; both boundaries must be defined.
        phases: exactly two boundaries make three scales.

    Thirds stand for nothing that was found and must never carry a verdict; `source` says which it is.

    Raises:
        InputError: an unknown choice, or `given` without boundaries.
    """
    if choice not in CHOICES:
        raise InputError(f"scales are chosen among {', '.join(CHOICES)}; found {choice!r}")
    if given is not None:
        return Scales(*given, layers, "given")
    if choice == "given":
        raise InputError(
            "interventions.scales is 'given', and this model has no `scales: [LI, IG]` of its own"
        )
    pairs = {
        "functional": None if functional is None else (functional.LI.layer, functional.IG.layer),
        "phases": None if phases is None or len(phases.boundaries) != 2 else _layers(*phases.boundaries),
        "calibrated": _layers(found.calibrated.chosen.get("LI"), found.calibrated.chosen.get("IG")),
        "paper": _layers(found.paper.LI, found.paper.IG) if found.paper.accepted else None,
    }
    for source in CHOICES[choice]:
        li, ig = pairs[source] or (None, None)
        if li is not None and ig is not None and 1 <= li < ig < layers:
            return Scales(li, ig, layers, source)
    return thirds(layers) if layers >= len(SCALES) else None


def _layers(li: _Placed | None, ig: _Placed | None) -> tuple[int | None, int | None]:
    return None if li is None else li.layer, None if ig is None else ig.layer


def thirds(layers: int) -> Scales:
    """Three scales of equal depth, where nothing was found or given; of three layers or more."""
    return Scales(max(1, round(layers / 3)), min(layers - 1, round(2 * layers / 3)), layers, "thirds")

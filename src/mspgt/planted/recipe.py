"""The planted subjects: what is in each, where, how strong, and its seed. Declared before anything was found in them.

A subject fails or passes as it comes: places, sizes and seeds are part of this file, and of the key of every result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["shocks", "phases", "functional", "interventions"]

SEED = 20250524
LAYERS = 24  # of stacks, as deep as the bundled models


@dataclass(frozen=True)
class Control:
    """One planted subject.

    kind: the account that is tried. layers: after which blocks boundaries lie. centres: where Local, Intermediate and
    Global rise, as shares of the depth. arms: scales whose arm changes texts. size: of each boundary, in `unit`.
    drift: a slow change along the whole depth, which is no boundary. word: a boundary that one word alone has.
    """

    name: str
    kind: Kind
    says: str
    layers: tuple[int, ...] = ()
    centres: tuple[float, float, float] | None = None
    arms: tuple[str, ...] = ()
    size: float | None = None
    drift: float = 0.0
    word: int | None = None

    @property
    def seed(self) -> int:
        """Of everything that is drawn; far enough apart for what a subject adds to it."""
        return SEED + 1000 * [one.name for one in CONTROLS].index(self.name)

    @property
    def unit(self) -> str:
        """What `size` counts in."""
        return {"shocks": "roughness SDs", "phases": "−log CKA"}.get(self.kind, "")


CONTROLS = (
    Control("shocks, strong", "shocks", "two breaks in all three signals", (7, 17), size=8.0),
    Control("shocks, medium", "shocks", "two breaks in all three signals", (7, 17), size=5.0),
    Control("shocks, weak", "shocks", "two breaks in all three signals", (7, 17), size=3.0),
    Control("shocks, flat", "shocks", "rough signals of one level"),
    Control("shocks, drift", "shocks", "rough signals that fall with depth", drift=1.5),
    Control("phases, strong", "phases", "blocks write otherwise from here on", (9,), size=0.6),
    Control("phases, medium", "phases", "blocks write otherwise from here on", (14,), size=0.4),
    Control("phases, weak", "phases", "blocks write otherwise from here on", (11,), size=0.2),
    Control("phases, drift", "phases", "what blocks write changes slowly, faster early", drift=1.5),
    Control("phases, one word", "phases", "a change that only the most frequent word has", word=12),
    Control(
        "scales, ordered", "functional", "words near by, then syntax, then topic", centres=(0.2, 0.45, 0.7)
    ),
    Control(
        "scales, tied", "functional", "words near by, syntax and topic at one depth", centres=(0.45,) * 3
    ),
    Control("noise on Local", "interventions", "word choice replaced", arms=("local",)),
    Control("noise on Intermediate", "interventions", "sentence patterns replaced", arms=("intermediate",)),
    Control("noise on Global", "interventions", "topics replaced", arms=("global",)),
    Control("noise on none", "interventions", "everything drawn anew from its own law"),
)

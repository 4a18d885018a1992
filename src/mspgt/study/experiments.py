"""What a study does once boundaries are decided, in order; each has a section of the study file. Loads no torch."""

from __future__ import annotations

from mspgt.study.intervening import Interventions
from mspgt.study.parts import Part
from mspgt.study.scaling import Scaling
from mspgt.study.theorizing import Theorizing

# Those of one round start from the same boundaries and do not read each other, so they run side by side.
ROUNDS: tuple[tuple[Part, ...], ...] = ((Scaling(),), (Interventions(), Theorizing()))
PARTS: tuple[Part, ...] = tuple(part for together in ROUNDS for part in together)

"""What a pass through a model costs, by its card alone. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mspgt.lm.identity import Card
from mspgt.lm.windows import WINDOW


@dataclass(frozen=True)
class Shape:
    """What the cost of a pass depends on. inside: parameters of the blocks, those that every token meets."""

    layers: int
    width: int
    inside: int
    parameters: int
    window: int

    @classmethod
    def of(cls, card: Card, window: int | None = None) -> Shape:
        """Vectors of the vocabulary multiply nothing: the measuring pass ends before the output is scored."""
        outside = card.vocabulary * card.width * (1 if card.tied else 2)
        inside = card.parameters - outside if card.parameters > outside else card.parameters
        return cls(card.layers, card.width, inside, card.parameters, window or WINDOW)

    def forward(self, tokens: float, length: float) -> float:
        """Operations of one pass over so many tokens, in sequences of such a length."""
        return tokens * (2.0 * self.inside + 4.0 * self.layers * self.width * length)

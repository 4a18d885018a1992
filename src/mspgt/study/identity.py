"""Which model a result is of: what its addresses hold of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """What is known of a model before it is measured; everything here enters its addresses."""

    label: str  # how the study calls it
    folder: str  # safe folder name
    family: str
    revision: str
    weights_sha256: str
    dtype: str
    layers: int
    width: int
    heads: int | None
    parameters: int
    has_attention: bool
    no_attention: str
    blocks: str = ""  # where the study says that the blocks are, for odd architectures

    @property
    def shape(self) -> tuple[int, int, int]:
        """As of `ModelResult`."""
        return self.layers, self.width, self.parameters


@dataclass(frozen=True)
class Subject:
    """A model as trained (twin None) or its random twin of a seed."""

    identity: Identity
    twin: int | None = None

    @property
    def name(self) -> str:
        return self.identity.label if self.twin is None else f"{self.identity.label} (twin {self.twin})"

"""What a study does with a model once its boundaries are decided: Experiment 2, and the theory.

A part is one such thing. The runner asks it, model by model, to compute what the store lacks and then to decide;
a part never sees another model, and everything that it computes lies in the store under an address.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from mspgt.boundaries.scales import Scales
from mspgt.results import ModelResult, Notice
from mspgt.study.config import StudyConfig
from mspgt.study.identity import Identity
from mspgt.study.stages import Data
from mspgt.study.store import Address
from mspgt.study.tasks import Listing, fill
from mspgt.vocabulary import Progress

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel


@dataclass(frozen=True)
class Given:
    """What a part starts from: one model, measured, with its boundaries decided."""

    config: StudyConfig
    root: Path  # the run folder
    identity: Identity
    data: Data
    result: ModelResult
    scales: Scales


@dataclass(frozen=True)
class Cost:
    """One stage as `mspgt plan` tells it, before any boundary is known."""

    stage: str
    passes: int  # sentences of average length through the model, forward; a backward pass counts as two
    disk: int  # bytes it leaves
    backward: int = 0  # passes backward among them
    memory: int = 0  # bytes above the model


class Models(Protocol):
    """Loads a model when first needed."""

    def __call__(self, twin: int | None = None) -> LanguageModel:
        """As trained, or its random twin of a seed; what was asked for before is in memory no longer."""


class Part(Protocol):
    """One experiment on one model. Instances hold no state, so that a worker process can be handed one."""

    name: ClassVar[str]  # its section of the study file, and the key of its results
    side_by_side: ClassVar[bool] = (
        False  # whether its tasks are handed out even where no other work is spread
    )

    def costs(self, config: StudyConfig, identity: Identity, data: Data) -> Iterable[Cost]:
        """What it will take, from the settings alone."""

    def addresses(self, given: Given) -> Iterable[Address]:
        """Where its stages live; it is finished when all of them are."""

    def tasks(self, given: Given, model: Models) -> Listing:
        """Its stages, in order; what is up to date may be among them, and nothing that they share is made yet."""

    def compute(self, given: Given, model: Models, report: Progress) -> None:
        """Compute what is missing."""
        fill(self.tasks(given, model)(report), report)

    def serving(self, config: StudyConfig) -> AbstractContextManager[StudyConfig]:
        """Keeps running what its jobs share on this machine; yields the configuration that tells them of it."""
        return nullcontext(config)

    def decide(self, given: Given) -> tuple[dict[str, Any], list[Notice]]:
        """Fields of ModelResult to set, and what the reader must be told. No model is needed."""


def finished(part: Part, given: Given) -> bool:
    """Whether everything that a part would compute is in the store."""
    return all(address.status().done for address in part.addresses(given))

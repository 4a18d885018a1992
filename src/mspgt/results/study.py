"""Of a whole study: its name, what it was made with and from, and what the reader must be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mspgt.results.record import Record


@dataclass(frozen=True)
class StudyName(Record):
    """Which study this is."""

    name: str  # from its file
    hash: str  # of the plan: configuration, data and weights
    mode_default: str  # calibrated | paper


@dataclass(frozen=True)
class TreebankProvenance(Record):
    """What labels were read."""

    name: str  # as the user named it
    sha256: str | None = None  # of the labelled sentences; null in runs of old
    language: str | None = None  # as the study file calls it; null: not said
    sentences: dict[str, int] = field(default_factory=dict)  # split → sentences
    tasks: list[str] = field(default_factory=list)  # that its labels allow
    labels: str = "gold"  # gold | silver
    off: dict[str, str] = field(default_factory=dict)  # task → why it could not be asked
    dropped: dict[str, int] = field(default_factory=dict)  # reason → sentences without labels of a task


@dataclass(frozen=True)
class DataProvenance(Record):
    """What was read, after limits."""

    name: str  # the corpus as the user named it
    sha256: str  # of the sentences actually used, in order
    documents: int  # that were read
    sentences: int  # that were read
    tokens: int | None = None  # real tokens of the first model; tokenizers differ
    treebank: TreebankProvenance | None = None  # null: no labels were given
    language: str | None = None  # of the corpus, as the study file calls it
    scripts: dict[str, float] = field(default_factory=dict)  # share of the corpus's letters in each script


@dataclass(frozen=True)
class StageCost(Record):
    """What a stage took over all models, twins and arms, when it was computed."""

    times: int  # how many results of it the study uses
    seconds: float  # wall time, summed


@dataclass(frozen=True)
class Provenance(Record):
    """All that would be needed to do the study again."""

    mspgt: str  # version
    torch: str  # version
    transformers: str  # version
    python: str  # version
    device: str  # that models ran on
    dtype: dict[str, str]  # model → dtype it was computed in
    seeds: dict[str, int]  # what for → seed; `twins`: how many twins
    data: DataProvenance  # what was read
    started: str  # ISO 8601, UTC
    seconds: float  # wall time of the run that wrote this file; stages found finished cost nothing
    hardware: str = ""  # in words
    settings: dict[str, Any] = field(default_factory=dict)  # every knob that can change a result, resolved
    limits: list[str] = field(default_factory=list)  # where a limit cut what was read: such a run is a sketch
    cost: dict[str, StageCost] = field(default_factory=dict)  # stage → what it took, the longest first
    peak_bytes: int | None = None  # most memory that one process of the run held; null where it is not known


@dataclass(frozen=True)
class Notice(Record):
    """Something the reader must know before believing a number."""

    where: str  # dotted path into results.json
    what: str  # the fact, in words
    consequence: str  # what follows for the reader

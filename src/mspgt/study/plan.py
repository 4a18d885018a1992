"""The plan of a study: hashed and written before anything runs, so that rules cannot follow results."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mspgt.boundaries.scales import Scales
from mspgt.errors import InputError, StoreError
from mspgt.predictions.registry import fixed_in_advance
from mspgt.results import to_jsonable
from mspgt.scales.tasks import TASKS
from mspgt.stats.bootstrap import MAX_CLUSTERS
from mspgt.study.config import StudyConfig
from mspgt.study.controlling import control_addresses
from mspgt.study.differences import ABSENT, short, unlike
from mspgt.study.identity import Identity, Subject
from mspgt.study.kept import Kept, kept, put_aside
from mspgt.study.stages import Addresses, Data, measured
from mspgt.study.store import Address, Status, digest, write_json, write_text


@dataclass(frozen=True)
class PlannedStage:
    """One stage of one subject: what it costs, and whether and why it will run."""

    subject: str
    stage: str
    status: Status
    passes: int  # sentences through the model
    disk: int  # bytes it leaves, estimated
    backward: int = 0  # passes backward among them, each counted twice
    memory: int = 0  # bytes above the model, where a stage says them


@dataclass(frozen=True)
class Plan:
    """Resolved configuration, data and models under one hash."""

    config: StudyConfig
    data: Data
    twin_data: Data
    identities: tuple[Identity, ...]

    def __post_init__(self) -> None:
        """Raises InputError where scales that were given do not fit their model."""
        for model, identity in zip(self.config.models, self.identities, strict=True):
            if model.scales is not None:
                try:
                    Scales(*model.scales, identity.layers, "given")
                except InputError as error:
                    raise InputError(f"models: {model.label}: scales: {error}") from error

    @property
    def hash(self) -> str:
        """SHA-256 over every setting that can change a result, the data and the weights."""
        return digest(self._hashed())

    def _hashed(self) -> dict[str, Any]:
        return {
            "config": self.config.science(),
            "models": [[i.label, i.revision, i.weights_sha256, i.dtype] for i in self.identities],
            "corpus": [self.data.corpus.sha256, self.twin_data.corpus.sha256],
            "predictions": fixed_in_advance(self.config.predictions),
            "scales": None
            if self.data.running is None
            else {"text": self.data.running.sha256, "tasks": [task.declared() for task in TASKS]},
            "treebank": [d.treebank.sha256 if d.treebank else None for d in (self.data, self.twin_data)],
        }

    def subjects(self) -> Iterator[tuple[Subject, Data]]:
        """Every model followed by its twins, with the data each is measured on."""
        for identity in self.identities:
            yield Subject(identity), self.data
            for twin in range(self.config.twins.seeds):
                yield Subject(identity, twin), self.twin_data

    def stages(self, root: Path) -> Iterator[PlannedStage]:
        """What will run and why; nothing is computed."""
        for subject, data in self.subjects():
            for one, where in measured(root, self.config, subject, data):
                # A second context beside the first has stages of its own, named after it.
                beside = "" if one is self.config else f" {one.measure.context}"
                # Paper mode's reading of the text and calibrated mode's are two passes.
                sentences = 2 * data.corpus.n_sentences
                clusters = min(len(data.corpus.documents), MAX_CLUSTERS)
                identity = subject.identity
                tables = 2 * (2 * identity.layers + 1) * (4 * clusters**3 + 8 * clusters**2)
                yield PlannedStage(subject.name, f"observe{beside}", _observed(where), sentences, 0)
                yield PlannedStage(subject.name, f"geometry{beside}", where.geometry.status(), 0, tables)
                if where.precision is not None:
                    asked = min(one.measure.precision_sentences, data.corpus.n_sentences)
                    # Once as it is and once in float32, which takes about twice as long.
                    status = where.precision.status()
                    yield PlannedStage(subject.name, f"precision{beside}", status, 3 * asked, 0)
                if where.probes is not None and data.treebank is not None:
                    words = sum(len(getattr(data.treebank, split)) for split in ("train", "dev", "test"))
                    yield PlannedStage(subject.name, f"probes{beside}", where.probes.status(), words, 0)

        for control, address in control_addresses(root, self.config):
            yield PlannedStage(f"planted: {control.name}", control.kind, address.status(), 0, 0)

    def missing(self, root: Path) -> list[tuple[Subject, Data]]:
        """The subjects that have a stage to run, by the same look at the store as the plan that is printed."""
        waiting = {stage.subject for stage in self.stages(root) if not stage.status.done}
        return [(subject, data) for subject, data in self.subjects() if subject.name in waiting]

    def used(self, root: Path, *, underway: bool = False) -> Iterator[Address]:
        """Where everything lies that Experiment 1 leaves; underway, also what it drops once it is reduced."""
        for subject, data in self.subjects():
            for _, where in measured(root, self.config, subject, data):
                yield from (where.scales, where.geometry)
                others = (where.pairing, where.precision, where.probes)
                yield from (one for one in others if one is not None)
                if underway or self.config.run.keep_activations:
                    yield from (address for _, address in where.shards)
        yield from (address for _, address in control_addresses(root, self.config))

    def other(self, root: Path) -> list[str]:
        """In what the plan that a run folder shows differs from this one; empty where it does not.

        Raises:
            StoreError: the folder holds something else under the name of a plan.
        """
        path = root / "plan.json"
        if not path.exists():
            return []
        try:
            stored = json.loads(path.read_text("utf-8"))
            there = str(stored["hash"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path}: not a plan ({error}). Choose another --out.") from error
        if there == self.hash:
            return []
        return [
            f"{key.removeprefix('config.')}: {short(a)} there, {short(b)} here"
            for what, value in to_jsonable(self._hashed()).items()
            for key, a, b in unlike(what, stored.get(what, ABSENT), value)
        ]

    def write(self, root: Path) -> Kept:
        """Claim a place for this plan in a run folder; plans that were there keep theirs, with their results.

        Raises:
            StoreError: the folder holds something else under the name of a plan, or cannot be written.
        """
        if (root / "plan.json").exists():
            put_aside(root)
        place = kept(root, self.hash)
        try:
            place.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{place.folder}: cannot be made ({error}). Choose another --out.") from error
        content = {"hash": self.hash, **self._hashed(), "environment": environment()}
        text = yaml.safe_dump(self.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        for folder in (place.folder, root):
            write_json(folder / "plan.json", content)
            write_text(folder / "study.yaml", text)
        return place


def _observed(where: Addresses) -> Status:
    """Shards are dropped once geometry is reduced, so geometry being done is enough."""
    if where.geometry.status().done:
        return Status(True, "up to date")
    states: list[tuple[Address, Status]] = [(address, address.status()) for _, address in where.shards]
    missing = [status for _, status in states if not status.done]
    if not missing:
        return Status(True, "up to date")
    if len(missing) < len(states):
        return Status(
            False, f"{len(states) - len(missing)} of {len(states)} shards done; {missing[0].reason}"
        )
    return missing[0]


def environment() -> dict[str, Any]:
    """Versions and hardware, for provenance. Imports nothing heavy."""
    from importlib.metadata import version

    return {
        "mspgt": version("mspgt"),
        "torch": version("torch"),
        "transformers": version("transformers"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
    }

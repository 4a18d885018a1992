"""Functional scales as a part of a study: gains of a model and of its random twin, each in the store.

    functional (model), functional (twin) ── bits by document, task and layer    (running documents of the treebank)

What is decided from them needs no model and takes seconds, so it is not stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mspgt.results import Notice
from mspgt.scales.documents import RunningText
from mspgt.scales.tasks import TASKS
from mspgt.study.config import ScalesConfig, StudyConfig
from mspgt.study.identity import Identity, Subject
from mspgt.study.keys import stage_address
from mspgt.study.parts import Cost, Given, Models, Part
from mspgt.study.stages import Data, who_is
from mspgt.study.store import Address, StageResult
from mspgt.study.tasks import Listing, Piece, Task
from mspgt.vocabulary import Progress

if TYPE_CHECKING:
    from mspgt.scales.gains import Gains

TOKENS_A_SENTENCE, TOKENS_A_WORD = 40, 1.3


class Scaling(Part):
    """Section `scales` of a study."""

    name = "scales"
    side_by_side = True

    def costs(self, config: StudyConfig, identity: Identity, data: Data) -> Iterator[Cost]:
        """Words in their documents, and distinct words alone through half the model; the states lie on disk."""
        if data.running is None:
            return
        words = data.running.n_words
        passes = int(words * (TOKENS_A_WORD + 0.3) / TOKENS_A_SENTENCE) + 1
        states = 2 * words * identity.width * (identity.layers + 1)
        yield Cost("functional", passes, states, memory=6 * 4 * words * min(2 * identity.width, 4096))
        for twin in range(twins_of(config)):
            yield Cost(f"functional (twin {twin})", passes, 2**20)

    def addresses(self, given: Given) -> list[Address]:
        """Of the model, then of its twins; none where nothing can be measured."""
        return [address for _, address in by_twin(given)]

    def tasks(self, given: Given, model: Models) -> Listing:
        """The model and each of its twins."""
        return lambda report: (
            Task(Piece("functional"), address, partial(functional, given, model, twin, report), 0, twin)
            for twin, address in by_twin(given)
        )

    def decide(self, given: Given) -> tuple[dict[str, Any], list[Notice]]:
        """`scales` of the model's results, from the store; what a reader must be told of them."""
        place = f"models.{given.identity.label}.scales"
        text = given.data.running
        if text is None:
            return {"scales": None}, [Notice(place, given.data.no_running, "scales is null")]
        from mspgt.scales.decide import decide_scales
        from mspgt.scales.repeated import repeat_scales

        own, *twins = (unpack_gains(address.load()) for address in self.addresses(given))
        twin = twins[0] if twins else None
        found = decide_scales(
            own,
            twin=twin,
            unit=text.unit,
            draws=section_of(given.config).draws,
            seed=given.config.seed,
            notes=text.notes,
        )
        found = replace(found, repeated=repeat_scales(own, twin=twin, seed=given.config.seed))
        notices = [Notice(place, note, "") for note in found.notes]
        notices += [
            Notice(f"{place}.{pair}", f"undefined: {one.reason}", f"{pair} is null")
            for pair, one in (("LI", found.LI), ("IG", found.IG))
            if one.layer is None
        ]
        notices += [
            Notice(f"{place}.tasks.{task}", f"task is off: {why}", "") for task, why in found.off.items()
        ]
        return {"scales": found}, notices


def by_twin(given: Given) -> list[tuple[int | None, Address]]:
    """Where the gains of the model (None) and of each of its twins lie; empty where nothing can be measured."""
    if given.data.running is None:
        return []
    identity, settings = given.identity, section_of(given.config)
    inputs = {
        "text": given.data.running.sha256,
        "tasks": [task.declared() for task in TASKS],
        "seeds": settings.seeds,
        "sink_ratio": settings.sink_ratio,
        "start": given.config.measure.start,
    }

    def place(twin: int | None) -> Address:
        subject = {**inputs, **who_is(Subject(identity, twin))}
        return stage_address(given.root, identity, "functional", subject, functional)

    return [(twin, place(twin)) for twin in (None, *range(twins_of(given.config)))]


def functional(given: Given, model: Models, twin: int | None, report: Progress) -> StageResult:
    """Gains of the model, or of its random twin of a seed, on the drawn documents."""
    from mspgt.scales.gains import measure_gains

    text, settings = given.data.running, section_of(given.config)
    assert text is not None
    gains = measure_gains(
        model(twin),
        text,
        seeds=settings.seeds,
        sink_ratio=settings.sink_ratio,
        start=given.config.measure.start,
        batch_tokens=given.config.measure.batch_tokens,
        progress=report,
    )
    return pack_gains(gains)


def section_of(config: StudyConfig) -> ScalesConfig:
    """The section of the study; the part runs only where there is one."""
    assert config.scales is not None
    return config.scales


def twins_of(config: StudyConfig) -> int:
    """Twins whose functional scales are measured."""
    return min(section_of(config).twins, config.twins.seeds)


def draw_running(config: StudyConfig, treebank: Any) -> tuple[RunningText | None, str]:
    """The documents to measure on, or None and why."""
    from mspgt.errors import InputError
    from mspgt.scales.documents import draw_documents

    if config.scales is None:
        return None, "section scales is absent"
    if treebank is None:
        raise InputError(
            "scales: functional scales are measured on the labels of a treebank, and there is none. Add a section "
            "`treebank`, or leave `scales` out."
        )
    settings = config.scales
    try:
        drawn = draw_documents(treebank, documents=settings.documents, words=settings.words, seed=config.seed)
    except InputError as error:
        return None, str(error)
    return drawn, ""


_ARRAYS = ("sums", "counts", "baseline", "entropy")


def pack_gains(gains: Gains) -> StageResult:
    arrays = {name: getattr(gains, name) for name in _ARRAYS}
    meta = {
        "tasks": list(gains.tasks),
        "classes": list(gains.classes),
        "off": gains.off,
        "about": json.dumps(gains.about),
    }
    return StageResult(arrays, meta)


def unpack_gains(result: StageResult) -> Gains:
    from mspgt.scales.gains import Gains

    meta = result.meta
    return Gains(
        tasks=tuple(meta["tasks"]),
        classes=tuple(meta["classes"]),
        off=dict(meta["off"]),
        about=json.loads(meta["about"]),
        **{name: np.asarray(result.arrays[name]) for name in _ARRAYS},
    )

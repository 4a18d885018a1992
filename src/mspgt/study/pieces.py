"""Stages that a worker can take by themselves; `spreading` says which can run side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mspgt.study.dosing import Auditing, equal_sizes, fill_audit, yardsticks
from mspgt.study.intervening import Writing, noise_response, places, written_texts
from mspgt.study.parts import Given, Models, Report
from mspgt.study.scaling import by_twin, functional
from mspgt.study.stages import (
    Addresses,
    Measuring,
    activation_scales,
    estimated_precision,
    head_pairing,
    observed_shard,
    trained_probes,
)
from mspgt.study.theorizing import Theorizing
from mspgt.study.theory_stages import Shared

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel


@dataclass(frozen=True)
class Piece:
    """A stage of a job that a worker can take by itself (see `spreading`).

    context: which of the contexts it is measured in, by number. number: of the shard, where a stage has shards.
    """

    stage: str
    context: int = 0
    number: int | None = None


def measure_piece(work: Measuring, where: Addresses, piece: Piece, report: Report) -> None:
    """Compute one piece of what is measured of a subject, unless it is there."""
    from mspgt.study import codec  # loads torch, which a plan does not need

    report(0, 1, piece.stage)
    if piece.stage == "probes":
        assert where.probes is not None
        where.probes.fill(lambda: trained_probes(work, report))
        return
    where.scales.fill(lambda: activation_scales(work))
    work.scales = codec.unpack_scales(where.scales.load())
    if piece.stage == "precision":
        assert where.precision is not None
        where.precision.fill(lambda: estimated_precision(work))
        return
    if where.pairing is not None:
        where.pairing.fill(lambda: head_pairing(work))
        work.pairing = codec.unpack_pairing(where.pairing.load())
    if piece.number is not None:
        documents, address = where.shards[piece.number]
        address.fill(lambda: observed_shard(work, documents, report))


def scale_piece(given: Given, twin: int | None, model: Models, report: Report) -> None:
    """Functional gains of a model or of a random twin of it, unless they are there."""
    address = dict(by_twin(given))[twin]
    address.fill(partial(functional, given, model, twin, report))


def theory_piece(shared: Shared, piece: Piece, report: Report) -> None:
    """Compute one stage of the theory, or one shard of it, unless it is there."""
    assert piece.number is not None
    _, function, address = [*Theorizing().stages(shared.given)][piece.number]
    shared.report = report
    report(0, 1, piece.stage)
    address.fill(partial(function, shared))


def intervene_piece(given: Given, piece: Piece, model: LanguageModel, report: Report) -> None:
    """Compute one piece of Experiment 2, unless it is there."""
    where = places(given)
    if piece.stage == "audit":
        assert where.audit is not None
        fill_audit(where.audit, Auditing(given, yardsticks(given), model, report))
        return
    work = Writing(given, yardsticks(given), equal_sizes(where.audit), model)
    if piece.stage == "response":
        assert where.response is not None
        where.response.fill(lambda: noise_response(work, report))
        return
    assert piece.number is not None
    samples = where.shards[piece.number]

    def step(done: int) -> None:
        report(done, len(samples), "writing texts, samples")

    where.texts[piece.number].fill(lambda: written_texts(work, samples, step))

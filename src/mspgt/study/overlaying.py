"""What a comparison keeps of every model's curves, and what marks the run that they are from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mspgt.results import ModelResult, Notice, Numbers, Provenance
from mspgt.results.comparison import ComparedCurves
from mspgt.vocabulary import INITIALS, SIGNALS

CUT, THIRDS = "cut short", "interventions on thirds"


def curves_of(
    model: ModelResult, provenance: Provenance, warnings: list[Notice], name: str
) -> ComparedCurves:
    """Signals in calibrated mode at transitions 1..L−1, rises of the functional scales at layers 0..L.

    A curve that was not measured is null, and `reasons` says why; `marks` say what a reader must know of the run.
    """
    found: dict[str, Numbers | None] = {}
    reasons: dict[str, str] = {}
    for signal in SIGNALS:
        values = model.signals[signal]["calibrated"]
        found[signal] = values if values and any(value is not None for value in values) else None
        if found[signal] is None:
            reasons[signal] = _why(warnings, f"models.{name}.signals.{signal}")
    for scale in INITIALS:
        own = None if model.scales is None else model.scales.scales.get(scale)
        found[scale] = None if own is None else own.rise
        if found[scale] is None:
            reasons[scale] = (
                "functional scales were not measured" if own is None else f"undefined, {own.reason}"
            )
    return ComparedCurves(model.layers, reasons, list(_marks(model, provenance)), **found)


def _why(warnings: list[Notice], place: str) -> str:
    told: Mapping[str, str] = {one.where: one.what for one in warnings}
    return told.get(f"{place}.calibrated") or told.get(place) or "not measured"


def _marks(model: ModelResult, provenance: Provenance) -> Iterator[str]:
    if provenance.limits:
        yield CUT
    if model.interventions_about and model.interventions_about.scales.source == "thirds":
        yield THIRDS

"""Functional scales in a few lines, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from mspgt.report.words import BOUNDARIES
from mspgt.results import FunctionalBoundary, Results


def functional_lines(results: Results) -> Iterator[str]:
    """One line a model: the order test in words, then both boundaries or why there is none."""
    for name, model in results.models.items():
        found = model.scales
        if found is None:
            continue
        told = [found.verdict, *(_boundary(label, found.of(which)) for which, label in BOUNDARIES.items())]
        share = found.block_share.value
        if share is not None:
            told.append(f"{share:.0%} of each rise in its own block")
        yield f"{name}, functional scales over {found.documents} {found.unit}s: {'; '.join(told)}"
        for note in found.notes:
            yield f"  {note}"


def _boundary(label: str, found: FunctionalBoundary) -> str:
    if found.layer is None:
        return f"{label} undefined ({found.reason})"
    layers = found.set
    return f"{label} at layer {found.layer} [{layers[0]}–{layers[-1]}], ρ {found.relative:.2f}"

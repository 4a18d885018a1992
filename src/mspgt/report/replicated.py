"""Runs of one configuration judged on their mean, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KINDS = ("spike", "bump", "step", "kink")


def replicated_lines(results: dict[str, Any]) -> Iterator[str]:
    """For each group of runs: what their mean profile shows, and what it could have shown."""
    for name, group in results.get("replicated", {}).items():
        found = group["calibrated"]
        claims = sorted(
            (claim["layer"], claim["kind"], claim["set"]) for kind in KINDS for claim in found[kind]
        )
        told = "; ".join(f"{kind} at layer {layer}, set {_span(within)}" for layer, kind, within in claims)
        yield f"{name}, mean of {len(group['runs'])} runs ({', '.join(group['runs'])}): {told or 'no boundary'}"
        ratios = [
            f"{signal} {value:.2f}" for signal, value in group["roughness_ratio"].items() if value is not None
        ]
        if ratios:
            yield (
                f"  roughness of the mean over that of one run: {', '.join(ratios)} (runs that share nothing: "
                f"{len(group['runs']) ** -0.5:.2f})"
            )
        yield f"  {group['statement']}"


def _span(places: list[int]) -> str:
    """Layers as ranges: 5–7, 12."""
    parts: list[list[int]] = []
    for place in places:
        if parts and place == parts[-1][1] + 1:
            parts[-1][1] = place
        else:
            parts.append([place, place])
    return ", ".join(f"{a}" if a == b else f"{a}–{b}" for a, b in parts)

"""Which texts of a padded batch have anything at some positions: batches hold the longest texts first."""

from __future__ import annotations

from torch import Tensor


def among(chosen: Tensor) -> slice:
    """From the first to the last of those, along the first axis, that have any of what is chosen (n, …), bool."""
    places = chosen.flatten(1).any(1).nonzero().flatten()
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)

"""Taking part of a data set: evenly spread, so that no end of it is favoured, and the same every time."""

from collections.abc import Sequence
from typing import TypeVar

from mspgt.errors import InputError

Item = TypeVar("Item")


def evenly_spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """At most `limit` items, in order, from the middles of `limit` equal stretches; all of them for None."""
    if limit is not None and limit < 1:
        raise InputError(f"expected a limit of at least 1, found {limit}; leave it out to use everything")
    if limit is None or limit >= len(items):
        return list(items)
    return [items[(2 * i + 1) * len(items) // (2 * limit)] for i in range(limit)]

"""Taking part of a data set: evenly spread, so that no end of it is favoured, and the same every time."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

from mspgt.errors import InputError

Item = TypeVar("Item")

STRETCH = 8  # sentences of a document that are taken where a limit cuts: context for a word, and many documents still


def evenly_spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """At most `limit` items, in order, from the middles of `limit` equal stretches; all of them for None."""
    if limit is not None and limit < 1:
        raise InputError(f"expected a limit of at least 1, found {limit}; leave it out to use everything")
    if limit is None or limit >= len(items):
        return list(items)
    return [items[(2 * i + 1) * len(items) // (2 * limit)] for i in range(limit)]


def from_every_group(sizes: Sequence[int], limit: int | None) -> list[int]:
    """How many of each group to keep so that at most `limit` are: in proportion, by largest remainders.

    What is kept of a document are its first sentences: they follow each other, as in running text.
    """
    if limit is not None and limit < 1:
        raise InputError(f"expected a limit of at least 1, found {limit}; leave it out to use everything")
    total = sum(sizes)
    if limit is None or limit >= total:
        return list(sizes)
    shares = [size * limit / total for size in sizes]
    kept = [int(share) for share in shares]
    # Equal remainders go to groups spread over the whole, not to the first ones.
    order = sorted(range(len(sizes)), key=lambda i: (kept[i] - shares[i], (i * 0.6180339887498949) % 1))
    for i in order[: limit - sum(kept)]:
        kept[i] += 1
    return kept


def in_stretches(groups: Sequence[Hashable], limit: int | None) -> list[int]:
    """Indices of at most `limit` items, in order, that follow each other within their groups.

    Words are read in their document, so sentences picked one by one from all over it would be given a context that
    nobody wrote. What is kept of a group are its first items: up to `STRETCH` of evenly spread groups, or more of
    every group where that would not fill the limit. Where each item is a group, items are evenly spread.

    Args:
        groups: of every item, in order (the document of each sentence).
    """
    places: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    members = list(places.values())
    heads = [group[:STRETCH] for group in members]
    if limit is not None and 0 < limit < (most := sum(map(len, heads))):
        # Groups of mean size that fill the limit; the spread ones may be smaller.
        few = -(-limit * len(heads) // most)
        while sum(map(len, evenly_spread(heads, few))) < limit:
            few += 1
        members = evenly_spread(heads, few)
    counts = from_every_group([len(group) for group in members], limit)
    return sorted(place for group, count in zip(members, counts, strict=True) for place in group[:count])

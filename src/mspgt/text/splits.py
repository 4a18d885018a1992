"""Train, dev and test of a treebank that does not come with all three."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from mspgt.text.trees import LabelledSentence

Sentences = Sequence[LabelledSentence]
_SHARES = {"test": 0.15, "dev": 0.15}


def fill_splits(given: Mapping[str, Sentences]) -> tuple[dict[str, list[LabelledSentence]], str]:
    """All three splits, and in words how those that were missing were made; "" where none was.

    Whole documents move, so that no document stands on both sides: a missing dev or test is taken out of train;
    without train everything is put together and split anew, 70 : 15 : 15 by sentences. Which document goes where
    follows from a hash of its name, the same every time and on every machine. A treebank of fewer than three
    documents is split by sentences.
    """
    splits = {name: list(sentences) for name, sentences in given.items()}
    missing = [name for name in ("dev", "test") if not splits[name]]
    if splits["train"] and not missing:
        return splits, ""
    if not splits["train"]:
        named = [name for name, sentences in splits.items() if sentences]
        pool = [each for sentences in splits.values() for each in sentences]
        splits, missing = {"train": pool, "dev": [], "test": []}, ["dev", "test"]
        words = f"the treebank has {' and '.join(named)} alone: all of it was split into train, dev and test"
    else:
        pool = splits["train"]
        words = f"the treebank has no {' and no '.join(missing)}: taken out of train"
    if len(pool) < 1 + len(missing):
        return {name: list(sentences) for name, sentences in given.items()}, ""
    documents = {each.document for each in pool}
    by_document = len(documents) > len(missing)
    units = documents if by_document else {each.sent_id for each in pool}
    unit_of = {each.sent_id: each.document if by_document else each.sent_id for each in pool}
    sizes = dict.fromkeys(units, 0)
    for unit in unit_of.values():
        sizes[unit] += 1
    home = _deal(sizes, [(name, round(_SHARES[name] * len(pool))) for name in missing])
    splits["train"] = [each for each in pool if unit_of[each.sent_id] not in home]
    for name in missing:
        splits[name] = [each for each in pool if home.get(unit_of[each.sent_id]) == name]
    how = (
        "by documents"
        if by_document
        else "by sentences, for want of documents: neighbours may stand on both sides"
    )
    return splits, f"{words} {how}, the same way every time"


def _deal(sizes: Mapping[str, int], wanted: Sequence[tuple[str, int]]) -> dict[str, str]:
    """Unit → split, for as many units as each split wants sentences; at least one each, and one left for train."""
    order = sorted(sizes, key=lambda unit: hashlib.sha256(unit.encode()).digest())
    home: dict[str, str] = {}
    for place, (name, least) in enumerate(wanted):
        held = 0
        spare = len(wanted) - place  # units that the splits after this one, and train, must still find
        while order[spare:] and (held == 0 or held < least):
            unit = order.pop(0)
            home[unit], held = name, held + sizes[unit]
    return home

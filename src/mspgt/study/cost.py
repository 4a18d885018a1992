"""What the stages of a run took when they were computed, read off what they left; nothing is verified again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from mspgt.results import StageCost
from mspgt.study.controlling import FOLDER as PLANTED
from mspgt.study.store import MANIFEST, META, Address

SHARDS, MEASURING = "observe", "measuring"


def cost_of(addresses: Iterable[Address]) -> dict[str, StageCost]:
    """Stage → how often and how long, over all models, twins and arms.

    Shards of the measuring pass need not be kept: their seconds are those that the reduction wrote down. Planted
    controls are one stage. A metric whose checker is not there leaves no stage, and costs nothing.
    """
    cost: dict[str, StageCost] = {}
    for address in {one.folder: one for one in addresses}.values():
        if address.stage == SHARDS or not (address.folder / MANIFEST).exists():
            continue
        stage = PLANTED if address.model == PLANTED else address.stage
        took = {stage: _read(address, MANIFEST)["seconds"]}
        if address.stage == "geometry":
            took[MEASURING] = _read(address, META)["measuring_seconds"]
        for name, seconds in took.items():
            before = cost.get(name, StageCost(0, 0.0))
            cost[name] = StageCost(before.times + 1, round(before.seconds + seconds, 3))
    return dict(sorted(cost.items(), key=lambda item: -item[1].seconds))


def peak_bytes() -> int | None:
    """The most memory that one process held here: this one or a worker of it that has ended; None where unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most if sys.platform == "darwin" else most * 1024


def _read(address: Address, name: str) -> dict[str, Any]:
    return dict(json.loads((address.folder / name).read_text("utf-8")))

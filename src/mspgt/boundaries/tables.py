"""The shipped table of critical values, confidence thresholds and power, made by `python -m calibration`."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from mspgt.errors import InputError

LEVEL = 0.05
# Claims are told apart by score over critical value: the surer one is, the less its place is in doubt.
SURE = (1.0, 1.2, 1.5)


@dataclass(frozen=True)
class Row:
    """What a depth and a number of measured signals need. A kind that cannot be claimed there is absent."""

    critical: Mapping[str, float]  # kind -> score at family-wise error 5 %, the kinds together
    drop: Mapping[str, tuple[float, ...]]  # kind -> q by how sure the claim is; see `drop_at`
    power: Mapping[str, tuple[float, float]]  # kind -> (A50, sd) in roughness SDs; absent: could not be seen
    found: Mapping[str, tuple[float, ...]]  # kind -> share found of boundaries of each of `sizes()`


def drop_at(drops: tuple[float, ...], ratio: float) -> float:
    """q of a claim: places within q of the best score make a 95 % set.

    ratio: score over critical value. drops: one q below the first value of `SURE`, one between each two, one
    above the last.
    """
    return drops[bisect_right(SURE, ratio)]


def sizes() -> tuple[float, ...]:
    """Sizes in roughness SDs, of `Row.found`, ascending."""
    return tuple(table()["recipe"]["sizes"])


@lru_cache(maxsize=1)
def weights() -> dict[str, dict[str, list[float]]]:
    """Number of signals -> kind -> what each signal adds to the power, the clearest first; they sum to 1."""
    text = resources.files("mspgt.boundaries").joinpath("data/power_weights.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["weights"])


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """The table as it was written: `recipe`, `code`, and `depths` by transitions and number of signals."""
    text = resources.files("mspgt.boundaries").joinpath("data/detector.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def deepest() -> int:
    """The largest number of transitions in the table."""
    return max(map(int, table()["depths"]))


def row(transitions: int, signals: int) -> Row:
    """The row of that depth; between tabulated depths the more cautious of the two neighbours, kind by kind.

    Raises:
        InputError: more transitions than the table holds.
    """
    depths = sorted(map(int, table()["depths"]))
    if transitions > depths[-1]:
        raise InputError(
            f"the detector is calibrated for up to {depths[-1]} transitions, found {transitions}; "
            "add the depth to the recipe and run `python -m calibration`"
        )
    at = bisect_left(depths, transitions)
    near = [depths[at]] if depths[at] == transitions or at == 0 else [depths[at - 1], depths[at]]
    rows = [table()["depths"][str(depth)][str(signals)] for depth in near]
    # A kind that the shallower neighbour is too short for may be impossible here as well.
    kinds = [kind for kind in rows[0]["critical"] if all(kind in one["critical"] for one in rows)]
    seen = [kind for kind in kinds if all(kind in one["power"] for one in rows)]
    return Row(
        critical={kind: max(one["critical"][kind] for one in rows) for kind in kinds},
        drop={
            kind: tuple(map(max, zip(*(one["drop"][kind] for one in rows), strict=True))) for kind in kinds
        },
        power={kind: max(tuple(one["power"][kind]) for one in rows) for kind in seen},
        found={kind: tuple(map(min, *(one["found"][kind] for one in (rows[0], rows[-1])))) for kind in kinds},
    )

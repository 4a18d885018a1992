"""Profiles with boundaries planted in them: what power, confidence and validation are held against."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mspgt.stats.nulls import BACKGROUNDS, NullCell, null_profiles, plant, roughness_profile

Array = NDArray[np.float64]
Places = NDArray[np.int64]

GENTLE = tuple(NullCell(background, 0.0, "gaussian", "even") for background in BACKGROUNDS)
# Roughness with memory, heavy tails and an uneven level: what a place has to be told in as well.
HARSH = tuple(NullCell(background, 0.3, "t8", "rising") for background in BACKGROUNDS)


@dataclass(frozen=True)
class Planted:
    profiles: Array  # (runs, signals, transitions)
    places: Places  # (runs, boundaries): transition indices from 0, ascending


def pair_places(transitions: int, runs: int, rng: np.random.Generator) -> Places:
    """One place in 15-45 % of depth and one in 55-85 %, at least 4 apart where that can be; `(runs, 2)`."""
    low = rng.integers(_at(0.15, transitions), _at(0.45, transitions) + 1, size=20 * runs)
    high = rng.integers(_at(0.55, transitions), _at(0.85, transitions) + 1, size=20 * runs)
    apart = high - low >= min(4, int(0.55 * (transitions - 1)))
    return np.stack([low, high], axis=1)[apart][:runs]


def single_place(transitions: int, runs: int, rng: np.random.Generator) -> Places:
    """A place in 15-85 % of depth; `(runs, 1)`."""
    return rng.integers(_at(0.15, transitions), _at(0.85, transitions) + 1, size=(runs, 1))


def _at(share: float, transitions: int) -> int:
    return round(share * (transitions - 1))


def planted(
    kind: str,
    transitions: int,
    size: float,
    runs: int,
    seed: list[int],
    *,
    pair: bool = True,
    signals: int = 3,
    displaced: float = 0.0,
    missing: bool = False,
    cells: tuple[NullCell, ...] = GENTLE,
) -> Planted:
    """`runs` profiles, spread over the cells, with one boundary or two of `size` local roughness SDs.

    displaced: chance that a signal has the boundary one transition off; missing: one signal of each boundary,
    at random, does not have it.
    """
    each = -(-runs // len(cells))
    base = np.concatenate(
        [null_profiles(cell, transitions, each, [*seed, i], signals=signals) for i, cell in enumerate(cells)]
    )
    scale = np.concatenate(
        [np.tile(roughness_profile(cell.roughness, transitions), (each, 1)) for cell in cells]
    )
    rng = np.random.default_rng([*seed, 10_000])
    truth = (pair_places if pair else single_place)(transitions, len(base), rng)
    places = np.repeat(truth[:, None], signals, axis=1)
    places = places + (rng.random(places.shape) < displaced) * rng.choice([-1, 1], size=places.shape)
    places = np.clip(places, 0, transitions - 1)
    heights = size * np.take_along_axis(np.repeat(scale[:, None], signals, axis=1), places, axis=2)
    if missing:
        without = rng.integers(0, signals, size=truth.shape)
        heights[np.arange(len(base))[:, None], without, np.arange(truth.shape[1])] = 0
    return Planted(plant(base, kind, places, heights), truth)


def hits(found: Places, right: NDArray[np.bool_], truth: Places) -> NDArray[np.bool_]:
    """Which planted boundaries have a claim within one transition, `(runs, boundaries)`.

    found, right: `(runs, claims)`, transition indices and whether each counts.
    """
    near = np.abs(found[:, :, None] - truth[:, None]) <= 1
    return (near & right[:, :, None]).any(axis=1)

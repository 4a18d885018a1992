"""Stacks of blocks without a boundary, as hostile as one can make them, and boundaries to plant in them.

A world draws similarity matrices (runs, L, L) of what blocks write. Blocks stand at places on a path; what two blocks
share falls with the distance of their places, less what each writes alone; the rest is disturbance. All amounts are
in units of −log CKA, so that a world means the same at every depth.

What counts as a boundary is declared (`TIMES`): lasting change at one or two transitions of five times that around
it. A draw whose own path holds such a place is no null, and is not counted as one (`Draw.null`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

TIMES, LEAST_JUMP, SIDE = 5.0, 0.1, 4

SPEEDS: dict[str, Callable[[Array], Array]] = {
    "even": lambda x: 0 * x,
    "rising": lambda x: x - 0.5,
    "falling": lambda x: 0.5 - x,
    "valley": lambda x: 2 * np.abs(x - 0.5) - 0.5,
    "bowl": lambda x: np.cos(2 * np.pi * x) / 2,
    "hill": lambda x: -np.cos(2 * np.pi * x) / 2,
    "early burst": lambda x: np.exp(-5 * x) - 0.2,
    "late burst": lambda x: np.exp(5 * (x - 1)) - 0.2,
    "two speeds": lambda x: np.where(x < 0.45, -0.5, 0.5),
    "three speeds": lambda x: np.where(np.abs(x - 0.5) < 0.17, 0.5, -0.5),
    "waves": lambda x: np.sin(5 * np.pi * x + 0.7) / 2,
}
# What two blocks share at a distance s of their places, in [0, 1]; all fall like 1 − s or flatter at 0.
LAWS: dict[str, Callable[[Array], Array]] = {
    "exponential": lambda s: np.exp(-s),
    "bell": lambda s: np.exp(-(s**2)),
    "smooth": lambda s: (1 + 1.7 * s) * np.exp(-1.7 * s),
    "power": lambda s: 1 / (1 + s),
    "power, flat top": lambda s: 1 / (1 + s**2),
    "triangle": lambda s: np.maximum(1 - s / 3, 0.0),
    "two lengths": lambda s: (np.exp(-0.2 * s) + np.exp(-4 * s)) / 2,
    "three lengths": lambda s: (np.exp(-0.08 * s) + np.exp(-s) + np.exp(-8 * s)) / 3,
}


@dataclass(frozen=True)
class World:
    """A law of stacks without a boundary. SDs of noise are before tails, which have unit variance."""

    name: str
    speed: str = "even"  # of lasting change over depth
    contrast: float = 1.0  # fastest over slowest, as a logarithm
    rough: float = 0.25  # log-SD of speed from transition to transition
    memory: float = 0.0  # autocorrelation of that
    rough_tail: float | None = None  # degrees of freedom of Student's t
    total: float = 1.0  # lasting change over the whole depth
    law: str = "exponential"
    shared: float = 0.0  # share of what blocks write that never changes
    turning: float = 0.0  # transitions in which the path turns by a radian; 0: it is straight
    circle: bool = False  # the last block stands where the first does
    alone: float = 0.35  # what a block writes alone
    alone_sd: float = 0.12
    alone_memory: float = 0.0
    alone_trend: float = 0.0  # from the first block to the last
    odd: int = 0  # blocks that write something else
    odd_size: float = 0.8
    pairs: float = 0.1  # SD of disturbance of a pair
    pairs_tail: float | None = 4.0
    field: float = 0.0  # blocks over which disturbances of pairs are alike
    rows: float = 0.0  # SD of disturbances that follow one block along all others
    widening: bool = False  # disturbance grows as the root of the distance
    sampling: float = 0.01  # SD on CKA itself
    period: int = 0  # every so many blocks is of another kind
    period_size: float = 0.3
    excursions: int = 0  # runs of blocks that leave together and come back
    excursion_length: int = 2
    excursion_size: float = 0.5
    functions: int = 0  # of so many functions, whose shares drift
    functions_sd: float = 1.0
    twins: int = 0  # pairs of blocks up to 5 apart that do the same
    twins_size: float = 0.6


@dataclass(frozen=True)
class Draw:
    """Matrices (runs, L, L), and which of them hold no boundary by what a boundary is declared to be."""

    similarity: Array
    null: Bools


def draw(world: World, layers: int, runs: int, rng: np.random.Generator) -> Draw:
    """Stacks of a world."""
    steps = _steps(world, layers - 1, runs, rng)
    blocks = np.arange(layers)
    same = np.eye(layers, dtype=bool)
    shared = LAWS[world.law](_distances(world, steps, rng))
    shared = world.shared + (1 - world.shared) * shared
    if world.functions:
        shared = shared * _functions(world, layers, runs, rng)
    alone = world.alone + world.alone_sd * noise(rng, (runs, layers), memory=world.alone_memory)
    alone = np.maximum(alone + world.alone_trend * (blocks / (layers - 1) - 0.5), 0.02)
    for _ in range(world.odd):
        alone[np.arange(runs), rng.integers(0, layers, runs)] += world.odd_size
    extra = alone[:, :, None] + alone[:, None, :] + _disturbance(world, layers, runs, rng)
    similarity = shared * np.exp(-np.where(same, 0.0, extra))
    similarity = similarity + world.sampling * _mirrored(rng.standard_normal((runs, layers, layers)))
    similarity[:, same] = 1.0
    return Draw(np.minimum(similarity, 1.0), ~declared_boundary(steps))


def with_boundaries(similarity: Array, places: NDArray[np.int64], jump: float, spread: int = 1) -> Array:
    """The same stacks with boundaries after layers `places` (runs, K): a lasting change of `jump` each.

    spread: transitions over which the change is dealt out, centred on the place.
    """
    layers = similarity.shape[-1]
    block = np.arange(1, layers + 1)
    phase = np.zeros((len(similarity), layers))
    for part in range(spread):
        shifted = places + part - (spread - 1) // 2
        phase += (block > shifted[..., None]).sum(axis=1) / spread
    return np.asarray(similarity * np.exp(-jump * np.abs(phase[:, :, None] - phase[:, None, :])))


def declared_boundary(steps: Array) -> Bools:
    """Which paths (runs, T) have one or two transitions `TIMES` as fast as the faster of their two sides."""
    runs, length = steps.shape
    found = np.zeros(runs, dtype=bool)
    for width in (1, 2):
        for place in range(2, length - width - 1):
            before = np.median(steps[:, max(0, place - SIDE) : place], axis=1)
            after = np.median(steps[:, place + width : place + width + SIDE], axis=1)
            around, here = np.maximum(before, after), steps[:, place : place + width].mean(axis=1)
            found |= (here >= TIMES * around) & (here - around >= LEAST_JUMP)
    return found


def noise(
    rng: np.random.Generator, shape: tuple[int, ...], *, memory: float = 0.0, tail: float | None = None
) -> Array:
    """Unit-variance noise, autoregressive along the last axis."""
    values = rng.standard_normal(shape) if tail is None else rng.standard_t(tail, shape)
    if tail is not None:
        values /= np.sqrt(tail / (tail - 2))
    if memory:
        for at in range(1, shape[-1]):
            values[..., at] = memory * values[..., at - 1] + np.sqrt(1 - memory**2) * values[..., at]
    return values


def _steps(world: World, length: int, runs: int, rng: np.random.Generator) -> Array:
    shape = SPEEDS[world.speed]((np.arange(length) + 0.5) / length) * world.contrast
    rough = world.rough * noise(rng, (runs, length), memory=world.memory, tail=world.rough_tail)
    speed = np.exp(shape + rough)
    return np.asarray(world.total * speed / np.exp(shape).sum())


def _distances(world: World, steps: Array, rng: np.random.Generator) -> Array:
    """Distances of blocks (runs, L, L): along a line, a path that turns, or a circle."""
    along = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)
    straight = np.abs(along[:, :, None] - along[:, None, :])
    if world.circle:
        radius = along[:, -1:, None] / (2 * np.pi)
        return np.asarray(2 * radius * np.abs(np.sin(straight / (2 * radius))))
    if not world.turning:
        return np.asarray(straight)
    # A direction on the sphere in 6 dimensions that wanders, so that distance grows ever slower than the path.
    heading = noise(rng, (len(steps), 6, steps.shape[1]), memory=float(np.exp(-1 / world.turning)))
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    path = np.concatenate([np.zeros((len(steps), 6, 1)), np.cumsum(heading * steps[:, None], axis=2)], axis=2)
    return np.asarray(np.linalg.norm(path[..., None] - path[..., None, :], axis=1))


def _functions(world: World, layers: int, runs: int, rng: np.random.Generator) -> Array:
    """What blocks share of finitely many functions, each with a share that drifts over 6 blocks or a quarter."""
    lag = np.arange(layers)[:, None] - np.arange(layers)
    drift = np.exp(-0.5 * (lag / max(6, layers / 4)) ** 2) + 1e-6 * np.eye(layers)
    smooth = np.linalg.cholesky(drift) @ rng.standard_normal((runs, layers, world.functions))
    shares = np.exp(world.functions_sd * smooth + 0.1 * rng.standard_normal(smooth.shape))
    shares /= np.linalg.norm(shares, axis=2, keepdims=True)
    return np.asarray(shares @ shares.transpose(0, 2, 1))


def _disturbance(world: World, layers: int, runs: int, rng: np.random.Generator) -> Array:
    """What neither path nor block explains, (runs, L, L), symmetric; positive where a pair shares less."""
    blocks = np.arange(layers)
    lag = np.abs(blocks[:, None] - blocks)
    field = noise(rng, (runs, layers, layers), tail=world.pairs_tail)
    if world.field:
        kernel = np.exp(-0.5 * (lag / world.field) ** 2)
        kernel /= np.linalg.norm(kernel, axis=1, keepdims=True)
        field = kernel @ field @ kernel.T
    total = world.pairs * _mirrored(field)
    if world.widening:
        total = total * np.sqrt(lag / 3)
    if world.rows:
        follow = world.rows * noise(rng, (runs, layers, layers), memory=0.7)
        total = total + follow + follow.transpose(0, 2, 1)
    if world.period:
        kind = blocks % world.period == world.period - 1
        total = total + world.period_size * (kind[:, None] != kind)
    for _ in range(world.excursions):
        start = rng.integers(2, layers - 1 - world.excursion_length, runs)[:, None]
        away = (blocks >= start) & (blocks < start + world.excursion_length)
        total = total + world.excursion_size * (away[:, :, None] != away[:, None, :])
    for _ in range(world.twins):
        one = rng.integers(0, layers - 5, runs)
        other = one + rng.integers(1, 6, runs)
        for a, b in ((one, other), (other, one)):
            total[np.arange(runs), a, b] -= world.twins_size
    return total


def _mirrored(values: Array) -> Array:
    upper = np.triu(values, 1)
    return np.asarray(upper + upper.swapaxes(-1, -2))


def _worlds(prefix: str, **fields: object) -> World:
    name = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in fields.items())
    return replace(World(f"{prefix}{name}"), **fields)  # type: ignore[arg-type]


SINGLE: tuple[World, ...] = (
    World("plain"),
    *(
        _worlds("", speed=speed, contrast=contrast)
        for speed in list(SPEEDS)[1:]
        for contrast in (1.0, 2.5)
    ),
    *(
        _worlds("", **fields)
        for fields in (
            {"rough": 0.0},
            {"rough": 0.5},
            {"rough": 0.5, "memory": 0.6},
            {"rough": 0.3, "memory": 0.8},
            {"rough": 0.35, "rough_tail": 4.0},
            {"total": 0.0},
            {"total": 0.3, "rough": 0.5},
            {"total": 2.5, "rough": 0.5},
            {"total": 5.0, "rough": 0.4},
            *({"law": law, "total": 1.5} for law in list(LAWS)[1:]),
            {"law": "triangle", "total": 2.5, "rough": 0.5},
            {"law": "power, flat top", "total": 3.0, "rough": 0.5},
            {"shared": 0.6, "total": 2.5},
            {"turning": 3.0, "total": 2.5},
            {"turning": 8.0, "total": 2.5, "rough": 0.5},
            {"circle": True, "total": 2.5},
            {"alone_sd": 0.3},
            {"alone_sd": 0.25, "alone_memory": 0.8},
            {"alone_trend": 1.0, "alone": 0.8},
            {"alone": 1.2, "alone_sd": 0.5, "pairs": 0.3},
            {"odd": 1, "odd_size": 2.0},
            {"odd": 3, "odd_size": 1.2},
            {"pairs": 0.02, "sampling": 0.002},
            {"pairs": 0.2, "pairs_tail": 3.0},
            {"pairs": 0.4, "pairs_tail": None},
            {"field": 0.7},
            {"field": 1.2},
            {"field": 1.2, "rough": 0.5},
            {"field": 1.6, "pairs": 0.15},
            {"field": 2.0, "pairs": 0.2},
            {"field": 3.0, "pairs": 0.2},
            {"rows": 0.1},
            {"rows": 0.2, "pairs": 0.05},
            {"rows": 0.15, "rough": 0.5},
            {"widening": True, "pairs": 0.2},
            {"sampling": 0.04},
            {"period": 2, "period_size": 0.8},
            {"period": 3, "period_size": 0.8},
            {"period": 4, "period_size": 1.2},
            {"period": 6, "period_size": 1.2},
            {"period": 8, "period_size": 1.5},
            {"excursions": 3, "excursion_length": 1, "excursion_size": 1.0},
            {"excursions": 1, "excursion_length": 2, "excursion_size": 0.8},
            {"excursions": 2, "excursion_length": 2, "excursion_size": 0.6},
            {"excursions": 1, "excursion_length": 3, "excursion_size": 0.5},
            {"functions": 3, "total": 0.3},
            {"functions": 6, "total": 0.3},
            {"functions": 12, "functions_sd": 1.5, "total": 0.3},
            {"functions": 30, "functions_sd": 1.5, "total": 0.5},
            {"twins": 4},
            {"twins": 8, "twins_size": 0.8},
        )
    ),
    # As untrained networks are: nearly all alike.
    World("untrained", total=0.05, alone=0.03, alone_sd=0.01, pairs=0.01, sampling=0.003),
)  # fmt: skip

# Hostile settings that do not contradict each other, three at a time.
_HOSTILE: tuple[dict[str, object], ...] = (
    {"speed": "bowl", "contrast": 2.0},
    {"rough": 0.5},
    {"total": 2.5},
    {"law": "three lengths"},
    {"alone_sd": 0.3},
    {"odd": 2, "odd_size": 1.2},
    {"pairs": 0.2, "pairs_tail": 3.0},
    {"field": 0.8},
    {"rows": 0.1},
    {"period": 6, "period_size": 0.8},
    {"excursions": 1, "excursion_length": 2},
    {"functions": 8},
    {"twins": 4},
)
_TRIPLES = list(combinations(range(len(_HOSTILE)), 3))
TRIPLES: tuple[World, ...] = tuple(
    _worlds("three: ", **{key: value for at in _TRIPLES[pick] for key, value in _HOSTILE[at].items()})
    for pick in sorted(np.random.default_rng(20_261_128).permutation(len(_TRIPLES))[:30].tolist())
)
# Outside by what a boundary is, and stated before anything was simulated: speed rougher than the declared
# tolerance; three blocks that leave and come back are a short phase, and two such runs two; a burst of speed
# within a few transitions is a change spread over them; functions that come and go within four blocks.
OUTSIDE: tuple[World, ...] = tuple(
    _worlds("", **fields)
    for fields in (
        {"rough": 0.75},
        {"rough": 0.5, "rough_tail": 4.0},
        {"excursions": 2, "excursion_length": 3, "excursion_size": 0.8},
        {"excursions": 1, "excursion_length": 4, "excursion_size": 0.8},
    )
)


def family(layers: int) -> tuple[World, ...]:
    """The worlds in which at most 5 % may be called, at a depth.

    Below 18 blocks three that leave and come back are a quarter of the model: a phase, as in `OUTSIDE`.
    """
    every = SINGLE + TRIPLES
    return every if layers >= 18 else tuple(one for one in every if one.excursion_length < 3)

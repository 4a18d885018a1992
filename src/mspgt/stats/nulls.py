"""The null family: smooth signal profiles without a boundary, and the boundaries to plant in them.

A profile is background + roughness. Amplitudes of backgrounds and heights of planted boundaries are in
roughness standard deviations, so that a cell means the same at every depth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from mspgt.errors import InputError
from mspgt.vocabulary import KINDS

Array = NDArray[np.float64]

SIGNALS = 3
BACKGROUNDS = (
    *("flat", "slope", "u", "hump", "decay-1", "decay-2", "decay-3", "late-rise"),
    *("logistic-6", "logistic-10", "logistic-14", "logistic-20", "logistic-14-early"),
    *("sine-0.5", "sine-1", "sine-1.5"),
)
AUTOCORRELATIONS = (0.0, 0.3, 0.7)
TAILS: Mapping[str, float | None] = {"gaussian": None, "t4": 4.0, "t8": 8.0}
ROUGHNESS = ("even", "rising", "falling", "bulging")
BUMP_SD = 1.1


@dataclass(frozen=True)
class NullCell:
    """One member of the null family: a background and a law of the roughness around it."""

    background: str
    autocorrelation: float
    tail: str
    roughness: str

    @property
    def name(self) -> str:
        return f"{self.background}/ar{self.autocorrelation}/{self.tail}/{self.roughness}"


NULL_CELLS: tuple[NullCell, ...] = tuple(
    NullCell(*parts) for parts in product(BACKGROUNDS, AUTOCORRELATIONS, TAILS, ROUGHNESS)
)


def background_shape(name: str, transitions: int) -> Array:
    """The background of that name, range about 1, shape `(transitions,)`; decays count transitions."""
    t = np.arange(transitions, dtype=np.float64)
    x = t / max(transitions - 1, 1)
    kind, _, rest = name.partition("-")
    match kind:
        case "flat":
            return np.zeros(transitions)
        case "slope":
            return x
        case "u":
            return (2 * x - 1) ** 2
        case "hump":
            return np.exp(-0.5 * ((x - 0.5) / 0.18) ** 2)
        case "decay":
            return np.exp(-t / float(rest))
        case "late":
            return np.exp((t - (transitions - 1)) / 2)
        case "logistic":
            steepness, _, place = rest.partition("-")
            return 1 / (1 + np.exp(-float(steepness) * (x - (0.3 if place == "early" else 0.5))))
        case "sine":
            return 0.5 * np.sin(2 * np.pi * float(rest) * x)
    raise InputError(f"expected a background among {', '.join(BACKGROUNDS)}; found {name!r}")


def roughness_profile(name: str, transitions: int) -> Array:
    """Standard deviation of the roughness, shape `(transitions,)`; mean square 1, range 3:1 unless even."""
    x = np.linspace(0, 1, transitions)
    shapes = {
        "even": 1 + 0 * x,
        "rising": 1 + 2 * x,
        "falling": 3 - 2 * x,
        "bulging": 1 + 2 * np.sin(np.pi * x),
    }
    if name not in shapes:
        raise InputError(f"expected a roughness among {', '.join(ROUGHNESS)}; found {name!r}")
    return shapes[name] / np.sqrt(np.mean(shapes[name] ** 2))


def boundary_shape(kind: str, transitions: int, at: int) -> Array:
    """What a boundary of height 1 at transition index `at` (from 0) adds, shape `(transitions,)`.

    spike: that transition alone; bump: a Gaussian of sd 1.1 transitions; step: every transition from `at` on;
    kink: the slope grows by 1 a transition after `at`.
    """
    d = np.arange(transitions, dtype=np.float64) - at
    match kind:
        case "spike":
            return (d == 0).astype(np.float64)
        case "bump":
            return np.exp(-0.5 * (d / BUMP_SD) ** 2)
        case "step":
            return (d >= 0).astype(np.float64)
        case "kink":
            return np.maximum(d, 0)
    raise InputError(f"expected a kind among {', '.join(KINDS)}; found {kind!r}")


def _innovations(rng: np.random.Generator, tail: float | None, shape: tuple[int, ...]) -> Array:
    if tail is None:
        return rng.standard_normal(shape)
    return rng.standard_t(tail, shape) * np.sqrt((tail - 2) / tail)


def null_profiles(
    cell: NullCell,
    transitions: int,
    runs: int,
    seed: int | np.random.SeedSequence,
    *,
    amplitude: tuple[float, float] = (10.0, 20.0),
    correlation: float = 0.0,
    signals: int = SIGNALS,
    student: float | None = None,
) -> Array:
    """Profiles without a boundary, shape `(runs, signals, transitions)`, roughness of unit mean square.

    The background has the same place in all signals and its own uniform amplitude, in roughness SDs, in each.
    `correlation` is that of the roughness between any two signals; `student` overrides the tail of the cell
    with a t law of that many degrees of freedom.
    """
    if transitions < 1 or runs < 1 or not 0 <= correlation <= 1:
        raise InputError(
            "expected transitions >= 1, runs >= 1 and a correlation in [0, 1]; "
            f"found {transitions}, {runs} and {correlation}"
        )
    rng = np.random.default_rng(seed)
    tail = TAILS[cell.tail] if student is None else student
    rho, lead = cell.autocorrelation, 0 if cell.autocorrelation == 0 else 20
    shape = (runs, signals, transitions + lead)
    noise = _innovations(rng, tail, shape)
    if correlation > 0:
        shared = _innovations(rng, tail, (runs, 1, transitions + lead))
        noise = np.sqrt(1 - correlation) * noise + np.sqrt(correlation) * shared
    if rho > 0:
        # The first value has the stationary variance; the lead lets the shape of its law settle as well.
        noise[..., 1:] *= np.sqrt(1 - rho**2)
        noise = lfilter([1.0], [1.0, -rho], noise, axis=-1)[..., lead:]
    heights = rng.uniform(*amplitude, size=(runs, signals, 1))
    background = background_shape(cell.background, transitions)
    return heights * background + noise * roughness_profile(cell.roughness, transitions)


def plant(
    profiles: Array, kind: str, places: NDArray[np.int64], heights: Array, scale: Array | None = None
) -> Array:
    """Profiles with boundaries added, shape `(runs, signals, transitions)`.

    `places` `(runs, boundaries)` or `(runs, signals, boundaries)` are transition indices from 0; `heights`,
    broadcast to the latter shape, are in units of `scale` `(transitions,)`, the local roughness (default 1).
    """
    _, signals, transitions = profiles.shape
    places = np.asarray(places)
    if places.ndim == 2:
        places = np.repeat(places[:, None], signals, axis=1)
    if places.min() < 0 or places.max() >= transitions:
        raise InputError(f"expected places in 0..{transitions - 1}; found {places.min()}..{places.max()}")
    shapes = np.stack([boundary_shape(kind, transitions, at) for at in range(transitions)])
    local = np.ones(transitions) if scale is None else np.asarray(scale, dtype=np.float64)
    size = np.broadcast_to(heights, places.shape) * local[places]
    return profiles + np.einsum("rsk,rskt->rst", size, shapes[places])

"""Contrasts: what a boundary of one kind, at one place, adds to a profile beyond a smooth background.

The contrast of a kind at place b is the least-squares coefficient of the kind's shape at b in a window of
`half` transitions on either side, with a polynomial of degree `order` fitted beside it, over its standard
deviation under white roughness of SD 1. So every contrast is one linear filter of unit norm, and all filters
of a depth make one matrix. Several boundaries are told apart by solving for their heights jointly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError
from mspgt.stats.nulls import boundary_shape
from mspgt.vocabulary import KINDS

Array = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """How a kind is looked for at a depth. A place keeps `margin` transitions from either end of the profile."""

    half: int  # reach of the window on either side
    order: int  # degree of the background in it
    margin: int
    separation: int  # least distance between two suspects
    suspects: int  # places fitted jointly before the roughness is judged
    first_depth: int  # fewest transitions at which the kind may be claimed
    two_sided: bool


def window(kind: str, transitions: int) -> Window:
    """The window of that kind. Why each number is what it is: `docs/calibration.md`."""
    t = transitions
    match kind:
        case "spike":
            return Window(
                min(max(round(t / 5), 3), 6), 2 if t < 17 else 3, 1, 4, 2 if t < 19 else 4, 6, False
            )
        case "bump":
            return Window(min(3 + t // 13, 8), 2 if t < 36 else 3, 2, 4, 2 if t < 36 else 4, 13, False)
        case "step":
            return Window(min(5 + t // 13, 10), 3, 2, 4, 2 if t < 24 else 4, 9, True)
        case "kink":
            apart = 5 if t < 24 else 6 if t < 36 else 4
            return Window(2 if t < 43 else 4, 1, 4, apart, 2 if t < 36 else 4, 19, True)
    raise InputError(f"expected a kind among {', '.join(KINDS)}; found {kind!r}")


# A place is left out where the background could imitate so much of the shape that little of it is left.
LEAST_SENSITIVITY = 0.6
# Reach, in transitions, of the kernel that makes the scale local.
BANDWIDTH = 5.0


@dataclass(frozen=True)
class Bank:
    """All contrasts of one depth. Element `k * transitions + b` is kind k at place b; the last is empty."""

    transitions: int
    filters: Array  # (elements, transitions): unit norm, zero where there is no such contrast
    response: Array  # (elements, elements): contrast i of a boundary of height 1 that is element j
    overlap: Array  # (elements, elements): covariance of contrasts i and j under white roughness
    elements: Mapping[str, Places]  # kind -> elements that may be claimed, by depth
    kernel: Mapping[str, Array]  # kind -> (places, places): weights of the local scale
    freedom: Mapping[str, Array]  # kind -> (places,): degrees of freedom of the local scale

    @property
    def empty(self) -> int:
        return len(self.filters) - 1

    def places(self, kind: str) -> Places:
        """Transition indices, from 0, at which the kind may be claimed."""
        return self.elements[kind] - KINDS.index(kind) * self.transitions


def contrast_filter(kind: str, transitions: int, at: int) -> tuple[Array, float]:
    """The unit-norm filter of that contrast, `(transitions,)`, and its response to a boundary of height 1.

    Both are zero where the window is too short, or the polynomial takes the whole shape up.
    """
    law = window(kind, transitions)
    # A step stands between two transitions, so its window has as many on the one side as on the other.
    width = min(2 * law.half + (kind != "step"), transitions)
    start = min(max(at - law.half, 0), transitions - width)
    inside = slice(start, start + width)
    coefficients = np.zeros(transitions)
    if width < law.order + 3:
        return coefficients, 0.0
    shape = boundary_shape(kind, transitions, at)[inside]
    background = np.linalg.qr(np.vander(np.linspace(-1, 1, width), law.order + 1))[0]
    left = shape - background @ (background.T @ shape)
    norm = float(np.linalg.norm(left))
    if norm < 1e-6:
        return coefficients, 0.0
    coefficients[inside] = left / norm
    return coefficients, norm


@lru_cache(maxsize=8)
def bank(transitions: int) -> Bank:
    """The bank of that depth; the kinds a depth is too short for have no places."""
    count = len(KINDS) * transitions + 1
    filters, shapes = np.zeros((count, transitions)), np.zeros((count, transitions))
    elements, kernel, freedom = {}, {}, {}
    for k, kind in enumerate(KINDS):
        law = window(kind, transitions)
        sensitivity = np.zeros(transitions)
        for at in range(transitions):
            filters[k * transitions + at], sensitivity[at] = contrast_filter(kind, transitions, at)
            shapes[k * transitions + at] = boundary_shape(kind, transitions, at)
        place = np.arange(transitions)
        last = transitions - 1 + (kind == "step")
        usable = (sensitivity > LEAST_SENSITIVITY * sensitivity.max()) & (transitions >= law.first_depth)
        usable &= (place >= law.margin) & (last - place >= law.margin)
        places = np.flatnonzero(usable)
        rows = filters[k * transitions + places]
        weights = np.exp(-0.5 * ((places[:, None] - places[None]) / BANDWIDTH) ** 2)
        elements[kind], kernel[kind] = places + k * transitions, weights
        variance = np.einsum("bi,bj,ij->b", weights, weights, (rows @ rows.T) ** 2)
        freedom[kind] = weights.sum(axis=1) ** 2 / np.maximum(variance, 1e-12)
    response = filters @ shapes.T
    return Bank(transitions, filters, response, filters @ filters.T, elements, kernel, freedom)


@dataclass(frozen=True)
class Residual:
    """What is left of the contrasts of one kind when some elements' heights have been fitted jointly."""

    contrast: Array  # (runs, signals, places)
    variance: Array  # (runs, signals, places): under white roughness; 1 where nothing was taken out
    height: Array  # (runs, signals, suspects): fitted heights over their white-roughness SDs


def residual(contrasts: Array, suspects: Places, kind: str, bank: Bank) -> Residual:
    """Contrasts of `kind` after removal of `suspects`.

    contrasts `(runs, signals, elements)`, all filters applied; suspects `(runs, signals, suspects)`.
    """
    rows = bank.elements[kind]
    taken = np.take_along_axis(contrasts, suspects, axis=-1)
    joint = bank.response[suspects[..., :, None], suspects[..., None, :]]
    own = np.arange(suspects.shape[-1])
    joint[..., own, own] += suspects == bank.empty
    inverse = np.linalg.inv(joint)
    overlap = bank.overlap[suspects[..., :, None], suspects[..., None, :]]
    weights = np.swapaxes(inverse, -1, -2) @ bank.response.T[:, rows][suspects]
    left = contrasts[..., rows] - np.einsum("rskb,rsk->rsb", weights, taken)
    variance = 1 + np.einsum(
        "rskb,rskb->rsb", weights, overlap @ weights - 2 * bank.overlap[:, rows][suspects]
    )
    height = np.einsum("rskl,rsl->rsk", inverse, taken)
    spread = np.einsum("rskl,rslm,rskm->rsk", inverse, overlap, inverse)
    return Residual(left, np.maximum(variance, 1e-9), height / np.sqrt(np.maximum(spread, 1e-18)))

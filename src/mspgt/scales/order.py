"""Is one scale built before the next, and where does it hand over? Order test, gate and boundary."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mspgt.results import FunctionalBoundary, FunctionalOrder, Located
from mspgt.scales.curves import separation

Array = NDArray[np.float64]
Rises = tuple[Array, Array]  # as estimated (1, layers + 1) and redrawn (draws, layers + 1)

PAIRS = {"LI": ("L", "I"), "IG": ("I", "G")}
LEVEL = 0.05
# Equal amplitudes at equal depths reach half their bits up to a twentieth of the depth apart, the weaker label later.
MARGIN = 0.05  # of the depth
FLOOR = 1e-3  # of the depth: the least standard error of a gap


def interval(point: Array, draws: Array, layers: int | None = None, *, hull: bool = True) -> Located:
    """95 % interval of a number (1,) from its draws (draws,).

    The hull of the percentile and the reflected interval: percentiles double the bias of a plateau, reflection breaks
    on shelves. `layers` clips it to the depth. Percentile alone (hull=False) is for what is a maximum over layers.
    Draws without a value are left out; without a value in half of them there is no interval.
    """
    value = float(point[0])
    held = draws[np.isfinite(draws)]
    if not np.isfinite(value):
        return Located(None, None)
    if len(held) < len(draws) / 2:
        return Located(value, None)
    low, high = (float(end) for end in np.quantile(held, [LEVEL / 2, 1 - LEVEL / 2]))
    if hull:
        low, high = min(low, 2 * value - high), max(high, 2 * value - low)
    if layers is not None:
        low, high = (float(np.clip(end, 0, layers)) for end in (low, high))
    return Located(value, (low, high))


def order_tests(centres: Mapping[str, tuple[Array, Array]], layers: int) -> dict[str, FunctionalOrder]:
    """The gap between the centres of adjacent scales, tested together.

    H0: gap ≤ .05 L. Centred, studentised draws; max-T over the pairs. Supported where p ≤ .05; reversed likewise,
    with the sign changed.
    """
    margin = MARGIN * layers
    known = {pair: ab for pair, ab in PAIRS.items() if all(scale in centres for scale in ab)}
    point = {pair: float((centres[b][0] - centres[a][0])[0]) for pair, (a, b) in known.items()}
    draws = {pair: centres[b][1] - centres[a][1] for pair, (a, b) in known.items()}
    noise, errors = {}, {}
    for pair, redrawn in draws.items():
        centred = redrawn - redrawn.mean()
        errors[pair] = float(centred.std()) + FLOOR * layers
        noise[pair] = centred / errors[pair]
    up = np.max([*noise.values()], axis=0) if noise else np.empty(0)
    down = np.max([-each for each in noise.values()], axis=0) if noise else np.empty(0)

    def p(statistic: float, largest: Array) -> float:
        return float((1 + (largest >= statistic).sum()) / (len(largest) + 1))

    found = {}
    for pair, (a, b) in PAIRS.items():
        if pair not in known:
            missing = [scale for scale in (a, b) if scale not in centres]
            why = " and ".join(f"{scale} is undefined" for scale in missing)
            found[pair] = FunctionalOrder(Located(None, None), margin, None, None, None, None, None, why)
            continue
        gap, error = point[pair], errors[pair]
        forward, plain = p((gap - margin) / error, up), p(gap / error, up)
        backward = p((-gap - margin) / error, down)
        found[pair] = FunctionalOrder(
            interval(np.array([gap]), draws[pair]),
            margin,
            forward,
            plain,
            backward,
            forward <= LEVEL,
            backward <= LEVEL,
            "",
        )
    return found


def verdict(order: Mapping[str, FunctionalOrder]) -> str:
    """Both tests in words."""
    names = {"LI": "L before I", "IG": "I before G"}
    if all(each.supported for each in order.values()):
        return "L < I < G supported"
    told = []
    for pair, name in names.items():
        test = order[pair]
        if test.supported is None:
            told.append(f"{name} not testable: {test.reason}")
        elif test.reversed:
            told.append(f"{name} reversed")
        else:
            told.append(f"{name} {'supported' if test.supported else 'not supported'}")
    return "; ".join(told)


def undefined_boundary(reason: str) -> FunctionalBoundary:
    """A boundary that is null, with its reason."""
    nothing = Located(None, None)
    return FunctionalBoundary(None, None, None, [], nothing, nothing, nothing, reason)


def boundary(earlier: Rises | None, later: Rises | None, order: FunctionalOrder) -> FunctionalBoundary:
    """The Kolmogorov–Smirnov split of two scales, if their order is supported and the earlier one leads.

    The gate: both are defined, the order test rejects, and the lower bound of KS⁺ − KS⁻ is above 0. Without it the
    split of two equal rises could lie anywhere.
    """
    if earlier is None or later is None:
        return undefined_boundary(order.reason)
    one, many = separation(earlier[0], later[0]), separation(earlier[1], later[1])
    ahead = interval(one.ahead, many.ahead, hull=False)
    behind = interval(one.behind, many.behind, hull=False)
    lead = float(np.quantile(many.ahead - many.behind, LEVEL / 2))
    reason = ""
    if not order.supported:
        assert order.p is not None
        way = "reversed" if order.reversed else "not supported"
        reason = f"unordered: the order of the two scales is {way} (p = {order.p:.3f} beyond the margin)"
    elif lead <= 0:
        reason = "crossing: the later scale leads the earlier one as much, elsewhere"
    if reason:
        nothing = Located(None, None)
        return FunctionalBoundary(None, None, None, [], nothing, ahead, behind, reason)
    layers = earlier[0].shape[-1] - 1
    layer = int(one.layer[0])
    low, high = np.quantile(many.layer, [LEVEL / 2, 1 - LEVEL / 2], method="nearest")
    return FunctionalBoundary(
        layer=layer,
        layer_zero_based=layer - 1,
        relative=layer / layers,
        set=list(range(min(layer, int(low)), max(layer, int(high)) + 1)),
        soft=interval(one.soft, many.soft, hull=False),
        ahead=ahead,
        behind=behind,
        reason="",
    )

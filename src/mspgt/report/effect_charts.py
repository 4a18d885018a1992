"""Charts of Experiment 2 on the page: one a metric with every dose side by side, and the noise–response curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from mspgt.report.charts import path
from mspgt.report.interventions import DOSE_WORD, Bar, BarPanel, signed
from mspgt.report.markup import shared, tag
from mspgt.report.words import MISSING, number
from mspgt.results.interventions import ResponseCurve

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 430, 190, 44, 22, 32
SMALL, LOW = 210, 150  # of the noise–response curves
BAR, GAP = 26, 0.9  # most that a bar takes, and the space between groups in bars
FAR = 3.0  # a literal dose that reaches so many times as far as all others is cut, and its number written


def bars_svg(doses: Mapping[str, BarPanel]) -> Markup:
    """One metric at every dose as an SVG element; nothing where nothing was measured.

    Args:
        doses: dose → its bars, in the order in which they stand.
    """
    drawn = {dose: panel for dose, panel in doses.items() if panel.drawn}
    if not drawn:
        return Markup("")
    title = next(iter(drawn.values())).title
    about: dict[str, str | float] = {
        "class": "chart bars", "viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img",
        "aria-label": f"{title}: change in percent, by dose and scale",
    }  # fmt: skip
    return tag("svg", *_drawing(drawn), **about)


@dataclass(frozen=True)
class Frame:
    """From percent to height, and from dose and scale to place, in the drawing."""

    low: float
    high: float
    step: float

    @classmethod
    def of(cls, doses: Mapping[str, BarPanel]) -> Frame:
        low, high = _extent(doses)
        bars = sum(len(panel.bars) + GAP for panel in doses.values())
        return cls(low, high, min(BAR, (WIDTH - LEFT) / bars))

    def down(self, percent: float) -> float:
        inside = min(max(percent, self.low), self.high)
        return HEIGHT - BOTTOM - (inside - self.low) / (self.high - self.low) * (HEIGHT - BOTTOM - TOP)

    def middles(self, doses: Mapping[str, BarPanel]) -> dict[str, list[float]]:
        """The middle of every bar, by dose."""
        places, at = {}, LEFT + GAP / 2 * self.step
        for dose, panel in doses.items():
            places[dose] = [at + (bar + 0.5) * self.step for bar in range(len(panel.bars))]
            at += (len(panel.bars) + GAP) * self.step
        return places


def _drawing(doses: Mapping[str, BarPanel]) -> Iterator[Markup]:
    frame = Frame.of(doses)
    middles = frame.middles(doses)
    yield shared(*_names(doses, middles))
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(frame.low, frame.high)
    heights = {float(tick): frame.down(tick) for tick in ticks if frame.low <= tick <= frame.high}
    yield tag("path", class_="grid", d="".join(f"M{LEFT} {down:.1f}H{WIDTH}" for down in heights.values()))
    told = (tag("text", number(tick), y=down + 3.5) for tick, down in heights.items())
    yield tag("g", *told, class_="end", transform=f"translate({LEFT - 6})")
    yield from _chance(doses, frame, middles)
    yield from _bars(doses, frame, middles)
    yield tag("path", class_="axis", d=f"M{LEFT} {frame.down(0):.1f}H{WIDTH}")


def _names(doses: Mapping[str, BarPanel], middles: Mapping[str, Sequence[float]]) -> Iterator[Markup]:
    yield tag("text", "% of the baseline", class_="tick", x=0, y=11)
    for dose, panel in doses.items():
        for middle, bar in zip(middles[dose], panel.bars, strict=True):
            yield tag("text", bar.label, class_="tick middle", x=middle, y=HEIGHT - 19)
        centre = sum(middles[dose]) / len(middles[dose])
        yield tag("text", DOSE_WORD[dose], class_="middle", x=centre, y=HEIGHT - 5)


def _chance(
    doses: Mapping[str, BarPanel], frame: Frame, middles: Mapping[str, Sequence[float]]
) -> Iterator[Markup]:
    """The A/A range, the same behind every dose."""
    ranges = {panel.chance for panel in doses.values() if panel.chance}
    for low, high in ranges:
        words = tag("title", f"two runs without noise differ by [{signed(low)}, {signed(high)}] %")
        top, bottom = frame.down(high), frame.down(low)
        end = max(middle for places in middles.values() for middle in places) + frame.step
        size: dict[str, float] = {"x": LEFT, "y": top, "width": end - LEFT, "height": bottom - top}
        yield tag("rect", words, class_="chance", **size)


def _bars(
    doses: Mapping[str, BarPanel], frame: Frame, middles: Mapping[str, Sequence[float]]
) -> Iterator[Markup]:
    """All bars that look alike as one path, their intervals as another; what was not measured as a dash."""
    alike: dict[str, str] = {}
    whiskers, ground = "", frame.down(0)
    words: list[Markup] = []
    for dose, panel in doses.items():
        for middle, bar in zip(middles[dose], panel.bars, strict=True):
            if bar.percent is None:
                words.append(tag("text", MISSING, tag("title", bar.reason or ""), x=middle, y=ground - 4))
                continue
            kind = f"bar {bar.scale}" + ("" if bar.claimed else " unclear")
            half, end = 0.4 * frame.step, frame.down(bar.percent)
            outline = (
                f"M{middle - half:.0f} {ground:.1f}v{end - ground:.1f}h{2 * half:.0f}v{ground - end:.1f}z"
            )
            alike[kind] = alike.get(kind, "") + outline
            if not frame.low <= bar.percent <= frame.high:
                words.append(_cut(bar, middle, frame))
            elif bar.interval:
                low, high = (frame.down(one) for one in bar.interval)
                whiskers += f"M{middle:.0f} {low:.1f}V{high:.1f}"
    for kind, outlines in alike.items():
        yield tag("path", class_=kind, d=outlines)
    if whiskers:
        yield tag("path", class_="whisker", d=whiskers)
    yield from words


def _cut(bar: Bar, middle: float, frame: Frame) -> Markup:
    """The number of a bar that leaves the drawing, beside the end at which it does."""
    percent = bar.percent or 0.0
    above = percent > 0
    down = frame.down(percent)
    turn = f"rotate(-90 {middle + 3:.1f} {down + (4 if above else -4):.1f})"
    return tag(
        "text", f"{percent:+,.0f} %".replace("-", "−"), class_="cut end" if above else "cut start",
        x=middle + 3, y=down + (4 if above else -4), transform=turn,
    )  # fmt: skip


def _reach(panel: BarPanel) -> list[float]:
    known = [0.0, *(panel.chance or ())]
    for bar in panel.bars:
        known += [bar.percent] if bar.percent is not None else []
        known += bar.interval or ()
    return known


def _extent(doses: Mapping[str, BarPanel]) -> tuple[float, float]:
    """Of all doses, save the literal one where it would leave the others without height."""
    reach = {dose: _reach(panel) for dose, panel in doses.items()}
    others = [value for dose, known in reach.items() if dose != "literal" for value in known]
    literal = reach.get("literal") or []
    most = max(map(abs, others), default=0.0)
    known = others if most and max(map(abs, literal), default=0.0) > FAR * most else [*others, *literal]
    margin = 0.06 * (max(known) - min(known)) or 1.0
    return min(known) - margin, max(known) + margin


def response_svg(response: Mapping[str, ResponseCurve] | None) -> Markup:
    """The noise–response curves of a model on logarithmic axes, solid as far as they are linear in the dose."""
    if not response:
        return Markup("")
    points = {
        scale: [(s, d) for s, d in zip(c.sigma, c.divergence, strict=True) if d and d > 0]
        for scale, c in response.items()
    }
    known = [point for curve in points.values() for point in curve]
    if not known:
        return Markup("")
    (left, right), (low, high) = (_decades(values) for values in zip(*known, strict=True))
    floor_ = LOW - 20

    def place(sigma: float, nats: float) -> tuple[float, float]:
        across = LEFT + (log10(sigma) - left) / (right - left) * (SMALL - LEFT - 8)
        return across, floor_ - (log10(nats) - low) / (high - low) * (floor_ - TOP)

    parts = [tag("text", "KL of the next token, nats, by σ", class_="tick", x=0, y=11)]
    heights = {power: place(10.0**left, 10.0**power)[1] for power in range(low, high + 1)}
    lines = "".join(f"M{LEFT} {down:.0f}H{SMALL}" for down in heights.values())
    parts.append(tag("path", class_="grid", d=lines))
    for power, down in heights.items():
        parts.append(tag("text", f"1e{power}".replace("-", "−"), x=LEFT - 6, y=down + 3.5, class_="end"))
    for power in range(left, right + 1):
        across = place(10.0**power, 10.0**low)[0]
        parts.append(tag("text", number(10.0**power), x=across, y=LOW - 5, class_="middle"))
    for scale, curve in points.items():
        limit = response[scale].linear_up_to or 0.0
        linear = [point for point in curve if point[0] <= limit]
        beyond = curve[max(len(linear) - 1, 0) :]
        for stretch, dashes in ((linear, ""), (beyond, "3 3")):
            if len(stretch) > 1:
                steps = path([place(*point) for point in stretch])
                parts.append(tag("path", class_="line", stroke_dasharray=dashes, d=steps))
        if curve:
            # A path of no length shows as a point, by its round cap.
            dots = "".join("M{:.1f} {:.1f}h0".format(*place(*point)) for point in curve)
            parts.append(tag("path", class_=f"points {scale}", d=dots))
            x, y = place(*curve[len(curve) // 2])
            parts.append(tag("text", scale[0].upper(), x=x - 4, y=y - 4, class_="end"))
    return _svg("divergence of the next token by size of noise, a curve a scale", "chart bars", parts)


def _svg(label: str, kind: str, parts: Iterable[Markup]) -> Markup:
    about = {"class": kind, "viewBox": f"0 0 {SMALL} {LOW}", "role": "img", "aria-label": label}
    return tag("svg", *parts, **about)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = floor(log10(min(values))), -floor(-log10(max(values)))
    return low, max(high, low + 1)

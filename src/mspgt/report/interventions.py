"""Experiment 2 for reading: Table 2 in both doses, bars by scale with the A/A band, and texts side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from math import floor, log10

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from mspgt.interventions.metrics import METRICS as DECLARED
from mspgt.predictions.printed import printed
from mspgt.report.markup import shared, tag
from mspgt.report.tables import Cell, Table
from mspgt.report.words import MISSING, Json, layer_set, number

METRICS = {metric.key: metric.label for metric in DECLARED}
HEADLINE = tuple(metric.key for metric in DECLARED if metric.paper)
SCALES = ("local", "intermediate", "global")
DOSES = {
    "plain": "whole scale",
    "literal": "the paper’s words, standard deviation over all tokens",
    "matched_layers": "equal number of layers",
    "matched_variance": "equal relative variance",
    "equal_kl": "equal KL",
}
COLUMNS = {
    "model": "string", "arm": "string", "layers": "string", "metric": "string",
    **dict.fromkeys(
        ("baseline", "value", "percent", "percent_low", "percent_high", "difference", "se", "low", "high",
         "log_ratio", "log_ratio_low", "log_ratio_high", "p_permutation", "p_t", "p_adjusted", "hedges_g"),
        "double",
    ),
    "equivalent": "bool", "margin": "double", "aa_low": "double", "aa_high": "double", "n": "int64",
    "rate": "double", "reason": "string",
}  # fmt: skip


def has_interventions(model: Json) -> bool:
    """Whether Experiment 2 was run on a model."""
    return bool(model.get("interventions")) and bool(model.get("interventions_about"))


def repeats_plain(model: Json, dose: str) -> bool:
    """Whether every arm of an equal dose adds the noise of its whole scale to the same layers, and so repeats it."""
    about = model["interventions_about"]["arms"]
    pairs = [(about.get(scale), about.get(f"{scale}_{dose}")) for scale in SCALES]
    return all(
        plain and equal and all(plain[key] == equal[key] for key in ("layers", "variance"))
        for plain, equal in pairs
    )


def effects_table(results: Json) -> Table:
    """Every effect: one row a model, arm and metric. `aa_low` and `aa_high` are the A/A range in percent."""
    rows: list[tuple[Cell, ...]] = []
    for name, model in results["models"].items():
        if not has_interventions(model):
            continue
        for arm, metrics in model["interventions"].items():
            layers = layer_set(model["interventions_about"]["arms"][arm]["layers"]) or "none"
            for metric, found in metrics.items():
                spread = {"low": "ci", "percent_low": "percent_ci", "log_ratio_low": "log_ratio_ci"}
                record = dict(found) | {"model": name, "arm": arm, "layers": layers, "metric": metric}
                for low, pair in (*spread.items(), ("aa_low", "aa_range")):
                    ends = found.get(pair) or (None, None)
                    record[low], record[low.replace("low", "high")] = ends
                rows.append(tuple(record.get(column) for column in COLUMNS))
    return Table("interventions", "Effects of noise, arm by arm", COLUMNS, rows)


def table2(results: Json) -> Table:
    """Table 2 in our form: percent change with its interval, by scale and dose, and the paper's own rows.

    A star marks an adjusted p below 0.05, ≈ an effect that is equivalent to none. The row `chance` holds the A/A
    range: what two runs without any noise differ by.
    """
    rows: list[tuple[Cell, ...]] = []
    for name, model in results["models"].items():
        if not has_interventions(model):
            continue
        arms, about = model["interventions"], model["interventions_about"]
        for dose, words in DOSES.items():
            for scale in SCALES:
                arm = scale if dose == "plain" else f"{scale}_{dose}"
                if arm in arms:
                    layers = layer_set(about["arms"][arm]["layers"])
                    cells = (_change(arms[arm].get(metric)) for metric in METRICS)
                    rows.append((name, scale, f"{words}: {layers}", *cells))
        for arm in arms:
            if arm.startswith("random_"):
                layers = layer_set(about["arms"][arm]["layers"])
                cells = (_change(arms[arm].get(metric)) for metric in METRICS)
                kind = "random, equal spread" if arm.startswith("random_spread_") else "random"
                rows.append((name, kind, f"layers {layers}", *cells))
        if "aa" in arms:
            rows.append(
                (name, "chance", "A/A range", *(_range(arms["aa"].get(metric)) for metric in METRICS))
            )
    paper = printed("table2")
    for row in paper["rows"]:
        told = (None if row.get(metric) is None else f"{_signed(row[metric])} %" for metric in METRICS)
        rows.append((f"the paper ({paper['status']})", row["scale"], "as printed", *told))
    columns = dict.fromkeys(("model", "scale", "dose", *METRICS.values()), "string")
    title = f"Change of the text under noise, percent of the baseline. {paper['source']}: {paper['note']}"
    return Table("table2", title, columns, rows)


def _change(found: Json | None) -> str:
    if not found or found.get("difference") is None:
        return f"{MISSING} not measured"
    if found.get("percent") is None:
        return f"from {number(found['baseline'])} to {number(found['value'])}" + _stars(found)
    words = f"{_signed(found['percent'])} %"
    if found.get("percent_ci"):
        low, high = found["percent_ci"]
        words += f" [{_signed(low)}, {_signed(high)}]"
    elif found.get("reason"):
        words += f" ({found['reason']})"
    return words + _stars(found)


def _stars(found: Json) -> str:
    p = found.get("p_adjusted")
    return (" *" if p is not None and p < 0.05 else "") + (" ≈" if found.get("equivalent") else "")


def _range(found: Json | None) -> str:
    if not found or not found.get("aa_range"):
        return MISSING
    low, high = found["aa_range"]
    return f"[{_signed(low)}, {_signed(high)}]"


def _signed(percent: float) -> str:
    return ("+" if percent > 0 else "") + number(percent)


@dataclass(frozen=True)
class Bar:
    """One arm: its change in percent with its interval; `claimed` where its adjusted p is below 0.05."""

    label: str
    scale: str
    percent: float | None
    interval: tuple[float, float] | None
    claimed: bool
    reason: str | None


@dataclass(frozen=True)
class BarPanel:
    """One metric of one model: bars by scale, and the A/A band behind them."""

    metric: str
    title: str
    bars: tuple[Bar, ...]
    chance: tuple[float, float] | None

    @property
    def drawn(self) -> bool:
        """Whether any bar has a height."""
        return any(bar.percent is not None for bar in self.bars)

    @property
    def missing(self) -> str | None:
        """Why nothing is drawn."""
        return None if self.drawn else next((bar.reason for bar in self.bars if bar.reason), "not measured")


def bar_panels(model: Json, dose: str = "plain") -> list[BarPanel]:
    """Figures 7 to 9 for one model: a panel a metric."""
    arms = model["interventions"]
    panels = []
    for metric, title in METRICS.items():
        bars = []
        for scale in SCALES:
            found = arms.get(scale if dose == "plain" else f"{scale}_{dose}", {}).get(metric) or {}
            ends = found.get("percent_ci")
            bars.append(
                Bar(
                    scale[0].upper(),
                    scale,
                    found.get("percent"),
                    (ends[0], ends[1]) if ends else None,
                    (found.get("p_adjusted") or 1) < 0.05,
                    found.get("reason"),
                )
            )
        chance = (arms.get("aa", {}).get(metric) or {}).get("aa_range")
        panels.append(BarPanel(metric, title, tuple(bars), (chance[0], chance[1]) if chance else None))
    return panels


WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 210, 150, 44, 22, 20


def bars_svg(panel: BarPanel) -> Markup:
    """One panel as an SVG element; nothing where nothing was measured."""
    if not panel.drawn:
        return Markup("")
    return _svg(f"{panel.title}: change in percent, by scale", "chart bars", _bars(panel))


def _svg(label: str, kind: str, parts: Iterable[Markup]) -> Markup:
    about = {"class": kind, "viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "aria-label": label}
    return tag("svg", *parts, **about)


def _bars(panel: BarPanel) -> Iterator[Markup]:
    low, high = _extent(panel)
    floor_, step = HEIGHT - BOTTOM, (WIDTH - LEFT) / len(panel.bars)

    def height(percent: float) -> float:
        return floor_ - (percent - low) / (high - low) * (floor_ - TOP)

    middles = [LEFT + (at + 0.5) * step for at in range(len(panel.bars))]
    letters = zip(middles, panel.bars, strict=True)
    yield shared(
        tag("text", "% of the baseline", class_="tick", x=0, y=11),
        *(tag("text", bar.label, class_="tick middle", x=middle, y=HEIGHT - 5) for middle, bar in letters),
    )
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)
    heights = {float(tick): height(tick) for tick in ticks if low <= tick <= high}
    yield tag("path", class_="grid", d="".join(f"M{LEFT} {down:.1f}H{WIDTH}" for down in heights.values()))
    for tick, down in heights.items():
        yield tag("text", number(tick), x=LEFT - 6, y=down + 3.5, class_="end")
    if panel.chance:
        top, bottom = height(panel.chance[1]), height(panel.chance[0])
        words = tag("title", f"two runs without noise differ by {_range({'aa_range': panel.chance})} %")
        size: dict[str, float] = {"x": LEFT, "y": top, "width": WIDTH - LEFT, "height": bottom - top}
        yield tag("rect", words, class_="chance", **size)
    whiskers = ""
    for middle, bar in zip(middles, panel.bars, strict=True):
        if bar.percent is None:
            yield tag("text", MISSING, tag("title", bar.reason or ""), x=middle, y=height(0) - 4)
            continue
        ends = sorted((height(0), height(bar.percent)))
        size = {"x": middle - 0.3 * step, "y": ends[0], "width": 0.6 * step, "height": ends[1] - ends[0]}
        interval = f" [{_signed(bar.interval[0])}, {_signed(bar.interval[1])}]" if bar.interval else ""
        words = tag("title", f"{bar.scale}: {_signed(bar.percent)} %{interval}")
        kind = f"bar {bar.scale}" + ("" if bar.claimed else " unclear")
        yield tag("rect", words, class_=kind, **size)
        if bar.interval:
            whiskers += f"M{middle:.1f} {height(bar.interval[0]):.1f}V{height(bar.interval[1]):.1f}"
    yield tag("path", class_="whisker", d=whiskers)
    yield tag("path", class_="axis", d=f"M{LEFT} {height(0):.1f}H{WIDTH}")


def _extent(panel: BarPanel) -> tuple[float, float]:
    known = [0.0, *(panel.chance or ())]
    for bar in panel.bars:
        known += [bar.percent] if bar.percent is not None else []
        known += bar.interval or ()
    margin = 0.06 * (max(known) - min(known)) or 1.0
    return min(known) - margin, max(known) + margin


def response_svg(about: Json) -> Markup:
    """The noise–response curves of a model on logarithmic axes, solid as far as they are linear in the dose."""
    response = about.get("response")
    if not response:
        return Markup("")
    points = {
        scale: [(s, d) for s, d in zip(c["sigma"], c["divergence"], strict=True) if d and d > 0]
        for scale, c in response.items()
    }
    known = [point for curve in points.values() for point in curve]
    if not known:
        return Markup("")
    (left, right), (low, high) = (_decades(values) for values in zip(*known, strict=True))
    floor_ = HEIGHT - BOTTOM

    def place(sigma: float, nats: float) -> tuple[float, float]:
        across = LEFT + (log10(sigma) - left) / (right - left) * (WIDTH - LEFT - 8)
        return across, floor_ - (log10(nats) - low) / (high - low) * (floor_ - TOP)

    parts = [tag("text", "KL of the next token, nats, by σ", class_="tick", x=0, y=11)]
    for power in range(low, high + 1):
        down = place(10.0**left, 10.0**power)[1]
        parts.append(tag("path", class_="grid", d=f"M{LEFT} {down:.1f}H{WIDTH}"))
        parts.append(tag("text", f"1e{power}".replace("-", "−"), x=LEFT - 6, y=down + 3.5, class_="end"))
    for power in range(left, right + 1):
        across = place(10.0**power, 10.0**low)[0]
        parts.append(tag("text", number(10.0**power), x=across, y=HEIGHT - 5, class_="middle"))
    for scale, curve in points.items():
        limit = response[scale]["linear_up_to"] or 0.0
        for (a, b), (c, d) in pairwise(curve):
            (x, y), (u, v) = place(a, b), place(c, d)
            dashes = "" if c <= limit else "3 3"
            parts.append(
                tag("path", class_="line", stroke_dasharray=dashes, d=f"M{x:.1f} {y:.1f}L{u:.1f} {v:.1f}")
            )
        for sigma, nats in curve:
            x, y = place(sigma, nats)
            words = tag("title", f"{scale}, σ = {sigma:g}: {number(nats)} nats")
            parts.append(tag("circle", words, class_=f"bar {scale}", cx=x, cy=y, r=2.5))
        if curve:
            x, y = place(*curve[len(curve) // 2])
            parts.append(tag("text", scale[0].upper(), x=x - 4, y=y - 4, class_="end"))
    return _svg("divergence of the next token by size of noise, a curve a scale", "chart bars", parts)


def response_table(results: Json, name: str = "noise_response") -> Table:
    """What the noise–response curves draw, one row a point; `linear`: within the range that is linear in the dose."""
    columns = {
        "model": "string",
        "scale": "string",
        "sigma": "double",
        "divergence": "double",
        "linear": "bool",
    }
    rows: list[tuple[Cell, ...]] = [
        (model, scale, sigma, nats, sigma <= (curve["linear_up_to"] or 0.0))
        for model, found in results["models"].items()
        if has_interventions(found)
        for scale, curve in (found["interventions_about"].get("response") or {}).items()
        for sigma, nats in zip(curve["sigma"], curve["divergence"], strict=True)
    ]
    return Table(name, "Divergence of the next token by size of noise", columns, rows)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = floor(log10(min(values))), -floor(-log10(max(values)))
    return low, max(high, low + 1)


def side_by_side(sample: Json, arm: str) -> Markup:
    """A baseline text and an arm's in two columns; words that only one of them has are marked.

    Args:
        sample: one of `interventions_about.texts`.
    """
    before, after = (re.findall(r"\S+\s*|\s+", sample["arms"][name]) for name in ("baseline", arm))
    columns: tuple[list[Markup], list[Markup]] = ([], [])
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        for column, words, element in ((columns[0], before[a:b], "del"), (columns[1], after[c:d], "ins")):
            text = readable("".join(words))
            if text:
                column.append(Markup("{}").format(text) if kind == "equal" else tag(element, text))
    cells = [
        tag("div", tag("h5", label), tag("p", *column), class_="written")
        for label, column in zip(("baseline", arm.replace("_", " ")), columns, strict=True)
    ]
    prompt = tag("p", tag("b", "Prompt: "), readable(sample["prompt"]), class_="prompt")
    return tag("div", prompt, tag("div", *cells, class_="side-by-side"), class_="texts")


def readable(text: str) -> str:
    """A generated text with every control character shown as its picture; the page's markup is escaped later."""
    return "".join(
        character if character in "\n\t" or not (ord(character) < 32 or 127 <= ord(character) < 160)
        else chr(0x2400 + ord(character)) if ord(character) < 32
        else "\ufffd"
        for character in text
    )  # fmt: skip

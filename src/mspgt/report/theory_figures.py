"""The theory of a model for a paper: Figure 2 as a heat map, and in one figure what does not run over layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from mspgt.report.curves import depth_ticks
from mspgt.report.figures import (
    BLACK,
    BLUE,
    GREY,
    PURPLE,
    SCALES,
    VERMILLION,
    files_of,
    mark_names,
    style,
    venue_width,
)  # fmt: skip
from mspgt.report.panels import marks
from mspgt.report.theory import KINDS, usable
from mspgt.report.words import MISSING, number
from mspgt.results import Results
from mspgt.results.theory import Beta, Bottleneck, Concentration, Fisher

SCALE_NAMES = {"local": "Local", "intermediate": "Intermediate", "global": "Global"}
MAP = "cividis"


def information_figure(results: Results, name: str, venue: str = "neurips") -> dict[str, bytes] | None:
    """Figure 2: share of each label's entropy that every layer makes usable, with the boundaries of both modes.

    Returns:
        `svg` and `pdf` → the file's bytes; None where no kind of label was measured.
    """
    model = results.models[name]
    if model.theory is None:
        return None
    rows = [(KINDS[kind], block) for kind, block in usable(model.theory.information).items()]
    if all(block.bits is None for _, block in rows):
        return None
    depth = model.layers
    share = np.full((len(rows), depth + 1), np.nan)
    for place, (_, block) in enumerate(rows):
        if block.bits is not None:
            share[place] = np.array(block.bits) / block.entropy
    with style():
        wide = venue_width(venue)
        figure = Figure(figsize=(wide, 1.75))
        axes = figure.add_axes((0.14, 0.26, 0.74, 0.5))
        drawn = axes.pcolormesh(
            np.arange(depth + 2) - 0.5,
            np.arange(len(rows) + 1),
            share,
            cmap=MAP,
            vmin=0,
            vmax=1,
            rasterized=False,
        )
        axes.set_yticks(np.arange(len(rows)) + 0.5, [title for title, _ in rows])
        axes.invert_yaxis()
        axes.grid(visible=False)
        axes.set_xticks(depth_ticks(tuple(range(depth + 1))))
        axes.set_xlabel("layer")
        for at, (_, block) in enumerate(rows):
            if block.bits is None:
                axes.text(depth / 2, at + 0.5, "not measured", ha="center", va="center", color=GREY)
        found = tuple(marks(model))
        mark_names(axes, found, shift=0.5)
        for mark in found:
            colour = VERMILLION if mark.role == "paper" else BLACK
            axes.axvline(mark.layer + 0.5, color="white", linewidth=2.0)
            axes.axvline(mark.layer + 0.5, color=colour, linewidth=1.0, dashes=(4, 1.5))
        bar = figure.colorbar(drawn, cax=figure.add_axes((0.9, 0.26, 0.02, 0.5)))
        bar.outline.set_linewidth(0.4)
        bar.set_label("share of entropy", fontsize=6.5)
        figure.text(0.02, 0.96, f"{name}: usable information by layer", va="top", fontsize=9)
        return files_of(figure)


def theory_figure(results: Results, name: str, venue: str = "neurips") -> dict[str, bytes] | None:
    """What does not run over layers: rate–distortion, β̂ by noise, predicted against measured loss, and widths.

    Returns:
        `svg` and `pdf` → the file's bytes; None without theory.
    """
    theory = results.models[name].theory
    if theory is None:
        return None
    with style():
        wide = venue_width(venue)
        columns = 2 if wide > 4 else 1
        lines = 4 // columns
        figure = Figure(figsize=(wide, 0.45 + 1.75 * lines))
        figure.text(0.02, 0.995, name, va="top", fontsize=9)
        grid = figure.add_gridspec(
            lines, columns, left=0.55 / wide, right=1 - 0.1 / wide, top=1 - 0.5 / (0.45 + 1.75 * lines),
            bottom=0.42 / (0.45 + 1.75 * lines), wspace=0.3, hspace=0.75,
        )  # fmt: skip
        axes = [figure.add_subplot(grid[divmod(at, columns)]) for at in range(4)]
        _rate_distortion(axes[0], theory.hvib)
        _weights(axes[1], theory.beta)
        _arms(axes[2], theory.fisher)
        _widths(axes[3], theory.concentration)
        return files_of(figure)


def _absent(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, "not measured", ha="center", va="center", color=GREY, transform=axes.transAxes)


def _rate_distortion(axes: Axes, block: Bottleneck) -> None:
    title = "Rate and distortion (next token)"
    if block.curve is None:
        return _absent(axes, title)
    axes.set_title(title)
    total = [sum(point.kl) for point in block.curve]
    axes.plot(total, [point.distortion for point in block.curve], color=BLUE, marker="o", markersize=2.5)
    for point, rate in zip(block.curve, total, strict=True):
        axes.annotate(
            f"β {number(point.beta)}", (rate, point.distortion), xytext=(3, 3), fontsize=6,
            textcoords="offset points",
        )  # fmt: skip
    if block.blind is not None:
        axes.axhline(block.blind, color=BLACK, linewidth=0.7, dashes=(1, 1.5))
    axes.set(xlabel="Σ KL, nats a token", ylabel="nats a token")
    return None


def _weights(axes: Axes, block: Beta) -> None:
    title = "Weight β of the activations, by noise"
    if not block.activations:
        return _absent(axes, title)
    axes.set_title(title)
    for key, label in SCALE_NAMES.items():
        one = block.activations[key]
        axes.plot(block.sigmas, one.value, color=SCALES[label], marker="o", markersize=2.5, label=label)
        if one.ci:
            low, high = np.array(one.ci).T
            axes.fill_between(block.sigmas, low, high, color=SCALES[label], alpha=0.2, linewidth=0)
    axes.set(xscale="log", yscale="log", xlabel="σ, activation standard deviations", ylabel="nats a nat")
    _plain_ticks(axes, block.sigmas)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.legend(fontsize=6, loc="upper left")
    return None


def _arms(axes: Axes, block: Fisher) -> None:
    title = "Cost of noise on a scale"
    if not block.arms:
        return _absent(axes, title)
    axes.set_title(f"{title}, σ = {number(next(iter(block.arms.values())).sigma)}")
    looks = {"predicted": (GREY, "½ Σ σ² tr F"), "kl": (BLUE, "KL"), "loss": (PURPLE, "loss")}
    for shift, (key, (colour, label)) in enumerate(looks.items()):
        for at, scale in enumerate(SCALE_NAMES):
            arm = block.arms[scale]
            value, ci = getattr(arm, key), getattr(arm, f"{key}_ci")
            error = None if ci is None else [[max(value - ci[0], 0)], [max(ci[1] - value, 0)]]
            axes.bar(
                at + 0.27 * (shift - 1), value, 0.25, color=colour, label=label if at == 0 else None,
                yerr=error, error_kw={"elinewidth": 0.6},
            )  # fmt: skip
    axes.set_xticks(range(len(SCALE_NAMES)), list(SCALE_NAMES.values()))
    axes.set_ylabel("nats a token")
    axes.legend(fontsize=6)
    return None


def _widths(axes: Axes, block: Concentration) -> None:
    title = "Interval width: equation 34"
    if block.by_draws is None:
        return _absent(axes, title)
    axes.set_title(f"{title} {block.verdict}")
    laws = ((block.by_draws, VERMILLION, "draws B"), (block.by_documents, BLUE, "documents N"))
    for curve, colour, label in laws:
        if curve is None:
            continue
        known = [(c, w) for c, w in zip(curve.counts, curve.widths, strict=True) if w is not None]
        counts = sorted({c for c, _ in known})
        mean = [float(np.mean([w for c, w in known if c == count])) for count in counts]
        slope = MISSING if curve.slope is None else number(curve.slope, 2)
        axes.plot(counts, mean, color=colour, marker="o", markersize=2.5, label=f"{label}, slope {slope}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_ylim(bottom=0)
    axes.set(xlabel="count", ylabel="layers")
    axes.legend(fontsize=6)
    return None


def _plain_ticks(axes: Axes, places: Sequence[float]) -> None:
    axes.set_xticks(places, [number(place) for place in places])
    axes.xaxis.set_minor_formatter(NullFormatter())

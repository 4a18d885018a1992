"""The theory of a model as panels over layers, two figures and a table: information, noise, β̂, rates, widths.

`theory_groups` gives the charts that run over layers; `information_figure` is Figure 2 as a heat map and
`theory_figure` what does not run over layers; `theory_table` holds every number of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from mspgt.report.curves import Intervals, Line, Mark, Panel, depth_ticks
from mspgt.report.figures import BLACK, BLUE, GREY, PURPLE, SCALES, VERMILLION, files_of, style, venue_width
from mspgt.report.panels import marks
from mspgt.report.tables import Cell, Table
from mspgt.report.words import BOUNDARIES, MISSING, Json, number

KINDS = {"topical": "Topical", "syntactic": "Syntactic", "lexical": "Lexical"}
SCALE_NAMES = {"local": "Local", "intermediate": "Intermediate", "global": "Global"}
LETTERS = {"G": "Global", "I": "Intermediate", "L": "Local"}
MAP = "cividis"


def theory_of(results: Json, name: str) -> Json | None:
    """The theory block of a model; None where a study has none."""
    found: Json | None = results["models"][name].get("theory")
    return found


def theory_groups(results: Json, name: str) -> dict[str, tuple[str, list[Panel]]]:
    """Group → (axis, panels): information over layers 0..L, sensitivity 1..L, markov 1..L−2; {} without theory."""
    theory, model = theory_of(results, name), results["models"][name]
    if theory is None:
        return {}
    depth = model["layers"]
    lines = tuple(marks(model))
    return {
        "information": ("layer", [*_information_panels(theory, depth, lines)]),
        "sensitivity": ("layer", [*_sensitivity_panels(theory["fisher"], depth, lines)]),
        "markov": ("layer", [_markov_panel(theory["markov"], depth)]),
    }


def _information_panels(theory: Json, depth: int, boundaries: tuple[Mark, ...]) -> Iterator[Panel]:
    information = theory["information"]
    for kind, title in KINDS.items():
        block = information[kind]
        drawn, missing = [], []
        if block["bits"] is None:
            missing.append(block["reason"])
        else:
            drawn.append(Line(block["label"], "calibrated", block["bits"], block["ci"]))
            drawn.append(Line("label entropy", "level", [block["entropy"]] * (depth + 1)))
        yield Panel(
            f"information-{kind}", f"{title} V-information", "bits a label", tuple(range(depth + 1)),
            tuple(drawn), marks=boundaries, missing=tuple(missing),
        )  # fmt: skip
    block = information["gaussian"]
    drawn = []
    if block["nats"] is not None:
        band = _margins(block["nats"], block["se"])
        drawn.append(Line(f"{block['k']} components", "calibrated", [None, *block["nats"]], [None, *band]))
    missing = [block["reason"]] if block.get("reason") else []
    yield Panel(
        "information-gaussian", "Gaussian information with layer 0", "nats", tuple(range(depth + 1)),
        tuple(drawn), marks=boundaries, missing=tuple(missing),
    )  # fmt: skip


def _sensitivity_panels(block: Json, depth: int, boundaries: tuple[Mark, ...]) -> Iterator[Panel]:
    x = tuple(range(1, depth + 1))
    if block["fisher"] is None:
        yield Panel("fisher", "Sensitivity to noise", "nats a token", x, (), missing=(block["reason"],))
        return
    axis = "nats a token at σ = std"

    def line(key: str, label: str, role: str) -> Line | None:
        one = block[key]
        return None if one["value"] is None else Line(label, role, one["value"], one["ci"])

    first = [line("kl_slope", "2 · KL slope", "variant"), line("fisher", "tr F", "calibrated")]
    yield Panel(
        "fisher",
        "Fisher trace and slope of KL",
        axis,
        x,
        tuple(l for l in first if l),
        marks=boundaries,
        log=True,
    )
    second = [
        line("hessian", "data Hessian", "twin"), line("empirical", "empirical Fisher", "paper"),
        line("loss_slope", "2 · loss slope", "variant"), line("fisher", "tr F", "calibrated"),
    ]  # fmt: skip
    missing = [] if block["hessian"]["value"] is not None else [f"data Hessian: {block['hessian']['reason']}"]
    yield Panel("loss", "Slope of the loss", axis, x, tuple(l for l in second if l), missing=tuple(missing))


def _markov_panel(block: Json, depth: int) -> Panel:
    x = tuple(range(1, max(depth - 1, 1)))
    if "ratio" not in block:
        return Panel("markov", "Near-Markov ratio", "M", x, (), missing=(block["reason"],))
    band = _margins(block["ratio"], block["se"])
    drawn = (
        Line("bound of A2", "level", [block["bound"]] * len(x)),
        Line("I(l; l+2 | l+1) / I(l; l+2)", "calibrated", block["ratio"], band),
    )
    return Panel("markov", f"Near-Markov ratio: A2 {block['verdict']}", "M", x, drawn)


def _margins(values: Sequence[float], errors: Sequence[float]) -> Intervals:
    """95 % intervals from standard errors."""
    return [[v - 1.96 * e, v + 1.96 * e] for v, e in zip(values, errors, strict=True)]


def information_figure(results: Json, name: str, venue: str = "neurips") -> dict[str, bytes] | None:
    """Figure 2: share of each label's entropy that every layer makes usable, with the boundaries of both modes.

    Returns:
        `svg` and `pdf` → the file's bytes; None where no kind of label was measured.
    """
    theory, model = theory_of(results, name), results["models"][name]
    if theory is None:
        return None
    rows = [(title, theory["information"][kind]) for kind, title in KINDS.items()]
    if all(block["bits"] is None for _, block in rows):
        return None
    depth = model["layers"]
    share = np.full((len(rows), depth + 1), np.nan)
    for place, (_, block) in enumerate(rows):
        if block["bits"] is not None:
            share[place] = np.array(block["bits"]) / block["entropy"]
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
            if block["bits"] is None:
                axes.text(depth / 2, at + 0.5, "not measured", ha="center", va="center", color=GREY)
        for mark in marks(model):
            colour = VERMILLION if mark.role == "paper" else BLACK
            axes.axvline(mark.layer + 0.5, color="white", linewidth=2.0)
            axes.axvline(mark.layer + 0.5, color=colour, linewidth=1.0, dashes=(4, 1.5))
            axes.annotate(
                mark.label, (mark.layer + 0.5, 1), xycoords=("data", "axes fraction"), ha="center", fontsize=6,
                xytext=(0, 1 if mark.role == "paper" else 7), textcoords="offset points", color=colour,
            )  # fmt: skip
        bar = figure.colorbar(drawn, cax=figure.add_axes((0.9, 0.26, 0.02, 0.5)))
        bar.outline.set_linewidth(0.4)
        bar.set_label("share of entropy", fontsize=6.5)
        figure.text(0.02, 0.96, f"{name}: usable information by layer", va="top", fontsize=9)
        return files_of(figure)


def theory_figure(results: Json, name: str, venue: str = "neurips") -> dict[str, bytes] | None:
    """What does not run over layers: rate–distortion, β̂ by noise, predicted against measured loss, and widths.

    Returns:
        `svg` and `pdf` → the file's bytes; None without theory.
    """
    theory = theory_of(results, name)
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
        draw = (_rate_distortion, _weights, _arms, _widths)
        blocks = (theory["hvib"], theory["beta"], theory["fisher"], theory["concentration"])
        for at, (one, block) in enumerate(zip(draw, blocks, strict=True)):
            axes = figure.add_subplot(grid[divmod(at, columns)])
            one(axes, block)
        return files_of(figure)


def _absent(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, "not measured", ha="center", va="center", color=GREY, transform=axes.transAxes)


def _rate_distortion(axes: Axes, block: Json) -> None:
    title = "Rate and distortion (next token)"
    if block["curve"] is None:
        return _absent(axes, title)
    axes.set_title(title)
    total = [sum(point["kl"]) for point in block["curve"]]
    axes.plot(
        total, [point["distortion"] for point in block["curve"]], color=BLUE, marker="o", markersize=2.5
    )
    for point, rate in zip(block["curve"], total, strict=True):
        axes.annotate(
            f"β {number(point['beta'])}", (rate, point["distortion"]), xytext=(3, 3), fontsize=6,
            textcoords="offset points",
        )  # fmt: skip
    axes.axhline(block["blind"], color=BLACK, linewidth=0.7, dashes=(1, 1.5))
    axes.set(xlabel="Σ KL, nats a token", ylabel="nats a token")
    return None


def _weights(axes: Axes, block: Json) -> None:
    title = "Weight β of the activations, by noise"
    if not block.get("activations"):
        return _absent(axes, title)
    axes.set_title(title)
    for key, label in SCALE_NAMES.items():
        one = block["activations"][key]
        axes.plot(block["sigmas"], one["value"], color=SCALES[label], marker="o", markersize=2.5, label=label)
        if one["ci"]:
            low, high = np.array(one["ci"]).T
            axes.fill_between(block["sigmas"], low, high, color=SCALES[label], alpha=0.2, linewidth=0)
    axes.set(xscale="log", yscale="log", xlabel="σ, activation standard deviations", ylabel="nats a nat")
    _plain_ticks(axes, block["sigmas"])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.legend(fontsize=6, loc="upper left")
    return None


def _arms(axes: Axes, block: Json) -> None:
    title = "Cost of noise on a scale"
    if not block.get("arms"):
        return _absent(axes, title)
    axes.set_title(f"{title}, σ = {number(next(iter(block['arms'].values()))['sigma'])}")
    looks = {"predicted": (GREY, "½ Σ σ² tr F"), "kl": (BLUE, "KL"), "loss": (PURPLE, "loss")}
    for shift, (key, (colour, label)) in enumerate(looks.items()):
        for at, scale in enumerate(SCALE_NAMES):
            arm = block["arms"][scale]
            ci = arm[f"{key}_ci"]
            error = None if ci is None else [[max(arm[key] - ci[0], 0)], [max(ci[1] - arm[key], 0)]]
            axes.bar(
                at + 0.27 * (shift - 1), arm[key], 0.25, color=colour, label=label if at == 0 else None,
                yerr=error, error_kw={"elinewidth": 0.6},
            )  # fmt: skip
    axes.set_xticks(range(len(SCALE_NAMES)), list(SCALE_NAMES.values()))
    axes.set_ylabel("nats a token")
    axes.legend(fontsize=6)
    return None


def _widths(axes: Axes, block: Json) -> None:
    title = "Interval width: equation 34"
    if "by_draws" not in block:
        return _absent(axes, title)
    axes.set_title(f"{title} {block['verdict']}")
    for key, colour, label in (("by_draws", VERMILLION, "draws B"), ("by_documents", BLUE, "documents N")):
        curve = block[key]
        known = [(c, w) for c, w in zip(curve["counts"], curve["widths"], strict=True) if w is not None]
        counts = sorted({c for c, _ in known})
        mean = [float(np.mean([w for c, w in known if c == count])) for count in counts]
        slope = MISSING if curve["slope"] is None else number(curve["slope"], 2)
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


def theory_table(results: Json) -> Table:
    """Every value of the theory in long form: one row a model, block, quantity and place."""
    columns = {
        "model": "string", "block": "string", "quantity": "string", "place": "string", "value": "double",
        "low": "double", "high": "double", "verdict": "string",
    }  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for name in results["models"]:
        if (theory := theory_of(results, name)) is not None:
            rows += [(name, *row) for row in _rows(theory)]
    return Table("theory", "The theory, computed", columns, rows)


def _rows(theory: Json) -> Iterator[tuple[Cell, ...]]:
    information = theory["information"]
    for kind in KINDS:
        block = information[kind]
        for layer, value in enumerate(block["bits"] or ()):
            yield "information", f"{kind} bits", f"layer {layer}", value, *_ends(block["ci"], layer), None
    for layer, value in enumerate(information["gaussian"]["nats"] or (), start=1):
        yield "information", "gaussian nats", f"layer {layer}", value, None, None, None
    for which, label in BOUNDARIES.items():
        for profile in ("all", *KINDS, "gaussian"):
            if (found := theory["kink"][which].get(profile)) and found["p"] is not None:
                verdict = "kink" if found["kinked"] else "no kink"
                yield "kink", f"p, {profile}", f"{label} {found['layer']}", found["p"], None, None, verdict
    markov = theory["markov"]
    for layer, value in enumerate(markov.get("ratio", ()), start=1):
        se = markov["se"][layer - 1]
        yield "markov", "ratio", f"layer {layer}", value, value - 1.96 * se, value + 1.96 * se, None
    yield (
        "markov",
        "A2",
        "all layers",
        markov.get("mean"),
        *(markov.get("ci") or (None, None)),
        markov["verdict"],
    )
    yield from _fisher_rows(theory["fisher"])
    for scale, one in (theory["beta"].get("activations") or {}).items():
        for at, sigma in enumerate(theory["beta"]["sigmas"]):
            yield "beta", f"β̂ at σ = {sigma:g}", scale, one["value"][at], *_ends(one["ci"], at), None
        yield "beta", "β̂/σ² as σ → 0", scale, one["limit"]["value"], *_pair(one["limit"]["ci"]), None
    eq23 = theory["beta"]["equation23"]
    yield (
        "beta",
        "equation 23: log–log slope",
        "planted languages",
        eq23["slope"],
        *_pair(eq23["ci"]),
        eq23["verdict"],
    )
    hvib = theory["hvib"]
    for point in hvib["curve"] or ():
        for at, letter in enumerate(LETTERS):
            for key in ("kl", "information", "gap"):
                yield (
                    "hvib",
                    f"{key} at β = {point['beta']:g}",
                    LETTERS[letter],
                    point[key][at],
                    None,
                    None,
                    None,
                )
        yield (
            "hvib",
            f"distortion at β = {point['beta']:g}",
            "next token",
            point["distortion"],
            None,
            None,
            None,
        )
    for row, point in enumerate(hvib["curve"] or ()):
        for at, letter in enumerate(LETTERS):
            low, high = (ends[at] for ends in hvib["weights_ci"][row])
            yield (
                "hvib",
                f"β̂ at β = {point['beta']:g}",
                LETTERS[letter],
                hvib["weights"][row][at],
                low,
                high,
                None,
            )
    concentration = theory["concentration"]
    for key, label in (("by_draws", "slope in draws B"), ("by_documents", "slope in documents N")):
        if curve := concentration.get(key):
            told = concentration["verdict"] if key == "by_draws" else None
            yield "concentration", label, "log–log", curve["slope"], *_pair(curve["ci"]), told


def _fisher_rows(block: Json) -> Iterator[tuple[Cell, ...]]:
    if block["fisher"] is None:
        return
    for key in ("fisher", "empirical", "hessian", "kl_slope", "loss_slope"):
        for layer, value in enumerate(block[key]["value"] or (), start=1):
            yield "fisher", key, f"layer {layer}", value, *_ends(block[key]["ci"], layer - 1), None
    for scale, arm in block["arms"].items():
        for key in ("predicted", "kl", "loss"):
            yield "fisher", f"{key} at σ = {arm['sigma']:g}", scale, arm[key], *_pair(arm[f"{key}_ci"]), None
    for scale, one in block["equation30"]["scales"].items():
        for key in ("loss", "kl"):
            found = one[key]
            yield "fisher", f"{key} slope over ½ tr F", scale, found["value"], *_pair(found["ci"]), None
    for key in ("loss", "kl"):
        yield (
            "fisher",
            f"equation 30, {key}",
            "all scales",
            None,
            None,
            None,
            block["equation30"][f"verdict_{key}"],
        )


def _ends(intervals: Any, at: int) -> tuple[float | None, float | None]:
    return _pair(intervals[at] if intervals else None)


def _pair(interval: Any) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval[0], interval[1])

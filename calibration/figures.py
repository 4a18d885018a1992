"""Pictures and tables of `docs/calibration.md`, drawn from the committed results.

`python -m calibration figures` writes `docs/images/calibration-*.svg` and the block of the page between its
two marks. Nothing is simulated here.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from calibration.bar import A50, RECOVERY, REPLICATED, SIZES
from calibration.detector import HERE, RESULTS
from calibration.page import write_between
from calibration.validate import DOUBTFUL
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mspgt.boundaries.tables import table

Json = dict[str, Any]

DOCS = HERE.parent / "docs"
PAGE = DOCS / "calibration.md"
IMAGES = DOCS / "images"
PAPER = HERE.parent / "src" / "mspgt" / "boundaries" / "data" / "paper_protocol.json"
MARKS = ("<!-- measured: written by `python -m calibration figures` -->", "<!-- end of measured -->")
# Depths of the longer tables; the stored results have more.
SHOWN = (7, 9, 11, 15, 23, 27, 31, 39, 47, 63, 79, 127)
OURS, PAPERS, BAR = "#0b6e99", "#b5532a", "#444444"
KIND_COLOURS = {"spike": "#0b6e99", "bump": "#6a51a3", "step": "#2f7d3b", "kink": "#b5532a"}
STYLE = {"svg.hashsalt": "calibration", "svg.fonttype": "none", "font.size": 8.5, "font.family": "sans-serif"}


def validations() -> dict[int, Json]:
    """Validation by depth, as far as it is stored."""
    paths = sorted(RESULTS.glob("validation-*.json"))
    return {int(path.stem.split("-")[1]): json.loads(path.read_text(encoding="utf-8")) for path in paths}


def false_boundaries(seen: dict[int, Json]) -> Figure:
    """Boundaries in profiles without any: the paper's protocol and ours, against se/τ."""
    paper = json.loads(PAPER.read_text(encoding="utf-8"))
    ratios = paper["noise_ratios"]
    depths = [depth for depth in (11, 23, 31, 47) if depth in seen]
    figure = Figure(figsize=(7.6, 2.6), layout="constrained")
    panels = figure.subplots(1, len(depths), sharey=True, squeeze=False)[0]
    for axes, depth in zip(panels, depths, strict=True):
        at = paper["transitions"].index(depth)
        rates = {name: paper["accepted"][name][at] for name in ("min", "median", "max")}
        x = range(len(ratios))
        axes.fill_between(
            x, rates["min"], rates["max"], color=PAPERS, alpha=0.15, lw=0, label="paper: all cells"
        )
        axes.plot(x, rates["median"], color=PAPERS, marker="o", ms=3, label="paper: median cell")
        own = seen[depth].get("beyond", {}).get("error with the floor of sentence noise", {})
        known = sorted((float(name.split("=")[1]), rate) for name, rate in own.items())
        worst = _rate(seen[depth]["error"]["3"])["worst"]
        axes.axhline(worst, color=OURS, lw=1.2, label="calibrated: worst cell, no noise")
        if known:
            noise, rate = zip(*known, strict=True)
            # Ratios stand evenly, as on a logarithmic axis, with zero before the least.
            places = np.interp(np.log(noise), np.log(ratios[1:]), range(1, len(ratios)))
            axes.plot(
                places, rate, color=OURS, marker="s", ms=3, ls=":", label="calibrated: mean, with noise"
            )
        axes.axhline(0.05, color=BAR, lw=0.7, ls="--")
        axes.set_xticks(list(x), [f"{r:g}" for r in ratios])
        axes.set_title(f"{depth + 1} layers", fontsize=8.5)
        axes.set_xlabel("se / τ")
    panels[0].set_ylabel("profiles with two boundaries\n(paper) or one or more (ours)")
    panels[0].set_ylim(-0.02, 1.0)
    _legend(figure, panels[0], 4)
    return figure


def recovery(seen: dict[int, Json]) -> Figure:
    """Both of two planted boundaries found, against their size, next to the bar."""
    depths = [depth for depth in (11, 15, 27, 39, 47) if "recovery" in seen.get(depth, {})]
    rows = ("spike", "spike displaced", "spike missing", "bump", "step", "kink")
    figure = Figure(figsize=(7.6, 1.35 * len(rows) + 0.5), layout="constrained")
    grid = figure.subplots(len(rows), len(depths), sharex=True, sharey=True, squeeze=False)
    for axes_row, mode in zip(grid, rows, strict=True):
        kind = mode.split()[0]
        axes_row[0].set_ylabel(mode.replace(" ", ",\n"))
        for axes, depth in zip(axes_row, depths, strict=True):
            measured = seen[depth]["recovery"].get(mode)
            if measured is None:
                axes.text(5.5, 0.5, "not looked for", ha="center", va="center", color=BAR, fontsize=7)
            else:
                axes.plot(SIZES[kind], measured["mild"]["alone"], color=OURS, marker="s", ms=2.5)
                axes.plot(SIZES[kind], measured["mild"]["together"], color=OURS, ls="--")
                axes.plot(SIZES[kind], measured["all"]["together"], color=OURS, ls=":")
            bar = RECOVERY[mode].get(depth)
            if bar is not None:
                axes.plot(SIZES[kind], bar, color=PAPERS, marker="o", ms=3.5, ls="", mfc="none")
            axes.set_ylim(-0.04, 1.04)
    for axes, depth in zip(grid[0], depths, strict=True):
        axes.set_title(f"{depth + 1} layers", fontsize=8.5)
    for axes in grid[-1]:
        axes.set_xlabel("size, roughness SDs")
        axes.set_xticks([3, 4, 5, 6, 8])
    handles = [
        grid[0, 0].plot([], [], color=OURS, marker="s", ms=2.5, label="gentle background, kind alone")[0],
        grid[0, 0].plot([], [], color=OURS, ls="--", label="gentle background, kinds together")[0],
        grid[0, 0].plot([], [], color=OURS, ls=":", label="all 16 backgrounds, together")[0],
        grid[0, 0].plot([], [], color=PAPERS, marker="o", ms=3.5, ls="", mfc="none", label="the bar")[0],
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False, fontsize=7.5)
    return figure


def coverage(seen: dict[int, Json]) -> Figure:
    """Coverage of the 95 % sets of claims, and their median size, against the boundary's size."""
    depths = [depth for depth in (11, 15, 27, 47) if "coverage" in seen.get(depth, {})]
    figure = Figure(figsize=(7.6, 3.2), layout="constrained")
    grid = figure.subplots(2, len(depths), sharex=True, sharey="row", squeeze=False)
    for place, depth in enumerate(depths):
        for kind, colour in KIND_COLOURS.items():
            cells = [
                (size, noise, seen[depth]["coverage"].get(f"{kind} A={size} se/tau={noise}"))
                for size in range(1, 7)
                for noise in (0.05, 0.3, 1.0)
            ]
            for noise, style in ((0.05, "-"), (0.3, "--"), (1.0, ":")):
                line = [(s, c) for s, n, c in cells if n == noise and c is not None]
                claims = [(s, c["claimed"], c["median_size"]) for s, c in line if c["claimed"] is not None]
                if not claims:
                    continue
                sizes, covered, widths = zip(*claims, strict=True)
                label = kind if noise == 0.05 and place == len(depths) - 1 else None
                grid[0, place].plot(sizes, covered, color=colour, ls=style, marker=".", ms=4, label=label)
                grid[1, place].plot(sizes, widths, color=colour, ls=style, marker=".", ms=4)
        grid[0, place].axhline(0.93, color=BAR, lw=0.7, ls="--")
        grid[1, place].axhline(3, color=BAR, lw=0.7, ls="--")
        grid[0, place].set_title(f"{depth + 1} layers", fontsize=8.5)
        grid[1, place].set_xlabel("size, roughness SDs")
        grid[1, place].set_xticks(range(1, 7))
    grid[0, 0].set_ylabel("coverage of claims")
    grid[1, 0].set_ylabel("median size of the set")
    grid[0, 0].set_ylim(0.85, 1.01)
    grid[1, 0].set_ylim(0, 6)
    _legend(figure, grid[0, -1], 4)
    return figure


def _legend(figure: Figure, axes: Axes, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False, fontsize=7.5)


def measured_block(seen: dict[int, Json]) -> str:
    """The page's tables, in Markdown."""
    return "\n\n".join(
        [
            _figure_table(seen),
            _error_table(seen),
            _recovery_table(seen),
            _power_table(seen),
            _beyond_table(seen),
        ]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in lines)


def _rate(error: Json) -> Json:
    """Rate of the worst member and its bound: on the seeds that chose it, or where it was doubtful on others."""
    rate: Json = error.get("confirmed", error)
    return rate


def _figure_table(seen: dict[int, Json]) -> str:
    errors = [(e, depth, n) for depth, one in seen.items() for n, e in one["error"].items() if e]
    worst = max(errors, key=lambda one: _rate(one[0])["worst"])
    upper = max(_rate(e)["worst_upper95"] for e, _, _ in errors)
    first = max(e["worst"] for e, _, _ in errors)
    mean = np.mean([e["mean_over_family"] for e, _, n in errors if n == "3"])
    cells = [c for one in seen.values() for c in one.get("coverage", {}).values()]
    coverages = [
        (c["all"], name, depth, c["runs"])
        for depth, one in seen.items()
        for name, c in one.get("coverage", {}).items()
    ]
    claimed = [(c["claimed"], c["claims"]) for c in cells if c["claimed"] is not None]
    strong = [
        (c["median_size"], name, depth)
        for depth, one in seen.items()
        for name, c in one.get("coverage", {}).items()
        if c["median_size"] is not None and int(name.split("A=")[1][0]) >= 4
    ]
    met, total, lacking = _recovered(seen)
    yes_no = {True: "met", False: "**not met**"}
    rows = [
        (
            "5",
            "false boundaries ≤ 5 %, upper bound ≤ 6.5 %, worst members of the family",
            f"worst {100 * _rate(worst[0])['worst']:.1f} % ({worst[1]} transitions, {worst[2]} signals), "
            f"highest upper bound {100 * upper:.1f} %, mean over the family {100 * mean:.1f} %; "
            f"{len(errors)} depths × signal counts. Highest before those above {100 * DOUBTFUL:g} % were run "
            f"again: {100 * first:.1f} %",
            yes_no[_rate(worst[0])["worst"] <= 0.05 and upper <= 0.065],
        ),
        (
            "6",
            "recovery at least that of the bar, kind alone, gentle background",
            f"{met} of {total} cells (2 standard errors allowed); short: {lacking or 'none'}",
            yes_no[met == total],
        ),
        (
            "7",
            "sets cover ≥ 93 % in every cell",
            "lowest {0:.1f} % ({2}, {3} transitions, {4} runs: ± {1:.1f}); ".format(
                100 * min(coverages)[0],
                100 * np.sqrt(min(coverages)[0] * (1 - min(coverages)[0]) / min(coverages)[3]),
                *min(coverages)[1:],
            )
            + f"given a claim, lowest {100 * min(c for c, n in claimed if n >= 50):.1f} % "
            "(cells with 50 claims or more)",
            yes_no[min(coverages)[0] >= 0.93],
        ),
        (
            "7",
            "median size ≤ 3 transitions from A = 4 on",
            f"largest {max(strong)[0]:g} ({max(strong)[1]}, {max(strong)[2]} transitions)",
            yes_no[max(strong)[0] <= 3],
        ),
        (
            "7",
            "coverage ≤ 97 % where the set is smaller than a third of the depth",
            "sets of one transition cover more than 97 % and cannot be made smaller",
            "not possible (discreteness)",
        ),
    ]
    return "**Acceptance figures.**\n\n" + _table(("figure", "bar", "measured, fresh seeds", ""), rows)


def _recovered(seen: dict[int, Json]) -> tuple[int, int, str]:
    met, total, lacking = 0, 0, []
    for mode, by_depth in RECOVERY.items():
        kind = mode.split()[0]
        for depth, bar in by_depth.items():
            if "recovery" not in seen.get(depth, {}):
                continue
            measured = seen[depth]["recovery"].get(mode)
            values = [0.0] * len(bar) if measured is None else measured["mild"]["alone"]
            runs = seen[depth]["runs"]["recovery"]
            for size, value, least in zip(SIZES[kind], values, bar, strict=True):
                total += 1
                allowed = 2 * np.sqrt(max(least * (1 - least), 0.01) / runs)
                if value >= least - allowed:
                    met += 1
                else:
                    lacking.append(f"{mode} of {size} SD at T = {depth} ({value:.2f} for {least:.2f})")
    return met, total, "; ".join(lacking)


def _error_table(seen: dict[int, Json]) -> str:
    tabulated, rows = set(table()["depths"]), []
    for depth, one in seen.items():
        if not any(one["error"].values()):
            continue
        rates = []
        for n in "321":
            rate = _rate(one["error"].get(n) or {"worst": None})
            told = "–"
            if rate["worst"] is not None:
                told = f"{100 * rate['worst']:.1f} (≤ {100 * rate['worst_upper95']:.1f})"
            rates.append(told + ("\\*" if "confirmed" in (one["error"].get(n) or {}) else ""))
        three = one["error"]["3"]
        top = three["worst_members"][0]
        rows.append(
            (
                depth if str(depth) in tabulated else f"{depth} (between rows)",
                *rates,
                f"{100 * three['mean_over_family']:.1f}",
                f"{top['cell']}, correlation {top['correlation']:g}",
            )
        )
    head = ("transitions", "3 signals", "2 signals", "1 signal", "mean over family", "worst member")
    return (
        "**False boundaries, fresh seeds**, in percent of runs: the worst member of the family, with the upper 95 % "
        "bound (4,000 runs a member; \\* where that came out above "
        f"{100 * DOUBTFUL:g} %, the three worst again with 40,000 runs on seeds that did not choose them).\n\n"
        + _table(head, rows)
    )


def _recovery_table(seen: dict[int, Json]) -> str:
    rows = []
    for mode, by_depth in RECOVERY.items():
        for depth in sorted({*by_depth, *SHOWN}):
            measured = seen.get(depth, {}).get("recovery", {}).get(mode)
            if measured is None:
                continue
            rows.append(
                (
                    mode,
                    depth,
                    " ".join(f"{v:.2f}" for v in by_depth[depth]) if depth in by_depth else "–",
                    *(
                        " ".join(f"{v:.2f}" for v in measured[where][search])
                        for where, search in (("mild", "alone"), ("mild", "together"), ("all", "together"))
                    ),
                )
            )
    head = ("kind", "T", "bar", "gentle, alone", "gentle, together", "all backgrounds, together")
    sizes = (
        "sizes 3, 4, 5, 6, 8 SD for spikes and bumps, 4, 5, 6, 8 for steps, 3, 4, 6 a transition for kinks"
    )
    return f"**Both of two planted boundaries within one transition** ({sizes}).\n\n" + _table(head, rows)


def _power_table(seen: dict[int, Json]) -> str:
    rows = []
    for kind, by_depth in A50.items():
        for depth, bar in by_depth.items():
            measured = seen.get(depth, {}).get("recovery", {}).get(kind)
            if measured is not None:
                values = [measured[where]["a50"] for where in ("mild", "all")]
                rows.append(
                    (kind, depth, "never" if bar is None else bar, *(_size(value) for value in values))
                )
    head = ("kind", "T", "bar", "gentle backgrounds", "all 16 backgrounds")
    return "**Size at which half the boundaries are found, kinds together.**\n\n" + _table(head, rows)


def _size(value: Sequence[float] | None) -> str:
    return "beyond the sizes tried" if value is None else f"{value[0]:.1f}"


def _beyond_table(seen: dict[int, Json]) -> str:
    depths = [depth for depth in SHOWN if "beyond" in seen.get(depth, {})]
    rows: list[Sequence[object]] = []
    for name, values in _flat({d: seen[d]["beyond"] for d in depths}).items():
        rows.append((name, *(f"{values[d]:.3f}" if d in values else "–" for d in depths)))
    for place, replicates in enumerate((3, 5, 10)):
        bars = (f"{REPLICATED[d][place]:.2f}" if d in REPLICATED else "–" for d in depths)
        rows.append((f"bar: two spikes of 2 SD, mean of {replicates} runs", *bars))
    head = ("", *(f"T = {d}" for d in depths))
    return "**Beyond the table**: shares found, and error rates.\n\n" + _table(head, rows)


def _stacks_table() -> str:
    stored = json.loads((RESULTS / "stacks.json").read_text(encoding="utf-8"))
    rows = []
    for layers, stacks in stored["depths"].items():
        with_two = [one for one in stacks if one["planted"]]
        without = [one for one in stacks if not one["planted"]]
        places = [(l, one) for one in with_two for l in one["planted"]]
        ours = sum(any(abs(c - l) <= 1 for _, c in one["calibrated"]) for l, one in places)
        wrong = sum(
            all(abs(c - l) > 1 for l in one["planted"]) for one in stacks for _, c in one["calibrated"]
        )
        both = sum(one["paper_accepted"] and one["paper"] == one["planted"] for one in with_two)
        rows.append(
            (
                layers,
                f"{ours} of {len(places)}",
                wrong,
                f"{both} of {len(with_two)} pairs",
                f"{sum(bool(one['paper_accepted']) for one in without)} of {len(without)}",
            )
        )
    head = (
        "layers",
        "calibrated: planted boundaries found",
        "calibrated: claims elsewhere, all stacks",
        "paper: both accepted in place",
        "paper: accepted in a stack without any",
    )
    size = f"{stored['height']:g} roughness SDs"
    return f"**Planted stacks through `find_boundaries`**, boundaries of {size}.\n\n" + _table(head, rows)


def _flat(beyond: dict[int, Json]) -> dict[str, dict[int, float]]:
    flat: dict[str, dict[int, float]] = {}
    for depth, report in beyond.items():
        for name, value in report.items():
            inner = value if isinstance(value, dict) else {"": value}
            for part, number in inner.items():
                key = f"{name}, {part}" if part else name
                flat.setdefault(re.sub(r"[()']", "", key), {})[depth] = number
    return flat


def pictures(seen: dict[int, Json]) -> Iterator[tuple[Path, Figure]]:
    """Where each picture goes, and the picture."""
    for name, draw in (
        ("false-boundaries", false_boundaries),
        ("recovery", recovery),
        ("coverage", coverage),
    ):
        yield IMAGES / f"calibration-{name}.svg", draw(seen)


def main(arguments: Sequence[str] | None = None) -> None:
    seen = validations()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        for path, figure in pictures(seen):
            # Without a date the same results give the same file.
            figure.savefig(path, metadata={"Date": None})
    write_between(PAGE, MARKS, f"\n{measured_block(seen)}\n\n")


if __name__ == "__main__":
    main()

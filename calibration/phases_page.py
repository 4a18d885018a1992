"""Tables and pictures of docs/phases.md, from the stored results of `python -m calibration phases`."""

import json
from collections.abc import Sequence
from typing import Any

from calibration.detector import HERE
from calibration.page import write_between
from calibration.phases import DEPTHS, LEAST_NULLS, path
from calibration.validate import upper_bound
from matplotlib.figure import Figure

Json = dict[str, Any]

DOCS = HERE.parent / "docs"
PAGE, PICTURE = DOCS / "phases.md", DOCS / "images" / "calibration-phases.svg"
MARKS = ("<!-- measured: written by `python -m calibration phases` -->", "<!-- end of measured -->")


def write_page() -> None:
    """The measured part of the page, and its picture, from whatever depths are there."""
    seen = {
        layers: json.loads(path(layers).read_text("utf-8"))
        for layers in sorted(DEPTHS)
        if path(layers).exists()
    }
    parts = [_errors(seen), _outside(seen), _recovery(seen), _harder(seen), _sets(seen), _stacks(seen)]
    write_between(PAGE, MARKS, "\n" + "\n".join(parts))
    figure = _picture(seen)
    figure.savefig(PICTURE, metadata={"Date": None})


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def _inside(found: Json) -> list[Json]:
    return [row for row in found["errors"] if row["inside"] and row["nulls"] >= LEAST_NULLS]


def _share(called: int, runs: int) -> str:
    return f"{100 * called / runs:.1f} ({called} of {runs}, ≤ {100 * upper_bound(called, runs):.1f})"


def _errors(seen: dict[int, Json]) -> str:
    rows = []
    for layers, found in seen.items():
        worlds = _inside(found)
        worst = sorted(worlds, key=lambda row: -row["called"] / row["nulls"])
        called, nulls = (sum(row[key] for row in worlds) for key in ("called", "nulls"))
        again = max(found["confirmed"], key=lambda row: row["called"] / row["nulls"])
        at_1 = max(row["called_at_1"] / row["nulls"] for row in worlds)
        over = sum(row["called"] / row["nulls"] > 0.05 for row in worlds)
        rows.append(
            [layers, f"{found['threshold']:.2f}", len(worlds), f"{100 * called / nulls:.2f}",
             f"{worst[0]['world']}: {_share(worst[0]['called'], worst[0]['nulls'])}",
             f"{again['world']}: {_share(again['called'], again['nulls'])}", over, f"{100 * at_1:.1f}"]
        )  # fmt: skip
    head = [
        "blocks",
        "threshold",
        "worlds",
        "mean, %",
        "worst, %",
        "second, %",
        "over 5 %",
        "worst at the 1 % level",
    ]
    return (
        "**Claims where there is no boundary**, in percent of stacks (counts; one-sided 95 % bound).\n\n"
        + _table(head, rows)
    )


def _outside(seen: dict[int, Json]) -> str:
    names = [row["world"] for row in next(iter(seen.values()))["errors"] if not row["inside"]]
    rows = []
    for name in names:
        cells = []
        for found in seen.values():
            row = next(one for one in found["errors"] if one["world"] == name and not one["inside"])
            cells.append(f"{100 * row['called'] / row['nulls']:.1f}" if "called" in row else "–")
        rows.append([name, *cells])
    return "**Outside the family**, in percent of stacks.\n\n" + _table(["world", *seen], rows)


def _recovery(seen: dict[int, Json]) -> str:
    rows = []
    for layers, found in seen.items():
        for count in (1, 2, 3):
            own = [row for row in found["recovery"] if row["world"] == "plain" and row["planted"] == count]
            if own:
                false = sum(row["false"] for row in own)
                shares = [f"{row['all_found'] / row['runs']:.2f}" for row in own]
                rows.append([layers, count, *shares, f"{false} of {sum(row['claims'] for row in own)}"])
    jumps = [f"J = {jump}" for jump in (0.2, 0.3, 0.4, 0.6)]
    text = "**All planted boundaries found within one layer**, plain world.\n\n"
    return text + _table(["blocks", "planted", *jumps, "false claims beside them"], rows)


def _harder(seen: dict[int, Json]) -> str:
    rows = []
    worlds = dict.fromkeys(row["world"] for found in seen.values() for row in found["recovery"])
    for world in worlds:
        cells = []
        for found in seen.values():
            own = [row for row in found["recovery"] if row["world"] == world and row["planted"] == 2]
            cells.append(" ".join(f"{row['all_found'] / row['runs']:.2f}" for row in own) or "–")
        rows.append([world, *cells])
    return "**Both of two boundaries**, J = 0.2, 0.3, 0.4, 0.6, under harder conditions.\n\n" + _table(
        ["world", *seen], rows
    )


def _sets(seen: dict[int, Json]) -> str:
    rows = []
    for layers, found in seen.items():
        claimed = [row for row in found["recovery"] if row["claims"] >= 30]
        if not claimed:
            continue
        covered, claims = (sum(row[key] for row in claimed) for key in ("covered", "claims"))
        least = min(row["covered"] / row["claims"] for row in claimed)
        sizes = sorted({row["set_median"] for row in claimed})
        spread = "; ".join(
            f"{row['spread']} transitions: {row['all_found'] / row['runs']:.2f}, mean size {row['set_mean'] or '–'}"
            for row in found["spread"]
        )
        rows.append(
            [layers, claims, f"{covered / claims:.3f}", f"{least:.3f}", f"{sizes[0]:g}–{sizes[-1]:g}", spread]
        )
    head = ["blocks", "claims", "coverage", "least of a cell", "median size", "a change of 0.6 spread over"]
    return "**Sets** (cells with 30 claims or more).\n\n" + _table(head, rows)


def _stacks(seen: dict[int, Json]) -> str:
    rows = [
        [layers, row["stack"], row["runs"], row["over_threshold"], row["claimed"], row["right"]]
        for layers, found in seen.items()
        for row in found["token_stacks"] or ()
    ]
    head = ["blocks", "stack", "runs", "over the threshold", "standing in every check", "at the right place"]
    return "**The whole rule on stacks of tokens.**\n\n" + _table(head, rows)


def _picture(seen: dict[int, Json]) -> Figure:
    figure = Figure(figsize=(7, 2.8), layout="constrained")
    errors, power = figure.subplots(1, 2)
    for at, found in enumerate(seen.values()):
        shares = [100 * row["called"] / row["nulls"] for row in _inside(found)]
        errors.plot([at] * len(shares), shares, "_", color="#0b5a9e", markersize=12, alpha=0.5)
    errors.axhline(5, color="#1a1a1a", linewidth=0.6, linestyle="--")
    errors.set_xticks(range(len(seen)), [str(layers) for layers in seen])
    errors.set(xlabel="blocks", ylabel="stacks with a claim, %", title="No boundary: one mark a world")
    for count, dashes in ((1, "-"), (2, "--"), (3, ":")):
        for jump, colour in ((0.3, "#8f8f8f"), (0.4, "#0b5a9e"), (0.6, "#440154")):
            points = [
                (layers, row["all_found"] / row["runs"])
                for layers, found in seen.items()
                for row in found["recovery"]
                if row["world"] == "plain" and row["planted"] == count and row["jump"] == jump
            ]
            label = f"J = {jump}, {count} planted"
            power.plot(
                *zip(*points, strict=True), dashes, color=colour, label=label, marker="o", markersize=2
            )
    power.set(xlabel="blocks", ylabel="all found", ylim=(-0.02, 1.02), title="Planted boundaries")
    power.legend(fontsize=5.5, frameon=False)
    for axes in (errors, power):
        axes.title.set_fontsize(9)
        axes.spines[["top", "right"]].set_visible(False)
    return figure

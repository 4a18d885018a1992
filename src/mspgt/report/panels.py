"""What every chart shows, read from results.json once; the page and the figures only draw it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeGuard, TypeVar

from mspgt.report.words import BOUNDARIES, NO_REASON, Json, claims, consecutive, number, reason

T = TypeVar("T")
Values = list[float | None]
Intervals = list[list[float] | None]

# Signal → title, axis in calibrated mode, axis in paper mode (the same text: one shared axis).
SIGNALS = {
    "S1": ("S1 · representation change", "−log CKA", "1/CKA"),
    "S2": ("S2 · probe jump", "relative change of F1", "relative change of F1"),
    "S3": ("S3 · attention drift", "JS divergence, bits", "JS divergence, bits"),
    "evidence": ("Fused evidence", "fused z", "E(l)"),
}
TASKS = {
    "pos": "Part of speech",
    "dep": "Dependency relation",
    "ner": "Named entities",
    "srl": "Semantic roles",
}
LOG_RANGE = 30  # largest over smallest value from which an axis is logarithmic
# Scales from the embedding up; then a model without boundaries, and stretches whose scale is not known.
LOCAL, INTERMEDIATE, GLOBAL = "Local", "Intermediate", "Global"
UNDIVIDED, UNNAMED = "undivided", "unnamed"


@dataclass(frozen=True)
class Line:
    """One curve.

    `intervals` holds for every position the ends of nested central intervals, outermost first: `[lo, hi]` is
    the 95 % interval, `[lo95, lo80, lo50, hi50, hi80, hi95]` all three; of random twins it is their range.
    """

    label: str
    role: str  # calibrated | paper | twin | variant | level: decides how it is drawn
    values: Values
    intervals: Intervals | None = None

    def bands(self) -> list[list[tuple[float, float] | None]]:
        """The nested intervals one level at a time, outermost first: (low, high) for every position."""
        whole = [interval if interval and None not in interval else None for interval in self.intervals or ()]
        levels = max((len(interval) // 2 for interval in whole if interval), default=0)
        return [
            [(interval[level], interval[-1 - level]) if interval else None for interval in whole]
            for level in range(levels)
        ]

    def drawn_bands(self) -> list[list[tuple[float, float] | None]]:
        """The bands that a chart shows: none for paper mode, which stays thin beside the main curve."""
        return [] if self.role == "paper" else self.bands()

    def text(self, at: int) -> str:
        """The value at a position, with its 95 % interval."""
        band = self.bands()[0][at] if self.bands() else None
        value = number(self.values[at])
        return f"{value} [{number(band[0])}, {number(band[1])}]" if band else value


@dataclass(frozen=True)
class Mark:
    """One boundary: its layer, and the layers that its 95 % set (calibrated) or interval (paper) covers."""

    label: str
    role: str
    layer: int
    layers: tuple[int, ...] = ()
    interval: tuple[float, float] | None = None
    claimed: bool = True  # False: a paper-mode peak that the protocol itself rejected

    def spans(self) -> list[tuple[float, float]]:
        """The set or interval as stretches of depth; a set with a gap has several."""
        runs = consecutive(self.layers)
        return [(low - 0.5, high + 0.5) for low, high in runs] + ([self.interval] if self.interval else [])


@dataclass(frozen=True)
class Panel:
    """One chart over transitions 1..L−1 or layers 0..L; `missing` says why curves are absent."""

    key: str
    title: str
    axis: str
    x: tuple[int, ...]
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    second_axis: str | None = None  # of the lines of role `paper`, where their unit differs
    missing: tuple[str, ...] = ()
    log: bool = False  # may be logarithmic, where the values allow it

    def numbers(self) -> list[tuple[int, list[str]]]:
        """Each layer with the value of every curve as text, the foremost curve first."""
        return [(layer, [line.text(at) for line in reversed(self.lines)]) for at, layer in enumerate(self.x)]

    @property
    def first_lines(self) -> list[Line]:
        """Curves on the main axis."""
        return [line for line in self.lines if not (self.second_axis and line.role == "paper")]

    @property
    def second_lines(self) -> list[Line]:
        """Curves on the second axis."""
        return [line for line in self.lines if self.second_axis and line.role == "paper"]


@dataclass(frozen=True)
class StripRow:
    """One mode of a layer strip: the scale of blocks 1..L, and the boundaries between them."""

    role: str
    scales: tuple[str, ...]
    marks: tuple[Mark, ...]

    @property
    def claimed(self) -> bool:
        """Whether the mode stands by its boundaries."""
        return all(mark.claimed for mark in self.marks)


def signal_panels(results: Json, name: str) -> list[Panel]:
    """S1, S2, S3 and the fused evidence of one model in both modes, with its random twin."""
    model = results["models"][name]
    panels = []
    for signal, (title, axis, paper_axis) in SIGNALS.items():
        lines = [line] if (line := _twins(model, signal)) else []
        missing = []
        for mode in ("paper", "calibrated"):
            if line := _line(model, signal, mode, f"{mode} mode", mode):
                lines.append(line)
            else:
                why = reason(results, "models", name, "signals", signal, mode)
                if why == NO_REASON and signal == "evidence":
                    why = "; ".join(model["boundaries"][mode]["reasons"]) or NO_REASON
                missing.append(f"{mode} mode: {why}")
        shown = tuple(marks(model)) if signal == "evidence" else ()
        second = paper_axis if paper_axis != axis else None
        x = tuple(range(1, model["layers"]))
        log = signal != "evidence"
        panels.append(Panel(signal, title, axis, x, tuple(lines), shown, second, tuple(missing), log))
    return panels


def control_panels(results: Json, name: str) -> list[Panel]:
    """Each signal in calibrated mode beside its random twin and the same estimate with sinks left in."""
    model = results["models"][name]
    with_sinks = model["controls"].get("with_sinks") or {}
    twins = (model["controls"].get("random_init") or {}).get("seeds")
    panels = []
    for signal, (title, axis, _) in list(SIGNALS.items())[:3]:
        own = _line(model, signal, "calibrated", "calibrated mode", "calibrated")
        sinks = with_sinks.get(signal)
        lines = {
            "random_init": _twins(model, signal),
            "with_sinks": Line("sinks left in", "variant", sinks) if measured(sinks) else None,
        }
        missing = [
            f"{control.replace('_', ' ')}: {reason(results, 'models', name, 'controls', control, signal)}"
            for control, line in lines.items()
            if line is None and not (control == "random_init" and twins == 0)
        ] + ["no random twins in this study"] * (twins == 0)
        if own is None:
            missing = [reason(results, "models", name, "signals", signal, "calibrated")]
        x = tuple(range(1, model["layers"]))
        drawn = tuple(line for line in (*lines.values(), own) if line)
        panels.append(Panel(signal, title, axis, x, drawn, missing=tuple(missing), log=True))
    return panels


def probe_panels(results: Json, name: str) -> list[Panel]:
    """F1 of each probing task over layers 0..L with its floor and ceiling, and its selectivity."""
    model = results["models"][name]
    x = tuple(range(model["layers"] + 1))
    panels = []
    for task, probe in model["probes"].items():
        path = ("models", name, "probes", task)
        lines, missing = [], []
        for key in ("floor", "ceiling"):
            if probe[key] is not None:
                lines.append(Line(key, "level", [probe[key]] * len(x)))
        for key, label, role in (("selectivity", "selectivity", "variant"), ("f1", "F1", "calibrated")):
            if measured(probe[key]):
                lines.append(Line(label, role, probe[key], probe["f1_ci"] if key == "f1" else None))
            else:
                missing.append(f"{label}: {reason(results, *path, key)}")
        title = TASKS.get(task, task) + ("" if probe["labels"] == "gold" else f" ({probe['labels']} labels)")
        panels.append(Panel(task, title, "F1", x, tuple(lines), missing=tuple(missing)))
    return panels


def marks(model: Json) -> Iterable[Mark]:
    """The boundaries of both modes, calibrated first."""
    for name, claim in claims(model):
        yield Mark(name or claim["kind"], "calibrated", claim["layer"], layers=tuple(claim["set"]))
    paper = model["boundaries"]["paper"]
    for which, label in BOUNDARIES.items():
        if boundary := paper[which]:
            interval = tuple(boundary["ci"]) if boundary["ci"] else None
            yield Mark(
                label, "paper", boundary["layer"], (), interval, claimed=paper["accepted"] is not False
            )


def strip_rows(model: Json) -> list[StripRow]:
    """The layer strip of one model: one row a mode."""
    every = list(marks(model))
    rows = []
    for role in ("calibrated", "paper"):
        own = tuple(mark for mark in every if mark.role == role)
        places = {mark.label: mark.layer for mark in own}
        rows.append(StripRow(role, _scales(model["layers"], places, bool(own)), own))
    return rows


def _scales(layers: int, at: dict[str, int], divided: bool) -> tuple[str, ...]:
    li, ig = at.get(BOUNDARIES["LI"]), at.get(BOUNDARIES["IG"])
    between = INTERMEDIATE if li and ig else UNNAMED if divided else UNDIVIDED

    def scale(block: int) -> str:
        if li is not None and block <= li:
            return LOCAL
        return GLOBAL if ig is not None and block > ig else between

    return tuple(scale(block) for block in range(1, layers + 1))


def _twins(model: Json, signal: str) -> Line | None:
    """Median and range over the random twins, (seeds, transitions), in calibrated mode."""
    signals = (model["controls"].get("random_init") or {}).get("signals") or {}
    seeds = [row for row in signals.get("calibrated", {}).get(signal) or [] if measured(row)]
    columns = [[value for value in column if value is not None] for column in zip(*seeds, strict=True)]
    if not any(columns):
        return None
    middle = [median(column) if column else None for column in columns]
    return Line(
        "random twin", "twin", middle, [[min(column), max(column)] if column else None for column in columns]
    )


def _line(model: Json, signal: str, mode: str, label: str, role: str) -> Line | None:
    values = (model["signals"].get(signal) or {}).get(mode)
    intervals = (model["signals_ci"].get(signal) or {}).get(mode)
    return Line(label, role, values, intervals) if measured(values) else None


def logarithmic(lines: Iterable[Line]) -> bool:
    """Whether the axis of these curves is logarithmic: all values positive, over a wide range."""
    known = [value for line in lines for value in known_values(line)]
    return bool(known) and min(known) > 0 and max(known) > LOG_RANGE * min(known)


def known_values(line: Line) -> list[float]:
    """Everything a curve draws: its values and the ends of its intervals."""
    ends = [end for band in line.drawn_bands() for interval in band if interval for end in interval]
    return [value for value in (*line.values, *ends) if value is not None]


def runs(items: Sequence[T | None]) -> list[list[tuple[int, T]]]:
    """Stretches of (position, item) without a gap: a curve breaks where nothing was measured."""
    stretches: list[list[tuple[int, T]]] = [[]]
    for position, item in enumerate(items):
        if item is None:
            stretches.append([])
        else:
            stretches[-1].append((position, item))
    return [stretch for stretch in stretches if stretch]


def depth_ticks(x: Sequence[int]) -> list[int]:
    """At most nine layers to label, evenly spaced."""
    step = next(step for step in (1, 2, 4, 5, 8, 10, 16, 20, 25, 50, 100, 1000) if len(x) <= 9 * step)
    return [layer for layer in x if layer % step == 0]


def measured(values: Values | None) -> TypeGuard[Values]:
    """Whether anything in the list was measured."""
    return any(value is not None for value in values or ())

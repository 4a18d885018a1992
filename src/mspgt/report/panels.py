"""What every chart shows, read from results.json once; the page and the figures only draw it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import log
from statistics import median

from mspgt.report.curves import Intervals, Line, Mark, Panel, StripRow, known_values, measured
from mspgt.report.words import BOUNDARIES, NO_REASON, Located, claims, counted, number, reason
from mspgt.results import CalibratedResult, FunctionalScales, ModelResult, Results
from mspgt.results.record import Rows
from mspgt.stats.bootstrap import MAX_CLUSTERS
from mspgt.vocabulary import SIGNALS as MEASURED

# Signal → title, axis in calibrated mode, axis in paper mode (the same text: one shared axis).
SIGNALS = {
    "S1": ("S1 · representation change", "−log CKA", "1/CKA"),
    "S2": ("S2 · probe jump", "relative change of probe scores", "relative change of probe scores"),
    "S3": ("S3 · attention drift", "JS divergence, bits", "JS divergence, bits"),
    "evidence": ("Fused evidence", "fused z", "E(l)"),
}
RESAMPLED = {"S1": "documents", "S2": "treebank documents", "S3": "documents"}
EVIDENCE = "Points without a band: the detector’s sets carry the uncertainty, 95 % each, below the curves."
TASKS = {
    "pos": "Part of speech",
    "dep": "Dependency relation",
    "ner": "Named entities",
    "srl": "Semantic roles",
}
# Scales from the embedding up; then a model without boundaries, and stretches whose scale is not known.
LOCAL, INTERMEDIATE, GLOBAL = "Local", "Intermediate", "Global"
UNDIVIDED, UNNAMED = "undivided", "unnamed"


def signal_panels(results: Results, name: str) -> list[Panel]:
    """S1, S2, S3 and the fused evidence of one model in both modes, with its random twin."""
    model = results.models[name]
    panels = []
    for signal, (title, axis, paper_axis) in SIGNALS.items():
        modes = {mode: _line(model, signal, mode, f"{mode} mode", mode) for mode in ("paper", "calibrated")}
        lines = [line for line in modes.values() if line]
        absent = (mode for mode, line in modes.items() if line is None)
        missing = [f"{mode} mode: {_why(results, name, signal, mode)}" for mode in absent]
        if twin := _twins(model, signal):
            fits = _in_sight(twin, modes["calibrated"])
            lines.insert(0, replace(twin, clipped=not fits))
            if not fits:
                level = number(median(known_values(twin)))
                missing.append(f"random twin: leaves this axis, median {level}; whole among the controls")
        panels.append(
            Panel(
                key=signal,
                title=title,
                axis=axis,
                x=tuple(range(1, model.layers)),
                lines=tuple(lines),
                marks=tuple(marks(model)) if signal == "evidence" else (),
                second_axis=paper_axis if paper_axis != axis else None,
                missing=tuple(missing),
                log=signal != "evidence",
                caption=EVIDENCE if signal == "evidence" else band_words(results, lines, RESAMPLED[signal]),
            )
        )
    return panels


def _why(results: Results, name: str, signal: str, mode: str) -> str:
    """Why a signal is null; of the evidence, the reasons of its mode say it too."""
    why = reason(results, "models", name, "signals", signal, mode)
    if why == NO_REASON and signal == "evidence":
        both = results.models[name].boundaries
        reasons = both.paper.reasons if mode == "paper" else both.calibrated.reasons
        return "; ".join(reasons) or NO_REASON
    return why


def control_panels(results: Results, name: str) -> list[Panel]:
    """Each signal in calibrated mode beside its random twin and the same estimate with sinks left in."""
    model = results.models[name]
    with_sinks = model.controls.with_sinks or {}
    twins = model.controls.random_init.seeds
    panels = []
    for signal in MEASURED:
        title, axis, _ = SIGNALS[signal]
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
        # The bands of the model's own curve stand among the signals.
        drawn = [line for line in (*lines.values(), own and replace(own, intervals=None)) if line]
        caption = band_words(results, drawn, RESAMPLED[signal])
        if twins and twins > 1:
            caption += f" Twin: median and range over {counted(twins, 'seed')}."
        x, why = tuple(range(1, model.layers)), tuple(missing)
        panels.append(Panel(signal, title, axis, x, tuple(drawn), missing=why, log=True, caption=caption))
    return panels


def probe_panels(results: Results, name: str) -> list[Panel]:
    """Score of each probing task over layers 0..L with its floor and ceiling, and its selectivity."""
    model = results.models[name]
    x = tuple(range(model.layers + 1))
    panels = []
    for task, probe in model.probes.items():
        path = ("models", name, "probes", task)
        levels = {"floor": probe.floor, "ceiling": probe.ceiling}
        lines = [Line(key, "level", [value] * len(x)) for key, value in levels.items() if value is not None]
        missing, score = [], probe.score
        curves = (
            ("selectivity", "selectivity", "variant", probe.selectivity, None),
            ("f1", score, "calibrated", probe.f1, nested(probe.f1_ci, probe.f1_bands)),
        )
        for key, label, role, values, ends in curves:
            if measured(values):
                lines.append(Line(label, role, values, ends))
            else:
                missing.append(f"{label}: {reason(results, *path, key)}")
        title = TASKS.get(task, task) + ("" if probe.labels == "gold" else f" ({probe.labels} labels)")
        code = probe.codelength
        beside = (Line("codelength, bits a label", "variant", code),) if measured(code) else ()
        caption = band_words(results, lines, "treebank documents")
        panels.append(
            Panel(task, title, score, x, tuple(lines), missing=tuple(missing), beside=beside, caption=caption)
        )
    return panels


def marks(model: Located) -> Iterable[Mark]:
    """The boundaries of both modes, calibrated first."""
    yield from calibrated_marks(model.boundaries.calibrated)
    paper = model.boundaries.paper
    for which, label in BOUNDARIES.items():
        if boundary := paper.of(which):
            claimed = paper.accepted is not False
            yield Mark(label, "paper", boundary.layer, (), boundary.ci, claimed=claimed)


def calibrated_marks(calibrated: CalibratedResult) -> Iterable[Mark]:
    """The boundaries of the calibrated detector in order of depth."""
    for name, claim in claims(calibrated):
        yield Mark(name or claim.kind, "calibrated", claim.layer, layers=tuple(claim.set))


def functional_marks(found: FunctionalScales) -> Iterator[Mark]:
    """The boundaries of functional scales that are defined."""
    for which, label in BOUNDARIES.items():
        if (one := found.of(which)).layer is not None:
            yield Mark(label, "functional", one.layer, tuple(one.set))


def strip_rows(model: Located) -> list[StripRow]:
    """The layer strip of one model: one row a mode."""
    every = list(marks(model))
    return [
        strip_row(role, model.layers, tuple(mark for mark in every if mark.role == role))
        for role in ("calibrated", "paper")
    ]


def strip_row(role: str, layers: int, own: tuple[Mark, ...]) -> StripRow:
    """The scales of blocks 1..L between the boundaries of one mode."""
    places = {mark.label: mark.layer for mark in own}
    return StripRow(role, _scales(layers, places, bool(own)), own)


def _scales(layers: int, at: dict[str, int], divided: bool) -> tuple[str, ...]:
    li, ig = at.get(BOUNDARIES["LI"]), at.get(BOUNDARIES["IG"])
    between = INTERMEDIATE if li and ig else UNNAMED if divided else UNDIVIDED

    def scale(block: int) -> str:
        if li is not None and block <= li:
            return LOCAL
        return GLOBAL if ig is not None and block > ig else between

    return tuple(scale(block) for block in range(1, layers + 1))


def _twins(model: ModelResult, signal: str) -> Line | None:
    """Median and range over the random twins, (seeds, transitions), in calibrated mode; one twin has no range."""
    signals = model.controls.random_init.signals
    seeds = [row for row in signals["calibrated"].get(signal, []) if measured(row)] if signals else []
    columns = [[value for value in column if value is not None] for column in zip(*seeds, strict=True)]
    if not any(columns):
        return None
    middle = [median(column) if column else None for column in columns]
    spread: Intervals = [[min(column), max(column)] if column else None for column in columns]
    return Line("random twin", "twin", middle, spread if len(seeds) > 1 else None)


def _in_sight(twin: Line, own: Line | None) -> bool:
    """Whether a twin can share the axis of the model's own curve without flattening it."""
    if own is None:
        return True
    ours, both = known_values(own), known_values(own) + known_values(twin)
    if min(both) > 0:
        ours, both = [log(value) for value in ours], [log(value) for value in both]
    return max(both) - min(both) <= 2 * (max(ours) - min(ours))


def _line(model: ModelResult, signal: str, mode: str, label: str, role: str) -> Line | None:
    values = model.signals.get(signal, {}).get(mode)
    outer = model.signals_ci.get(signal, {}).get(mode)
    inner = model.signals_bands.get(signal, {}).get(mode)
    return Line(label, role, values, nested(outer, inner)) if measured(values) else None


def nested(outer: Intervals | None, inner: dict[str, Rows] | None) -> Intervals | None:
    """The 95 % intervals with the 80 and 50 % ones inside them, where a run has them."""
    if not outer or not inner:
        return outer
    levels = [outer, *(inner[level] for level in ("80", "50"))]
    whole: list[list[float] | None] = []
    for ends in zip(*levels, strict=True):
        known = [end for end in ends if end is not None]
        lows, highs = [low for low, _ in known], [high for _, high in reversed(known)]
        whole.append([*lows, *highs] if len(known) == len(levels) else None)
    return whole


def band_words(results: Results, lines: Iterable[Line], what: str = "documents") -> str:
    """Level, n and method of the bands of a bootstrap; empty where no curve has one.

    Many documents of a corpus are resampled in groups, those of a treebank one by one.
    """
    depth = max((len(line.bands()) for line in lines if line.role == "calibrated"), default=0)
    if not depth:
        return ""
    levels = "50, 80 and 95\u202f%" if depth > 1 else "95\u202f%"
    settings, data = results.provenance.settings, results.provenance.data
    draws = (settings.get("boundaries") or {}).get("draws")
    often = f", {number(draws)} draws" if draws else ""
    n = f"n = {number(data.documents)} " if what == "documents" else ""
    groups = f"{MAX_CLUSTERS} groups of " if n and data.documents > MAX_CLUSTERS else ""
    return f"Bands: {levels} intervals, bootstrap over {groups}{n}{what}{often}."

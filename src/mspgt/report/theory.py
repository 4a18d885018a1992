"""The theory of a model as panels over layers: information, sensitivity to noise, nearness to a Markov chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mspgt.report.curves import Intervals, Line, Mark, Panel
from mspgt.report.groups import ChartGroup
from mspgt.report.panels import marks
from mspgt.report.words import NO_REASON
from mspgt.results import Results
from mspgt.results.theory import Curve, Fisher, Information, Markov, UsableInformation

KINDS = {"topical": "Topical", "syntactic": "Syntactic", "lexical": "Lexical"}


def theory_groups(results: Results, name: str) -> list[ChartGroup]:
    """Information over layers 0..L, sensitivity over 1..L, nearness to a chain over 1..L−2; none without theory."""
    model = results.models[name]
    theory, depth = model.theory, model.layers
    if theory is None:
        return []
    lines = tuple(marks(model))
    information = [*_information_panels(theory.information, depth, lines)]
    sensitivity = [*_sensitivity_panels(theory.fisher, depth, lines)]
    chain = [_markov_panel(theory.markov, depth)]
    return [
        ChartGroup("information", "Information by layer", "layer", information),
        ChartGroup("sensitivity", "Sensitivity to noise by layer", "layer", sensitivity),
        ChartGroup("markov", "How far from a Markov chain", "layer", chain),
    ]


def usable(information: Information) -> dict[str, UsableInformation]:
    """The kinds of label, in the order in which they are shown."""
    return {kind: getattr(information, kind) for kind in KINDS}


def _information_panels(
    information: Information, depth: int, boundaries: tuple[Mark, ...]
) -> Iterator[Panel]:
    def panel(key: str, title: str, axis: str, lines: Sequence[Line], why: str) -> Panel:
        x, missing = tuple(range(depth + 1)), (why,) if why else ()
        about = f"{information.estimator}."
        return Panel(
            f"information-{key}", title, axis, x, tuple(lines), boundaries, missing=missing, caption=about
        )

    for kind, block in usable(information).items():
        own = []
        if block.bits is not None:
            own.append(Line(block.label, "calibrated", block.bits, block.ci))
            own.append(Line("label entropy", "level", [block.entropy] * (depth + 1)))
        why = "" if own else block.reason or NO_REASON
        yield panel(kind, f"{KINDS[kind]} V-information", "bits a label", own, why)
    gaussian, drawn = information.gaussian, []
    if gaussian.nats is not None:
        band = None if gaussian.se is None else [None, *_margins(gaussian.nats, gaussian.se)]
        drawn.append(Line(f"{gaussian.k} components", "calibrated", [None, *gaussian.nats], band))
    yield panel("gaussian", "Gaussian information with layer 0", "nats", drawn, gaussian.reason or "")


def _sensitivity_panels(block: Fisher, depth: int, boundaries: tuple[Mark, ...]) -> Iterator[Panel]:
    x = tuple(range(1, depth + 1))
    if block.fisher is None:
        yield Panel(
            "fisher", "Sensitivity to noise", "nats a token", x, (), missing=(block.reason or NO_REASON,)
        )
        return
    axis = "nats a token at σ = std"

    def line(one: Curve | None, label: str, role: str) -> Line | None:
        return Line(label, role, one.value, one.ci) if one and one.value is not None else None

    own = line(block.fisher, "tr F", "calibrated")
    first = [line(block.kl_slope, "2 · KL slope", "variant"), own]
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
        line(block.hessian, "data Hessian", "twin"),
        line(block.empirical, "empirical Fisher", "paper"),
        line(block.loss_slope, "2 · loss slope", "variant"),
        own,
    ]
    hessian = block.hessian or Curve(None)
    missing = [] if hessian.value is not None else [f"data Hessian: {hessian.reason}"]
    yield Panel("loss", "Slope of the loss", axis, x, tuple(l for l in second if l), missing=tuple(missing))


def _markov_panel(block: Markov, depth: int) -> Panel:
    x = tuple(range(1, max(depth - 1, 1)))
    if block.ratio is None:
        return Panel("markov", "Near-Markov ratio", "M", x, (), missing=(block.reason or NO_REASON,))
    if block.excess is None or block.se is None:
        why = "written without Markov surrogates: run the study again (finished stages are kept)"
        return Panel("markov", "Near-Markov ratio", "M", x, (), missing=(why,))
    drawn = (
        Line("I(l; l+2 | l+1) / I(l; l+2)", "level", block.ratio),
        Line("beyond Markov surrogates", "calibrated", block.excess, _margins(block.excess, block.se)),
    )
    return Panel("markov", f"Near-Markov ratio: A2 {block.verdict}", "M", x, drawn, caption=block.caveat)


def _margins(values: Sequence[float | None], errors: Sequence[float | None]) -> Intervals:
    ends = (margin(value, error) for value, error in zip(values, errors, strict=True))
    return [[*one] if one else None for one in ends]


def margin(value: float | None, error: float | None) -> tuple[float, float] | None:
    """The 95 % interval that a standard error gives."""
    return None if value is None or error is None else (value - 1.96 * error, value + 1.96 * error)

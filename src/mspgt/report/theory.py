"""The theory of a model as panels over layers: information, sensitivity to noise, nearness to a Markov chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mspgt.report.curves import Intervals, Line, Mark, Panel
from mspgt.report.panels import marks
from mspgt.report.words import Json

KINDS = {"topical": "Topical", "syntactic": "Syntactic", "lexical": "Lexical"}


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
            tuple(drawn), marks=boundaries, missing=tuple(missing), caption=f"{information['estimator']}.",
        )  # fmt: skip
    block = information["gaussian"]
    drawn = []
    if block["nats"] is not None:
        band = None if block["se"] is None else [None, *_margins(block["nats"], block["se"])]
        drawn.append(Line(f"{block['k']} components", "calibrated", [None, *block["nats"]], band))
    missing = [block["reason"]] if block.get("reason") else []
    yield Panel(
        "information-gaussian", "Gaussian information with layer 0", "nats", tuple(range(depth + 1)),
        tuple(drawn), marks=boundaries, missing=tuple(missing), caption=f"{information['estimator']}.",
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
    if block.get("ratio") is None:
        return Panel("markov", "Near-Markov ratio", "M", x, (), missing=(block["reason"],))
    if block.get("excess") is None:
        why = "written without Markov surrogates: run the study again (finished stages are kept)"
        return Panel("markov", "Near-Markov ratio", "M", x, (), missing=(why,))
    drawn = (
        Line("I(l; l+2 | l+1) / I(l; l+2)", "level", block["ratio"]),
        Line(
            "beyond Markov surrogates", "calibrated", block["excess"], _margins(block["excess"], block["se"])
        ),
    )
    return Panel(
        "markov", f"Near-Markov ratio: A2 {block['verdict']}", "M", x, drawn, caption=block["caveat"]
    )


def _margins(values: Sequence[float], errors: Sequence[float]) -> Intervals:
    """95 % intervals from standard errors."""
    return [[v - 1.96 * e, v + 1.96 * e] for v, e in zip(values, errors, strict=True)]

"""The dose audit for reading: its tables, what its numbers say in a sentence, and the brittleness curve."""

from __future__ import annotations

from typing import NamedTuple

from mspgt.report.curves import Line, Mark, Panel
from mspgt.report.tables import Cell, Table, columns_of
from mspgt.report.words import listing, number
from mspgt.results import ModelResult
from mspgt.results.interventions import Dose, DosesAbout
from mspgt.vocabulary import SCALES

# Definition → its name, and the role that decides its colour. The primary one comes first.
DEFINITIONS = {
    "dimension": ("by dimension", "calibrated"),
    "all": ("over all tokens, the paper’s words", "paper"),
    "nonsink": ("without sinks", "variant"),
    "own": ("by token", "twin"),
}
COSTS = ("kl", "kl_se", "nats", "nats_se")


class Audit(NamedTuple):
    """The doses of one model."""

    layers: int
    doses: dict[str, Dose]  # by definition, the primary one first
    about: DosesAbout

    @property
    def curves(self) -> dict[str, tuple[tuple[int, float], ...]]:
        """Definition → (last layer with noise, extra nats a token); the logarithmic axis has costs above 0 alone."""
        ends = {definition: one.ends for definition, one in self.doses.items()}
        return {
            definition: tuple((k, y) for k, y in zip(one.layers, one.nats, strict=True) if y and y > 0)
            for definition, one in ends.items()
        }

    @property
    def jump(self) -> tuple[int, int, float] | None:
        """Of the literal dose at the sink: the last layer before it, the first after, and their ratio."""
        sink, literal = self.about.sink_layer, dict(self.curves["all"])
        if sink is None or not {sink - 1, sink} <= set(literal):
            return None
        return sink - 1, sink, literal[sink] / literal[sink - 1]


def audit_of(model: ModelResult) -> Audit | None:
    """The doses of a model; None where they were not audited."""
    doses, about = model.doses, model.doses_about
    if not doses or not about:
        return None
    return Audit(model.layers, {definition: doses[definition] for definition in DEFINITIONS}, about)


def doses_table(model: str, audit: Audit) -> Table:
    """What noise of one size is and costs: one row a definition and block."""
    kinds = dict.fromkeys(("sigma", "relative", "variance", *COSTS), "double")
    rows: list[tuple[Cell, ...]] = [
        (model, definition, layer, *(getattr(found, key)[layer - 1] for key in kinds))
        for definition, found in audit.doses.items()
        for layer in range(1, len(found.sigma) + 1)
    ]
    columns = columns_of("model:string definition:string layer:int64") | kinds
    title = "Noise of one size under four definitions, block by block, and its cost"
    return Table("doses", title, columns, rows)


def brittleness_table(model: str, audit: Audit) -> Table:
    """What noise on blocks 1..k costs: one row a definition and k."""
    rows: list[tuple[Cell, ...]] = [
        (model, definition, layer, *(getattr(found.ends, key)[at] for key in COSTS))
        for definition, found in audit.doses.items()
        for at, layer in enumerate(found.ends.layers)
    ]
    columns = columns_of("model:string definition:string last_layer:int64") | dict.fromkeys(COSTS, "double")
    return Table("brittleness", "Cost of noise on layers 1 to k, by k", columns, rows)


def brittleness_numbers(audit: Audit) -> tuple[list[str], list[tuple[str | int, ...]]]:
    """The brittleness curve as text: a row a last layer, extra nats and divergence under each definition."""
    ends = {name: one.ends for name, one in audit.doses.items()}
    layers = sorted({layer for found in ends.values() for layer in found.layers})
    columns = [f"{what}{label}" for what in ("", "KL, ") for label, _ in DEFINITIONS.values()]
    known = {
        (key, name): dict(zip(found.layers, getattr(found, key), strict=True))
        for key in ("nats", "kl")
        for name, found in ends.items()
    }
    rows: list[tuple[str | int, ...]] = [
        (layer, *(number(one.get(layer), 4) for one in known.values())) for layer in layers
    ]
    return ["last layer", *columns], rows


def audit_panels(audit: Audit) -> list[Panel]:
    """By block: the size of the noise over the spread of the median dimension, and the divergence that it causes."""
    depth = tuple(range(1, audit.layers + 1))
    sink = audit.about.sink_layer
    marks = () if sink is None else (Mark("sink", "level", sink),)

    def panel(key: str, title: str, axis: str) -> Panel:
        lines = [
            Line(label, role, list(getattr(audit.doses[definition], key)))
            for definition, (label, role) in reversed(DEFINITIONS.items())
        ]
        return Panel(key, title, axis, depth, tuple(lines), marks, log=True)

    return [
        panel("relative", "Noise over the standard deviation of the median dimension", "ratio"),
        panel("kl", "Divergence of the next token, noise after one block", "nats a token"),
    ]


def dose_sentences(audit: Audit) -> list[str]:
    """What the difference between the literal and the primary dose means, from this model's own numbers."""
    doses, sigma = audit.doses, number(audit.about.sigma)
    told = []
    worded = {"all": "as the paper words it", "dimension": "in proportion to each dimension"}
    for definition, words in worded.items():
        costs = (number(doses[definition].scales[scale].nats, 2) for scale in SCALES)
        told.append(f"{words}, it costs {listing(costs)} nats a token")
    sentences = [
        f"Noise of {sigma} standard deviations on the Local, Intermediate and Global scale: {'; '.join(told)}."
    ]
    if audit.jump is None:
        sentences.append(
            "No sink more than doubles the standard deviation of a layer here, so the two doses differ by how "
            "unequal the dimensions are; where there is a sink, Table 2 and equation 8 turn on the definition."
        )
        return sentences
    before, after, ratio = audit.jump
    same = dict(audit.curves["dimension"])
    quiet = f", by dimension by {number(same[after] / same[before])}" if {before, after} <= set(same) else ""
    sentences.append(
        f"A sink appears at layer {after} and multiplies the standard deviation over all tokens: moving the end of "
        f"the Local scale from layer {before} to {after} multiplies the cost of the literal dose by "
        f"{number(ratio)}{quiet}. So a ratio of brittleness between two models (Table 2, γ of equation 8) can "
        "come from the side of the sink on which each Local scale ends, without any layer being more brittle in one "
        "than in the other."
    )
    return sentences

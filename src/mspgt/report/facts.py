"""Single values beside the charts: what was run at what cost, what could have been seen, what the controls say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from mspgt.report.markup import folded, table_html
from mspgt.report.tables import Table, cell_text
from mspgt.report.words import BOUNDARIES, MISSING, number, percent
from mspgt.results import ModelResult, Provenance, Results, to_jsonable
from mspgt.vocabulary import KINDS

Facts = list[tuple[str, str]]
MACHINE = ("mspgt", "torch", "transformers", "python", "device", "hardware")


def signal_facts(model: ModelResult) -> Facts:
    """What stands beside the signals."""
    paper, calibrated = model.boundaries.paper, model.boundaries.calibrated
    ratios = (f"{signal} {number(ratio, 2)}" for signal, ratio in calibrated.noise_ratio.items())
    other = paper.other_normalisation
    places = f"{BOUNDARIES['LI']} {number(other.LI)}, {BOUNDARIES['IG']} {number(other.IG)}"
    agrees = "agrees" if other.agrees else "disagrees"
    facts = [
        ("Sentence noise over layer roughness, se/τ", ", ".join(ratios) or MISSING),
        ("Bootstrap draws with two peaks, paper mode", percent(paper.successes)),
        ("Paper mode with signals divided by their maximum only", f"{places} ({agrees})"),
        ("Limit of paper mode", paper.edge_warning or MISSING),
    ]
    for count, rivals in calibrated.rivals.items():
        found = ", ".join(f"{rival.kind} at {rival.layer}" for rival in rivals)
        facts.append((f"Rival reading with K = {count}, significant or not", found or MISSING))
    for signal, step in model.embedding_step.items():
        modes = ", ".join(f"{mode} {number(value)}" for mode, value in step.items())
        facts.append((f"{signal} from the embedding to layer 1, never a boundary", modes))
    return facts


def probe_facts(model: ModelResult) -> Facts:
    """How many labels each probing task had."""
    return [
        (f"{task.upper()}, {probe.labels} labels", ", ".join(f"{s} {number(n)}" for s, n in own.items()))
        for task, probe in model.probes.items()
        for own in [probe.examples]
    ]


def control_facts(model: ModelResult) -> Facts:
    """The random twins in words, and every control that is a single value."""
    twins = model.controls.random_init
    facts: Facts = []
    for each, what in (
        (twins.paper_found, "paper’s protocol finds two boundaries"),
        (twins.calibrated_claims, "calibrated detector finds a boundary"),
    ):
        if each:
            found = sum(bool(one) for one in each)
            facts.append((f"Random twins in which the {what}", f"{found} of {len(each)}"))
    floors, levels = model.controls.floors or {}, twins.levels or {}
    facts += [(f"Floor of {signal}, its own noise", number(floor)) for signal, floor in floors.items()]
    facts += [
        (f"Level of {signal} in the random twins, median", number(one)) for signal, one in levels.items()
    ]
    if agreement := model.controls.concordance:
        why = "; ".join(agreement.reasons)
        value = f"{number(agreement.agreement)}, p = {number(agreement.p)}"
        facts.append(("Mean correlation of the signals’ jumps beyond their background", why or value))
    return facts


UNSEEN = "could not have been seen"
PASSED = {True: "yes", False: "NO", None: "does not apply"}


def power_table(name: str, model: ModelResult) -> Table:
    """What could have been seen at the depth of a model, one row a kind of boundary."""
    size = "size found in 80 % of cases, in roughness SDs"
    records = (
        {"kind": kind, size: UNSEEN if one.size80 is None else number(one.size80, 2)}
        | {"in words": one.statement or MISSING}
        for kind in KINDS
        if (one := model.boundaries.calibrated.power.get(kind))
    )
    return Table.told(f"power at this depth, {name}", records)


def check_table(name: str, model: ModelResult) -> Table:
    """Whether a model could be measured, one row a check."""
    records = (
        {"check": check.name, "passed": PASSED[check.ok], "reason": check.reason or MISSING}
        for check in model.checks
    )
    return Table.told(f"checks of {name}", records)


def provenance_facts(results: Results) -> Facts:
    """All that would be needed to do the study again, but for the models."""
    made, data = results.provenance, results.provenance.data
    treebank = _scalars(to_jsonable(data.treebank, whole=True) or {})
    facts = [
        *((name, getattr(made, name)) for name in MACHINE),
        ("plan", results.study.hash),
        ("begun", made.started),
        ("wall time", f"{number(made.seconds)} s"),
        ("seeds", ", ".join(f"{name} {seed}" for name, seed in made.seeds.items())),
        ("corpus", f"{data.name}, sha256 {data.sha256}"),
        ("tokens", number(data.tokens)),
        *((f"treebank {name}", text) for name, text in treebank),
    ]
    return [(name, text or MISSING) for name, text in facts]


def models_table(results: Results) -> Table:
    """Revision, precision, tokens read and seconds spent, one row a model."""
    records = [
        {"model": name, "revision": model.revision, "dtype": results.provenance.dtype.get(name)}
        | model.tokens
        | {f"{stage}, s": spent for stage, spent in model.seconds.items()}
        for name, model in results.models.items()
    ]
    columns = dict.fromkeys(("model", *(key for record in records for key in record)), "string")
    return Table.of("models", "Models", columns, records)


def _scalars(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Single values and short lists of a nested dictionary, under their joined names."""
    for name, value in values.items():
        place = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            yield from _scalars(value, f"{place} ")
        elif not isinstance(value, list):
            yield place, cell_text(value)
        elif value and len(value) <= 4 and not any(isinstance(item, list | dict) for item in value):
            yield place, ", ".join(map(cell_text, value))


def cost_html(made: Provenance) -> Markup:
    """A folded table, the longest stage first; nothing where the run did not write down what it took."""
    cost = made.cost or {}
    whole = sum(stage.seconds for stage in cost.values())
    if not whole:
        return Markup("")
    records = (
        {"stage": name, "times": one.times, "seconds": f"{one.seconds:,.1f}"}
        | {"share": percent(one.seconds / whole)}
        for name, one in sorted(cost.items(), key=lambda stage: -stage[1].seconds)
    )
    table = table_html(Table.told("what each stage took", records), kind="numbers")
    peak = "not known" if made.peak_bytes is None else f"{number(made.peak_bytes / 2**30)} GiB"
    lead = f"{whole:,.0f} s of work when it was computed; most memory of a process: {peak}"
    return folded("What this cost", table, lead=lead)

"""Single values beside the charts: what was run, what could have been seen, what the controls say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mspgt.report.section import Section
from mspgt.report.tables import Cell, Table, cell_text
from mspgt.report.words import BOUNDARIES, KIND_NAMES, MISSING, Json, listing, number, percent

Facts = list[tuple[str, str]]
Rows = list[tuple[str, ...]]


def signal_facts(model: Json) -> Facts:
    """What stands beside the signals."""
    paper, calibrated = model["boundaries"]["paper"], model["boundaries"]["calibrated"]
    ratios = (f"{signal} {number(ratio, 2)}" for signal, ratio in calibrated["noise_ratio"].items())
    other = paper["other_normalisation"]
    places = ", ".join(f"{name} {number(other.get(which))}" for which, name in BOUNDARIES.items())
    agrees = {True: "agrees", False: "disagrees", None: "not compared"}[other.get("agrees")]
    facts = [
        ("Sentence noise over layer roughness, se/τ", ", ".join(ratios) or MISSING),
        ("Bootstrap draws with two peaks, paper mode", percent(paper["successes"])),
        ("Paper mode with signals divided by their maximum only", f"{places} ({agrees})"),
        ("Limit of paper mode", paper["edge_warning"] or MISSING),
    ]
    for count, rivals in calibrated["rivals"].items():
        found = ", ".join(f"{rival['kind']} at {rival['layer']}" for rival in rivals)
        facts.append((f"Rival reading with K = {count}, significant or not", found or MISSING))
    for signal, step in model["embedding_step"].items():
        modes = ", ".join(f"{mode} {number(value)}" for mode, value in step.items())
        facts.append((f"{signal} from the embedding to layer 1, never a boundary", modes))
    return facts


def probe_facts(model: Json) -> Facts:
    """How many labels each probing task had."""
    return [
        (
            f"{task.upper()}, {probe['labels']} labels",
            ", ".join(f"{s} {number(n)}" for s, n in probe["examples"].items()),
        )
        for task, probe in model["probes"].items()
    ]


def control_facts(model: Json) -> Facts:
    """The random twins in words, and every control that is a single value."""
    twins = model["controls"].get("random_init") or {}
    facts: Facts = []
    for key, what in (
        ("paper_found", "paper’s protocol finds two boundaries"),
        ("calibrated_claims", "calibrated detector finds a boundary"),
    ):
        if twins.get(key):
            found = sum(bool(one) for one in twins[key])
            facts.append((f"Random twins in which the {what}", f"{found} of {len(twins[key])}"))
    floors, levels = model["controls"].get("floors") or {}, twins.get("levels") or {}
    facts += [(f"Floor of {signal}, its own noise", number(floor)) for signal, floor in floors.items()]
    facts += [
        (f"Level of {signal} in the random twins, median", number(one)) for signal, one in levels.items()
    ]
    if agreement := model["controls"].get("concordance"):
        why = "; ".join(agreement["reasons"])
        value = f"{number(agreement['agreement'])}, p = {number(agreement['p'])}"
        facts.append(("Mean correlation of the signals’ jumps beyond their background", why or value))
    return facts


def power_rows(model: Json) -> Rows:
    """Kind, size found in 80 % of cases, and the same in words."""
    power = model["boundaries"]["calibrated"]["power"]
    rows: Rows = []
    for kind in KIND_NAMES:
        if kind in power:
            size = power[kind].get("size80")
            seen = "could not have been seen" if size is None else number(size, 2)
            rows.append((kind, seen, power[kind].get("statement") or MISSING))
    return rows


def check_rows(model: Json) -> Rows:
    """Check, whether it passed, and the reason."""
    said = {True: "yes", False: "NO", None: "does not apply"}
    return [(check["name"], said[check["ok"]], check["reason"] or MISSING) for check in model["checks"]]


def provenance_facts(results: Json) -> Facts:
    """All that would be needed to do the study again, but for the models."""
    made, data = results["provenance"], results["provenance"]["data"]
    facts = [
        *((name, made[name]) for name in ("mspgt", "torch", "transformers", "python", "device", "hardware")),
        ("plan", results["study"]["hash"]),
        ("begun", made["started"]),
        ("wall time", f"{number(made['seconds'])} s"),
        ("seeds", ", ".join(f"{name} {seed}" for name, seed in made["seeds"].items())),
        ("corpus", f"{data['name']}, sha256 {data['sha256']}"),
        ("tokens", number(data["tokens"])),
        *((f"treebank {name}", text) for name, text in _scalars(data["treebank"] or {})),
    ]
    return [(name, text or MISSING) for name, text in facts]


def models_table(results: Json) -> Table:
    """Revision, precision, tokens read and seconds spent, one row a model."""
    records: dict[str, dict[str, Cell]] = {}
    for name, model in results["models"].items():
        seconds = {f"{stage}, s": spent for stage, spent in model["seconds"].items()}
        dtype = results["provenance"]["dtype"].get(name)
        records[name] = {"revision": model["revision"], "dtype": dtype, **model["tokens"], **seconds}
    columns = dict.fromkeys((key for record in records.values() for key in record), "string")
    rows: list[tuple[Cell, ...]] = [
        (name, *(record.get(column) for column in columns)) for name, record in records.items()
    ]
    return Table("models", "Models", {"model": "string", **columns}, rows)


def undrawn(results: Json, sections: Sequence[Section]) -> str:
    """Parts of results.json that no section of the page shows."""
    shown = [section.anchor for section in sections]
    parts = [part for part in ("families", "replicated") if results.get(part) and part not in shown]
    for part in ("interventions", "theory"):
        owners = [name for name, model in results["models"].items() if model[part]]
        drawn = sum(anchor.endswith(f"-{part}") for anchor in shown)
        parts += [f"{part} of {listing(owners)}"] if owners and not drawn else []
    return listing(parts)


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

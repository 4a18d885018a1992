"""What a study cost: seconds of every stage, its share, and the most memory."""

from __future__ import annotations

from markupsafe import Markup

from mspgt.report.markup import folded, table_html
from mspgt.report.tables import Table
from mspgt.report.words import number, percent
from mspgt.results import Provenance


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

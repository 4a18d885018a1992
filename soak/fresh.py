"""Mutation testing once more: faults that the row `mutants` has not drawn, and modules that it does not name.

What is caught when they are first looked at, before any test is added for them, tells what tests see of faults that
nobody has looked at; it stays in the table when survivors are tried again (`--only survivors`).
"""

from __future__ import annotations

from collections.abc import Sequence

from soak.mutants import MODULES, MOST, SEED, tried
from soak.planting import Drawn

FRESH = Drawn(seed=53, most=20, after=Drawn(SEED, MOST))
LATER = 67
AGAIN = ("signals.cka", "signals.similarity", "signals.jumps", "stats.bootstrap", "stats.equivalence",
         "stats.multiplicity", "stats.permutation")  # fmt: skip
OTHERS = ("study.store", "lm.identity", "interventions.effects")  # of the row `mutants`, drawn later
NEW: dict[str, Sequence[str]] = {
    "mspgt.study.kept": ("tests/study/test_collecting.py",),
    "mspgt.study.identity": ("tests/study/test_loader.py", "tests/study/test_replicates.py"),
    "mspgt.study.keys": ("tests/study/test_closure.py",),
    "mspgt.study.closure": ("tests/study/test_closure.py", "tests/study/test_walk.py"),
    "mspgt.study.backoff": ("tests/study/test_backoff.py",),
    "mspgt.lm.padding": ("tests/lm/test_check.py",),
}
TRIED: dict[str, Sequence[str]] = {
    **{f"mspgt.{name}": MODULES[f"mspgt.{name}"] for name in AGAIN},
    "mspgt.predictions.association": ("tests/predictions/test_association.py",),
    **{f"mspgt.{name}": MODULES[f"mspgt.{name}"] for name in OTHERS},
    **NEW,
}
DRAWN = {
    module: Drawn(LATER, MOST) if module in NEW
    else Drawn(LATER, MOST, FRESH.after) if module.removeprefix("mspgt.") in OTHERS
    else FRESH
    for module in TRIED
}  # fmt: skip


def main(only: Sequence[str] = ()) -> None:
    """As for the row `mutants`."""
    tried("fresh", TRIED, only, DRAWN)

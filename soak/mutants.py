"""Mutation testing: how many small faults, planted one at a time in the store, hashing and estimators, a test sees.

Faults of a module are drawn with a seed where there are many. Which survivors change nothing, and why, is written in
soak/explained.py.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from soak.explained import EXPLAINED
from soak.planting import Planting, forked
from soak.record import merged, record, spent

SEED, MOST, LEAST_SHARE = 18, 20, 85
# A writer in a process of its own does not see the fault.
LEFT_OUT = "not killed_at_random and not process_killed"
DIGITS = "tests/trust/test_digits.py"
MODULES: dict[str, Sequence[str]] = {
    "mspgt.study.store": ("tests/study/test_store.py", "tests/trust/test_crashes.py", "tests/trust/test_fuzz.py"),
    "mspgt.study.lock": ("tests/study/test_run.py::test_two_processes_in_one_folder_are_told_apart",),
    "mspgt.lm.identity": ("tests/lm/test_identity.py", "tests/trust/test_fuzz.py", "tests/trust/test_cases.py"),
    "mspgt.lm.keyed": ("tests/lm/test_keyed.py",),
    "mspgt.stats.bootstrap": ("tests/stats/test_bootstrap.py", DIGITS),
    "mspgt.stats.coverage": ("tests/stats/test_coverage.py", DIGITS),
    "mspgt.stats.equivalence": ("tests/stats/test_equivalence.py", DIGITS),
    "mspgt.stats.jackknife": ("tests/stats/test_jackknife.py",),
    "mspgt.stats.multiplicity": ("tests/stats/test_multiplicity.py", DIGITS),
    "mspgt.stats.permutation": ("tests/stats/test_permutation.py", DIGITS),
    "mspgt.stats.trend": ("tests/stats/test_trend.py",),
    "mspgt.signals.cka": ("tests/signals/test_cka.py", DIGITS),
    "mspgt.signals.attention": ("tests/signals/test_attention.py", DIGITS),
    "mspgt.signals.similarity": ("tests/signals/test_similarity.py", DIGITS),
    "mspgt.signals.document_tables": ("tests/signals/test_document_tables.py", DIGITS),
    "mspgt.signals.jumps": ("tests/signals/test_jumps.py",),
    "mspgt.interventions.effects": ("tests/interventions/test_effects.py", "tests/trust/test_counts.py", DIGITS),
    "mspgt.interventions.exchange": ("tests/interventions/test_exchange.py",),
    "mspgt.interventions.lexical": ("tests/interventions/test_lexical.py", DIGITS),
    "mspgt.interventions.diversity": ("tests/interventions/test_diversity.py", DIGITS),
    "mspgt.interventions.metrics": ("tests/interventions/test_effects.py", "tests/trust/test_counts.py", DIGITS),
    "mspgt.theory.information": ("tests/theory/test_information.py", DIGITS),
    "mspgt.theory.fisher": ("tests/theory/test_fisher.py", DIGITS),
    "mspgt.families": ("tests/test_families.py", "tests/trust/test_counts.py", DIGITS),
    "mspgt.boundaries.peaks": ("tests/boundaries/test_peaks.py",),
}  # fmt: skip


def line(module: str, found: dict[str, Any]) -> dict[str, Any]:
    """The line of the table; survivors that nobody explained go to the terminal too."""
    left, drawn = [name for name, _ in found["left"]], found["drawn"]
    why = {name: EXPLAINED.get(module, {}).get(name) for name in left}
    for name, tests in found["left"]:
        if why[name] is None:
            sys.stderr.write(f"survives in {module} ({tests} tests run it): {name}\n")
    told, caught = sum(text is not None for text in why.values()), drawn - len(left)
    share, run = 100 * caught / drawn, 100 * found["lines_run"] / found["lines"]
    seen = f"{caught} caught ({share:.0f} %); {len(left)} survive, {told} of them explained; {run:.0f} % of lines run"
    return {"done": f"a fault in `{module}` (of {found['known']} known)", "module": module, "count": drawn,
            "caught": caught, "survivors": why, "lines": found["lines"], "lines_run": found["lines_run"],
            "seen": seen}  # fmt: skip


def main(only: Sequence[str] = ()) -> None:
    """All modules, or those named, whose lines take the place of older ones."""
    import pytest

    modules = {module: MODULES[module] for module in only or MODULES}
    started = spent()

    def tell(module: str, found: dict[str, Any]) -> None:
        nonlocal started
        one = {**line(module, found), "processor_seconds": round(spent() - started)}
        started = spent()
        record("mutants", "the tests themselves", SEED, merged("mutants", one, "module", MODULES))

    def run() -> int:
        files = dict.fromkeys(name for tests in modules.values() for name in tests)
        with tempfile.TemporaryDirectory() as made:
            options = ["-s", "-p", "no:cacheprovider", "--basetemp", f"{made}/tests", "-k", LEFT_OUT]
            return int(pytest.main([*options, *files], plugins=[Planting(modules, MOST, SEED, tell)]))

    assert forked(run, quiet=False) == 0, "tests fail without any fault"

"""Mutation testing: how many small faults, planted one at a time in the store, hashing and estimators, a test sees.

Faults of a module are drawn with a seed where there are many. Which survivors change nothing, and why, is written in
soak/explained.py.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from soak.explained import EXPLAINED
from soak.planting import Drawn, Planting, forked
from soak.record import lines, merged, record, spent

SEED, MOST, LEAST_SHARE = 18, 20, 85
# A writer in a process of its own does not see the fault.
LEFT_OUT = "not killed_at_random and not process_killed"
DIGITS, EFFECTS = "tests/trust/test_digits.py", "tests/interventions/test_effects.py"
EXCHANGE, COUNTS = "tests/interventions/test_exchange.py", "tests/trust/test_counts.py"
TABLES = "tests/signals/test_document_tables.py"
MODULES: dict[str, Sequence[str]] = {
    "mspgt.study.store": ("tests/study/test_store.py", "tests/trust/test_crashes.py", "tests/trust/test_fuzz.py"),
    "mspgt.study.lock": ("tests/trust/test_lock_of_runs.py",),
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
    "mspgt.signals.attention": ("tests/signals/test_attention.py", "tests/signals/test_heads.py", DIGITS),
    "mspgt.signals.similarity": ("tests/signals/test_similarity.py", DIGITS),
    "mspgt.signals.document_tables": (TABLES, "tests/signals/test_variants.py", DIGITS),
    "mspgt.signals.jumps": ("tests/signals/test_jumps.py",),
    "mspgt.interventions.effects": (EFFECTS, EXCHANGE, COUNTS, DIGITS),
    "mspgt.interventions.exchange": (EXCHANGE,),
    "mspgt.interventions.lexical": ("tests/interventions/test_lexical.py", DIGITS),
    "mspgt.interventions.diversity": ("tests/interventions/test_diversity.py", DIGITS),
    "mspgt.interventions.metrics": (EFFECTS, COUNTS, DIGITS),
    "mspgt.theory.information": ("tests/theory/test_information.py", DIGITS),
    "mspgt.theory.fisher": ("tests/theory/test_fisher.py", DIGITS),
    "mspgt.families": ("tests/test_families.py", "tests/trust/test_counts.py", DIGITS),
    "mspgt.boundaries.peaks": ("tests/boundaries/test_peaks.py",),
}  # fmt: skip


def line(module: str, found: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """The line of the table; survivors that nobody explained go to the terminal too.

    before: the stored line, whose survivors alone were planted again.
    """
    left = dict(found["left"])
    drawn, known = (found["drawn"], found["known"]) if before is None else (before["count"], before["known"])
    names = (
        [name for name in before["survivors"] if explained(module, name) or name in left]
        if before
        else list(left)
    )
    why = {name: explained(module, name) for name in names}
    for name, tests in left.items():
        if why[name] is None:
            sys.stderr.write(f"survives in {module} ({tests} tests run it): {name}\n")
    told, caught = sum(text is not None for text in why.values()), drawn - len(names)
    share, run = 100 * caught / drawn, 100 * found["lines_run"] / found["lines"]
    seen = f"{caught} caught ({share:.0f} %); {len(names)} survive, {told} of them explained"
    seen += f"; {run:.0f} % of lines run"
    return {"done": f"a fault in `{module}` (of {known} known)", "module": module, "count": drawn, "known": known,
            "caught": caught, "survivors": why, "lines": found["lines"], "lines_run": found["lines_run"],
            "seen": seen}  # fmt: skip


def looked(one: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """The line of faults that nobody had looked at, with what was caught before any test was added for them."""
    first = before["first"] if before else one["caught"]
    share = 100 * first / one["count"]
    return {**one, "first": first, "seen": f"{first} caught at first ({share:.0f} %); now {one['seen']}"}


def explained(module: str, name: str) -> str | None:
    return EXPLAINED.get(module, {}).get(name)


def main(only: Sequence[str] = ()) -> None:
    """All modules, or those named, whose lines take the place of older ones.

    `--only survivors`: of every module the stored survivors that nobody explained, after tests were added.
    """
    tried("mutants", MODULES, only, dict.fromkeys(MODULES, Drawn(SEED, MOST)))


def tried(
    row: str, modules: Mapping[str, Sequence[str]], only: Sequence[str], drawn: Mapping[str, Drawn]
) -> None:
    """Plant faults in modules, or in those named, and record a row; `only` as for `main`."""
    import pytest

    def record_line(one: dict[str, Any]) -> None:
        record(row, "the tests themselves", None, merged(row, one, "module", modules))

    def told(module: str, found: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
        one = {**line(module, found, before), "seed": drawn[module].seed}
        return looked(one, before) if row == "fresh" else one

    stored = {one["module"]: one for one in lines(row)}
    named = None
    if list(only) == ["survivors"]:
        open_ones = {m: [n for n in one["survivors"] if not explained(m, n)] for m, one in stored.items()}
        named = {module: names for module, names in open_ones.items() if names}
        only = list(named)
        for module in stored.keys() - named.keys():  # explained since
            nothing = {"left": [], "lines": stored[module]["lines"], "lines_run": stored[module]["lines_run"]}
            record_line(stored[module] | told(module, nothing, stored[module]))
        if not named:
            return
    chosen = {module: modules[module] for module in only or modules}
    started = spent()

    def tell(module: str, found: dict[str, Any]) -> None:
        nonlocal started
        before = stored[module] if named else None
        seconds = round(spent() - started) + (before["processor_seconds"] if before else 0)
        started = spent()
        record_line({**told(module, found, before), "processor_seconds": seconds})

    def run() -> int:
        files = dict.fromkeys(name for tests in chosen.values() for name in tests)
        with tempfile.TemporaryDirectory() as made:
            options = ["-s", "-p", "no:cacheprovider", "--basetemp", f"{made}/tests", "-k", LEFT_OUT]
            plugin = Planting(chosen, drawn, tell, named)
            return int(pytest.main([*options, *files], plugins=[plugin]))

    assert forked(run, quiet=False) == 0, "tests fail without any fault"

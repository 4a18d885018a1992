"""Mutation testing: how many small faults, planted one at a time in the store, hashing and estimators, a test sees.

Every fault runs in a fork of one process that holds the libraries, against the tests of its module. Which survivors
change nothing, and why, is written in soak/explained.py.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.util
import os
import random
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from soak.explained import EXPLAINED
from soak.mutating import Mutant, mutants
from soak.record import progress, record

SOURCE = Path(__file__).parents[1] / "src"
SEED, MOST, SECONDS = 18, 24, 60
MODULES: dict[str, Sequence[str]] = {
    "mspgt.stats.multiplicity": ("tests/stats/test_multiplicity.py",),
    "mspgt.stats.bootstrap": ("tests/stats/test_bootstrap.py",),
    "mspgt.study.store": ("tests/study/test_store.py", "tests/trust/test_crashes.py"),
    "mspgt.lm.identity": ("tests/lm/test_identity.py", "tests/trust/test_fuzz.py"),
    "mspgt.boundaries.peaks": ("tests/boundaries/test_peaks.py",),
}


class Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module a source of ours, the first time that it is imported."""

    def __init__(self, module: str, source: str) -> None:
        self.module, self.source = module, source

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != self.module:
            return None
        return importlib.util.spec_from_file_location(name, place(name), loader=self)

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, str(place(self.module)), "exec"), module.__dict__)


def place(module: str) -> Path:
    return SOURCE / Path(*module.split(".")).with_suffix(".py")


def survives(module: str, source: str, tests: Sequence[str]) -> bool:
    """Whether all tests pass with this source of the module; a test without end fails."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
            for name in [n for n in sys.modules if n.split(".")[0] in ("mspgt", "tests", "conftest")]:
                del sys.modules[name]
            sys.meta_path.insert(0, Planted(module, source))
            import pytest

            # A writer in a process of its own does not see the fault.
            left_out = "not killed_at_random"
            status = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", left_out, *tests]))
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def main() -> None:
    import hypothesis
    import torch
    import transformers

    assert hypothesis
    assert torch
    assert transformers
    found = []
    for module, tests in MODULES.items():
        source = place(module).read_text("utf-8")
        every = list(mutants(source))
        chosen: list[Mutant] = sorted(
            random.Random(SEED).sample(every, min(MOST, len(every))), key=every.index
        )
        plain = ast.unparse(ast.parse(source))  # as the faulty sources are written, without any fault
        assert survives(module, plain, tests), f"the tests of {module} fail without any fault"
        left = []
        for number, mutant in enumerate(chosen):
            if survives(module, mutant.source, tests):
                left.append(mutant.name)
            progress(f"mutants, {module}", number + 1, len(chosen))
        caught = len(chosen) - len(left)
        why = {name: EXPLAINED.get(module, {}).get(name) for name in left}
        unexplained = [name for name in left if why[name] is None]
        sys.stderr.write("".join(f"survives in {module}: {name}\n" for name in unexplained))
        share = 100 * caught / len(chosen)
        told = len(left) - len(unexplained)
        seen = f"{caught} caught ({share:.0f} %); {len(left)} survive, {told} of them explained"
        found.append({"done": f"a fault in `{module}` (of {len(every)} known)", "count": len(chosen),
                      "caught": caught, "survivors": why, "seen": seen})  # fmt: skip
        record("mutants", "the tests themselves", SEED, found)

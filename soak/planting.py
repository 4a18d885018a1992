"""A plugin of pytest that runs collected tests once for every fault, each time in a fork of the process.

A fault is put into the functions that are already loaded, whoever holds them, so that nothing is imported again. What
a module computed while it was imported is without the fault. A fault meets the tests that run its function, the
quickest first, and every test of a file whose fixtures run it.
"""

from __future__ import annotations

import ast
import gc
import importlib
import json
import os
import random
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from hypothesis import Phase, settings

from soak.mutating import Mutant, mutants
from soak.record import progress, spent

MEMORY = 4_000_000_000  # bytes of a fork; a fault may ask for all there is


class Planting:
    """Faults in one module, drawn from all that are known; `found` holds what became of them."""

    def __init__(self, module: str, most: int, seed: int) -> None:
        self.module, self.most, self.seed = module, most, seed
        self.found: dict[str, Any] = {}
        self.in_setup = False
        self.functions: dict[str, list[FunctionType]] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        # An example that fails is enough; nobody reads the smallest.
        settings.register_profile(
            "faults", settings.get_profile("sure"), phases=(Phase.explicit, Phase.generate)
        )
        settings.load_profile("faults")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        self.in_setup = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self) -> None:
        self.in_setup = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        path = str(importlib.import_module(self.module).__file__)
        source = Path(path).read_text("utf-8")
        every = list(mutants(source))
        chosen = random.Random(self.seed).sample(every, min(self.most, len(every)))
        chosen.sort(key=every.index)
        # As the faulty sources are written, without any fault.
        plain = compile(ast.unparse(ast.parse(source)), path, "exec")
        self.functions = loaded(path)
        gc.freeze()  # what is never looked at by the collector is not copied by a fork
        started = spent()
        told = forked(lambda: self._watched(session, plain, path), 600)
        assert told, f"the tests of {self.module} fail without any fault"
        seconds = round(3 * (spent() - started)) + 10
        left = []
        for number, mutant in enumerate(chosen):
            items = sorted(
                (item for item in session.items if mutant.scope in told["scopes"][item.nodeid]),
                key=lambda item: told["seconds"][item.nodeid],
            )
            if forked(lambda m=mutant, i=items: self._passes(session, m, path, i), seconds):  # type: ignore[misc]
                left.append((mutant.name, len(items)))
            progress(f"mutants, {self.module}", number + 1, len(chosen))
        lines = _lines(plain)
        self.found = {"known": len(every), "drawn": len(chosen), "left": left,
                      "lines": len(lines), "lines_run": len(lines & set(told["lines"]))}  # fmt: skip
        return True

    def _passes(
        self, session: pytest.Session, mutant: Mutant, path: str, items: Sequence[pytest.Item]
    ) -> bool:
        plant(compile(mutant.source, path, "exec"), self.functions, mutant.scope)
        return all(_run(session, items))

    def _watched(self, session: pytest.Session, plain: CodeType, path: str) -> dict[str, Any] | None:
        """Test → the functions that it runs and its seconds, and the lines that all of them run; None: one fails."""
        for scope in _scopes(plain):
            plant(plain, self.functions, scope)
        scopes, shared, seconds = defaultdict(set), defaultdict(set), {}
        lines: set[int] = set()
        now = ""

        def called(frame: FrameType, event: str, _: Any) -> Any:
            code = frame.f_code
            if code.co_filename != path:
                return None
            name = code.co_qualname.partition(".<locals>")[0]
            (shared[now.partition("::")[0]] if self.in_setup else scopes[now]).add(name)
            lines.add(frame.f_lineno)
            return inside

        def inside(frame: FrameType, event: str, _: Any) -> Any:
            lines.add(frame.f_lineno)
            return inside

        items = session.items
        results = _run(session, items)
        for item in items:
            now, started = item.nodeid, time.process_time()
            sys.settrace(called)
            passed = next(results)
            sys.settrace(None)
            seconds[item.nodeid] = time.process_time() - started
            if not passed:
                sys.stderr.write(f"{item.nodeid} fails without any fault\n")
                return None
        reached = {
            one.nodeid: sorted(scopes[one.nodeid] | shared[one.nodeid.partition("::")[0]]) for one in items
        }
        return {"scopes": reached, "seconds": seconds, "lines": sorted(lines)}


def _run(session: pytest.Session, items: Sequence[pytest.Item]) -> Iterator[bool]:
    """Whether each test passes, in order; ends with the first that does not."""
    for at, item in enumerate(items):
        following = items[at + 1] if at + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        yield not session.testsfailed
        if session.testsfailed:
            return


def loaded(path: str) -> dict[str, list[FunctionType]]:
    """Functions of a module that somebody holds, by name."""
    found = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename == path:
            found[one.__code__.co_qualname].append(one)
    return found


def plant(code: CodeType, functions: dict[str, list[FunctionType]], scope: str) -> None:
    """Give the loaded functions of that name the code that a compiled module has for it."""
    new = next(one for one in _every(code) if one.co_qualname == scope)
    for one in functions[scope]:
        one.__code__ = new


def forked(work: Callable[[], Any], seconds: int | None = None, *, quiet: bool = True) -> Any:
    """What `work` returns in a fork of this process; None where it failed, or took longer than that."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            if seconds is not None:
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
                resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            if quiet:
                os.dup2(nowhere, 2)
            os.write(writing, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    return json.loads(answer) if answer else None


def _every(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _every(one)


def _scopes(code: CodeType) -> list[str]:
    """Functions at the top of a module, and of classes at its top."""
    every = [
        one for one in _every(code) if one.co_flags & 1
    ]  # optimised: functions, and no bodies of classes
    return sorted({one.co_qualname for one in every if "<" not in one.co_qualname})


def _lines(code: CodeType) -> set[int]:
    functions = [one for one in _every(code) if one.co_flags & 1]
    return {line for one in functions for _, _, line in one.co_lines() if line is not None}

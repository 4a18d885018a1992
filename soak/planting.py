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
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from hypothesis import Phase, settings

from soak.mutating import Mutant, mutants
from soak.record import progress

Functions = dict[str, list[FunctionType]]
MEMORY = 4_000_000_000  # bytes of a fork; a fault may ask for all there is


@dataclass(frozen=True)
class Watched:
    """A run of all tests without any fault."""

    reached: dict[str, dict[str, list[str]]]  # file of the package → test → functions that it runs
    lines: dict[str, list[int]]  # file of the package → lines that all tests run
    seconds: dict[str, float]  # of each test


@dataclass(frozen=True)
class Drawn:
    """Which faults of a module are tried: so many at most, and none that another draw of so many has had."""

    seed: int
    most: int
    after: Drawn | None = None

    def of(self, every: Sequence[Mutant]) -> list[Mutant]:
        """In the order of the source."""
        left = range(len(every))
        if self.after is not None:
            had = {every.index(mutant) for mutant in self.after.of(every)}
            left = [at for at in left if at not in had]
        chosen = random.Random(self.seed).sample(left, min(self.most, len(left)))
        return [every[at] for at in sorted(chosen)]


class Planting:
    """Faults in modules, drawn from all that are known; what became of them is told module by module.

    Args:
        modules: name → prefixes of the tests that are to see its faults.
        drawn: module → which of its faults.
        tell: called with a module and its figures.
        named: module → faults to plant instead of drawn ones.
    """

    def __init__(
        self,
        modules: Mapping[str, Sequence[str]],
        drawn: Mapping[str, Drawn],
        tell: Callable[[str, dict[str, Any]], None],
        named: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.modules, self.drawn, self.tell = modules, drawn, tell
        self.named = named
        self.in_setup = False

    def pytest_configure(self, config: pytest.Config) -> None:
        # An example that fails is enough; nobody reads the smallest.
        plain = settings.get_profile("sure")
        settings.register_profile("faults", plain, phases=(Phase.explicit, Phase.generate))
        settings.load_profile("faults")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        self.in_setup = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self) -> None:
        self.in_setup = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        paths = {module: str(importlib.import_module(module).__file__) for module in self.modules}
        # As the faulty sources are written, without any fault.
        plain = {path: compile(ast.unparse(ast.parse(_read(path))), path, "exec") for path in paths.values()}
        functions = loaded(set(plain))
        gc.freeze()  # what is never looked at by the collector is not copied by a fork
        told = forked(lambda: vars(self._watched(session, plain, functions)), quiet=False)
        assert told, "tests fail without any fault"
        for module, path in paths.items():
            found = self._faults(session, module, path, functions[path], Watched(**told))
            lines = _lines(plain[path])
            run = lines & set(told["lines"].get(path, ()))
            self.tell(module, {**found, "lines": len(lines), "lines_run": len(run)})
        return True

    def _faults(
        self, session: pytest.Session, module: str, path: str, functions: Functions, watched: Watched
    ) -> dict[str, Any]:
        every = list(mutants(_read(path)))
        if self.named is None:
            chosen = self.drawn[module].of(every)
        else:
            chosen = [mutant for mutant in every if mutant.name in self.named[module]]
            assert len(chosen) == len(self.named[module]), f"{module} is not what it was: try all of it again"
        mine = [one for one in session.items if one.nodeid.startswith(tuple(self.modules[module]))]
        reached, left = watched.reached.get(path, {}), []
        for number, mutant in enumerate(chosen):
            items = [one for one in mine if mutant.scope in reached.get(one.nodeid, ())]
            items.sort(key=lambda item: watched.seconds[item.nodeid])
            seconds = round(5 * sum(watched.seconds[one.nodeid] for one in items)) + 10

            def passes(fault: Mutant = mutant, items: list[pytest.Item] = items) -> bool:
                plant(compile(fault.source, path, "exec"), functions, fault.scope)
                return all(_run(session, items))

            if forked(passes, seconds):
                left.append((mutant.name, len(items)))
            progress(f"mutants, {module}", number + 1, len(chosen))
        return {"known": len(every), "drawn": len(chosen), "left": left}

    def _watched(
        self, session: pytest.Session, plain: Mapping[str, CodeType], functions: dict[str, Functions]
    ) -> Watched:
        """Run every test once.

        Raises:
            AssertionError: one fails.
        """
        for path, code in plain.items():
            for scope in functions[path].keys() & _scopes(code):
                plant(code, functions[path], scope)
        tests: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        fixtures: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        lines, seconds = defaultdict(set), {}
        now = ""

        def called(frame: FrameType, event: str, _: Any) -> Any:
            path = frame.f_code.co_filename
            if path not in plain:
                return None
            seen = fixtures[path][now.partition("::")[0]] if self.in_setup else tests[path][now]
            seen.add(frame.f_code.co_qualname.partition(".<locals>")[0])
            lines[path].add(frame.f_lineno)
            return inside

        def inside(frame: FrameType, event: str, _: Any) -> Any:
            lines[frame.f_code.co_filename].add(frame.f_lineno)
            return inside

        results = _run(session, session.items)
        for item in session.items:
            now, started = item.nodeid, time.process_time()
            sys.settrace(called)
            passed = next(results)
            sys.settrace(None)
            assert passed, f"{item.nodeid} fails without any fault"
            seconds[item.nodeid] = time.process_time() - started
        reached = {
            path: {one: sorted(tests[path][one] | fixtures[path][one.partition("::")[0]]) for one in seconds}
            for path in plain
        }
        return Watched(reached, {path: sorted(found) for path, found in lines.items()}, seconds)


def _read(path: str) -> str:
    return Path(path).read_text("utf-8")


def _run(session: pytest.Session, items: Sequence[pytest.Item]) -> Iterator[bool]:
    """Whether each test passes, in order; ends with the first that does not."""
    for at, item in enumerate(items):
        following = items[at + 1] if at + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        yield not session.testsfailed
        if session.testsfailed:
            return


def loaded(paths: set[str]) -> dict[str, Functions]:
    """File → functions of it that somebody holds, by name."""
    found: dict[str, Functions] = {path: defaultdict(list) for path in paths}
    for one in gc.get_objects():
        # type() and not isinstance(): some objects of libraries answer questions with warnings
        if type(one) is FunctionType and one.__code__.co_filename in paths:
            found[one.__code__.co_filename][one.__code__.co_qualname].append(one)
    return found


def plant(code: CodeType, functions: Functions, scope: str) -> None:
    """Give the loaded functions of that name the code that a compiled module has for it."""
    # The last is the one that counts: before it stand overloads, which do nothing.
    *_, new = (one for one in _every(code) if one.co_qualname == scope)
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
            if quiet:
                os.dup2(nowhere, 1)
                os.dup2(nowhere, 2)
            os.write(writing, json.dumps(work()).encode())
        finally:
            if sys.exc_info()[0] is not None:
                traceback.print_exc()
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

"""Effort that no load of the machine changes: calls counted, and growth seen as a ratio."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from typing import Any

TRIES = 5


def calls(work: Callable[[], Any]) -> int:
    """Calls of Python and C functions that `work` makes the second time; the first fills what is cached."""
    work()
    made = 0

    def seen(frame: Any, event: str, argument: Any) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return made


def linear(work: Callable[[int], Any], size: int) -> bool:
    """Whether work of `size` takes about four times that of a quarter, and not sixteen times (quadratic).

    Processor seconds of both, one after the other; one try of five suffices, since a disturbance that makes
    quadratic work look linear would have to quadruple the time of the small one alone.
    """

    def seconds(size: int) -> float:
        started = time.process_time()
        work(size)
        return time.process_time() - started

    gc.collect()
    gc.disable()  # its passes over all that the other tests left grow with every new object
    try:
        return any(seconds(size) < 8 * seconds(size // 4) + 0.02 for _ in range(TRIES))
    finally:
        gc.enable()

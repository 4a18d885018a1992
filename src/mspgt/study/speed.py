"""How fast this machine multiplies matrices of a model's shape, in a process of its own: a plan loads no torch."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

from mspgt.errors import NumericsError

ROWS = 512  # tokens of a window


@cache
def flops_a_second(width: int, inner: int, dtype: str, threads: int, device: str = "cpu") -> float:
    """Floating-point operations a second of processor time (of the clock on a GPU), over about a second.

    Raises:
        NumericsError: the products could not be computed.
    """
    arguments = [*map(str, (ROWS, width, inner, threads)), dtype, device]
    done = subprocess.run(
        [sys.executable, "-m", "mspgt.study.multiply", *arguments], capture_output=True, text=True
    )
    if done.returncode:
        raise NumericsError(
            f"Matrices of {width} × {inner} in {dtype} on {device} could not be multiplied: "
            f"{done.stderr.strip()[-300:]}. Choose another dtype or device."
        )
    return float(done.stdout)

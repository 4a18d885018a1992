"""Multiplies matrices for about a second and tells how fast: `python -m mspgt.study.multiply`, run by `speed`."""

from __future__ import annotations

import sys
import time


def flops_a_second(rows: int, width: int, inner: int, threads: int, dtype: str, device: str) -> float:
    """Floating-point operations a second of processor time of one thread's share, or of the clock on a GPU."""
    import torch

    torch.set_num_threads(threads)
    gpu = device == "cuda"

    def clock() -> float:
        return time.perf_counter() if gpu else time.process_time() / threads

    kind = getattr(torch, dtype)
    a, b = (torch.randn(*shape).to(device, kind) for shape in ((rows, width), (width, inner)))
    torch.matmul(a, b)  # the first product also sets the library up
    started, count = clock(), 0
    while clock() - started < 1:
        torch.matmul(a, b)
        if gpu:
            torch.cuda.synchronize()
        count += 1
    return 2.0 * rows * width * inner * count / (clock() - started)


if __name__ == "__main__":
    rows, width, inner, threads = map(int, sys.argv[1:5])
    sys.stdout.write(f"{flops_a_second(rows, width, inner, threads, *sys.argv[5:7])!r}\n")

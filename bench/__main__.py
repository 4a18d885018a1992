"""`python -m bench [NAME...]`: run the benchmarks (all, or those named)."""

from __future__ import annotations

import argparse
import importlib

NAMES = (
    "measuring",
    "bootstrap",
    "probes",
    "self_bleu",
    "generation",
    "aa_rate",
    "aa_self_bleu",
    "theory",
    "waiting",
    "store",
    "reduction",
    "growth",
    "peers",
    "planned",
    "gpu",
)

parser = argparse.ArgumentParser(prog="bench")
parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=[])
for name in parser.parse_args().names or NAMES:
    importlib.import_module(f"bench.{name}").main()

"""`reference/digits.md`: how many digits of every reported quantity hold in a type, from `bench/results/`.

`python docs/tools/digits.py` writes it after `python -m bench.precision`; a test holds it against the results.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "reference" / "digits.md"
WORDS = """# Digits

How far the type that a model computes in moves what a run reports: the same small study in two types, number by
number. Digits of a quantity are −log10 of the relative difference, the median over its numbers, 7 where most are the
same. A quantity of which any number agrees in fewer than three digits (differs by 0.1 % or more, or from 0) is
flagged, with how many do. Sums of statistics are in double precision whatever the type; what differs is the model.
What a run of a bfloat16 model says of itself is in [the explanation](../explanation.md). Probes are trained anew on
each type's states, and the last digit of a state sends training another way: S2, and what counts it in, moves as far
as with another seed, in float32 too. S1, S3 and phases keep five digits or more in float32. In bfloat16 S1 and S3
of calibrated mode keep about three, the similarity that phases are read from two, the score of phases one, and S2
none: a number of phases or probes from a model in bfloat16 is of that model as it computes, and not of its weights.
"""


class Pair(NamedTuple):
    """Two types of one model."""

    file: str
    exact: str
    rounded: str
    command: str

    @property
    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((RESULTS / f"{self.file}.json").read_text("utf-8"))["figures"]
        return found


PAIRS = (
    Pair("precision_double", "float64", "float32", "python -m bench.precision MODEL --double"),
    Pair("precision", "float32", "bfloat16", "python -m bench.precision MODEL"),
)


def written() -> str:
    return "\n".join([WORDS, *(line for pair in PAIRS for line in part(pair))])


def part(pair: Pair) -> Iterator[str]:
    """Heading, summary and table of one pair of types."""
    figures = pair.figures
    quantities = figures[pair.rounded]["quantities"]
    rows = {name: one for name, one in quantities.items() if one["numbers"]}
    flagged = [name for name, one in rows.items() if one["lost"]]
    alone = sum(one["in_one_only"] for one in quantities.values())
    yield f"## {pair.rounded} against {pair.exact}\n"
    yield (
        f"`{pair.command}`: {figures['model']}, {figures['data']['sentences']} sentences of "
        f"{figures['data']['documents']} documents. {len(flagged)} of {len(rows)} quantities are flagged, with "
        f"{sum(rows[name]['lost'] for name in flagged):,} of "
        f"{sum(one['numbers'] for one in rows.values()):,} numbers; "
        f"{alone} numbers are in one of the two alone, where another boundary or task was found.\n"
    )
    yield "| quantity | numbers | digits | largest difference | |"
    yield "|---|---|---|---|---|"
    for name, one in rows.items():
        flag = f"**{one['lost']} below three**" if one["lost"] else ""
        yield f"| `{name}` | {one['numbers']} | {digits(one)} | {one['largest_difference']:.2g} | {flag} |"
    yield ""


def digits(one: dict[str, Any]) -> str:
    relative = one["median_relative"]
    if relative is None:
        return "0.0"
    return f"{min(7.0, max(0.0, -math.log10(relative))) if relative else 7.0:.1f}"


if __name__ == "__main__":
    PAGE.write_text(written(), "utf-8")

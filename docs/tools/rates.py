"""The tables of `howto/verdicts.md` on how often a rule errs and how often it sees, from the shipped rates.

`python docs/tools/rates.py` writes them into the page, after `make worlds`; a test holds the page against the rates.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mspgt.predictions.judging import null_rates

PAGE = Path(__file__).parents[1] / "howto" / "verdicts.md"
MARK = "<!-- rates: written by docs/tools/rates.py -->\n"
RUNS = (3, 5, 10)
PAIR = 2  # families of several runs; more are architectures
Json = dict[str, Any]


def written(markdown: str) -> str:
    """The page with its tables as the rates are now."""
    return markdown.split(MARK)[0] + MARK + "\n" + "\n".join(tables(null_rates())).rstrip() + "\n"


def tables(rates: Json) -> Iterator[str]:
    """Errors by world, then power by number of runs."""
    yield "### Where the prediction is false\n"
    yield (
        "Share of worlds in which a rule says “supported”: ours, with its exact upper 95 % bound, and the paper’s. "
        "Power is that with as many families and runs, where the prediction is true: where it is 0, a rate of 0 says "
        "nothing. What ran stands in `estimators` of the file.\n"
    )
    yield "| prediction | world | worlds | testable | ours | at most | refuted | paper's rule | power |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, cells in rates["rates"].items():
        for cell, rate in cells.items():
            ours, paper = rate["ours"], rate["paper"]
            told = (
                [_percent(ours["supported"]), _percent(ours["supported_upper"]), _percent(ours["refuted"])]
                if ours
                else ["not measured", "", ""]
            )
            by_paper = _percent(paper["supported"]) if paper else "none"
            power = _share(_at_design(rates["power"].get(name, {}), cell))
            yield _row(name, cell, rate["worlds"], rate["testable"], *told, by_paper, power)
    yield ""
    for name, why in rates["not_measured"].items():
        yield f"- {name}: not measured: {why}."
    yield "\n### Power\n"
    yield (
        "Share of worlds in which a rule says “supported” where the prediction is true, by the training runs of each "
        "family: two families, or one, or as many architectures of one run each as the world says.\n"
    )
    yield f"| prediction | world | worlds | one run | {' | '.join(f'{runs} runs' for runs in RUNS)} |"
    yield "|---|---|---|---|---|---|---|"
    for name, cells in rates["power"].items():
        for kind, by_runs in _by_kind(cells).items():
            worlds = sorted({rate["worlds"] for rate in by_runs.values()})
            shares = [_share(by_runs.get(runs)) for runs in (1, *RUNS)]
            yield _row(name, kind, ", ".join(map(str, worlds)), *shares)


def _by_kind(cells: Json) -> dict[str, dict[int, Json]]:
    """Kind of world → training runs of a family → its cell, whose name ends "N families of M"."""
    found: dict[str, dict[int, Json]] = {}
    for cell, rate in cells.items():
        kind, families, runs = _read(cell)
        told = kind if families <= PAIR else f"{kind}, {families} architectures"
        found.setdefault(told, {})[runs] = rate
    return found


def _at_design(cells: Json, cell: str) -> Json | None:
    """The cell of the same design, or of the next smaller number of architectures, if there is one."""
    _, families, runs = _read(cell)
    # Of several worlds of one design the first, in which nothing else is planted.
    there = {_read(other)[1]: rate for other, rate in reversed(cells.items()) if _read(other)[2] == runs}
    able = [other for other in there if other == families or PAIR < other < families]
    return there[max(able)] if able else None


def _read(cell: str) -> tuple[str, int, int]:
    """Kind, families and training runs of each, of a cell."""
    kind, design = cell.rsplit(", ", 1)
    families, *_, runs = design.split()
    return kind, int(families), int(runs)


def _share(rate: Json | None) -> str:
    return "" if rate is None else _percent(rate["ours"]["supported"]) if rate["ours"] else "not measured"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")

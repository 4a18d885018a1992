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
Json = dict[str, Any]


def written(markdown: str) -> str:
    """The page with its tables as the rates are now."""
    return markdown.split(MARK)[0] + MARK + "\n" + "\n".join(tables(null_rates())).rstrip() + "\n"


def tables(rates: Json) -> Iterator[str]:
    """Errors by world, then power by number of runs."""
    yield "### Where the prediction is false\n"
    yield (
        "Share of worlds in which a rule says “supported”: ours, with its exact upper 95 % bound, and the paper’s. "
        "What ran stands in `estimators` of the file.\n"
    )
    yield "| prediction | world | worlds | testable | ours | at most | refuted | paper's rule |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, cells in rates["rates"].items():
        for cell, rate in cells.items():
            ours, paper = rate["ours"], rate["paper"]
            told = (
                [_percent(ours["supported"]), _percent(ours["supported_upper"]), _percent(ours["refuted"])]
                if ours
                else ["not measured", "", ""]
            )
            by_paper = _percent(paper["supported"]) if paper else "none"
            yield _row(name, cell, rate["worlds"], rate["testable"], *told, by_paper)
    yield ""
    for name, why in rates["not_measured"].items():
        yield f"- {name}: not measured: {why}."
    yield "\n### Power\n"
    yield (
        "Share of worlds in which a rule says “supported” where the prediction is true, by the training runs of each "
        "family: two families, or one model, or ten architectures of one run each (equation 31).\n"
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
        kind, design = cell.rsplit(", ", 1)
        found.setdefault(kind, {})[int(design.split()[-1])] = rate
    return found


def _share(rate: Json | None) -> str:
    return "" if rate is None else _percent(rate["ours"]["supported"]) if rate["ours"] else "not measured"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")

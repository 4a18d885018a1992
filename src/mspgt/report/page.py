"""`report.html`: one self-contained page, every chart drawn beforehand and every number there as text."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from mspgt.report import facts, table1
from mspgt.report.tables import cell_text
from mspgt.report.views import View, data_link
from mspgt.report.words import Json, counted, model_of

MAX_BYTES = 10 * 2**20  # of one page; beyond it every model has a page of its own


def pages(results: Json, views: Sequence[View], *, max_bytes: int = MAX_BYTES) -> dict[str, str]:
    """File name → page: `report.html` alone or, where that would be too large, with a page a model beside it.

    Args:
        views: the models, in the order in which to show them.
    """
    whole = _render(results, views, views)
    if len(whole.encode()) <= max_bytes:
        return {"report.html": whole}
    apart = [replace(view, apart=True) for view in views]
    return {"report.html": _render(results, apart, [])} | {
        view.file: _render(results, [], [view]) for view in apart
    }


def _render(results: Json, every: Sequence[View], shown: Sequence[View]) -> str:
    """The page with a summary of `every` model (none: details only) and the details of those `shown`."""
    style, script = _package_file("report.css"), _package_file("report.js")
    return _environment().get_template("report.html.j2").render(
        # Nothing is fetched from anywhere, and no script runs but the page's own.
        policy=f"default-src 'none'; style-src '{_fingerprint(style)}'; script-src '{_fingerprint(script)}'",
        css=style,
        js=script,
        study=results["study"],
        about=_about(results),
        summary=_summary(every),
        every=every,
        shown=shown,
        table1=table1.table1_for_reading(results),
        table1_csv=data_link(table1.table1(results)),
        printed=table1.printed(),
        provenance=facts.provenance_facts(results),
        models=facts.models_table(results),
        warnings=[one for one in results["warnings"] if model_of(results, one["where"]) is None],
        undrawn=facts.undrawn(results),
    )  # fmt: skip


def _about(results: Json) -> str:
    study, made = results["study"], results["provenance"]
    documents, sentences = (counted(made["data"][f"{what}s"], what) for what in ("document", "sentence"))
    read = f"{made['data']['name']}: {documents}, {sentences}"
    return f"{read} · plan {study['hash'][:12]} · begun {made['started']}"


def _summary(every: Sequence[View]) -> str:
    split, models = sum(bool(view.finding.disagree) for view in every), len(every)
    if models == 1:
        return "The two modes disagree" if split else "The two modes agree"
    if not split:
        return f"The two modes agree on all {models} models"
    return f"The two modes disagree on {split} of {models} models"


def _environment() -> Environment:
    loader = PackageLoader("mspgt.report", "template")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["cell"] = cell_text
    told = (
        facts.signal_facts,
        facts.probe_facts,
        facts.control_facts,
        facts.power_rows,
        facts.check_rows,
        counted,
    )
    environment.globals |= {function.__name__: function for function in told}
    return environment


@cache
def _package_file(name: str) -> str:
    return (files("mspgt.report") / "template" / name).read_text("utf-8")


def _fingerprint(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()

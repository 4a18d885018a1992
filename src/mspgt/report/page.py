"""`report.html`: one self-contained page, every chart drawn beforehand and every number there as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from markupsafe import Markup

from mspgt.report import facts, table1
from mspgt.report.document import document
from mspgt.report.markup import data_block, once
from mspgt.report.methods import bibtex, methods_text
from mspgt.report.notices import study_notices
from mspgt.report.paper_table import against_for_reading
from mspgt.report.planted_section import planted_first
from mspgt.report.section import Section
from mspgt.report.story import headline
from mspgt.report.verdicts import tally, verdicts
from mspgt.report.views import View
from mspgt.report.words import counted, false_rate, listing, percent
from mspgt.results import ModelResult, Results

MAX_BYTES = 10 * 2**20  # of one page; beyond it every model has a page of its own


def pages(
    results: Results, views: Sequence[View], sections: Sequence[Section] = (), *, max_bytes: int = MAX_BYTES
) -> dict[str, str]:
    """File name → page: `report.html` alone or, where that would be too large, with a page a model beside it.

    The page of a single model is never split: it grows by some 6 kB a layer with every part of a study, so it
    would take more than 1,500 layers to fill it.

    Args:
        views: the models, in the order in which to show them.
        sections: of the whole study.
    """
    whole = _render(results, views, views, sections)
    if len(whole.encode()) <= max_bytes:
        return {"report.html": whole}
    apart = [replace(view, apart=True) for view in views]
    linked = [replace(section, html=_lead_apart(section.html, apart)) for section in sections]
    return {"report.html": _render(results, apart, [], linked)} | {
        view.file: _render(results, [], [view], []) for view in apart
    }


def _lead_apart(html: Markup, apart: Sequence[View]) -> Markup:
    """Links into a model made to lead to its own page; the longest anchors first, since one may begin another."""
    text = str(html)
    for view in sorted(apart, key=lambda view: -len(view.anchor)):
        text = text.replace(f'href="#{view.anchor}', f'href="{view.file}#{view.anchor}')
    return Markup(text)  # noqa: S704 (it was markup before)


def _render(
    results: Results, every: Sequence[View], shown: Sequence[View], sections: Sequence[Section]
) -> str:
    """The page with a summary of `every` model (none: details only) and the details of those `shown`."""
    own = [section for view in every for section in view.sections]
    found = verdicts(results)
    page = document(
        "report.html.j2",
        "report.css",
        "report.js",
        title=results.study.name,
        about=_about(results),
        limits=results.provenance.limits,
        planted=planted_first(results) if every else "",
        headline=headline(results),
        verdicts=[one for one in found if one.tested],
        untested=[one for one in found if not one.tested],
        tally=tally(found),
        unjudged=_unjudged(results),
        summary=_summary(every),
        every=every,
        shown=shown,
        sections=sections,
        table1=table1.table1_for_reading(results),
        table1_data=data_block(table1.table1(results)),
        against=against_for_reading(results),
        printed=table1.printed(),
        methods=methods_text(results, [*own, *sections]),
        bibtex=bibtex(results),
        provenance=facts.provenance_facts(results),
        models=facts.models_table(results),
        cost=facts.cost_html(results.provenance),
        warnings=study_notices(results),
        noise_line=noise_line,
    )
    return once(page)


def _about(results: Results) -> str:
    study, made = results.study, results.provenance
    documents, sentences = counted(made.data.documents, "document"), counted(made.data.sentences, "sentence")
    begun = made.started[:16].replace("T", " ")
    return f"{made.data.name}: {documents}, {sentences} · plan {study.hash[:12]} · begun {begun} UTC"


def _summary(every: Sequence[View]) -> str:
    split, models = sum(bool(view.finding.disagree) for view in every), len(every)
    if models == 1:
        return "The two modes disagree" if split else "The two modes agree"
    if not split:
        return f"The two modes agree on all {models} models"
    return f"The two modes disagree on {split} of {models} models"


def _unjudged(results: Results) -> str:
    """Why there is no verdict."""
    absent = [
        what
        for what in ("interventions", "theory")
        if not any(getattr(model, what) for model in results.models.values())
    ]
    lacking = f" It has no {listing(absent)}." if absent else ""
    return f"No prediction of the theory was judged in this run.{lacking}"


def noise_line(model: ModelResult) -> str:
    """What stands beside every boundary of paper mode: how often its protocol finds two in featureless noise."""
    found, accepted = (false_rate(model, outcome)[0] for outcome in ("found", "accepted"))
    if found is None:
        return "in featureless noise: not measured at this depth"
    return f"in featureless noise: finds two in {percent(found)}, accepts {percent(accepted)}"

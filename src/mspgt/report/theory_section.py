"""The theory as a section of the page: information, sensitivity, and what the appendix promises, by layer."""

from __future__ import annotations

from functools import partial

from markupsafe import Markup

from mspgt.report.figures import charts_figure
from mspgt.report.markup import tag
from mspgt.report.section import Plate, Section
from mspgt.report.tables import Table
from mspgt.report.theory import theory_groups
from mspgt.report.theory_charts import information_chart, theory_charts
from mspgt.report.theory_table import theory_table
from mspgt.report.theory_values import values_html
from mspgt.report.views import ChartGroup, charts_html
from mspgt.results import Results

TITLES = {
    "information": "Information by layer",
    "sensitivity": "Sensitivity to noise by layer",
    "markov": "How far from a Markov chain",
}
FIGURE_2 = (
    "Share of each label’s entropy that a layer makes usable (V-information, cross-fitted), by depth, with the "
    "boundaries of both modes."
)
THEORY = "Rate–distortion curve, β̂ of each scale by size of noise, predicted against measured loss, interval widths."


def theory_section(results: Results, name: str, stem: str) -> Section | None:
    """The theory of one model; None where it was not computed."""
    theory = results.models[name].theory
    if theory is None:
        return None
    groups = theory_groups(results, name)
    anchor = f"model-{stem}-theory"
    parts: list[Markup] = []
    for key, (axis, panels) in groups.items():
        group = ChartGroup(key, TITLES.get(key, key), axis, panels, "not measured")
        parts.append(tag("h4", group.title))
        if not group.drawn:
            parts += [tag("p", f"— {why}", class_="missing") for panel in panels for why in panel.missing]
            continue
        parts.append(charts_html(group, f"{anchor}-{key}", "tables/theory.csv"))
    parts.append(values_html(theory, name))
    model = results.models[name]
    figures = {}
    if information := information_chart(name, model):
        figures[f"{stem}-figure2"] = Plate(partial(charts_figure, [information], ""), f"{name}. {FIGURE_2}")
    figures[f"{stem}-theory"] = Plate(partial(charts_figure, theory_charts(model), name), f"{name}. {THEORY}")
    links = [tag("a", stem_, href=f"figures/{stem_}.svg") for stem_ in figures]
    parts.append(tag("p", "Figures: ", Markup(", ").join(links), class_="files"))
    return Section(
        anchor,
        "Theory",
        Markup("").join(parts),
        lead="information, noise, rates: sections 3 and appendix A",
        figures=figures,
        methods=("Information by layer is V-information about declared labels, cross-fitted.",),
    )


def theory_tables(results: Results) -> list[Table]:
    """Every value of the theory, where there is one."""
    known = any(model.theory for model in results.models.values())
    return [theory_table(results)] if known else []

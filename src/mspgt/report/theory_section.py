"""The theory as a section of the page: information, sensitivity, and what the appendix promises, by layer."""

from __future__ import annotations

from markupsafe import Markup

from mspgt.report.figures import charts_plate
from mspgt.report.groups import titled_html
from mspgt.report.markup import files_html
from mspgt.report.section import Section
from mspgt.report.theory import theory_groups
from mspgt.report.theory_charts import information_chart, theory_charts
from mspgt.report.theory_table import theory_table
from mspgt.report.theory_values import values_html
from mspgt.results import Results

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
    anchor = f"model-{stem}-theory"
    parts: list[Markup] = []
    for group in theory_groups(results, name):
        parts += titled_html(group, f"{anchor}-{group.key}", "tables/theory.csv")
    parts.append(values_html(theory, name))
    model = results.models[name]
    figures = {}
    if information := information_chart(name, model):
        figures[f"{stem}-figure2"] = charts_plate([information], f"{name}. {FIGURE_2}")
    figures[f"{stem}-theory"] = charts_plate(theory_charts(model), f"{name}. {THEORY}", name)
    parts.append(files_html("Figures: ", {own: f"figures/{own}.svg" for own in figures}))
    return Section(
        anchor,
        "Theory",
        Markup("").join(parts),
        lead="information, noise, rates: sections 3 and appendix A",
        tables=(theory_table(name, theory),),
        figures=figures,
        methods=("Information by layer is V-information about declared labels, cross-fitted.",),
    )

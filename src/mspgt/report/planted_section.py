"""The first row of the page: what was planted above what was found, and silence where there is nothing to find."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from mspgt.report import marks, planted
from mspgt.report.curves import Mark
from mspgt.report.markup import files_html, table_html, tag
from mspgt.report.panels import strip_row
from mspgt.report.section import Section
from mspgt.report.strips import strip_chart
from mspgt.report.svg import svg
from mspgt.report.tables import Table
from mspgt.report.words import SCALE_NAMES, number
from mspgt.results import PlantedControl, Results

# Account → title, what it asks of a subject, role of its strips.
KINDS = {
    "shocks": ("Shocks", "breaks of the three signals", "calibrated"),
    "phases": ("Phases", "lasting changes of what blocks write", "phases"),
    "functional": ("Functional scales", "which context is usable first", "functional"),
    "interventions": ("Interventions", "which scale changes the text", ""),
}
ABOUT = (
    "Before any model: subjects whose truth is known, measured and judged by the same code. Their places, sizes and "
    "seeds stand in the recipe that ships; what is missed is shown as it came."
)
METHODS = (
    "As positive and negative controls, subjects with planted boundaries of several sizes, planted orders and "
    "effects, and subjects with none, were measured by the same code, with seeds fixed in the recipe.",
)


def planted_first(results: Results) -> Markup:
    """The row of the first screen; empty where a run has no planted subjects."""
    controls = results.planted
    if not controls:
        return Markup("")
    cards = [_card(kind, {name: one for name, one in controls.items() if one.kind == kind}) for kind in KINDS]
    legend = tag(
        "p",
        tag("b", "▼"),
        " planted and found ",
        tag("b", "▽"),
        " planted and missed. The line above a strip: "
        "planted somewhere between its ends. Bars below: 95 % sets.",
        class_="key",
    )
    return tag(
        "section",
        tag("h2", planted.headline(controls), id="planted-first"),
        tag("p", tag("b", planted.by_size(controls)), " ", ABOUT, class_="modes"),
        tag("div", *cards, class_="cards planted"),
        legend,
        class_="found controls",
        aria_labelledby="planted-first",
    )


def planted_section(results: Results) -> Section | None:
    """Every place, score and critical value of the planted subjects; None where a run has none."""
    controls = results.planted
    if not controls:
        return None
    return Section(
        "planted",
        "Planted subjects",
        Markup("").join(_details(controls)),
        lead=planted.headline(controls),
        tables=(planted.planted_table(controls),),
        methods=METHODS,
    )


def _card(kind: str, controls: dict[str, PlantedControl]) -> Markup:
    title, asks, _ = KINDS[kind]
    rows = [_row(one) for one in controls.values()]
    return tag("div", tag("h3", title, " ", tag("small", asks)), *rows, class_="card")


def _row(control: PlantedControl) -> Markup:
    sign, told = ("✓", "hit") if control.passed else ("✗", "missed")
    verdict = tag("span", f"{sign} {planted.outcome(control)}", class_=f"outcome {told}")
    drawn = _arms(control) if control.layers is None else _strip(control, control.layers)
    why = planted.expected(control)
    beside = tag("small", why, class_="why") if why else Markup("")
    kind = "trial" if control.found else "trial bare"
    label = tag("span", _label(control), class_="there")
    return tag("div", label, verdict, beside, _truth(control), drawn, class_=kind)


def _label(control: PlantedControl) -> str:
    if control.planted and control.size is not None:
        return f"{control.says}, {number(control.size)} {control.unit}"
    return f"{control.says}{'' if control.planted else ': nothing to find'}"


def _strip(control: PlantedControl, layers: int) -> Markup:
    role = KINDS[control.kind][2]
    own = tuple(
        Mark(one.name, role, one.layer, tuple(one.set)) for one in control.found if one.layer is not None
    )
    return svg(strip_chart(strip_row(role, layers, own)))


def _truth(control: PlantedControl) -> Markup:
    """What was planted, over the strip below: along the depth, or over the scales of texts."""
    wide = control.layers or len(SCALE_NAMES)
    signs: list[marks.Mark] = []
    for place in control.planted:
        at = place.layer if control.layers else list(SCALE_NAMES).index(place.name) + 0.5
        role, sign = ("truth", "▼") if place.found else ("truth missed", "▽")
        if at is not None:
            signs.append(marks.Label(sign, (at, 0), role))
        elif place.low is not None and place.high is not None:
            # A little short of its ends, so that neighbours are told apart.
            short = wide / 100
            signs.append(marks.Whisker(role, (place.low + short, 0), (place.high - short, 0)))
    about = f"planted: {planted.what_is_there(control)}"
    return svg(marks.Chart("", _across(wide), _across(1), tuple(signs), shape="truths", about=about))


def _arms(control: PlantedControl) -> Markup:
    """Three blocks, coloured where noise on the scale changes the text."""
    changed = {one.name for one in control.found}
    blocks: list[marks.Mark] = []
    for at, (scale, name) in enumerate(SCALE_NAMES.items()):
        role = scale if scale in changed else "undivided"
        blocks.append(marks.Span(role, (at, at + 1)))
        blocks.append(marks.Label(name, (at + 0.5, 0), f"on {role}", "middle"))
    found = ", ".join(name for scale, name in SCALE_NAMES.items() if scale in changed) or "none"
    about = f"scales whose noise changes the text: {found}"
    return svg(marks.Chart("", _across(3), _across(1), tuple(blocks), shape="arms", about=about))


def _across(end: float) -> marks.Axis:
    return marks.Axis("", 0, end)


def _details(controls: dict[str, PlantedControl]) -> Iterator[Markup]:
    yield tag("p", ABOUT)
    records = (
        {"subject": name, "planted": planted.what_is_there(one)}
        | {"outcome": "; ".join(filter(None, (planted.outcome(one), planted.expected(one))))}
        | {"what decided": _nearest(one), "the paper’s protocol": _paper(one), "seed": one.seed}
        for name, one in controls.items()
    )
    yield table_html(Table.told("planted subjects", records), head=True)
    files = {"CSV": "tables/planted.csv", "Parquet": "tables/planted.parquet"}
    yield files_html("All scores and critical values: ", files)


def _nearest(control: PlantedControl) -> str:
    """What was claimed, else the strongest place, with its score and what it needed."""
    shown = control.found or sorted(control.tests, key=lambda one: one.p if one.p is not None else 0.0)
    told = []
    for one in shown[: max(len(control.found), 2 if control.kind == "functional" else 1)]:
        at = f" at {one.layer}" if one.layer is not None else ""
        if one.p is not None:
            metric = f", {one.metric}" if one.metric else ""
            told.append(f"{SCALE_NAMES.get(one.name, one.name)}{at}{metric}: p = {number(one.p, 2)}")
        elif one.score is not None:
            told.append(f"{one.name}{at}: {number(one.score, 2)} of {number(one.critical, 2)} needed")
    return "; ".join(told)


def _paper(control: PlantedControl) -> str:
    """Where the published protocol puts its two peaks, and whether it accepts them."""
    found = control.paper
    if not found:
        return ""
    if found.LI is None or found.IG is None:
        return "no two peaks"
    return f"{found.LI} and {found.IG}, {'accepted' if found.accepted else 'rejected'}"

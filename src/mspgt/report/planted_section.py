"""The first row of the page: what was planted above what was found, and silence where there is nothing to find."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from mspgt.report import planted
from mspgt.report.curves import Mark
from mspgt.report.markup import files_html, table_html, tag
from mspgt.report.panels import strip_row
from mspgt.report.section import Section
from mspgt.report.strips import percent_of_width, strip_svg
from mspgt.report.tables import Columns, Table
from mspgt.report.words import number
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
    marks = tuple(
        Mark(one.name, role, one.layer, tuple(one.set)) for one in control.found if one.layer is not None
    )
    return strip_svg(strip_row(role, layers, marks))


def _truth(control: PlantedControl) -> Markup:
    """What was planted, over the strip below: along the depth, or over the scales of texts."""
    share = 100 / (control.layers or len(planted.SCALE_NAMES))
    parts: list[Markup] = []
    for place in control.planted:
        at = place.layer if control.layers else list(planted.SCALE_NAMES).index(place.name) + 0.5
        kind, sign = ("truth", "▼") if place.found else ("truth missed", "▽")
        if at is not None:
            parts.append(tag("text", sign, class_=kind, x=percent_of_width(at * share), y=10))
        elif place.low is not None and place.high is not None:
            # A little short of its ends, so that neighbours are told apart.
            left, right = place.low * share + 1, place.high * share - 1
            span = {"x1": percent_of_width(left), "x2": percent_of_width(right)}
            parts.append(tag("line", class_=kind, y1=7, y2=7, **span))
    label = f"planted: {planted.what_is_there(control)}"
    return tag("svg", *parts, class_="truths", height=12, role="img", aria_label=label)


def _arms(control: PlantedControl) -> Markup:
    """Three blocks, coloured where noise on the scale changes the text."""
    changed = {one.name for one in control.found}
    blocks, names = [], []
    for at, (scale, name) in enumerate(planted.SCALE_NAMES.items()):
        kind = scale if scale in changed else "undivided"
        middle = percent_of_width((at + 0.5) * 100 / 3)
        blocks.append(tag("rect", class_=f"block {kind}", x=at, width=1, height=1))
        names.append(tag("text", name, class_=f"on middle {kind}", x=middle, y=13))
    inside = tag("svg", *blocks, height=18, viewBox="0 0 3 1", preserveAspectRatio="none")
    found = ", ".join(name for scale, name in planted.SCALE_NAMES.items() if scale in changed) or "none"
    label = f"scales whose noise changes the text: {found}"
    return tag("svg", inside, *names, class_="strip", height=20, role="img", aria_label=label)


def _details(controls: dict[str, PlantedControl]) -> Iterator[Markup]:
    yield tag("p", ABOUT)
    columns: Columns[tuple[str, PlantedControl]] = {
        "subject": lambda one: one[0],
        "planted": lambda one: planted.what_is_there(one[1]),
        "outcome": lambda one: "; ".join(filter(None, (planted.outcome(one[1]), planted.expected(one[1])))),
        "what decided": lambda one: _nearest(one[1]),
        "the paper’s protocol": lambda one: _paper(one[1]),
        "seed": lambda one: one[1].seed,
    }
    yield table_html(Table.told("planted subjects", columns, controls.items()), head=True)
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
            told.append(f"{planted.SCALE_NAMES.get(one.name, one.name)}{at}{metric}: p = {number(one.p, 2)}")
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

"""Experiment 2 for reading: Table 2 at every dose, bars by scale with the A/A band, and texts side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

from markupsafe import Markup

from mspgt.interventions.metrics import METRICS as DECLARED
from mspgt.predictions.printed import printed
from mspgt.report.markup import tag
from mspgt.report.tables import Cell, Table, columns_of, ends
from mspgt.report.words import MISSING, layer_set, number
from mspgt.results import ModelResult, Results
from mspgt.results.interventions import ArmResult, EffectResult, InterventionsAbout, ResponseCurve, ShownText
from mspgt.vocabulary import SCALES

METRICS = {metric.key: metric.label for metric in DECLARED}
HEADLINE = tuple(metric.key for metric in DECLARED if metric.paper)
DOSES = {
    "plain": "whole scale",
    "literal": "the paper’s words, standard deviation over all tokens",
    "matched_layers": "equal number of layers",
    "matched_variance": "equal relative variance",
    "equal_kl": "equal KL",
}
# Under a group of bars there is room for a word.
DOSE_WORD = {
    "plain": "whole",
    "literal": "literal",
    "matched_layers": "layers",
    "matched_variance": "variance",
    "equal_kl": "KL",
}
NUMBERS = (
    "baseline value percent percent_low percent_high difference se low high log_ratio log_ratio_low log_ratio_high "
    "p_permutation p_t p_adjusted hedges_g"
)
COLUMNS = (
    columns_of("model:string arm:string layers:string metric:string")
    | dict.fromkeys(NUMBERS.split(), "double")
    | columns_of(
        "equivalent:bool margin:double aa_low:double aa_high:double n:int64 rate:double reason:string"
    )
)


class Effects(NamedTuple):
    """Experiment 2 of one model."""

    arms: dict[str, dict[str, EffectResult]]  # arm → metric
    about: InterventionsAbout


def effects_of(model: ModelResult) -> Effects | None:
    """Experiment 2 of a model; None where it was not run."""
    arms, about = model.interventions, model.interventions_about
    return Effects(arms, about) if arms and about else None


def arm_of(scale: str, dose: str) -> str:
    """The arm in which noise of a dose goes into a scale."""
    return scale if dose == "plain" else f"{scale}_{dose}"


def repeats_plain(arms: Mapping[str, ArmResult], dose: str) -> bool:
    """Whether every arm of an equal dose adds the noise of its whole scale to the same layers, and so repeats it."""
    pairs = [(arms.get(scale), arms.get(arm_of(scale, dose))) for scale in SCALES]
    return all(
        plain and equal and (plain.layers, plain.variance) == (equal.layers, equal.variance)
        for plain, equal in pairs
    )


def _layers(about: InterventionsAbout, arm: str) -> str:
    return layer_set(about.arms[arm].layers)


def effects_table(name: str, effects: Effects) -> Table:
    """Every effect on a model: one row an arm and metric. `aa_low` and `aa_high` are the A/A range in percent."""
    records = [
        vars(found)
        | {"model": name, "arm": arm, "layers": _layers(effects.about, arm) or "none", "metric": metric}
        | ends(found.ci)
        | ends(found.percent_ci, "percent_")
        | ends(found.log_ratio_ci, "log_ratio_")
        | ends(found.aa_range, "aa_")
        for arm, metrics in effects.arms.items()
        for metric, found in metrics.items()
    ]
    return Table.of("interventions", "Effects of noise, arm by arm", COLUMNS, records)


def table2(results: Results) -> Table:
    """Table 2 in our form: percent change with its interval, by scale and dose, and the paper's own rows.

    A star marks an adjusted p below 0.05, ≈ an effect that is equivalent to none. The row `chance` holds the A/A
    range: what two runs without any noise differ by.
    """
    rows: list[tuple[Cell, ...]] = [
        (name, *row)
        for name, model in results.models.items()
        if (effects := effects_of(model))
        for row in table2_rows(effects, DOSES)
    ]
    paper = printed("table2")
    for row in paper["rows"]:
        told = (None if row.get(metric) is None else f"{signed(row[metric])} %" for metric in METRICS)
        rows.append((f"the paper ({paper['status']})", row["scale"], "as printed", *told))
    columns = dict.fromkeys(("model", "scale", "dose", *METRICS.values()), "string")
    title = f"Change of the text under noise, percent of the baseline. {paper['source']}: {paper['note']}"
    return Table("table2", title, columns, rows)


def table2_rows(effects: Effects, doses: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Scale, dose and the change of every metric of one model.

    Args:
        doses: dose → how it is called; others are left out.
    """
    arms, about = effects
    for dose, words in doses.items():
        for scale in SCALES:
            if (arm := arm_of(scale, dose)) in arms:
                yield scale, f"{words}: {_layers(about, arm)}", *_changes(arms[arm])
    for arm, found in arms.items():
        if arm.startswith("random_"):
            kind = "random, equal spread" if arm.startswith("random_spread_") else "random"
            yield kind, f"layers {_layers(about, arm)}", *_changes(found)
    if "aa" in arms:
        yield "chance", "A/A range", *(_range(arms["aa"].get(metric)) for metric in METRICS)


def _changes(found: Mapping[str, EffectResult]) -> Iterator[str]:
    return (_change(found.get(metric)) for metric in METRICS)


def _change(found: EffectResult | None) -> str:
    if not found or found.difference is None:
        return f"{MISSING} not measured"
    if found.percent is None:
        return f"from {number(found.baseline)} to {number(found.value)}" + _stars(found)
    words = f"{signed(found.percent)} %"
    if found.percent_ci:
        low, high = found.percent_ci
        words += f" [{signed(low)}, {signed(high)}]"
    elif found.reason:
        words += f" ({found.reason})"
    return words + _stars(found)


def _stars(found: EffectResult) -> str:
    return " *" * significant(found) + " ≈" * bool(found.equivalent)


def significant(found: EffectResult) -> bool:
    """Whether the adjusted p is below 0.05."""
    return found.p_adjusted is not None and found.p_adjusted < 0.05


def _range(found: EffectResult | None) -> str:
    if not found or not found.aa_range:
        return MISSING
    low, high = found.aa_range
    return f"[{signed(low)}, {signed(high)}]"


def signed(percent: float) -> str:
    """A change in percent with its sign."""
    return ("+" if percent > 0 else "") + number(percent)


@dataclass(frozen=True)
class BarPanel:
    """One metric of one model: the effect in each scale, and the A/A range behind them."""

    metric: str
    title: str
    scales: dict[str, EffectResult]
    chance: tuple[float, float] | None

    @property
    def drawn(self) -> bool:
        """Whether any bar has a height."""
        return any(found.percent is not None for found in self.scales.values())


NO_EFFECT = EffectResult()


def bar_panels(arms: Mapping[str, Mapping[str, EffectResult]], dose: str = "plain") -> list[BarPanel]:
    """Figures 7 to 9 for one model: a panel a metric."""
    own = {scale: arms.get(arm_of(scale, dose), {}) for scale in SCALES}
    chance = arms.get("aa", {})
    return [
        BarPanel(
            metric,
            title,
            {scale: found.get(metric, NO_EFFECT) for scale, found in own.items()},
            chance.get(metric, NO_EFFECT).aa_range,
        )
        for metric, title in METRICS.items()
    ]


def response_table(name: str, response: Mapping[str, ResponseCurve] | None) -> Table:
    """What the noise–response curves of a model draw, one row a point.

    `linear`: within the range that is linear in the dose; null where that range is not known.
    """
    columns = columns_of("model:string scale:string sigma:double divergence:double linear:bool")
    records = (
        {"model": name, "scale": scale, "sigma": sigma, "divergence": nats}
        | {"linear": None if curve.linear_up_to is None else sigma <= curve.linear_up_to}
        for scale, curve in (response or {}).items()
        for sigma, nats in zip(curve.sigma, curve.divergence, strict=True)
    )
    return Table.of("noise_response", "Divergence of the next token by size of noise", columns, records)


def side_by_side(sample: ShownText, arm: str, *, prompt: bool = True) -> Markup:
    """A baseline text and an arm's in two columns; words that only one of them has are marked.

    Args:
        sample: one of `interventions_about.texts`.
        prompt: whether what both go on from stands above them.
    """
    before, after = (re.findall(r"\S+\s*|\s+", sample.arms[name]) for name in ("baseline", arm))
    columns: tuple[list[Markup], list[Markup]] = ([], [])
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        for column, words, element in ((columns[0], before[a:b], "del"), (columns[1], after[c:d], "ins")):
            text = readable("".join(words))
            if text:
                column.append(Markup("{}").format(text) if kind == "equal" else tag(element, text))
    cells = [
        tag("div", tag("h5", label), tag("p", *column), class_="written")
        for label, column in zip(("baseline", arm.replace("_", " ")), columns, strict=True)
    ]
    above = tag("p", tag("b", "Prompt: "), readable(sample.prompt), class_="prompt") if prompt else Markup("")
    return tag("div", above, tag("div", *cells, class_="side-by-side"), class_="texts")


def readable(text: str) -> str:
    """A generated text with every control character shown as its picture; the page's markup is escaped later."""
    return re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f]",
        lambda found: chr(0x2400 + ord(found[0])) if found[0] < " " else "\ufffd",
        text,
    )

"""Experiment 2 for reading: Table 2 at every dose, bars by scale with the A/A band, and texts side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

from markupsafe import Markup

from mspgt.interventions.metrics import METRICS as DECLARED
from mspgt.predictions.printed import printed
from mspgt.report.markup import tag
from mspgt.report.tables import Cell, Table, columns_of
from mspgt.report.words import MISSING, layer_set, number
from mspgt.results import ModelResult, Results
from mspgt.results.interventions import ArmResult, EffectResult, InterventionsAbout, ShownText
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


def repeats_plain(arms: Mapping[str, ArmResult], dose: str) -> bool:
    """Whether every arm of an equal dose adds the noise of its whole scale to the same layers, and so repeats it."""
    pairs = [(arms.get(scale), arms.get(f"{scale}_{dose}")) for scale in SCALES]
    return all(
        plain and equal and (plain.layers, plain.variance) == (equal.layers, equal.variance)
        for plain, equal in pairs
    )


def _layers(about: InterventionsAbout, arm: str) -> str:
    return layer_set(about.arms[arm].layers)


def effects_table(results: Results) -> Table:
    """Every effect: one row a model, arm and metric. `aa_low` and `aa_high` are the A/A range in percent."""
    rows: list[tuple[Cell, ...]] = []
    for name, model in results.models.items():
        if (effects := effects_of(model)) is None:
            continue
        for arm, metrics in effects.arms.items():
            layers = _layers(effects.about, arm) or "none"
            for metric, found in metrics.items():
                pairs = {"": found.ci, "percent_": found.percent_ci, "log_ratio_": found.log_ratio_ci}
                record = vars(found) | {"model": name, "arm": arm, "layers": layers, "metric": metric}
                for which, pair in (*pairs.items(), ("aa_", found.aa_range)):
                    record[f"{which}low"], record[f"{which}high"] = pair or (None, None)
                rows.append(tuple(record.get(column) for column in COLUMNS))
    return Table("interventions", "Effects of noise, arm by arm", COLUMNS, rows)


def table2(results: Results) -> Table:
    """Table 2 in our form: percent change with its interval, by scale and dose, and the paper's own rows.

    A star marks an adjusted p below 0.05, ≈ an effect that is equivalent to none. The row `chance` holds the A/A
    range: what two runs without any noise differ by.
    """
    rows: list[tuple[Cell, ...]] = []
    for name, model in results.models.items():
        if (effects := effects_of(model)) is None:
            continue
        arms, about = effects
        for dose, words in DOSES.items():
            for scale in SCALES:
                arm = scale if dose == "plain" else f"{scale}_{dose}"
                if arm in arms:
                    cells = (_change(arms[arm].get(metric)) for metric in METRICS)
                    rows.append((name, scale, f"{words}: {_layers(about, arm)}", *cells))
        for arm in arms:
            if arm.startswith("random_"):
                cells = (_change(arms[arm].get(metric)) for metric in METRICS)
                kind = "random, equal spread" if arm.startswith("random_spread_") else "random"
                rows.append((name, kind, f"layers {_layers(about, arm)}", *cells))
        if "aa" in arms:
            rows.append(
                (name, "chance", "A/A range", *(_range(arms["aa"].get(metric)) for metric in METRICS))
            )
    paper = printed("table2")
    for row in paper["rows"]:
        told = (None if row.get(metric) is None else f"{signed(row[metric])} %" for metric in METRICS)
        rows.append((f"the paper ({paper['status']})", row["scale"], "as printed", *told))
    columns = dict.fromkeys(("model", "scale", "dose", *METRICS.values()), "string")
    title = f"Change of the text under noise, percent of the baseline. {paper['source']}: {paper['note']}"
    return Table("table2", title, columns, rows)


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
    p = found.p_adjusted
    return (" *" if p is not None and p < 0.05 else "") + (" ≈" if found.equivalent else "")


def _range(found: EffectResult | None) -> str:
    if not found or not found.aa_range:
        return MISSING
    low, high = found.aa_range
    return f"[{signed(low)}, {signed(high)}]"


def signed(percent: float) -> str:
    """A change in percent with its sign."""
    return ("+" if percent > 0 else "") + number(percent)


@dataclass(frozen=True)
class Bar:
    """One arm: its change in percent with its interval; `claimed` where its adjusted p is below 0.05."""

    label: str
    scale: str
    percent: float | None
    interval: tuple[float, float] | None
    claimed: bool
    reason: str | None


@dataclass(frozen=True)
class BarPanel:
    """One metric of one model: bars by scale, and the A/A band behind them."""

    metric: str
    title: str
    bars: tuple[Bar, ...]
    chance: tuple[float, float] | None

    @property
    def drawn(self) -> bool:
        """Whether any bar has a height."""
        return any(bar.percent is not None for bar in self.bars)

    @property
    def missing(self) -> str | None:
        """Why nothing is drawn."""
        return None if self.drawn else next((bar.reason for bar in self.bars if bar.reason), "not measured")


NO_EFFECT = EffectResult()


def bar_panels(arms: Mapping[str, Mapping[str, EffectResult]], dose: str = "plain") -> list[BarPanel]:
    """Figures 7 to 9 for one model: a panel a metric."""
    panels = []
    for metric, title in METRICS.items():
        bars = []
        for scale in SCALES:
            found = arms.get(scale if dose == "plain" else f"{scale}_{dose}", {}).get(metric, NO_EFFECT)
            claimed = (found.p_adjusted or 1) < 0.05
            bars.append(Bar(scale[0].upper(), scale, found.percent, found.percent_ci, claimed, found.reason))
        chance = arms.get("aa", {}).get(metric, NO_EFFECT).aa_range
        panels.append(BarPanel(metric, title, tuple(bars), chance))
    return panels


def response_table(results: Results, name: str = "noise_response") -> Table:
    """What the noise–response curves draw, one row a point.

    `linear`: within the range that is linear in the dose; null where that range is not known.
    """
    columns = columns_of("model:string scale:string sigma:double divergence:double linear:bool")
    rows: list[tuple[Cell, ...]] = [
        (model, scale, sigma, nats, None if curve.linear_up_to is None else sigma <= curve.linear_up_to)
        for model, found in results.models.items()
        if (effects := effects_of(found))
        for scale, curve in (effects.about.response or {}).items()
        for sigma, nats in zip(curve.sigma, curve.divergence, strict=True)
    ]
    return Table(name, "Divergence of the next token by size of noise", columns, rows)


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
    return "".join(
        character
        if character in "\n\t" or not (ord(character) < 32 or 127 <= ord(character) < 160)
        else chr(0x2400 + ord(character))
        if ord(character) < 32
        else "\ufffd"
        for character in text
    )

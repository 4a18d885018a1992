"""The single values of a model's theory as small tables to read: a row a scale, its numbers side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mspgt.report.markup import table_html, tag
from mspgt.report.theory import KINDS
from mspgt.report.theory_table import LETTERS
from mspgt.report.verdicts import interval, told
from mspgt.report.words import BOUNDARIES, MISSING, Json, number


@dataclass(frozen=True)
class Values:
    """One table; without rows, `about` is why there are none."""

    title: str
    about: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def html(self, model: str) -> Markup:
        if not self.rows:
            return tag("h4", self.title) + tag("p", f"{MISSING} {self.about}", class_="missing")
        table = table_html(self.columns, self.rows, label=f"{self.title}, {model}", kind="numbers", head=True)
        return tag("h4", self.title) + table + tag("p", self.about, class_="caption")


def values_html(theory: Json, model: str) -> Markup:
    """The verdicts, kinks, noise by scale, β̂ and H-VIB of a model, or why there are none."""
    return Markup("").join(make(theory).html(model) for make in PARTS)


def _kinks(theory: Json) -> Values:
    kink = theory["kink"]
    rows = []
    for profile in ("all", *KINDS, "gaussian"):
        found = [kink[which].get(profile) or {} for which in BOUNDARIES]
        if any(one.get("p") is not None for one in found):
            rows.append((profile, *(_p_value(one) for one in found)))
    why = "; ".join(dict.fromkeys((kink[which].get("reason") or "") for which in BOUNDARIES))
    about = (
        f"Two-sided p of a kink at either end of the step from a boundary; {kink['estimator']}."
        if rows
        else why
    )
    return Values("Kinks of the information", about, ("profile", *BOUNDARIES.values()), rows)


def _p_value(one: Json) -> str:
    if one.get("p") is None:
        return f"{MISSING} {one.get('reason', '')}".strip()
    return f"p = {number(one['p'])} at layer {one['layer']}{', kink' if one['kinked'] else ''}"


def _noise(theory: Json) -> Values:
    block = theory["fisher"]
    arms = block["arms"] if block["fisher"] is not None else {}
    ratios = block["equation30"]["scales"] if arms else {}
    rows = [
        (
            scale,
            *(_spread(arm[key], arm[f"{key}_ci"]) for key in ("predicted", "kl", "loss")),
            *(_spread(**_value(ratios.get(scale), key)) for key in ("kl", "loss")),
        )
        for scale, arm in arms.items()
    ]
    sigma = number(next(iter(arms.values()))["sigma"]) if arms else MISSING
    columns = (
        "scale", "½ σ² tr F", "KL", "rise of the loss", "slope of KL over ½ tr F",
        "slope of the loss over ½ tr F",
    )  # fmt: skip
    about = (
        f"In nats a token, noise of σ = {sigma} in every layer of the scale; slopes as σ → 0 (equation 30)."
    )
    return Values("Noise in each scale", about if rows else (block.get("reason") or ""), columns, rows)


def _value(found: Json | None, key: str) -> Json:
    one = (found or {}).get(key) or {}
    return {"value": one.get("value"), "ends": one.get("ci")}


def _weights(theory: Json) -> Values:
    block = theory["beta"]
    scales = block.get("activations") or {}
    rows = [
        (
            scale,
            *(_spread(value, one["ci"] and one["ci"][at]) for at, value in enumerate(one["value"])),
            _spread(one["limit"]["value"], one["limit"]["ci"]),
        )
        for scale, one in scales.items()
    ]
    columns = ("scale", *(f"σ = {sigma:g}" for sigma in block["sigmas"]), "β̂/σ² as σ → 0")
    about = f"In {block['units']}; {block['estimator']}." if rows else (block.get("reason") or "")
    return Values("Compression weights β̂ of the activations", about, columns, rows)


def _response(theory: Json) -> Values:
    title = "Weights of the scales from noise in them, by rate"
    block = theory["beta"].get("response") or {"reason": "written by a version that did not measure it"}
    rows = []
    for scale, one in (block.get("scales") or {}).items():
        if one["value"] is None:
            continue
        for at, value in enumerate(one["value"]):
            sizes = f"{number(one['sigma'][at])} to {number(one['sigma'][at + 1])}"
            told_value = _spread(value, one["ci"] and one["ci"][at])
            rows.append((scale, sizes, number(one["between"][at]), told_value, number(one["predicted"][at])))
    about = f"In {block['units']}; {block['estimator']}." if rows else (block.get("reason") or "")
    return Values(title, about, ("scale", "σ", "rate", "β̂", "small-noise prediction"), rows)


def _bottleneck(theory: Json) -> Values:
    block = theory["hvib"]
    rows = []
    for at, point in enumerate(block["curve"] or ()):
        for which, scale in enumerate(LETTERS.values()):
            terms = (number(point[key][which]) for key in ("kl", "information", "gap"))
            ends = [end[which] for end in block["weights_ci"][at]]  # lows and highs of all scales
            weight = _spread(block["weights"][at][which], ends)
            rows.append((f"{scale}, β = {point['beta']:g}", *terms, weight))
    columns = ("scale", "KL", "information", "gap", "β̂")
    about = block.get("reason") or ""
    if rows:
        losses = ", ".join(f"{number(p['distortion'])} at β = {p['beta']:g}" for p in block["curve"])
        about = f"In {block['units']}. Distortion: {losses}; blind: {number(block['blind'])}. {block['estimator']}."
    return Values("Hierarchical bottleneck", about, columns, rows)


def _by_layer(theory: Json) -> Values:
    """How far attention reaches, and the switches of the value of layers; runs of old have neither."""
    reach, values = (theory.get(key) or {"reason": "left out"} for key in ("reach", "values"))
    rows = []
    if found := reach.get("mean"):
        rows.append(("effective attention length, tokens", _spread(found["value"], found["ci"]), MISSING))
    for one in values.get("switches") or ():
        what = f"V(l) jumps at layer {one['layer']}, nats a token"
        rows.append((what, _spread(one["jump"], one["ci"]), interval(one["bounds"]).strip()))
    about = ". ".join(part.get("estimator") or part.get("reason") or "" for part in (reach, values))
    columns = ("by layer", "value", "bounds at the optimum")
    return Values("Attention length, and the value of layers", about, columns, rows)


def _verdicts(theory: Json) -> Values:
    markov, beta, curve = theory["markov"], theory["beta"]["equation23"], theory["concentration"]
    rows = [
        ("A2: near-Markov ratio beyond surrogates, mean over layers", _estimate(markov, "mean"), MISSING),
        (
            "A2: near-Markov ratio beyond surrogates, largest over layers",
            number(max(markov.get("excess") or [], default=None)),
            markov["verdict"],
        ),
        (
            "equation 23: log–log slope over planted sources (not of this model)",
            _estimate(beta, "slope"),
            beta["verdict"],
        ),
    ]
    if found := theory["fisher"]["equation30"]:
        for key, what in (("loss", "loss"), ("kl", "KL")):
            slopes = [scale[key]["value"] for scale in found["scales"].values()]
            known = sorted(slope for slope in slopes if slope is not None)
            value = f"{number(known[0])} to {number(known[-1])} over scales" if known else MISSING
            rows.append((f"equation 30: slope of the {what} over ½ tr F", value, found[f"verdict_{key}"]))
    for key, what in (("by_draws", "draws"), ("by_documents", "documents")):
        verdict = curve["verdict"] if key == "by_draws" else MISSING
        rows.append(
            (f"equation 34: log–log slope in {what}", _estimate(curve.get(key) or curve, "slope"), verdict)
        )
    return Values("Verdicts on this model", "95\u202f% intervals.", ("claim", "value", "verdict"), rows)


def _estimate(block: Json, key: str) -> str:
    """A value with its interval; where there is none, why."""
    if block.get(key) is None:
        return f"{MISSING} {block.get('reason', '')}".strip()
    return _spread(block[key], block["ci"])


def _spread(value: float | None, ends: Sequence[float] | None) -> str:
    return told(value) + interval(ends)


PARTS: tuple[Callable[[Json], Values], ...] = (
    _verdicts,
    _kinks,
    _noise,
    _weights,
    _response,
    _bottleneck,
    _by_layer,
)

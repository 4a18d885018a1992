"""P1.2: the information that layers carry has a kink at the boundaries."""

from __future__ import annotations

from mspgt.predictions.design import Design
from mspgt.predictions.readings import BOUNDARIES, Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import blocks, interval
from mspgt.predictions.verdict import Claim, Finding, Json, PaperSays, Prediction, Unit


def judge(results: Json, rules: Rules, reading: Reading) -> Finding:
    """One unit a boundary of a model: the kink test there."""
    missing: list[str] = []
    units = []
    for name, kinks in blocks(results, "kink", missing):
        source = (results["models"][name]["theory"].get("scales") or {}).get("source", "calibrated")
        if reading.scales == "calibrated" and source != "calibrated":
            missing.append(f"{name}: its scales are {source!r}; only calibrated boundaries give a verdict")
            continue
        for which in BOUNDARIES:
            kink, path = kinks.get(which) or {}, f"models.{name}.theory.kink.{which}"
            if kink.get("p") is None:
                missing.append(f"{path}: {kink.get('reason') or 'no kink test'}")
                continue
            units.append(
                Unit(
                    f"{name}, {which}",
                    kink.get("value"),
                    interval(kink),
                    float(kink["p"]),
                    float(kink.get("p_absent") or 1.0),
                    path,
                )
            )
    return Finding(tuple(units), tuple(missing))


def paper(results: Json, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's criterion: the slopes on either side differ at all."""
    values = [
        kink["value"]
        for _, kinks in blocks(results, "kink", [])
        for kink in (kinks.get(which) or {} for which in BOUNDARIES)
        if kink.get("value") is not None
    ]
    if not values:
        return PaperSays(None, None, "no information by layer was measured")
    return PaperSays(
        any(values), max(values, key=abs), "slopes that differ at all; so they do at every layer of a curve"
    )


def power(design: Design, rules: Rules) -> str:
    """Needs the theory part on models with calibrated boundaries."""
    if not design.theory:
        return "needs the theory part (information by layer)"
    return (
        f"tests up to {2 * len(design.members)} boundaries, more than half of which must show a kink; only models "
        "in which the calibrated detector finds both boundaries count"
    )


PREDICTION = Prediction(
    id="P1.2",
    title="Information by layer has a kink at the boundaries",
    tier="1",
    quantifier="most",
    statistic="second difference of information at the boundary over that elsewhere",
    threshold=lambda rules: rules.level,
    rule=(
        "At each calibrated boundary, |second difference| of information by layer is tested against all other "
        "layers and a smooth curve, on documents that did not choose the boundary. Supported: a kink at more "
        "than half of the boundaries of all models (partial conjunction). Refuted: at no fewer than half of them "
        "a kink of the size asked for is excluded."
    ),
    paper_rule="The slopes before and after a boundary are not equal.",
    claim=Claim(
        "|dI/dl| before ≠ |dI/dl| after the boundary; “information phase transitions”",
        "sections 3.3.2 and A.4, equation 28",
        "supported",
        "No mutual information is measured in the paper. “≠” holds at every layer of any curve; as a test it is "
        "significant at 54 % of the layers of a smooth chain.",
    ),
    judge=judge,
    paper=paper,
    power=power,
    readings=(Reading(), Reading(scales="any")),
    shown="middle",
)

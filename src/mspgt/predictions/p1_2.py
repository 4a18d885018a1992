"""P1.2: the information that layers carry has a kink at the boundaries."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from mspgt.predictions.readings import Measurements, Reading, not_calibrated
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import blocks, judged, with_theory
from mspgt.predictions.verdict import Claim, Finding, PaperSays, Prediction, Unit
from mspgt.results.theory import Kink, KinkTest, NoiseLaw
from mspgt.vocabulary import BOUNDARIES

# The laws are approximations: where boundaries crowd at an end, chances of 5 % are up to 6 %.
SLACK = 1.25
NO_LAWS = (
    "written by a version whose test does not say what a kink of a given size would look like; run the study again "
    "(finished stages are kept)"
)


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit a boundary of a model: the kink test there, and whether a kink of the size asked for is excluded."""

    def tests(name: str, kinks: Kink) -> list[Unit | str]:
        if reading.scales == "calibrated" and kinks.source != "calibrated":
            unknown = f"models.{name}.theory.kink: {kinks.LI.reason or 'not measured'}"
            return [not_calibrated(name, kinks.source) if kinks.source else unknown]
        return [_unit(name, which, kinks, reading.metric, rules) for which in BOUNDARIES]

    return judged(results, lambda theory: theory.kink, tests)


def _unit(name: str, which: str, kinks: Kink, profile: str, rules: Rules) -> Unit | str:
    path, kink = f"models.{name}.theory.kink.{which}", _test(kinks, which, profile)
    if kink is None or kink.p is None or kink.statistic is None:
        return f"{path}: {(kink and kink.reason) or getattr(kinks, which).reason or 'no kink test'}"
    if not kink.laws:
        return f"{path}: {NO_LAWS}"
    statistic = abs(kink.statistic)
    absent = _p_absent(statistic, kink.laws, rules.kink)
    if np.isnan(absent):
        return f"{path}: the noncentral t cannot be computed for a kink of {rules.kink:g} SDs"
    detail = f"layer {kink.layer}; {kink.rank:.0%} of the other layers bend as far from their own curve"
    return Unit(f"{name}, {which}", statistic, None, kink.p, absent, path, detail)


def _test(kinks: Kink, which: str, profile: str = "") -> KinkTest | None:
    """The test at one boundary, of one profile or of the primary one."""
    found: KinkTest | None = getattr(getattr(kinks, which), profile or kinks.primary or "all")
    return found


def _p_absent(statistic: float, laws: Mapping[str, NoiseLaw], size: float) -> float:
    """Chance of a statistic this small at a kink of `size` SDs of the other layers' bends, at most.

    Under the law of the statistic that makes it likeliest (NoiseLaw). The statistic is that of the more
    bent end of the transition, and without its sign, either of which makes a small one rarer still.
    """
    chances = [stats.nct.cdf(statistic * law.scale, law.freedom, size * law.unit) for law in laws.values()]
    return float(np.minimum(1.0, SLACK * np.max(chances)))


def paper(results: Measurements, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's criterion: the slopes on either side differ at all."""
    bends = [
        kink.bend
        for _, kinks in blocks(results, lambda theory: theory.kink, [])
        for kink in (_test(kinks, which) for which in BOUNDARIES)
        if kink and kink.bend is not None
    ]
    if not bends:
        return PaperSays(None, None, "no information by layer was measured at a boundary")
    return PaperSays(
        any(bends), max(bends, key=abs), "slopes that differ at all; so they do at every layer of a curve"
    )


PREDICTION = Prediction(
    id="P1.2",
    title="Information by layer has a kink at the boundaries",
    tier="1",
    quantifier="most",
    statistic="|t| of the bend of information at the boundary against a smooth curve, the middle boundary",
    threshold=lambda rules: rules.kink,
    rule=(
        "At each calibrated boundary, |second difference| of information by layer is tested against all other "
        "layers and a smooth curve, on documents that did not choose the boundary. Supported: a kink at more "
        "than half of the boundaries of all models (partial conjunction). Refuted: at no fewer than half of them "
        "a kink of as many SDs of the other layers' bends as the threshold says is excluded."
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
    power=with_theory(
        "the theory part (information by layer)",
        lambda design, rules: (
            f"tests up to {2 * len(design.members)} boundaries, more than half of which must show a kink; only "
            "models in which the calibrated detector finds both boundaries count"
        ),
    ),
    false_in=("smooth",),
    true_in=("as predicted",),
    excluded=lambda rules: (
        f"at half or more of the boundaries, a kink of {rules.kink:g} SDs of the other layers' bends or more"
    ),
    readings=tuple(
        Reading(scales=scales, metric=metric)
        for scales in ("calibrated", "any")
        for metric in ("", "topical", "syntactic", "lexical", "gaussian")
    ),
)

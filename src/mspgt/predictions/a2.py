"""A2: information flows along the layers almost as a Markov chain."""

from __future__ import annotations

from mspgt.predictions.design import Design
from mspgt.predictions.readings import Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import blocks, interval, normal_p
from mspgt.predictions.verdict import Claim, Finding, Json, PaperSays, Prediction, Unit


def judge(results: Json, rules: Rules, reading: Reading) -> Finding:
    """One unit a model: the largest M_l over its layers against the threshold."""
    missing: list[str] = []
    units = []
    for name, markov in blocks(results, "markov", missing):
        path, ci = f"models.{name}.theory.markov", interval(markov)
        if markov.get("value") is None or ci is None:
            missing.append(f"{path}: {markov.get('reason') or 'no value with an interval'}")
            continue
        value = float(markov["value"])
        units.append(Unit(name, value, ci, *normal_p(value, ci, rules.markov), path))
    return Finding(tuple(units), tuple(missing))


def paper(results: Json, rules: Rules, reading: Reading) -> PaperSays:
    """The paper assumes it."""
    return PaperSays(None, None, "assumed, not tested")


def power(design: Design, rules: Rules) -> str:
    """Needs the theory part."""
    if not design.theory:
        return "needs the theory part (conditional mutual information)"
    return f"one equivalence test in each of {len(design.members)} models against {rules.markov:g}"


PREDICTION = Prediction(
    id="A2",
    title="Layers form a near-Markov chain",
    tier="assumption",
    quantifier="most",
    statistic="M = I(h_l; h_{l+2} | h_{l+1}) / I(h_l; h_{l+2}), the largest over layers, the middle model",
    threshold=lambda rules: rules.markov,
    rule=(
        "M_l is the conditional over the plain mutual information of positions two layers apart, of projections. "
        "Supported: its largest over layers lies below the threshold in more than half of the models (equivalence "
        "test). Refuted: it lies above in at least half of them. In the whole residual state of a sequence the "
        "chain is exactly Markov; only the statement about projections at one position is empirical."
    ),
    paper_rule="None: assumed.",
    claim=Claim(
        "I(h_l; h_{l+2} | h_{l+1}) ≈ 0 for most inputs",
        "section 3.1 (A2), equation 24",
        "assumed",
        "In the full residual state it holds trivially: h_{l+2} is a function of h_{l+1}. It says something only of "
        "projections.",
    ),
    judge=judge,
    paper=paper,
    power=power,
    shown="middle",
)

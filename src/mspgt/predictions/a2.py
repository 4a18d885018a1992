"""A2: information flows along the layers almost as a Markov chain."""

from __future__ import annotations

import numpy as np
from scipy import stats

from mspgt.predictions.readings import Measurements, Reading
from mspgt.predictions.rules import Rules
from mspgt.predictions.theory_inputs import judged, with_theory
from mspgt.predictions.verdict import Claim, Finding, Prediction, Unit, at_least, untested
from mspgt.results.theory import Markov


def judge(results: Measurements, rules: Rules, reading: Reading) -> Finding:
    """One unit a model: every M_l of its layers against the threshold."""
    return judged(results, lambda theory: theory.markov, lambda name, markov: [_unit(name, markov, rules)])


def _unit(name: str, markov: Markov, rules: Rules) -> Unit | str:
    path = f"models.{name}.theory.markov"
    if not markov.excess or not markov.se or not markov.ratio or markov.groups is None:
        old = "without Markov surrogates: run the study again" if markov.ratio else "not measured"
        return f"{path}: {markov.reason or old}"
    ratio, se = (np.array(values, dtype=float) for values in (markov.excess, markov.se))
    t = (ratio - rules.markov) / np.maximum(se, 1e-300)
    freedom = markov.groups - 1
    worst, margin = int(ratio.argmax()), float(stats.t.ppf(0.975, freedom))
    return Unit(
        name,
        float(ratio[worst]),
        (float(ratio[worst] - margin * se[worst]), float(ratio[worst] + margin * se[worst])),
        float(stats.t.cdf(t, freedom).max()),
        at_least(stats.t.sf(t, freedom).tolist(), 1),
        path,
        f"layer {worst + 1} of {len(ratio)}; mean over layers {ratio.mean():.3f}; M itself up to "
        f"{np.nanmax(np.array(markov.ratio, dtype=float)):.3f}",
    )


PREDICTION = Prediction(
    id="A2",
    title="Layers form a near-Markov chain",
    tier="assumption",
    quantifier="most",
    statistic="M = I(h_l; h_{l+2} | h_{l+1}) / I(h_l; h_{l+2}) beyond Markov surrogates, the largest over layers",
    threshold=lambda rules: rules.markov,
    rule=(
        "M_l is the conditional over the plain mutual information of positions two layers apart, of projections. An "
        "exactly Markov chain of nonlinear blocks has an M above 0, so only the excess over surrogates counts, in "
        "which "
        "layer l is drawn anew given layer l + 1. Supported: the excess lies below the threshold at every layer, in "
        "more than half of the models (equivalence tests). "
        "Refuted: at some layer it lies above (Bonferroni over layers), in at least half of them. In the whole "
        "residual state of a sequence the chain is exactly Markov; only the statement about projections at one "
        "position is empirical."
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
    paper=untested("assumed, not tested"),
    power=with_theory(
        "the theory part (conditional mutual information)",
        lambda design, rules: (
            f"one equivalence test in each of {len(design.members)} models against {rules.markov:g}"
        ),
    ),
    false_in=("skip",),
    true_in=("markov chains", "families of chains"),
    excluded=lambda rules: (
        f"that M beyond its Markov surrogates stays below {rules.markov:g} at every layer, in more than half of the "
        "models"
    ),
)

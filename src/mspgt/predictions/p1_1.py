"""P1.1: the Local–Intermediate boundary lies at one relative depth within a family."""

from __future__ import annotations

from math import sqrt

from scipy import stats

from mspgt.families import FamilyBoundary, compare_families, cv_p_values
from mspgt.predictions.design import Design
from mspgt.predictions.readings import Reading, boundary_readings, by_family, named, position
from mspgt.predictions.rules import Rules
from mspgt.predictions.verdict import Claim, Finding, Json, PaperSays, Prediction, Unit

BOUNDARY = "LI"


def judge(results: Json, rules: Rules, reading: Reading) -> Finding:
    """One unit a family: the CV of ρ_LI against the threshold, one-sided both ways."""
    units, missing = [], []
    for family, models in sorted(by_family(results).items()):
        found = _family(models, reading)
        n, total = len(found.members), len(models)
        if n < rules.members or n < rules.share_with_boundary * total:
            missing.append(
                f"{family}: {n} of {total} training runs have an L–I boundary; needed are {rules.members}, and "
                f"{rules.share_with_boundary:.0%} of them"
            )
            continue
        rounding = _rounding(models, reading, found)
        below, above = cv_p_values(found.cv or 0.0, n, rules.cv, rounding)
        units.append(
            Unit(
                family,
                found.cv,
                found.ci,
                below,
                above,
                f"families.{family}.{BOUNDARY}",
                f"{n} training runs",
            )
        )
    return Finding(tuple(units), tuple(missing))


def paper(results: Json, rules: Rules, reading: Reading) -> PaperSays:
    """The paper's rule: the CV of a family of two or more is below the threshold, as a bare number.

    It counts each family as a validation of its own, so that one is enough.
    """
    cvs = {}
    for family, models in sorted(by_family(results).items()):
        cv = _family(models, reading).cv_paper
        if cv is not None:
            cvs[family] = cv
    if not cvs:
        return PaperSays(None, None, "no family has two models with an L–I boundary")
    least = min(cvs.values())
    return PaperSays(least < rules.cv, least, ", ".join(f"{name} {cv:.2f}" for name, cv in cvs.items()))


def power(design: Design, rules: Rules) -> str:
    """The largest true CV that would be called small in 80 % of studies, by family."""
    parts = []
    for family, members in sorted(design.families().items()):
        n = len(members)
        if n < rules.members:
            parts.append(f"{family}: {n} of the {rules.members} runs needed")
        else:
            parts.append(
                f"{family} ({n} runs): supported in 80 % of cases if the true CV is {_size80(n, rules):.3f}"
            )
    ten = _size80(10, rules)
    return (
        "; ".join(parts) + f". Ten runs would do at a true CV of {ten:.2f}; every run must show the boundary"
    )


def _size80(n: int, rules: Rules) -> float:
    """True CV at which the upper end of the interval stays below the threshold in 80 % of samples."""
    u = stats.chi2.ppf(rules.level, n - 1)
    largest = sqrt(u / (n - 1) / (1 / rules.cv**2 + 1 - 2 / n - u / n))
    return float(largest * sqrt((n - 1) / stats.chi2.ppf(0.8, n - 1)))


def _family(models: dict[str, Json], reading: Reading) -> FamilyBoundary:
    places = {name: {BOUNDARY: position(model, BOUNDARY, reading)} for name, model in named(models)}
    return compare_families({"family": places}).families["family"][BOUNDARY]


def _rounding(models: dict[str, Json], reading: Reading, found: FamilyBoundary) -> float:
    """Half a layer of the shallowest member over the mean: positions are whole layers."""
    extra = 1 if reading.embedding else 0
    assert found.mean is not None
    return max(0.5 / (models[name]["layers"] + extra) for name in found.members) / found.mean


PREDICTION = Prediction(
    id="P1.1",
    title="The L–I boundary lies at one relative depth within a family",
    tier="1",
    quantifier="every",
    statistic="CV of ρ_LI within a family (n − 1), the largest family",
    threshold=lambda rules: rules.cv,
    rule=(
        "Supported: in every family with enough training runs, an equivalence test puts the coefficient of "
        "variation of the calibrated L–I position below the threshold (upper end of its one-sided interval, "
        "half a layer of rounding included). Refuted: in some family the lower end lies above it. A family "
        "counts if enough of its runs, and a large enough share of them, have the boundary."
    ),
    paper_rule="In some family of two or more, the CV (dividing by n, of rounded percentages) is below 0.2.",
    claim=Claim(
        "CV(ρ_LI) < 0.2 within a family; Llama 0.00, Qwen 0.06: “strongly supporting Prediction 1.1”",
        "section 3.3.2, Table 3",
        "supported",
        "Families of two: a true CV of 0.30 passes “< 0.2” in 64 % of cases at n = 2. The 95 % interval of "
        "Qwen's CV from two models reaches from 0.04 to 3.0: not testable.",
    ),
    judge=judge,
    paper=paper,
    power=power,
    readings=boundary_readings(),
    false_in=("featureless", "scattered"),
    true_in=("as predicted",),
    shown="largest",
)

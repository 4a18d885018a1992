"""Digits: every public estimator against 50-digit arithmetic, and the faults that this would see."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from scipy.stats import f_oneway

from mspgt.errors import InputError, NumericsError
from mspgt.interventions.metrics import value
from mspgt.signals.attention import jensen_shannon
from mspgt.signals.cka import cka
from mspgt.stats.equivalence import tost
from mspgt.stats.permutation import p_value
from mspgt.theory.information import gaussian_information
from tests.trust import digits_statistics, digits_theory, exact
from tests.trust.digits import CASES, NO_OFFSET, related
from tests.trust.digits_statistics import lengths, moments

FURTHER = (digits_statistics, digits_theory)  # whose cases join `CASES` where they are read
SINGLE = {"similarity of updates (float32)", "drift of attention (float32)"}
# What is lost before an estimator sees it: the digits of the smallest difference that its numbers can hold.
TYPICAL = {"Jensen–Shannon divergence of near equals": 8.0}


@pytest.mark.parametrize("name", CASES)
def test_digits_of_ordinary_data(name: str) -> None:
    found = exact.digits(*CASES[name](0.0))
    assert found >= (6.0 if name in SINGLE else TYPICAL.get(name, 10.0)), found


@pytest.mark.parametrize("name", [name for name in CASES if name not in NO_OFFSET])
def test_digits_far_from_zero(name: str) -> None:
    found = exact.digits(*CASES[name](1e6))
    assert found >= 6.0, found


def plain_js(p: np.ndarray, q: np.ndarray) -> float:
    """The formula as it is written; it cancels where p ≈ q."""
    m = (p + q) / 2
    return float((p * np.log2(p / m) + q * np.log2(q / m)).sum() / 2)


def one_pass_variance(x: np.ndarray) -> float:
    return float(((x**2).sum() - x.sum() ** 2 / len(x)) / (len(x) - 1))


def test_planted_faults_have_too_few_digits() -> None:
    """Unbiased in name only; a variance in one pass; a divergence that cancels; a sample in place of a population."""
    x, y = related(14)
    true = exact.cka(x, y, unbiased=True)
    assert exact.digits(cka(x, y), true) > 10 > 2 > exact.digits(cka(x, y, unbiased=False), true)
    far = lengths(1e6)
    spread = exact.variance(exact.numbers(far))
    assert exact.digits(float(value("variance", moments(far).sum(0))), spread) > 10
    assert exact.digits(one_pass_variance(far), spread) < 8
    assert exact.digits(far.var(), spread) < 2
    p = np.exp(np.sin(np.arange(12.0)))
    p /= p.sum()
    q = p + np.resize([1e-7, -1e-7], 12)
    assert (
        exact.digits(jensen_shannon(p, q), exact.jensen_shannon(p, q))
        > 8
        > exact.digits(plain_js(p, q), exact.jensen_shannon(p, q))
    )


def test_nothing_is_silently_no_number() -> None:
    """What cannot be had is an error that says so, or a NaN where the docstring promises one."""
    x, _ = related(60)
    with pytest.raises(NumericsError, match="constant"):
        gaussian_information(np.c_[x, np.full(60, 1e6 + 0.1)], x[:, :1])
    with pytest.raises(NumericsError, match="singular"):
        gaussian_information(np.c_[x, x[:, 0] * 3 + 1e6], x[:, :1])
    with pytest.raises(InputError, match="not finite"):
        p_value(1.0, np.array([0.0, np.nan, 2.0]))
    with pytest.raises(InputError, match="not finite"):
        p_value(float("nan"), np.zeros(3))
    with pytest.raises(InputError, match="finite"):
        tost([1.0, np.nan], -1, 1)


# NIST Statistical Reference Datasets, univariate: certified mean and standard deviation. Three are left out, whose
# lists are long (Lottery, Lew, PiDigits); those of NumAcc follow from the rule that their files state.
def alternating(first: float, low: float, high: float) -> np.ndarray:
    return np.array([first, *np.resize([low, high], 1000)])


MAVRO = (
    "18 17 18 19 18 17 15 14 15 15 17 18 18 19 19 21 20 16 14 13 13 15 15 16 15 14 13 14 15 14 15 16 15 16 19 20 20 "
    "21 22 23 24 25 27 26 26 26 27 26 25 24"
)
MICHELSON = (
    "85 74 90 107 93 85 95 98 98 88 100 98 93 65 76 81 100 100 96 96 96 94 96 94 88 80 85 88 90 84 83 79 81 88 88 83 "
    "80 79 76 80 88 88 88 86 72 72 62 86 97 95 88 91 85 87 84 84 85 84 84 84 89 81 81 82 80 77 76 74 75 76 91 92 89 "
    "86 88 72 84 85 85 78 89 84 78 81 76 81 79 81 82 85 87 87 81 74 81 94 95 80 81 87"
)
NIST = {
    "Mavro": (np.array([float(f"2.00{v}") for v in MAVRO.split()]), "2.001856", "0.000429123454003053"),
    "Michelso": (
        np.array([float(f"{299 + int(v) // 100}.{int(v) % 100:02}") for v in MICHELSON.split()]),
        "299.8524",
        "0.0790105478190518",
    ),
    "NumAcc1": (np.array([10000001.0, 10000003.0, 10000002.0]), "10000002", "1"),
    "NumAcc2": (alternating(1.2, 1.1, 1.3), "1.2", "0.1"),
    "NumAcc3": (alternating(1000000.2, 1000000.1, 1000000.3), "1000000.2", "0.1"),
    "NumAcc4": (alternating(10000000.2, 10000000.1, 10000000.3), "10000000.2", "0.1"),
}


@pytest.mark.parametrize("name", NIST)
def test_nist_univariate(name: str) -> None:
    """Mean and standard deviation within a digit of NumPy's."""
    x, *certified = NIST[name]
    mean, sd = (mp.mpf(text) for text in certified)
    found = tost(x, x.min() - 1, x.max() + 1)
    half = (found.ci[1] - found.ci[0]) / 2
    t = float(exact.t_quantile(mp.mpf("0.95"), len(x) - 1, 1.65 if len(x) > 9 else 2.9))
    assert exact.digits(found.estimate, mean) >= min(exact.digits(x.mean(), mean), 15) - 1
    # Read back from the ends of an interval: so many digits less as the mean is farther off than it is wide.
    lost = np.log10(abs(found.estimate) / half)
    assert exact.digits(half / t * len(x) ** 0.5, sd) >= min(exact.digits(x.std(ddof=1), sd), 15 - lost) - 1
    if (x == x.round()).all():  # sums over whole numbers are how the package counts
        assert exact.digits(float(value("variance", moments(x).sum(0))) ** 0.5, sd) >= 14


def f_statistic(groups: list[np.ndarray]) -> float:
    """From moments that are added group by group, as the package keeps them."""
    sums = np.stack([moments(group).sum(0) for group in groups])
    within = sum(float(value("variance", row)) * (len(g) - 1) for row, g in zip(sums, groups, strict=True))
    everything = sums.sum(0)
    between = float(value("variance", everything)) * (everything[0] - 1) - within
    return float(between / (len(groups) - 1) / (within / (everything[0] - len(groups))))


@pytest.mark.parametrize("offset", [0, 10**6])
@pytest.mark.parametrize("replicates", [21, 201])
def test_nist_analysis_of_variance(replicates: int, offset: int) -> None:
    """SmLs01, 02, 04 and 05 in tenths, F = replicates.

    The offset is 10⁶ of these units; sums of squares beyond 2⁵³ are no longer whole, and word counts never get there.
    """
    centres = [4, *[3, 5] * 4]
    groups = [
        np.array([c, *np.resize([c - 1, c + 1], replicates - 1)], dtype=float) + offset for c in centres
    ]
    assert exact.digits(f_statistic(groups), mp.mpf(replicates)) >= 9


# In units of their last digit, above 107.868 and above 196.
SILVER = (
    "1568 1465 1572 1785 1446 1903 1526 1494 1616 1587 1519 1486 1419 1569 1508 1672 1385 1518 1662 1424 1360 1333 "
    "1610 1477",
    "1079 1344 1513 1197 1604 1385 1642 1365 1151 1082 1517 1448 1198 1482 1334 1609 1101 1512 1469 1360 1254 1261 "
    "1450 1368",
)
SILICON = (
    "3052 1240 1890 2569 3403",
    "3042 3825 1669 3257 422",
    "1303 2005 2889 343 1811",
    "2795 1748 1494 1485 -115",
    "2119 1051 1850 52 2090",
)


@pytest.mark.parametrize(
    ("rows", "certified"),
    [(SILVER, "15.9467335677930"), (SILICON, "1.18046237440255")],
    ids=["AtmWtAg", "SiRstv"],
)
def test_nist_analysis_of_variance_of_measurements(rows: tuple[str, ...], certified: str) -> None:
    groups = [np.array(row.split(), dtype=float) for row in rows]
    ours, scipys = (
        exact.digits(f(groups), mp.mpf(certified)) for f in (f_statistic, lambda g: f_oneway(*g)[0])
    )
    assert ours >= scipys - 1

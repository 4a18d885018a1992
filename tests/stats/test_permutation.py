import numpy as np
import pytest
from scipy import stats

from mspgt.errors import InputError
from mspgt.stats.permutation import p_value, paired_permutation

ALTERNATIVES = ["two-sided", "greater", "less"]


def _scipy_sign_flip(values, alternative):
    return stats.permutation_test(
        (values,),
        lambda x, axis: x.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative=alternative,
    ).pvalue


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_exact_sign_flips_agree_with_scipy(alternative):
    values = np.random.default_rng(1).normal(0.4, 1, size=9)
    ours = paired_permutation(values, alternative=alternative)
    assert ours.exact
    assert ours.permutations == 2**9
    assert ours.statistic == pytest.approx(values.mean())
    # SciPy doubles the smaller tail; the null of sign flips is symmetric, so that is the same number.
    assert ours.p == pytest.approx(_scipy_sign_flip(values, alternative))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_random_sign_flips_approach_the_exact_p(alternative):
    values = np.random.default_rng(2).normal(0.3, 1, size=12)
    exact = paired_permutation(values, alternative=alternative)
    drawn = paired_permutation(values, alternative=alternative, draws=4_000)
    assert exact.exact
    assert not drawn.exact
    assert drawn.permutations == 4_000
    assert drawn.p == pytest.approx(exact.p, abs=4 * (0.25 / 4_000) ** 0.5)


def test_ties_count_as_extreme():
    assert paired_permutation([0.1, 0.2, 0.3], alternative="greater").p == 1 / 8
    assert paired_permutation([0.1, 0.2, 0.3]).p == 2 / 8
    for alternative in ALTERNATIVES:
        assert paired_permutation([0.0, 0.0, 0.0], alternative=alternative).p == 1


def test_plus_one_correction_never_gives_zero():
    test = paired_permutation(np.ones(200), alternative="greater", draws=99)
    assert test.p == pytest.approx(0.01)
    assert p_value(3.0, np.zeros(9)) == pytest.approx(0.1)


def test_all_signs_are_tried_where_they_are_no_more_than_draws_and_one():
    assert paired_permutation([0.1, 0.5, 0.3], draws=7).exact
    assert not paired_permutation([0.1, 0.5, 0.3], draws=6).exact


@pytest.mark.parametrize("draws", [99, 2_500])
def test_every_draw_counts(draws):
    """One difference among nothing: every arrangement is as extreme as what was seen."""
    values = np.zeros(200)
    values[7] = 1.0
    found = paired_permutation(values, draws=draws)
    assert (found.p, found.permutations) == (1.0, draws)
    one_sided = paired_permutation(values, draws=draws, alternative="greater")
    assert one_sided.p == pytest.approx(0.5, abs=4 * (0.25 / draws) ** 0.5)


@pytest.mark.parametrize("scale", [1e-200, 1e-14, 1.0, 1e200])
@pytest.mark.parametrize(("alternative", "p"), [("greater", 0.4), ("less", 0.8), ("two-sided", 0.4)])
def test_p_knows_no_unit(scale, alternative, p):
    null = np.array([1.0, 2.0, 4.0, 2.5]) * scale
    assert p_value(3 * scale, null, alternative=alternative) == p


def test_pairs_of_a_document_flip_together():
    values = np.array([1.0, 2.0, 3.0, 4.0, -1.0, 0.5])
    groups = np.array(["a", "a", "b", "b", "c", "c"])
    grouped = paired_permutation(values, groups=groups)
    assert grouped.permutations == 8
    assert grouped.p == pytest.approx(_scipy_sign_flip(np.array([3.0, 7.0, -0.5]), "two-sided"))
    assert grouped.statistic == pytest.approx(values.mean())


def test_size_under_dependence_within_documents():
    rng = np.random.default_rng(5)
    rejected = {"grouped": 0, "single": 0}
    for trial in range(200):
        values = (rng.normal(size=(12, 1)) + 0.3 * rng.normal(size=(12, 5))).ravel()
        groups = np.repeat(np.arange(12), 5)
        rejected["grouped"] += paired_permutation(values, groups=groups, draws=299, seed=trial).p <= 0.05
        rejected["single"] += paired_permutation(values, draws=299, seed=trial).p <= 0.05
    assert stats.binomtest(rejected["grouped"], 200, 0.05, alternative="greater").pvalue > 0.001
    assert rejected["single"] / 200 > 0.2


@pytest.mark.parametrize("bad", [[], [1.0, np.nan], [[1.0, 2.0]]])
def test_rejects_what_is_not_a_sample(bad):
    with pytest.raises(InputError):
        paired_permutation(bad)


def test_rejects_other_arguments():
    with pytest.raises(InputError, match="groups"):
        paired_permutation([1.0, 2.0], groups=[1])
    with pytest.raises(InputError, match="alternative"):
        paired_permutation([1.0, 2.0], alternative="both")

"""Effects: each number against its definition, and the error rates of the tests on worlds without an effect."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mspgt.interventions.effects import Effect, all_effects, contrasts, effect, label_swap_range
from mspgt.interventions.metrics import Scores, mean_scores, rate_scores, shares, text_scores, value
from mspgt.report.interventions import _change
from mspgt.results.interventions import EffectResult
from mspgt.stats.bootstrap import document_weights
from mspgt.stats.permutation import paired_permutation

DOCUMENTS = np.repeat(np.arange(20), 5)


def paired(rng, shift=0.0, documents=DOCUMENTS):
    """Baseline and arm that share the level of the sample, and changes that documents share."""
    level = rng.normal(10, 2, len(documents))
    common = rng.normal(0, 1, documents.max() + 1)[documents]
    changed = level + shift + common + rng.normal(0, 1, len(documents))
    return mean_scores(level), mean_scores(changed), changed - level


def test_a_mean_is_compared_as_usual():
    before, after, change = paired(np.random.default_rng(0), 0.4)
    found = effect(before, after, DOCUMENTS)
    x, y = before.sums[:, 0], after.sums[:, 0]
    assert found.difference == pytest.approx(change.mean())
    assert found.percent == pytest.approx(100 * change.mean() / x.mean())
    assert found.log_ratio == pytest.approx(np.log(y.mean() / x.mean()))
    assert found.p_t == pytest.approx(stats.ttest_rel(y, x).pvalue)
    assert found.p_permutation == paired_permutation(change, groups=DOCUMENTS).p
    g = change.mean() / np.sqrt((x.var(ddof=1) + y.var(ddof=1)) / 2) * (1 - 3 / (4 * 198 - 1))
    assert found.hedges_g == pytest.approx(g)
    of_documents = change.reshape(20, 5).mean(1)
    assert found.se == pytest.approx(of_documents.std() / 20**0.5, rel=0.05)
    assert found.ci[0] < change.mean() < found.ci[1]
    assert (found.n, found.rate) == (100, 1.0)


def test_the_error_of_a_percentage_holds_the_wobble_of_the_baseline():
    """An arm at three times a baseline that wobbles: simulated, and as the bootstrap tells from one sample."""
    rng, clusters = np.random.default_rng(7), 200
    documents = np.arange(clusters)

    def sample():
        return mean_scores(rng.normal(10, 5, clusters)), mean_scores(rng.normal(30, 5, clusters))

    percents = [100 * (b.sums.mean(0)[0] / a.sums.mean(0)[0] - 1) for a, b in (sample() for _ in range(2000))]
    told = [effect(*sample(), documents, draws=500).percent_se for _ in range(20)]
    assert np.mean(told) == pytest.approx(np.std(percents), rel=0.1)


def test_a_baseline_of_nothing_has_a_difference_and_a_reason_for_no_percentage():
    nothing, something = mean_scores(np.zeros(100)), mean_scores(np.ones(100))
    found = effect(nothing, something, DOCUMENTS)
    assert found.difference == 1
    assert found.percent is found.percent_ci is found.log_ratio is None
    assert "baseline is 0" in found.reason
    assert "from 0 to 1" in _change(
        EffectResult(**{"percent": None, "difference": 1.0, "baseline": 0.0, "value": 1.0})
    )
    assert _change(EffectResult(**{"percent": 5.0, "difference": 1.0, "p_adjusted": 0.0})) == "+5 % *"


def test_texts_without_a_number_leave_the_pair_and_are_counted():
    rng = np.random.default_rng(1)
    x, y = rng.normal(5, 1, (2, 100))
    x[:10], y[5:25] = np.nan, np.nan
    found = effect(mean_scores(x), mean_scores(y), DOCUMENTS)
    both = ~np.isnan(x) & ~np.isnan(y)
    assert found.n == both.sum() == 75
    assert found.rate == 0.8
    assert found.baseline == pytest.approx(x[both].mean())
    assert found.value == pytest.approx(y[both].mean())
    none = effect(mean_scores(x), mean_scores(np.full(100, np.nan)), DOCUMENTS)
    assert (none.percent, none.n, none.rate) == (None, 0, 0.0)
    assert "0 pairs" in none.reason


def test_the_margin_is_a_share_of_what_texts_differ_by():
    """Of a mean, and of a ratio over texts of three words each, which is the same mean."""
    before, after = np.random.default_rng(4).normal(5, 1, (2, 100))
    spread = np.sqrt((before.var(ddof=1) + after.var(ddof=1)) / 2)
    ratios = [Scores("ratio", np.stack([3 * x, np.full(100, 3.0)], axis=1)) for x in (before, after)]
    for one, other in ((mean_scores(before), mean_scores(after)), ratios):
        found = effect(one, other, DOCUMENTS, margin=0.3)
        assert found.margin == pytest.approx(0.3 * spread)


def test_exchanges_that_a_metric_brings_are_its_test():
    """The difference as observed is the first of them."""
    texts = mean_scores(np.random.default_rng(5).normal(5, 1, 100))
    for exchanged, p in (([5.0, 1.0, -2.0, 0.0], 0.25), ([1.0, 5.0, -2.0, 0.0], 0.75), ([0.0, 1, 2, 3], 1.0)):
        found = effect(texts, replace(texts, exchanged=np.array(exchanged)), DOCUMENTS)
        assert found.p_permutation == p


def test_one_document_gives_a_number_without_an_interval():
    found = effect(*paired(np.random.default_rng(2), 1.0, np.zeros(100, dtype=int))[:2], np.zeros(100))
    assert found.percent is not None
    assert found.ci is found.p_permutation is found.se is found.equivalent is None
    assert "one document" in found.reason


@pytest.mark.parametrize("documents", [2, 3, 4])
def test_too_few_documents_give_a_test_but_no_interval_and_no_contrast(documents):
    of_text = np.arange(40) % documents
    before, after, _ = paired(np.random.default_rng(2), documents=of_text)
    found = effect(before, after, of_text)
    assert found.ci is found.se is found.log_ratio_ci is None
    assert found.p_permutation is not None
    assert f"{documents} documents" in found.reason
    arms = {arm: {"length": found} for arm in ("local", "intermediate", "global")}
    assert contrasts(arms)["length"]["plain"].signed is None


@pytest.mark.parametrize("law", ["ratio", "exp", "variance"])
def test_shares_are_the_first_order_of_the_value(law):
    rng = np.random.default_rng(3)
    sums = np.stack([rng.integers(1, 6, 50), rng.uniform(5, 9, 50), rng.uniform(300, 400, 50)], axis=1)
    sums = sums if law == "variance" else sums[:, 1:] / [5, 100]
    at = sums.mean(0)
    share = shares(law, sums, at)
    step = 1e-6
    for text in (0, 17, 49):
        # One text counted a little more: the value moves by its share.
        moved = value(law, 1e6 * (at + step * sums[text])) - value(law, 1e6 * at)
        assert moved / step == pytest.approx(share[text], rel=2e-3, abs=2e-3)


def test_pooled_metrics_are_what_they_are_on_the_pooled_corpus():
    texts = ["It rained. He slept all day long. Why?", "One. Two three four.", "", "Five six."]
    scores = text_scores(texts, nats=[-20.0, -8.0, 0.0, -6.0], tokens=[10, 6, 0, 4])
    totals = {name: float(value(s.law, s.sums.sum(0))) for name, s in scores.items()}
    assert totals["length_variance"] == pytest.approx(np.var([2, 5, 1, 1, 3, 2], ddof=1))
    assert totals["perplexity"] == pytest.approx(np.exp(34 / 20))
    assert totals["length"] == pytest.approx(np.mean([8, 4, 0, 2]))
    assert scores["perplexity"].defined.tolist() == [True, True, False, True]
    assert scores["length_variance_text"].defined.tolist() == [True, True, False, False]
    rates = rate_scores([1, 0, 7, 2], texts)
    assert float(value(rates.law, rates.sums.sum(0))) == pytest.approx(100 * 3 / 14)


def test_tests_and_intervals_keep_their_level_when_nothing_happens():
    """400 worlds in which only chance and documents move the texts: 5 % within its binomial margin."""
    rng = np.random.default_rng(4)
    rejected = covered = swapped = 0
    runs = 400
    for run in range(runs):
        before, after, _ = paired(rng)
        found = effect(before, after, DOCUMENTS, draws=400, seed=run)
        rejected += found.p_permutation < 0.05
        covered += found.ci[0] < 0 < found.ci[1]
        low, high = label_swap_range(before, after, DOCUMENTS, draws=400, seed=run)
        swapped += not low < found.percent < high
    assert stats.binomtest(rejected, runs, 0.05).pvalue > 0.01
    assert stats.binomtest(swapped, runs, 0.05).pvalue > 0.01
    assert stats.binomtest(covered, runs, 0.95).pvalue > 0.01


def test_an_effect_that_is_there_is_seen_and_one_that_is_not_is_equivalent():
    rng = np.random.default_rng(5)
    assert effect(*paired(rng, 2.0)[:2], DOCUMENTS).p_permutation < 0.001
    x = rng.normal(10, 2, 100)
    same = effect(mean_scores(x), mean_scores(x + rng.normal(0, 0.05, 100)), DOCUMENTS)
    assert same.equivalent
    assert not effect(*paired(rng, 2.0)[:2], DOCUMENTS).equivalent
    identical = effect(mean_scores(x), mean_scores(x), DOCUMENTS)
    assert (identical.percent, identical.p_t, identical.p_permutation) == (0, 1, 1)


def scores(rng, shifts):
    x = rng.normal(10, 1, 100)
    return {
        arm: {"length": mean_scores(x + shift + rng.normal(0, 0.3, 100))} for arm, shift in shifts.items()
    }


def test_all_effects_are_adjusted_and_carry_the_range_of_a_second_baseline():
    rng = np.random.default_rng(6)
    texts = [" ".join(rng.choice(list("abcdefghij"), 12)) + "." for _ in range(100)]
    other = [" ".join(rng.choice(list("abcdefghij"), 12)) + "." for _ in range(100)]
    arms = {"baseline": texts, "aa": other, "local": other, "global": texts[::-1]}
    table = {arm: text_scores(found, [-9.0] * 100, [12] * 100) for arm, found in arms.items()}
    found = all_effects(table, DOCUMENTS, draws=200)
    assert set(found) == {"aa", "local", "global"}
    for metrics in found.values():
        assert metrics["diversity"].difference == pytest.approx(-metrics["self_bleu"].difference)
        assert metrics["diversity"].p_adjusted == metrics["self_bleu"].p_adjusted
    local = found["local"]["ttr"]
    assert local.p_adjusted >= local.p_permutation
    assert found["aa"]["ttr"].p_adjusted is None
    assert local.aa_range == found["global"]["ttr"].aa_range
    assert local.aa_range[0] < 0 < local.aa_range[1]


def test_contrasts_ask_whether_the_middle_exceeds_both():
    def of(shifts, seed=7):
        effects = all_effects(scores(np.random.default_rng(seed), {"baseline": 0.0, **shifts}), DOCUMENTS)
        return contrasts(effects)["length"]["plain"]

    above = of({"local": 0.1, "intermediate": 1.5, "global": 0.2})
    assert above.signed.p < 0.001 > above.absolute.p
    assert above.signed.estimate == pytest.approx(np.log(11.5 / 10.2), abs=0.02)
    below = of({"local": 0.1, "intermediate": -1.5, "global": 0.2})
    assert below.absolute.p < 0.001
    assert below.signed.p > 0.999
    one_rival = of({"local": 1.5, "intermediate": 1.5, "global": 0.0})
    assert min(one_rival.signed.p, one_rival.absolute.p) > 0.05
    assert of({"intermediate": 1.5, "global": 0.0}).signed is None


def test_contrasts_seldom_find_what_is_not_there():
    """The hardest null: the middle scale does as much as one other."""
    hits = {"signed": 0, "absolute": 0}
    for seed in range(200):
        drawn = scores(
            np.random.default_rng(seed), {"baseline": 0.0, "local": -1.0, "intermediate": 1.0, "global": 1.0}
        )
        found = contrasts(all_effects(drawn, DOCUMENTS, draws=200))["length"]["plain"]
        for sense in hits:
            hits[sense] += getattr(found, sense).p < 0.05
    assert stats.binomtest(hits["signed"], 200, 0.05, alternative="greater").pvalue > 0.01
    assert stats.binomtest(hits["absolute"], 200, 0.05, alternative="greater").pvalue > 0.01


def test_a_magnitude_of_either_sign_keeps_its_level():
    """The middle scale moves the texts by chance alone, the others not at all: a claim of either sign is an error."""
    hits = 0
    for seed in range(600):
        rng = np.random.default_rng(seed)
        x = rng.normal(10, 1, 100)
        arms = {"baseline": x, "local": x, "intermediate": x + rng.normal(0, 0.3, 100), "global": x}
        drawn = {arm: {"length": mean_scores(values)} for arm, values in arms.items()}
        found = {
            arm: {"length": effect(drawn["baseline"]["length"], one["length"], DOCUMENTS, draws=200)}
            for arm, one in drawn.items()
        }
        hits += contrasts(found)["length"]["plain"].absolute.p < 0.05
    assert 0.02 < hits / 600 < 0.075


def test_an_empty_effect_is_all_null():
    assert Effect(reason="why").percent is None
    assert not Scores("ratio", np.zeros((3, 2))).defined.any()


@pytest.mark.parametrize("n", [6, 10])
def test_intervals_and_errors_are_those_of_documents_laid_out_anew(n):
    """Documents of two texts: every draw by hand, from copies of the documents that it holds."""
    rng, documents, draws = np.random.default_rng(8), np.repeat(np.arange(n), 2), 900
    before, after = rng.normal(10, 1, 2 * n), rng.normal(11, 2, 2 * n)
    found = effect(mean_scores(before), mean_scores(after), documents, draws=draws, seed=3)
    rows = []
    for counts in document_weights(n, draws, 3).astype(int):
        texts = [text for d, times in enumerate(counts) for text in [2 * d, 2 * d + 1] * times]
        rows.append((before[texts].mean(), after[texts].mean()))
    low, high = np.array(rows).T
    wider = (n / (n - 1)) ** 0.5  # a resample of six varies as five do
    reach = stats.t.ppf(0.975, n - 1) * wider
    place = (draws + 1) * stats.norm.sf(reach)  # among the sorted draws, from 1
    for values, se, ci in (
        (high - low, found.se, found.ci),
        (100 * (high - low) / low, found.percent_se, found.percent_ci),
        (np.log(high / low), None, found.log_ratio_ci),
    ):
        ends = np.interp([place, draws + 1 - place], np.arange(draws) + 1, np.sort(values))
        if n == 6:  # few: Student's where that is farther out
            far = reach * values.std()
            ends = min(ends[0], values.mean() - far), max(ends[1], values.mean() + far)
        assert ci == pytest.approx(tuple(ends))
        assert se is None or se == pytest.approx(values.std(ddof=1) * wider)
    assert found.equivalent == (abs(found.difference) + stats.t.ppf(0.95, n - 1) * found.se < found.margin)


def test_two_documents_change_places_in_four_ways():
    before, after = np.array([10.0, 10.0, 20.0, 20.0]), np.array([11.0, 12.0, 19.0, 16.0])
    low, high = label_swap_range(mean_scores(before), mean_scores(after), [0, 0, 1, 1], draws=999)
    # Sums of ±3 and ±5 over four texts, in percent of 15.
    assert (low, high) == pytest.approx((-100 * 2 / 15, 100 * 2 / 15))


def test_the_range_of_two_baselines_is_of_texts_that_both_have():
    x, y = np.random.default_rng(6).normal(5, 1, (2, 100))
    both = label_swap_range(mean_scores(x[:90]), mean_scores(y[:90]), DOCUMENTS[:90])
    x[90:], y[95:] = np.nan, np.nan
    assert label_swap_range(mean_scores(x), mean_scores(y), DOCUMENTS) == both
    two = [mean_scores(values[:2]) for values in (x, y)]
    assert label_swap_range(*two, [0, 1]) is not None
    assert label_swap_range(*[mean_scores(values[:1]) for values in (x, y)], [0]) is None


def test_changes_without_spread_are_certain_or_nothing():
    x = np.arange(8.0) / 2 + 4
    documents = np.arange(8)
    up = effect(mean_scores(x), mean_scores(x + 0.25), documents, draws=100)
    assert (up.p_t, up.difference, up.se, up.ci) == (0.0, 0.25, 0.0, (0.25, 0.25))
    same = effect(mean_scores(x), mean_scores(x), documents, draws=100)
    assert (same.p_t, same.se) == (1.0, 0.0)

    def of(shifts):
        arms = {arm: {"length": mean_scores(x + shift)} for arm, shift in shifts.items()}
        found = {
            arm: {"length": effect(mean_scores(x), one["length"], documents, draws=100)}
            for arm, one in arms.items()
        }
        return contrasts(found)["length"]["plain"]

    nothing = of({"local": 0.0, "intermediate": 0.0, "global": 0.0})
    assert (nothing.signed.p, nothing.absolute.p) == (1.0, 1.0)
    assert (nothing.signed.estimate, nothing.absolute.estimate) == (0.0, 0.0)


def test_two_sentences_have_a_variance_and_one_has_none():
    assert value("variance", np.array([2.0, 7.0, 25.0])) == 0.5
    assert np.isnan(value("variance", np.array([[1.0, 3.0, 9.0], [0.0, 0.0, 0.0]]))).all()

"""Student's interval with the jackknife's error, against closed forms and against a planted truth."""

import numpy as np
import pytest
from scipy import stats

from mspgt.errors import InputError
from mspgt.stats.bootstrap import document_weights, percentile_interval
from mspgt.stats.jackknife import jackknife_interval


def without_each(values: np.ndarray) -> np.ndarray:
    return (values.sum(0) - values) / (len(values) - 1)


def test_the_error_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).uniform(size=(40, 3))
    low, high = jackknife_interval(values.mean(0), without_each(values), 0.0)
    # Of uniform values (kurtosis 1.8) the error is known better than c − 1 degrees of freedom say: capped.
    np.testing.assert_allclose(
        high - low, 2 * stats.t.ppf(0.975, 39) * values.std(0, ddof=1) / np.sqrt(40), rtol=1e-12
    )
    np.testing.assert_allclose((low + high) / 2, values.mean(0))


def test_one_document_that_carries_everything_widens_the_interval():
    values = np.zeros(30)
    values[7] = 1.0
    low, high = jackknife_interval([values.mean()], without_each(values[:, None]), 0.0)
    # Kurtosis (c² − 3c + 3)/(c − 1) of a single influence: about two degrees of freedom instead of 29.
    degrees = 60 / ((30**2 - 90 + 3) / 29 - 1)
    assert (high - low)[0] / 2 == pytest.approx(
        stats.t.ppf(0.975, degrees) * values.std(ddof=1) / np.sqrt(30)
    )


@pytest.mark.parametrize("count", [2, 6])
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_influences_of_one_size_are_known_as_well_as_so_many_documents_can(count: int, level: float) -> None:
    """Kurtosis 1, the least there is; beside it a statistic that no document moves, and a bias that is taken off."""
    signs = np.resize([1.0, -1.0], count)
    left_out = np.stack([4.0 - 0.5 * signs, np.full(count, 7.0)], axis=1)
    low, high = jackknife_interval([4.0, 7.0], left_out, [1.0, -2.0], level)
    reach = stats.t.ppf((1 + level) / 2, count - 1) * 0.5 * np.sqrt(count - 1)
    np.testing.assert_allclose(low, [3.0 - reach, 9.0], rtol=1e-12)
    np.testing.assert_allclose(high, [3.0 + reach, 9.0], rtol=1e-12)


def test_a_biased_ratio_is_covered_where_percentiles_miss_it():
    rng, covered, by_percentiles = np.random.default_rng(1), 0, 0
    for run in range(400):
        values = rng.lognormal(0, 1, 20)
        estimate = np.log(values.mean())  # of ½, biased downwards and skewed
        draws = np.log(document_weights(20, 200, run) @ values / 20)
        low, high = jackknife_interval(
            [estimate], np.log(without_each(values[:, None])), draws.mean() - estimate
        )
        covered += bool(low[0] <= 0.5 <= high[0])
        low, high = percentile_interval(draws)
        by_percentiles += bool(low <= 0.5 <= high)
    assert covered > by_percentiles + 8  # standard error of the difference of paired counts: about 4
    assert covered >= 0.9 * 400


def test_shapes_and_levels_are_checked():
    with pytest.raises(InputError, match="each of at least 2 documents"):
        jackknife_interval([1.0], np.ones((1, 1)), 0.0)
    with pytest.raises(InputError, match="level"):
        jackknife_interval([1.0], np.ones((3, 1)), 0.0, level=95)
    for level in (0.0, 1.0):
        with pytest.raises(InputError, match="level"):
            jackknife_interval([1.0], np.ones((3, 1)), 0.0, level=level)
    assert np.isnan(jackknife_interval([np.nan], np.ones((3, 1)), 0.0)).all()

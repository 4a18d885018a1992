from math import inf

import numpy as np
import pytest
from scipy import stats

from mspgt.errors import InputError
from mspgt.families import compare_families, cv_interval, cv_p_values

# Table 1 of the paper: layers of the boundaries and of the model.
TABLE_1 = {
    "llama": {
        "Llama-2-7B": {"LI": (13, 32), "IG": (16, 32)},
        "Llama-3-8B": {"LI": (13, 32), "IG": (16, 32)},
    },
    "qwen": {
        "Qwen1.5-7B": {"LI": (2, 32), "IG": (8, 32)},
        "Qwen2.5-7B": {"LI": (2, 28), "IG": (20, 28)},
    },
}


@pytest.mark.parametrize(
    ("family", "boundary", "members", "mean", "cv"),
    [
        ("llama", "LI", ["40.6", "40.6"], "40.6", "0.00"),
        ("llama", "IG", ["50.0", "50.0"], "50.0", "0.00"),
        ("qwen", "LI", ["6.3", "7.1"], "6.7", "0.06"),
        ("qwen", "IG", ["25.0", "71.4"], "48.2", "0.48"),
    ],
)
def test_every_printed_digit_of_table_3(family, boundary, members, mean, cv):
    found = compare_families(TABLE_1).families[family][boundary]
    assert [f"{value:.1f}" for value in found.percent_paper.values()] == members
    assert f"{found.mean_paper:.1f}" == mean
    assert f"{found.cv_paper:.2f}" == cv
    assert found.underpowered


def test_the_papers_offset_and_drift():
    compared = compare_families(TABLE_1)
    offset = next(o for o in compared.offsets if o.boundary == "LI")
    assert (offset.first, offset.second) == ("llama", "qwen")
    assert f"{offset.offset_paper:.1f}" == "33.9"
    assert offset.offset == pytest.approx(13 / 32 - (2 / 32 + 2 / 28) / 2)
    assert offset.underpowered
    qwen = compared.families["qwen"]["IG"]
    assert qwen.max_drift == pytest.approx(20 / 28 - 8 / 32)
    assert (qwen.drift[0].first, qwen.drift[0].second) == ("Qwen1.5-7B", "Qwen2.5-7B")


def test_a_float_rounds_as_it_is_written():
    written = {"a": {"LI": 0.0625}, "b": {"LI": 0.5005}, "c": {"LI": 0.071428}}
    found = compare_families({"f": written}).families["f"]["LI"]
    assert found.percent_paper == {"a": 6.3, "b": 50.1, "c": 7.1}


def test_primary_figures_agree_with_scipy():
    models = {f"m{i}": {"LI": rho} for i, rho in enumerate((0.2, 0.25, 0.31, 0.28))}
    found = compare_families({"f": models}).families["f"]["LI"]
    assert found.cv == pytest.approx(stats.variation([0.2, 0.25, 0.31, 0.28], ddof=1))
    assert found.ci[0] < found.cv < found.ci[1]
    assert not found.underpowered
    assert len(found.drift) == 6


@pytest.mark.parametrize("n", [2, 3, 5, 10])
@pytest.mark.parametrize("cv", [0.05, 0.2, 0.5])
def test_interval_of_the_cv_covers(cv, n):
    values = np.random.default_rng(n).normal(1, cv, size=(600, n))
    estimates = values.std(axis=1, ddof=1) / values.mean(axis=1)
    covered = 0
    for estimate in estimates:
        # A negative mean is no position; it counts as a miss.
        low, high = cv_interval(estimate, n) if estimate >= 0 else (inf, inf)
        covered += low <= cv <= high
    assert 0.92 < covered / 600 < 0.985


@pytest.mark.parametrize("sd_in_layers", [0.1, 0.5, 2.0])
def test_interval_covers_when_positions_are_whole_layers(sd_in_layers):
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        layers = np.round(rng.uniform(8, 9) + sd_in_layers * rng.normal(size=5)).astype(int)
        models = {f"m{i}": {"LI": (int(layer), 32)} for i, layer in enumerate(layers)}
        low, high = compare_families({"f": models}).families["f"]["LI"].ci
        covered += low <= sd_in_layers / 8.5 <= high
        assert high > 0
    assert covered / 400 > 0.92


def test_interval_by_its_limits():
    assert cv_interval(0.5, 3)[1] == inf
    assert cv_interval(0.0, 5) == (0.0, 0.0)
    low, high = cv_interval(0.0, 5, rounding=0.02)
    assert low == 0
    assert high == cv_interval(0.02 / 3**0.5, 5)[1] > 0.02
    assert cv_interval(0.02, 5, rounding=0.02)[0] == 0
    # Small CV: the exact interval of a standard deviation.
    exact = 1e-4 * np.sqrt(9 / stats.chi2.ppf([0.975, 0.025], 9))
    assert cv_interval(1e-4, 10) == pytest.approx(exact, rel=1e-6)
    with pytest.raises(InputError):
        cv_interval(0.1, 1)


@pytest.mark.parametrize("n", [2, 3, 5, 12])
@pytest.mark.parametrize(("cv", "rounding"), [(0.1, 0.0), (0.25, 0.0), (0.25, 0.05), (0.0, 0.08)])
def test_p_values_of_a_cv_are_where_its_intervals_end(n, cv, rounding):
    for level in (0.9, 0.6):
        low, high = cv_interval(cv, n, level, rounding)
        tail = (1 - level) / 2
        if high < inf:
            assert cv_p_values(cv, n, high, rounding)[0] == pytest.approx(tail, rel=1e-9)
            assert cv_p_values(cv, n, 1.1 * high, rounding)[0] < tail
        if low > 0:
            assert cv_p_values(cv, n, low, rounding)[1] == pytest.approx(tail, rel=1e-9)
            assert cv_p_values(cv, n, 0.9 * low, rounding)[1] < tail


@pytest.mark.parametrize(
    ("cv", "n", "threshold"), [(0.1, 1, 0.2), (-0.1, 5, 0.2), (np.nan, 5, 0.2), (0.1, 5, 0.0)]
)
def test_p_values_of_no_cv_are_refused(cv, n, threshold):
    with pytest.raises(InputError, match="a test of a CV needs"):
        cv_p_values(cv, n, threshold)


def test_members_at_one_layer_are_known_to_half_a_layer():
    found = compare_families({"f": {m: {"LI": (8, 32)} for m in "abcd"}}).families["f"]["LI"]
    assert found.cv == 0
    assert found.ci == cv_interval(0.0, 4, rounding=0.5 / 32 / 0.25)


def test_offset_interval_is_welchs():
    depths = {"f": (0.2, 0.25, 0.31), "g": (0.4, 0.41, 0.45, 0.5)}
    models = {name: {f"m{i}": {"IG": rho} for i, rho in enumerate(rhos)} for name, rhos in depths.items()}
    (offset,) = compare_families(models).offsets
    welch = stats.ttest_ind(depths["f"], depths["g"], equal_var=False).confidence_interval(0.95)
    assert offset.ci == pytest.approx((welch.low, welch.high))
    assert not offset.underpowered


def test_members_without_a_boundary_are_counted_and_named():
    models = {"a": {"LI": (3, 12), "IG": None}, "b": {"LI": None}, "c": {"LI": [4, 12], "IG": (8, 12)}}
    compared = compare_families({"f": models, "g": {"d": {"LI": (2, 12)}}})
    li, ig = compared.families["f"]["LI"], compared.families["f"]["IG"]
    assert li.missing == ["b"]
    assert list(li.members) == ["a", "c"]
    assert ig.missing == ["a", "b"]
    assert ig.sd is ig.cv is ig.ci is ig.cv_paper is None
    empty = compared.families["g"]["IG"]
    assert empty.mean is empty.mean_paper is empty.max_drift is None
    (offset,) = compared.offsets
    assert offset.boundary == "LI"
    assert offset.ci is None
    assert compare_families({}).families == {}


def test_equal_positions_without_layer_counts_have_no_interval():
    found = compare_families({"f": {m: {"LI": 0.3} for m in "abc"}}).families["f"]["LI"]
    assert found.cv == 0
    assert found.ci is None
    assert any("no interval" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    "bad",
    [{"LI": (13, 12)}, {"LI": (0, 12)}, {"LI": (1, 2, 3)}, {"LI": 1.2}, {"LI": float("nan")}, {"X": 0.2}],
)
def test_rejects_what_is_not_a_position(bad):
    with pytest.raises(InputError):
        compare_families({"f": {"m": bad}})

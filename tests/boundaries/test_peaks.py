import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import find_peaks

from mspgt.boundaries import peaks
from mspgt.boundaries.peaks import detect_paper, false_boundary_rate, peak_prominences, two_peaks
from mspgt.errors import InputError
from mspgt.results.boundaries import OtherNormalisation
from tests.effort import calls

# Few levels make plateaus and ties common.
LEVELS = st.integers(0, 5).map(lambda k: k / 10)
CURVES = st.tuples(st.integers(1, 4), st.integers(1, 40)).flatmap(
    lambda shape: st.one_of(
        arrays(float, shape, elements=LEVELS), arrays(float, shape, elements=st.floats(-1e6, 1e6, width=32))
    )
)


@settings(max_examples=200)
@given(CURVES)
def test_prominences_equal_scipys_curve_by_curve(curves):
    ours = peak_prominences(curves)
    for curve, row in zip(curves, ours, strict=True):
        places, found = find_peaks(curve, prominence=0)
        assert np.flatnonzero(~np.isnan(row)).tolist() == places.tolist()
        assert row[places].tolist() == found["prominences"].tolist()


@given(CURVES, st.sampled_from([0.1, 0.2, 0.3]))
def test_two_peaks_equal_the_two_most_prominent_of_scipy(curves, threshold):
    for curve, pair in zip(curves, two_peaks(curves, threshold), strict=True):
        places, found = find_peaks(curve, prominence=threshold)
        strongest = sorted(zip(-found["prominences"], places, strict=True))[:2]
        expected = sorted(place for _, place in strongest) if len(strongest) == 2 else [-1, -1]
        assert pair.tolist() == expected


def test_a_thousand_draws_are_done_at_once():
    evidence = np.random.default_rng(0).normal(size=(1_000, 31))
    assert calls(lambda: two_peaks(evidence)) == calls(lambda: two_peaks(evidence[:10]))


def _profile(transitions, places, height=1.0):
    signals = np.tile(0.01 * np.cos(np.arange(transitions)), (3, 1)) + 1
    signals[:, places] += height
    return signals


def test_planted_peaks_are_found_in_order_of_depth():
    signals = _profile(31, [19, 4])
    signals[:, 19] += 0.5
    result = detect_paper(signals)
    assert (result.LI.layer, result.IG.layer) == (5, 20)
    assert (result.LI.layer_zero_based, result.IG.layer_zero_based) == (4, 19)
    assert result.LI.relative == pytest.approx(5 / 32)
    assert result.LI.ci is result.LI.width is result.accepted is result.successes is None
    assert result.evidence.max() == pytest.approx(2.4)
    assert "layers 1 and L−1 = 31" in result.edge_warning


def test_bootstrap_interval_and_acceptance():
    signals = _profile(31, [4, 19])
    noise = np.random.default_rng(0).normal(size=(200, 3, 31))
    result = detect_paper(signals, signals + 0.01 * noise)
    assert result.accepted is True
    assert result.successes == 1
    assert result.LI.ci == (5, 5)
    assert result.IG.width == 0


def test_acceptance_needs_both_widths_and_the_successes():
    signals = _profile(31, [4, 19])
    moved, lost = _profile(31, [4, 25]), _profile(31, [4])
    wide = detect_paper(signals, np.stack([signals] * 80 + [moved] * 20))
    assert wide.IG.ci == (20, 26)
    assert wide.accepted is False
    assert any("I-G interval is 6 layers" in reason for reason in wide.reasons)
    assert detect_paper(signals, np.stack([signals] * 80 + [moved] * 20), max_width=6.1).accepted is True
    for failures, accepted in ((5, True), (6, False)):
        result = detect_paper(signals, np.stack([signals] * (100 - failures) + [lost] * failures))
        assert result.accepted is accepted
        assert result.successes == pytest.approx(1 - failures / 100)
        assert result.LI.ci == (5, 5)


def test_fewer_than_two_peaks_is_no_boundary_even_if_draws_have_two():
    one = _profile(31, [4])
    result = detect_paper(one, np.stack([_profile(31, [4, 19])] * 50))
    assert result.LI is None
    assert result.IG is None
    assert result.accepted is False
    assert result.successes == 1
    assert any("1 of the two peaks" in reason for reason in result.reasons)


def test_prominence_of_exactly_the_threshold_counts():
    signals = np.full((3, 9), np.nan)
    signals[0] = [0, 1, 0, 0, 0.3, 0, 0, 0, 0]
    assert detect_paper(signals).IG.layer == 5
    signals[0, 4] = np.nextafter(0.3, 0)
    assert detect_paper(signals).IG is None


def test_flat_peaks_stand_at_their_middle_and_edges_never_count():
    signals = np.full((3, 12), np.nan)
    signals[0] = [9, 0, 3, 3, 3, 0, 0, 5, 5, 0, 0, 9]
    result = detect_paper(signals)
    assert (result.LI.layer, result.IG.layer) == (4, 8)
    assert [reason[:19] for reason in result.reasons[:2]] == ["S2 was not measured", "S3 was not measured"]


def test_the_other_normalisation_and_its_disagreement():
    signals = _profile(31, [4, 19])
    signals[0, [8, 24]] += 8
    signals[0] += 100
    signals[1] = np.nan
    result = detect_paper(signals)
    assert (result.LI.layer, result.IG.layer) == (9, 25)
    assert (result.other_normalisation.LI, result.other_normalisation.IG) == (5, 20)
    assert result.other_normalisation.agrees is False
    same = detect_paper(_profile(31, [4, 19], height=50.0))
    assert same.other_normalisation == OtherNormalisation(5, 20, True)


@pytest.mark.parametrize("transitions", [0, 1, 2, 3, 4])
def test_too_few_layers_is_a_result_and_not_an_error(transitions):
    result = detect_paper(np.ones((3, transitions)), np.ones((7, 3, transitions)))
    assert result.LI is None
    assert result.accepted is False
    assert any("no boundary possible" in reason for reason in result.reasons)


@pytest.mark.parametrize(
    ("signals", "bootstrap"),
    [
        (np.ones((2, 9)), None),
        (np.ones(9), None),
        (np.full((3, 9), np.nan), None),
        (np.where(np.eye(3, 9), np.nan, 1.0), None),
        (np.where(np.eye(3, 9), np.inf, 1.0), None),
        (np.ones((3, 9)), np.ones((3, 9))),
        (np.ones((3, 9)), np.ones((0, 3, 9))),
        (np.ones((3, 9)), np.ones((5, 3, 8))),
        (np.ones((3, 9)), np.full((5, 3, 9), np.nan)),
        (np.where(np.arange(3)[:, None] == 2, np.nan, np.ones((3, 9))), np.ones((5, 3, 9))),
    ],
)
def test_rejects_what_is_not_a_profile(signals, bootstrap):
    with pytest.raises(InputError):
        detect_paper(signals, bootstrap)


def test_false_boundary_rate_is_read_from_the_table():
    table = peaks.protocol_table()
    depth, ratio = table["transitions"].index(31), table["noise_ratios"].index(0.1)
    rate, reasons = false_boundary_rate(31, 0.1)
    assert reasons == []
    for outcome in ("found", "accepted"):
        for summary in ("min", "median", "mean", "max"):
            assert getattr(getattr(rate, outcome), summary) == pytest.approx(
                table[outcome][summary][depth][ratio]
            )
    between = false_boundary_rate(29, 0.2)[0].accepted.mean
    corners = [false_boundary_rate(t, r)[0].accepted.mean for t in (27, 31) for r in (0.1, 0.3)]
    assert between == pytest.approx(np.mean(corners))


@pytest.mark.parametrize(("transitions", "ratio"), [(4, 0.1), (128, 0.1), (31, 1.01)])
def test_outside_the_table_there_is_no_rate(transitions, ratio):
    rate, (reason,) = false_boundary_rate(transitions, ratio)
    assert rate is None
    assert "the table covers T = 5..127" in reason


def test_the_rate_stands_beside_the_boundary():
    assert detect_paper(_profile(31, [4, 19])).false_boundary_rate is None
    rate = detect_paper(_profile(31, [4, 19]), noise_ratio=0.06).false_boundary_rate
    assert 0.3 < rate.accepted.median <= rate.found.median <= 1
    with pytest.raises(InputError):
        detect_paper(_profile(31, [4, 19]), noise_ratio=-0.1)

"""A signal that says nothing is left out of every search, and said so; the others find what is planted."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from mspgt.boundaries.find import find_boundaries, heard, own_floors
from mspgt.signals.profiles import Draws

LAYERS, PLACES = 28, (9, 19)


@dataclass(frozen=True)
class Planted:
    """Profiles with spikes at two layers, but for S2, which is given; `half` is S2 of one half of the documents."""

    s2: np.ndarray
    half: np.ndarray | None = None
    layers: int = LAYERS
    transitions: int = LAYERS - 1
    first: int = 1
    embedding: bool = False

    @property
    def geometry(self) -> SimpleNamespace:
        """Of sentences: there is nothing to find phases in."""
        return SimpleNamespace(similarity=None)

    def calibrated(self, *_: object) -> np.ndarray:
        rows = np.exp(0.1 * np.random.default_rng(0).standard_normal((3, self.transitions)))
        rows[:, [place - 1 for place in PLACES]] *= 5
        rows[1] = self.s2
        return rows

    paper = with_sinks = calibrated

    def token_sets(self) -> dict[str, np.ndarray]:
        return {"limit_10": self.calibrated()}

    def other_metrics(self) -> dict[str, np.ndarray]:
        return {"raw": self.calibrated()}

    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        other = self if self.half is None else replace(self, s2=self.half)
        return self.calibrated(), other.calibrated()

    def draws(self) -> Draws:
        shaken = self.calibrated() * np.exp(0.02 * np.random.default_rng(1).standard_normal((50, 3, 27)))
        return Draws(shaken, shaken)


ZEROS, SAME = np.zeros(27), np.full(27, 0.3)
ROUGH = np.exp(0.1 * np.random.default_rng(2).standard_normal(27))
MOSTLY_ZERO = np.where(np.arange(27) % 3 == 0, ROUGH, 0.0)


def spikes(found) -> list[int]:
    return sorted(claim.layer for claim in found.calibrated.spike)


@pytest.mark.parametrize("s2", [ZEROS, SAME, SAME + 1e-17])
@pytest.mark.parametrize("twins", [0, 2])
@pytest.mark.parametrize("bootstrapped", [False, True])
def test_a_constant_signal_is_left_out_everywhere(s2, twins, bootstrapped):
    signals = Planted(s2, half=ROUGH)
    found = find_boundaries(
        signals, twins=[Planted(ROUGH)] * twins, draws=signals.draws() if bootstrapped else None
    )
    assert spikes(found) == list(PLACES)
    for profile in (found.stabilised, found.with_sinks, *(found.halves or ())):
        assert np.isnan(profile).all(axis=-1).tolist() == [False, True, False]
    robust = found.calibrated.chosen["LI"].robust
    assert robust["without_S2"] is None
    assert robust["with_sinks"] is True
    assert robust["odd_documents"] is (True if bootstrapped else None)
    assert [note for note in found.notes if "S2" in note] == [
        "S2 is the same at every transition: it cannot speak for a boundary, and is left out"
    ]


def test_a_constant_signal_of_one_twin_or_one_half_is_left_out_there():
    signals = Planted(ROUGH, half=ZEROS)
    found = find_boundaries(signals, twins=[Planted(ROUGH), Planted(SAME)], draws=signals.draws())
    assert np.isfinite(found.stabilised).all()
    assert np.isfinite(found.halves[0]).all()
    assert np.isnan(found.halves[1][1]).all()
    for where in ("the other half of the documents", "random twin 1"):
        assert f"{where}: S2 is the same at every transition" in " ".join(found.notes)
    assert "random twin 0" not in " ".join(found.notes)
    assert len(found.random_init.calibrated_claims) == 2


def test_the_floor_is_the_noise_of_the_signal_whatever_the_twins_show():
    signals, rng = Planted(ROUGH), np.random.default_rng(5)
    noise = np.array([0.001, 0.002, 0.004])[:, None] * rng.standard_normal((400, 3, 27))
    draws = Draws(signals.calibrated() + noise, signals.calibrated() + noise)
    for twins in ([], [Planted(2 * ROUGH)]):
        found = find_boundaries(signals, twins=twins, draws=draws)
        assert found.floors == pytest.approx([0.001, 0.002, 0.004], rel=0.1)
        assert found.notes == []
    assert found.random_init.levels["S2"] == pytest.approx(2 * np.median(ROUGH))


def test_a_floor_of_0_is_replaced_and_said_so():
    still = np.repeat(Planted(ROUGH).calibrated()[None], 5, axis=0)
    found = find_boundaries(Planted(ROUGH), draws=Draws(still, still))
    assert found.floors[1] == pytest.approx(0.01 * np.median(ROUGH))
    assert "the noise of S2 is 0: S2 is floored at a hundredth of its own median" in found.notes
    held = still.copy()
    held[:, 1] = np.nan
    found = find_boundaries(Planted(ROUGH), draws=Draws(held, held))
    assert found.floors[1] == pytest.approx(0.01 * np.median(ROUGH))
    assert "the noise of S2 is not known: S2 is floored at a hundredth of its own median" in found.notes


def test_a_signal_that_is_mostly_0_has_a_floor_of_its_own():
    found = find_boundaries(Planted(MOSTLY_ZERO))
    assert found.floors[1] == pytest.approx(0.01 * np.median(MOSTLY_ZERO[MOSTLY_ZERO > 0]))
    assert np.isfinite(found.stabilised[1]).all()


def test_what_cannot_speak_is_not_heard():
    rng = np.random.default_rng(0)
    profile = np.stack([rng.normal(size=23), np.full(23, 0.3), rng.normal(size=23)])
    assert np.isnan(heard(profile)).all(axis=1).tolist() == [False, True, False]
    profile[2, 4] = np.nan
    assert np.isnan(heard(profile)).all(axis=1).tolist() == [False, True, True]
    assert (heard(profile)[0] == profile[0]).all()


def test_noise_that_explains_all_roughness_has_no_ratio_and_says_so():
    signals = Planted(ROUGH)
    rows = signals.calibrated()
    loud = np.abs(rows * np.exp(2 * np.random.default_rng(1).standard_normal((50, 3, 27))))
    found = find_boundaries(signals, draws=Draws(loud, loud))
    for name, ratio in found.calibrated.noise_ratio.items():
        assert ratio is None
        assert any(note.startswith(f"{name}: sentence noise explains all") for note in found.notes)


def test_the_floor_of_a_signal_without_twins_is_positive_wherever_it_says_anything():
    floors = own_floors(np.stack([ROUGH, MOSTLY_ZERO, ZEROS]))
    assert floors[0] == pytest.approx(0.01 * np.median(ROUGH))
    assert floors[1] > 0
    assert np.isnan(floors[2])


class OneMetric(Planted):
    """The same place shows in S1 of raw states alone, or in none but the primary metric."""

    def other_metrics(self) -> dict[str, np.ndarray]:
        flat = np.exp(0.1 * np.random.default_rng(0).standard_normal((3, self.transitions)))
        flat[1] = np.nan
        return {"raw": flat, "as_read": flat, "standardised": flat}


def test_a_boundary_that_one_metric_shows_alone_is_told():
    agreed = find_boundaries(Planted(ROUGH))
    assert agreed.metric_dependent == []
    assert all(claim.robust["other_metrics"] is True for claim in agreed.calibrated.spike)
    alone = find_boundaries(OneMetric(ROUGH))
    assert {(one.layer, one.metric) for one in alone.metric_dependent} == {(at, "rms") for at in PLACES}
    assert all(claim.robust["other_metrics"] is False for claim in alone.calibrated.spike)

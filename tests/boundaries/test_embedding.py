"""With the embedding included, planted boundaries keep their layers, and one at the first transition can be found."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from mspgt.boundaries.find import find_boundaries

LAYERS = 28


@dataclass(frozen=True)
class Planted:
    """Profiles with spikes at two layers; S3 has no value at the embedding."""

    embedding: bool
    places: tuple[int, int] = (9, 19)
    layers: int = LAYERS

    @property
    def first(self) -> int:
        return 0 if self.embedding else 1

    @property
    def transitions(self) -> int:
        return self.layers - self.first

    def calibrated(self, *_: object) -> np.ndarray:
        rows = np.exp(0.1 * np.random.default_rng(0).standard_normal((3, LAYERS)))
        rows[:, list(self.places)] *= 5
        rows[2, 0] = np.nan
        return rows[:, self.first :]

    paper = with_sinks = calibrated

    @property
    def geometry(self) -> SimpleNamespace:
        """Without similarities of blocks, in which phases are looked for."""
        return SimpleNamespace(similarity=None)

    def token_sets(self) -> dict[str, np.ndarray]:
        return {"limit_10": self.calibrated()}

    def other_metrics(self) -> dict[str, np.ndarray]:
        return {"raw": self.calibrated()}

    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        return self.calibrated(), self.calibrated()


def spikes(found) -> list[int]:
    return sorted(claim.layer for claim in found.calibrated.spike)


def test_layers_and_depths_are_the_same_with_and_without():
    without, included = (
        find_boundaries(Planted(embedding), twins=[Planted(embedding)]) for embedding in (False, True)
    )
    assert spikes(without) == spikes(included) == [9, 19]
    for name, place in (("LI", 9), ("IG", 19)):
        claim = included.calibrated.chosen[name]
        assert (claim.layer, claim.layer_zero_based) == (place, place - 1)
        assert claim.relative == without.calibrated.chosen[name].relative == pytest.approx(place / LAYERS)
        assert place in claim.set
        for found in (without, included):
            assert getattr(found.paper, name).layer == place
            assert getattr(found.paper, name).relative == pytest.approx(place / LAYERS)
    assert included.paper.other_normalisation.LI == without.paper.other_normalisation.LI
    assert [one.layer for one in included.calibrated.rivals["1"]] in ([9], [19])
    assert "layer 0" in included.paper.edge_warning


def test_the_first_transition_is_no_edge_then():
    without, included = (find_boundaries(Planted(embedding, (1, 15))) for embedding in (False, True))
    assert without.paper.LI is None
    assert (included.paper.LI.layer, included.paper.IG.layer) == (1, 15)
    assert (included.paper.LI.layer_zero_based, included.paper.IG.layer_zero_based) == (0, 14)
    assert spikes(included) == [1, 15]


def test_a_signal_without_a_value_there_is_left_out_and_said_so():
    included = find_boundaries(Planted(True))
    assert np.isnan(included.stabilised[2]).all()
    assert any("S3 has no value at the embedding" in note for note in included.notes)
    assert included.calibrated.chosen["LI"].robust["without_S3"] is None

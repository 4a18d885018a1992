"""Charts show what results.json holds: gaps, bands, boundaries and scales."""

from typing import Any

from mspgt.report import panels
from mspgt.report.curves import axis_values
from mspgt.results import ModelResult
from tests.report.planted_results import HOSTILE
from tests.whole import record, typed


def test_a_missing_signal_is_a_panel_with_its_reason(results: dict[str, Any]) -> None:
    s3 = panels.signal_panels(typed(results), "state/mamba")[2]
    assert [line.role for line in s3.lines] == []
    assert all("no attention" in why for why in s3.missing)
    s1 = panels.signal_panels(typed(results), "state/mamba")[0]
    assert [line.role for line in s1.lines] == ["twin", "paper", "calibrated"]
    assert s1.missing == ()
    for panel in panels.signal_panels(typed(results), "one-block"):
        assert panel.x == ()
        assert "no transitions" in panel.missing[0]


def test_curves_are_as_long_as_their_axis(results: dict[str, Any]) -> None:
    for name in results["models"]:
        groups = (panels.signal_panels, panels.probe_panels, panels.control_panels)
        for panel in (panel for group in groups for panel in group(typed(results), name)):
            for line in panel.lines:
                assert len(line.values) == len(panel.x)


def test_scales_of_the_strip_follow_the_boundaries(results: dict[str, Any]) -> None:
    calibrated, paper = panels.strip_rows(typed(results).models[HOSTILE])
    assert calibrated.scales == ("Local",) * 11 + ("Intermediate",) * 9 + ("Global",) * 12
    assert paper.scales == ("Local",) * 6 + ("Intermediate",) * 14 + ("Global",) * 12
    assert calibrated.marks[1].spans() == [(16.5, 20.5), (22.5, 23.5)]
    undivided, rejected = panels.strip_rows(typed(results).models["unlabelled"])
    assert set(undivided.scales) == {"undivided"}
    assert not rejected.claimed


def test_one_boundary_leaves_two_scales_unnamed(results: dict[str, Any]) -> None:
    model = results["models"][HOSTILE]
    model["boundaries"]["calibrated"]["chosen"]["IG"] = None
    assert set(panels.strip_rows(record(ModelResult, model))[0].scales[11:]) == {"unnamed"}
    # The claim is still shown, under its kind.
    assert [mark.label for mark in panels.strip_rows(record(ModelResult, model))[0].marks] == ["L–I", "step"]


def test_a_lone_boundary_divides_but_names_nothing(results: dict[str, Any]) -> None:
    row = panels.strip_rows(typed(results).models["state/mamba"])[0]
    assert set(row.scales) == {"unnamed"}
    assert [(mark.label, mark.layer) for mark in row.marks] == [("spike", 9)]


def test_the_twin_is_the_median_and_range_of_its_seeds(results: dict[str, Any]) -> None:
    model = results["models"]["stories"]
    model["controls"]["random_init"]["signals"]["calibrated"]["S1"] = [
        [1, 2, 3, 4],
        [5, 6, 7, None],
        [2, 2, 2, 2],
    ]
    twin = panels.control_panels(typed(results), "stories")[0].lines[0]
    assert twin.values == [2, 2, 3, 3]
    assert twin.bands() == [[(1, 5), (2, 6), (2, 7), (2, 4)]]


def test_a_twin_far_from_the_model_does_not_flatten_its_axis(results: dict[str, Any]) -> None:
    twins = results["models"]["stories"]["controls"]["random_init"]["signals"]["calibrated"]
    twins["S3"] = [[1e-5] * 4] * 3
    s3 = panels.signal_panels(typed(results), "stories")[2]
    assert (s3.lines[0].role, s3.lines[0].clipped) == ("twin", True)
    assert "median 1e−05" in s3.missing[0]
    assert min(axis_values(s3.lines)) > 0.01
    assert min(axis_values(panels.control_panels(typed(results), "stories")[2].lines)) == 1e-5


def test_captions_name_what_was_resampled(results: dict[str, Any]) -> None:
    data = results["provenance"]["data"]
    for documents, units in ((64, "over n = 64 documents,"), (65, "over 64 groups of n = 65 documents,")):
        data["documents"] = documents
        s1, s2, s3, _ = panels.signal_panels(typed(results), "stories")
        assert units in s1.caption
        assert units in s3.caption
        assert "over treebank documents," in s2.caption

"""Intervals of CKA across documents with strong topics: a short form of `python -m calibration documents`."""

from importlib import import_module


def test_intervals_cover_and_the_estimate_has_no_bias():
    documents = import_module("calibration.documents")
    for cell in documents.study(30, 60, 10_000):
        assert cell["coverage"] >= 0.85  # recorded .93; the standard error of 60 runs is .03
        assert abs(cell["bias_in_sd"]) <= 0.4  # its own standard error is .13
        assert cell["bias_of_all_pairs_in_sd"] > 0.5  # what pairs inside documents do

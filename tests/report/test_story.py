"""One sentence a model: claims with their sets where there are any, else what came closest and why it is nothing."""

from typing import Any

import pytest

from mspgt.report.story import headline, stories, story, story_lines, strongest_candidate
from mspgt.results import ModelResult
from tests.report.planted_results import HOSTILE, planted
from tests.report.test_where import functional
from tests.whole import record, typed

QUIET = "acme/llama-deep"


def candidate(score: float, threshold: float = 2.6) -> dict[str, Any]:
    """Phases without a boundary, as a run stores them, with a strongest place."""
    claim = {"kind": "phase", "layer": 9, "set": [9], "score": score, "critical": threshold}
    return {
        "boundaries": [],
        "candidate": claim,
        "why": ["one word"],
        "size80": 0.23,
        "statement": "no boundary of phases",
        "random_init": [{"boundaries": []}, {"boundaries": [4]}],
    }


def test_a_claim_is_told_with_its_account_and_its_set(results):
    told = story(typed(results), HOSTILE)
    assert told.found
    assert told.candidate is None
    assert "Shocks find L–I at layer 11" in told.sentence
    assert "set 17–20, 23" in told.sentence


def test_every_account_that_claims_is_in_the_sentence(results):
    results["models"][QUIET]["scales"] = functional(7, None)
    assert "Functional scales place L–I at layer 7" in story(typed(results), QUIET).sentence
    assert "none by shocks" in story(typed(results), QUIET).sentence


def test_without_a_claim_the_nearest_place_is_told_with_score_threshold_and_reason(results):
    model = results["models"][QUIET]
    rival = model["boundaries"]["calibrated"]["rivals"]["1"][0]
    told = story(typed(results), QUIET)
    assert (told.candidate.account, told.candidate.layer) == ("shocks", rival["layer"])
    assert "score 1 of the 3.6 needed: below the threshold" in told.sentence
    assert "would have been found" in told.sentence
    assert "the paper’s protocol alone accepts layers 7 and 15" in told.sentence


@pytest.mark.parametrize(("score", "account"), [(2.5, "phases"), (0.5, "shocks")])
def test_the_nearest_place_is_the_one_nearest_to_its_own_threshold(results, score, account):
    model = results["models"][QUIET]
    model["phases"] = candidate(score)  # the shocks’ best reaches 1.0 of 3.6
    assert strongest_candidate(record(ModelResult, model)).account == account
    assert ("one word" in story(typed(results), QUIET).sentence) == (account == "phases")


def test_a_place_without_a_critical_value_is_no_candidate(results):
    model = results["models"][QUIET]
    model["boundaries"]["calibrated"]["rivals"]["1"][0]["critical"] = 0.0
    assert strongest_candidate(record(ModelResult, model)) is None
    assert "strongest" not in story(typed(results), QUIET).sentence


def test_what_the_candidate_is_without_frequent_words_stands_beside_it(results):
    model = results["models"][QUIET]
    sets = {"main": 0.31, "without_top_word": 0.12}
    model["token_sets"] = {key: {"S1": [None, value, None]} for key, value in sets.items()}
    assert story(typed(results), QUIET).overlay == (
        "S1 at layer 2: 0.31 over the tokens that count, 0.12 without the most frequent word."
    )


def test_of_one_model_the_headline_is_its_positions_with_their_sets(results):
    results["models"] = {HOSTILE: results["models"][HOSTILE]}
    said = headline(typed(results))
    assert said.startswith("Shocks find L–I at layer 11")
    assert "set 17–20, 23" in said
    results["models"] = {QUIET: planted()["models"][QUIET]}
    assert headline(typed(results)).startswith("No boundary was found")


def test_the_claim_is_read_first_and_what_could_have_been_seen_beside_it(results):
    told = story(typed(results), QUIET)
    assert "would have been found" in told.seen
    assert told.seen not in told.claim
    assert "the paper’s protocol alone accepts" in told.sentence
    assert "protocol" not in told.claim


def test_what_is_found_comes_first_and_twins_are_counted(results):
    told = stories(typed(results))
    assert [bool(one.found) for one in told] == sorted((bool(one.found) for one in told), reverse=True)
    found = sum(bool(one.found) for one in told)
    twins = [
        claims
        for m in results["models"].values()
        for claims in m["controls"]["random_init"]["calibrated_claims"]
    ]
    silent = sum(not claims for claims in twins)
    said = headline(typed(results))
    assert said.startswith(f"Boundaries in {found} of {len(told)} models")
    assert f"none in {silent} of {len(twins)} readings" in said
    results["models"][QUIET]["phases"] = candidate(1.0)
    assert f"none in {silent + 1} of {len(twins) + 2} readings" in headline(typed(results))


def test_a_scale_that_a_random_twin_has_stands_in_the_headline(results):
    models = [results["models"][name] for name in (QUIET, HOSTILE)]
    for one in models:
        one["scales"] = functional(7, None) | {"twin": {"defined_scales": []}}
    assert "functional scale" not in headline(typed(results))
    models[0]["scales"]["twin"]["defined_scales"] = ["I", "L"]
    said = headline(typed(results))
    assert "a functional scale (local and intermediate) is defined in 1 of 2 random twins" in said


def test_a_run_cut_short_says_so_in_every_sentence(results):
    results["provenance"]["limits"] = ["20 of 60 documents of the corpus"]
    assert all(one.sentence.endswith("cut short by limits.") for one in stories(typed(results)))
    assert any("20 of 60 documents" in line for line in story_lines(typed(results)))

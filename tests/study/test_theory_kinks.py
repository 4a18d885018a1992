"""Profiles that the kink test reads, and the errors of their bends, from planted stage results."""

import numpy as np

from mspgt.study.store import StageResult
from mspgt.study.theory_kinks import profiles_of, shaken_profiles
from mspgt.theory.kink import kink_test
from mspgt.theory.usable import Usable

LAYERS = 24


def usable(kind, saved, documents=None):
    documents = np.arange(len(saved)) if documents is None else np.asarray(documents)
    return Usable(kind, "planted", 8, saved, np.ones(len(saved)), np.full(len(saved), 3.0), documents)


def test_what_one_document_does_to_topics_and_words_stays_in_their_sum():
    saved = np.random.default_rng(0).standard_normal((40, LAYERS + 1))
    # What a document adds to topics it takes from words: resampled together, their sum never moves.
    found = {"topical": usable("topical", saved), "lexical": usable("lexical", 1 - saved)}
    shaken = shaken_profiles(found, 200, 0)
    assert shaken["topical"].std(0).min() > 0.05
    assert np.ptp(shaken["topical"] + shaken["lexical"], axis=0).max() < 1e-12


def test_a_document_without_a_topic_keeps_its_place_among_the_words():
    saved = np.random.default_rng(1).standard_normal((40, LAYERS + 1))
    topics = np.arange(8, 40)
    found = {"topical": usable("topical", saved[topics], topics), "lexical": usable("lexical", saved)}
    shaken = shaken_profiles(found, 400, 0)
    together = np.corrcoef(shaken["topical"][:, 0], shaken["lexical"][:, 0])[0, 1]
    assert together > 0.7


def test_the_treebank_is_drawn_by_itself():
    saved = np.random.default_rng(2).standard_normal((40, LAYERS + 1))
    found = {kind: usable(kind, saved) for kind in ("topical", "lexical", "syntactic")}
    shaken = shaken_profiles(found, 400, 0)
    assert np.array_equal(shaken["topical"], shaken["lexical"])
    assert abs(np.corrcoef(shaken["topical"][:, 0], shaken["syntactic"][:, 0])[0, 1]) < 0.2


def test_a_single_document_is_not_resampled():
    one = usable("topical", np.ones((1, LAYERS + 1)))
    assert shaken_profiles({"topical": one}, 100, 0) == {}


def gaussian(nats, **missing):
    """A stage result with Gaussian information, (1 + groups, layers), and nothing else."""
    meta = {
        "kinds": {},
        "missing": dict.fromkeys(("topical", "syntactic", "lexical"), "too little text") | missing,
    }
    arrays = {} if nats is None else {"gaussian": np.array(nats)}
    return StageResult(arrays, meta | {"gaussian": {"k": 2}})


def falling(groups=4):
    return np.linspace(2.0, 0.5, LAYERS) + 0.01 * np.random.default_rng(0).standard_normal(
        (1 + groups, LAYERS)
    )


def test_gaussian_information_is_a_profile_with_the_error_of_its_bends():
    profiles, spreads, missing = profiles_of(gaussian(falling()), 100, 0)
    assert set(profiles) == {"gaussian"}
    assert spreads["gaussian"].shape == (LAYERS - 2,)
    assert missing["lexical"] == "too little text"
    assert "no total" in missing["all"]
    assert "gaussian" not in missing


def test_gaussian_information_that_is_lost_in_noise_says_so():
    nats = falling()
    nats[0, -1] = -0.01
    profiles, _, missing = profiles_of(gaussian(nats), 100, 0)
    assert "gaussian" not in profiles
    assert missing["gaussian"].startswith("Information is not positive at 1 layers")
    nats = falling()
    nats[2, -1] = 0.0
    profiles, _, missing = profiles_of(gaussian(nats), 100, 0)
    assert "gaussian" not in profiles
    assert missing["gaussian"].startswith("Without some documents")


def test_gaussian_information_that_was_not_measured_says_why():
    _, _, missing = profiles_of(gaussian(None, gaussian="too few rows"), 100, 0)
    assert missing["gaussian"] == "too few rows"
    _, _, missing = profiles_of(gaussian(None, components="no components"), 100, 0)
    assert missing["gaussian"] == "no components"


def test_a_label_of_many_classes_does_not_drown_a_kink_of_the_others():
    """Two labels bend at layer 8; the third has ten times their entropy, and its roughness with it."""
    rng = np.random.default_rng(5)
    layers = np.arange(LAYERS + 1)
    shares = dict.fromkeys(("topical", "syntactic", "lexical"), 0.3 + 0.01 * layers)
    for kind in ("topical", "syntactic"):
        shares[kind] = shares[kind] + 0.06 * np.maximum(layers - 8, 0)
    entropies = {"topical": 1.0, "syntactic": 1.0, "lexical": 10.0}
    arrays, kinds = {}, {}
    for kind, share in shares.items():
        bits = entropies[kind] * (share + 0.002 * rng.standard_normal(LAYERS + 1))
        # Every document saves as much; `saved` and `prior` are nats over the examples of a document.
        one = {"saved": np.tile(bits * np.log(2), (12, 1)), "counts": np.ones(12), "documents": np.arange(12)}
        one["prior"] = np.full(12, entropies[kind] * np.log(2))
        arrays |= {f"{kind}.{name}": values for name, values in one.items()}
        kinds[kind] = {"label": "planted", "classes": 2}
    meta = {"kinds": kinds, "missing": {"components": "none"}}
    profiles, spreads, _ = profiles_of(StageResult(arrays, meta), 100, 0)
    assert kink_test(profiles["all"], 8, (8, 16), spreads["all"]).p < 0.01
    added = np.sum([profiles[kind] for kind in shares], axis=0)
    assert kink_test(added, 8, (8, 16), spreads["all"]).p > 0.05

import pytest

from mspgt.errors import InputError
from mspgt.study.loading import load_config, make_config
from mspgt.study.reading import read_data

MINIMAL = {"name": "s", "models": ["org/model"], "corpus": {"source": "text.txt"}}


def test_defaults_are_the_papers_constants():
    config = make_config(dict(MINIMAL))
    assert config.boundaries.weights == (1.0, 0.8, 0.6)
    assert (config.boundaries.prominence, config.boundaries.draws, config.boundaries.max_width) == (
        0.3,
        1000,
        5,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 1}, "unknown key 'colour'; known keys: boundaries"),
        ({"boundaries": {"prominense": 1}}, "unknown key 'boundaries.prominense'; did you mean 'prominence'"),
        ({"corpus": {"source": "a", "fromat": "text"}}, "did you mean 'format'"),
        ({"models": [{"id": "a", "revison": "x"}]}, "did you mean 'revision'"),
        ({"mode": "exact"}, "mode: expected one of paper, calibrated, found 'exact'"),
        ({"models": []}, "models"),
        ({"name": "../escape"}, "name"),
        ({"models": ["a/b", "a/b"]}, "two models are called"),
        ({"boundaries": {"draws": 3}}, "greater than or equal to 100, found 3"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_what_is_allowed(change, message):
    with pytest.raises(InputError) as error:
        make_config({**MINIMAL, **change})
    assert message in str(error.value)


def test_overrides_win_over_the_file_and_the_file_over_defaults(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(
        "name: s\nmodels: [org/model]\ncorpus: {source: t.txt}\nboundaries: {draws: 200}\nseed: 4\n"
    )
    (tmp_path / "t.txt").write_text("Some text.")
    config = load_config(file, ("boundaries.draws=300", "twins.seeds=1"))
    assert (config.boundaries.draws, config.seed, config.twins.seeds) == (300, 4, 1)
    assert config.corpus.source == str(tmp_path / "t.txt")


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "!!python/object/apply:os.system ['true']"])
def test_a_file_that_is_no_study_is_refused(tmp_path, text):
    file = tmp_path / "study.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"study\.yaml"):
        load_config(file)


def test_a_missing_file_says_what_was_expected(tmp_path):
    with pytest.raises(InputError, match="no such study file"):
        load_config(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "other"},
        {"mode": "paper"},
        {"measure": {"batch_tokens": 64, "shard_documents": 1}},
        {"interventions": {"batch_rows": 2, "shard_samples": 7}},
        {"theory": {"gradient_tokens": 64}},
    ],
)
def test_what_changes_no_number_is_no_other_plan(changed):
    usual = make_config({**MINIMAL, **{key: {} for key, value in changed.items() if isinstance(value, dict)}})
    assert make_config({**MINIMAL, **changed}).science() == usual.science()


def test_the_planted_language_takes_its_limits_and_refuses_others():
    planted = {"source": "triscale", "format": "triscale", "max_documents": 20}
    few = make_config({**MINIMAL, "corpus": {**planted, "max_sentences": 10}, "twins": {"seeds": 0}})
    assert read_data(few)[0].corpus.n_sentences == 10
    with pytest.raises(InputError, match="min_words"):
        make_config({**MINIMAL, "corpus": {**planted, "min_words": 3}})
    with pytest.raises(InputError, match="entities"):
        make_config({**MINIMAL, "treebank": {"planted": "triscale", "entities": ["x.iob2"]}})


def test_nothing_under_run_enters_the_science():
    one, two = (make_config({**MINIMAL, "run": {"workers": n}}) for n in (1, 2))
    assert one.science() == two.science()
    assert one.science() != make_config({**MINIMAL, "seed": 1}).science()


def test_given_data_take_the_place_of_a_study_s_own_and_keep_its_limits():
    given = {"corpus": {"source": "own.txt"}, "treebank": {"conllu": ["a-train.conllu"]}}
    config, own = load_config("real", (), given), load_config("real")
    assert (config.corpus.source, config.corpus.format) == ("own.txt", "auto")
    assert config.corpus.max_sentences == own.corpus.max_sentences is not None
    assert (config.treebank.conllu, config.treebank.planted) == (("a-train.conllu",), None)
    assert config.treebank.max_train == own.treebank.max_train is not None
    assert own.corpus.source == "triscale"

"""What a study needs that is not here is named, sized and held by checksums."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from mspgt.errors import InputError, StoreError
from mspgt.lm.cards import CARDS
from mspgt.study.afar import DOCUMENTS, SENTENCES, TREEBANK, WORDS_A_SENTENCE, describe_afar, elsewhere
from mspgt.study.fetching import MANIFEST, fetch, needed, require_here
from mspgt.study.loading import load_config, make_config
from mspgt.text.corpus import load_corpus
from mspgt.text.trees import read_conllu

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def away(tmp_path, monkeypatch):
    """A folder without anything in it, and no network."""
    monkeypatch.setattr("mspgt.study.fetching.reachable", lambda: False)
    monkeypatch.setattr("mspgt.study.afar.reachable", lambda: False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_paper_study_has_every_experiment_and_every_task():
    config = load_config("paper")
    assert config.interventions.samples == 1000
    assert config.interventions.sigma == 0.1
    assert config.theory is not None
    assert config.scales is not None
    assert config.treebank.conllu
    assert config.treebank.entities
    assert config.treebank.roles


def test_without_a_network_every_file_is_named_and_nothing_is_written(away):
    with pytest.raises(InputError) as refused:
        list(fetch(load_config("paper"), away / "data"))
    told = str(refused.value)
    for name in ("wiki.valid.raw", "en_ewt-ud-train.conllu", "en_ewt-uner.iob2", "propbank-test.jsonl"):
        assert name in told
    assert "Salesforce/wikitext" in told
    assert not (away / "data").exists()


def test_what_is_here_is_kept_only_unchanged(away):
    config = load_config("paper", ("treebank.roles=[]",))
    manifest = {}
    for name in ("wiki.valid.raw", *config.treebank.conllu, *config.treebank.entities):
        (away / name).write_text(name)
        manifest[name] = {"sha256": sha256(name.encode()).hexdigest()}
    (away / MANIFEST).write_text(json.dumps(manifest))
    assert needed(config) == []
    assert [line.startswith("here") for line in fetch(config, away)] == [True] * 5
    (away / "en_ewt-uner.iob2").write_text("changed")
    with pytest.raises(StoreError, match=r"en_ewt-uner\.iob2: expected SHA-256"):
        list(fetch(config, away))


def test_a_file_that_was_put_there_is_told_from_the_known_text(away):
    config = load_config("paper", ("treebank.roles=[]",))
    for name in (*config.treebank.conllu, *config.treebank.entities):
        (away / name).write_text("x")
    (away / "wiki.valid.raw").write_text("something else")
    told = {Path(line.split()[1].rstrip(",")).name: line for line in fetch(config, away)}
    assert "another text than the known one" in told["wiki.valid.raw"]
    assert "taken as it is" in told["en_ewt-uner.iob2"]
    known = DATA / "wikitext" / "wiki.valid.raw"
    if known.exists():
        (away / "wiki.valid.raw").write_bytes(known.read_bytes())
        assert next(iter(fetch(config, away))).endswith("the known text")


def test_time_is_told_for_what_is_known_alone(away):
    config = load_config("small")
    lines = list(describe_afar(config, *elsewhere(config)))
    assert sum("not known" in line for line in lines) == 2
    assert not any(line.startswith("time") for line in lines)


def test_another_text_than_the_known_one_is_refused(away, monkeypatch):
    monkeypatch.setattr("mspgt.study.fetching.reachable", lambda: True)
    monkeypatch.setattr("mspgt.study.fetching.wikitext_file", lambda _hub: "another text\n")
    with pytest.raises(StoreError, match="expected the text with content SHA-256"):
        list(fetch(load_config("paper"), away))
    assert not (away / "wiki.valid.raw").exists()


def test_a_misspelt_file_is_no_file_to_fetch(away):
    mine = make_config({"name": "x", "models": ["m"], "corpus": {"source": "wiki.vlaid.raw"}})
    assert needed(mine) == []
    require_here(mine)
    with pytest.raises(InputError, match=r"mspgt fetch STUDY"):
        require_here(load_config("small"))
    with pytest.raises(InputError, match="source is known"):
        list(fetch(mine, away))


def test_a_plan_from_afar_names_models_files_sizes_and_time(away):
    config = load_config("paper")
    lines = list(describe_afar(config, *elsewhere(config)))
    fetched = [line for line in lines if line.startswith("fetch ")]
    assert len(fetched) == 4 + 4  # corpus, treebank, entities, roles; the models
    needs = {line.split()[1].rstrip(":"): line for line in lines if line.startswith("needs")}
    assert set(needs) == set(CARDS)
    assert all("of one H200" in line and "GB of memory" in line for line in needs.values())
    twice = load_config("paper", ("interventions.samples=20000",))
    assert _minutes(list(describe_afar(twice, *elsewhere(twice)))) > _minutes(lines)


def _minutes(lines):
    (line,) = [line for line in lines if line.startswith("time")]
    number, unit = line.split("about ")[1].split()[:2]
    return float(number) * {"min": 1, "h": 60}[unit]


KEY_VALUE_HEADS = {"meta-llama/Meta-Llama-3-8B": 8, "Qwen/Qwen2.5-7B": 4}


@pytest.mark.parametrize("name", sorted(CARDS))
def test_known_models_have_the_parameters_of_their_shape(name):
    card = CARDS[name]
    config, model = (
        (LlamaConfig, LlamaForCausalLM) if card.family == "llama" else (Qwen2Config, Qwen2ForCausalLM)
    )
    with torch.device("meta"):
        built = model(
            config(
                vocab_size=card.vocabulary, hidden_size=card.width, intermediate_size=card.feed_forward,
                num_hidden_layers=card.layers, num_attention_heads=card.heads,
                num_key_value_heads=KEY_VALUE_HEADS.get(name, card.heads), tie_word_embeddings=card.tied,
            )
        )  # fmt: skip
    assert sum(p.numel() for p in built.parameters()) == card.parameters


def test_stand_in_sizes_are_those_of_the_files():
    if not DATA.exists():
        pytest.skip("the data are not beside the checkout")
    corpus = load_corpus(DATA / "wikitext" / "wiki.valid.raw", format="wikitext")
    words = sum(len(s.split()) for document in corpus.documents for s in document.sentences)
    assert (corpus.n_documents, corpus.n_sentences) == (DOCUMENTS, SENTENCES)
    assert words / corpus.n_sentences == pytest.approx(WORDS_A_SENTENCE, abs=0.05)
    for split in ("dev", "test"):
        read = [one for _, one in read_conllu(DATA / "ewt" / f"en_ewt-ud-{split}.conllu")]
        sentences, each = TREEBANK[split]
        assert len(read) == sentences
        assert sum(len(one.words) for one in read) / len(read) == pytest.approx(each, abs=0.5)

"""The whole experiment on tiny models: a planted scale is recovered, what breaks is marked, odd texts are counted."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from mspgt.boundaries.scales import Scales
from mspgt.errors import InputError
from mspgt.interventions.arms import Arm, plan_response
from mspgt.interventions.doses import Yardsticks
from mspgt.interventions.experiment import arm_scores, intervene, summary
from mspgt.interventions.prompts import Prompt, make_prompts
from mspgt.interventions.response import costs_by_noise, linear_range
from mspgt.interventions.texts import Texts, write_texts
from mspgt.lm.load import load
from mspgt.lm.start import start_token
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document
from mspgt.vocabulary import SCALES
from tests.lm.tiny import TEXTS, tiny_model

CORPUS = Corpus("t", tuple(Document(str(i), "", tuple(TEXTS[i:] + TEXTS[:i])) for i in range(5)), "")
ONES = Yardsticks.flat(np.ones(7))
QUICK = {"prompt_tokens": 8, "new_tokens": 12}


@pytest.fixture(scope="module")
def lm(tmp_path_factory):
    return load(tiny_model(tmp_path_factory.mktemp("interventions"), layers=6))


FINE, COARSE = 0.5, 4.0
NOISE = np.r_[
    [0.35] * 3, [20.0] * 2, [3.0] * 2
]  # a tenth of it: far below half a grid, but in blocks 3 and 4


def only_the_middle_matters(folder):
    """A model of six blocks that forgives noise everywhere but in blocks 3 and 4.

    Blocks 1, 2, 5 and 6 write nothing, and the stream is rounded where the scales meet: what enters block 3 and
    what leaves block 6 stood on a grid already, so that noise much smaller than the grid is rounded away; what
    leaves block 4 did not, and noise there carries some values over an edge.
    """
    lm = load(tiny_model(folder, layers=6, seed=2))

    def rounding(grid):
        def rounded(_, args, kwargs):
            stream = args[0] if args else kwargs.pop("hidden_states")
            return (torch.round(stream / grid) * grid, *args[1:]), kwargs

        return rounded

    with torch.no_grad():
        embedding = lm.model.get_input_embeddings().weight
        embedding.copy_(torch.round(embedding / FINE) * FINE)
        for block in (0, 1, 4, 5):
            lm.blocks[block].self_attn.o_proj.weight.zero_()
            lm.blocks[block].mlp.down_proj.weight.zero_()
    for module, grid in ((lm.blocks[2], FINE), (lm.blocks[4], COARSE), (lm.model.model.norm, COARSE)):
        module.register_forward_pre_hook(rounding(grid), with_kwargs=True)
    return lm


def test_the_only_scale_that_matters_is_recovered(tmp_path):
    lm = only_the_middle_matters(tmp_path)
    rng = np.random.default_rng(0)
    words = " ".join(TEXTS).split()
    written = [(" ".join(rng.choice(words, 14)) + ".",) for _ in range(25)]
    corpus = Corpus("t", tuple(Document(str(i), "", text) for i, text in enumerate(written)), "")
    found = intervene(lm, corpus, (2, 4), samples=100, std=NOISE, random_sets=0, response_samples=10, **QUICK)
    table = found["interventions"]
    for dose in ("", "_matched_layers"):
        for scale in ("local", "global"):
            assert all(one["difference"] == 0 for one in table[scale + dose].values() if one["n"])
        assert table["intermediate" + dose]["perplexity"]["p_permutation"] < 0.005
        assert table["intermediate" + dose]["perplexity"]["percent"] > 20
    contrast = found["interventions_about"]["contrasts"]["perplexity"]
    assert contrast["plain"]["signed"]["p"] < 0.01 > contrast["plain"]["absolute"]["p"]
    response = found["interventions_about"]["response"]
    assert response["local"]["divergence"][:3] == response["global"]["divergence"][:3] == [0, 0, 0]
    assert min(response["intermediate"]["divergence"]) > 0
    json.dumps(found, allow_nan=False)


def test_thirds_say_so_and_given_boundaries_do_not(lm):
    found = intervene(lm, CORPUS, samples=5, random_sets=1, **QUICK)
    about = found["interventions_about"]
    assert about["scales"] == {"LI": 2, "IG": 4, "source": "thirds"}
    assert about["arms"]["random_1"]["layers"]
    assert len(about["texts"][0]["arms"]) == len(about["arms"])
    given = intervene(lm, CORPUS, (1, 2), samples=5, random_sets=0, **QUICK)["interventions_about"]
    assert given["scales"]["source"] == "given"
    with pytest.raises(InputError, match="LI < IG"):
        intervene(lm, CORPUS, (4, 2), samples=5)


def test_the_response_grows_with_the_dose(lm):
    curve = intervene(lm, CORPUS, samples=5, random_sets=0, response_samples=5, **QUICK)[
        "interventions_about"
    ]["response"]
    for scale in SCALES:
        nats = curve[scale]["divergence"]
        assert nats == sorted(nats)
        assert nats[0] > 0
        assert curve[scale]["linear_up_to"] >= 0.01
        # What the doses add to the loss one after the other is the loss of the largest over that of the smallest.
        loss, step = curve[scale]["loss"], curve[scale]["loss_step"]
        assert np.cumsum(step["value"]) + loss[0] == pytest.approx(loss[1:])
        assert step["documents"] == 5
        assert all(error > 0 for error in step["se"])
    broken = intervene(
        lm, CORPUS, samples=5, random_sets=0, response_samples=4, std=np.full(7, 4e38), sigma=1e-38, **QUICK
    )
    curve = broken["interventions_about"]["response"]["local"]
    assert curve["percent"]["ttr"][-1] == {"value": None, "ci": None, "n": 0}
    assert curve["percent"]["ttr"][0]["n"] == 4
    assert linear_range((0.01, 0.1, 1.0), (1e-4, 1.05e-2, 0.3)) == 0.1
    assert linear_range((0.1, 0.01), (1.0, 1e-2)) == 0.1
    assert linear_range((0.01, 0.1), (0.0, 1.0)) is None


def test_the_response_reads_the_tokens_that_were_written_and_as_many_arms_at_once_as_fit(lm):
    prompts = make_prompts(lm, CORPUS, 4, 8)
    arms = plan_response(Scales(2, 4, 6, "given"), (0.1, 0.3))
    texts = write_texts(lm, prompts, arms, ONES, seed=0, new_tokens=12)
    written = texts.of("baseline")
    assert [len(ids) for ids in written["ids"]] == written["tokens"]
    one, all_ = (costs_by_noise(lm, prompts, texts, arms, ONES, seed=0, rows=rows) for rows in (2, 100))
    for few, many in zip(one, all_, strict=True):
        for name, nats in few.items():
            assert nats == pytest.approx(many[name], rel=1e-4, abs=1e-6)
    # What reading the text again would make of it plays no part.
    column = texts.table.schema.get_field_index("text")
    blank = pa.array([""] * len(texts.table), pa.string())
    assert costs_by_noise(
        lm, prompts, Texts(texts.table.set_column(column, "text", blank)), arms, ONES, seed=0
    ) == costs_by_noise(lm, prompts, texts, arms, ONES, seed=0)


def test_the_start_token_takes_no_noise_and_stands_in_no_text(lm):
    start = start_token(lm)
    prompts = make_prompts(lm, CORPUS, 2, 8)
    seen = []
    handle = lm.blocks[1].register_forward_hook(lambda _, __, output: seen.append(output.detach().clone()))
    arms = [Arm("baseline", (0.0,) * 6), Arm("local", (3.0, *(0.0,) * 5))]
    texts = write_texts(lm, prompts, arms, ONES, seed=0, new_tokens=3)
    handle.remove()
    for calm, noisy in zip(
        seen[0][0::2], seen[0][1::2], strict=True
    ):  # the pass over the prompts, arms in turn
        assert torch.equal(calm[0], noisy[0])
        assert not torch.isclose(calm[1:], noisy[1:]).all(dim=-1).any()
    for column in ("prompt", "text"):
        assert not any(start.token in text for text in texts.table[column].to_pylist())
    assert texts.table["prompt_tokens"].to_pylist() == [8] * 4


def test_an_arm_that_breaks_is_marked_with_its_layer_and_the_others_go_on(lm):
    prompts = make_prompts(lm, CORPUS, 6, 8)
    calm, wild = (0.0,) * 6, (0.0, 0.0, 3e38, 0.0, 0.0, 0.0)
    arms = [Arm("baseline", calm), Arm("aa", calm, 1), Arm("local", wild), Arm("global", (0.1, *calm[1:]))]
    texts = write_texts(lm, prompts, arms, ONES, seed=0, new_tokens=6)
    assert texts.failure("local")["layer"] == 3
    assert texts.failure("global") is None
    found = summary(texts, arm_scores(texts), arms, Scales(2, 4, 6, "given"), ONES, settings={})
    assert found["interventions_about"]["arms"]["local"]["failed"]["layer"] == 3
    assert found["interventions"]["local"]["ttr"]["percent"] is None
    assert "block 3" in found["interventions"]["local"]["ttr"]["reason"]
    assert found["interventions"]["global"]["ttr"]["value"] is not None


def test_shards_batches_and_parquet_change_nothing(lm):
    prompts = make_prompts(lm, CORPUS, 7, 8)
    # A short prompt, which cannot share a batch with the others.
    prompts[3] = Prompt(3, prompts[3].document, prompts[3].ids[:5], prompts[3].special)
    arms = [Arm("baseline", (0.0,) * 6), Arm("local", (0.3,) * 6), Arm("twin", (0.3,) * 6)]
    whole = write_texts(lm, prompts, arms, ONES, seed=0, new_tokens=8)
    parts = [
        write_texts(lm, prompts[a:b], arms, ONES, seed=0, new_tokens=8, batch_rows=2)
        for a, b in ((4, 7), (0, 4))
    ]
    joined = Texts.from_parquet(Texts.join(parts).to_parquet())
    for arm in ("baseline", "local"):
        assert joined.of(arm)["text"] == whole.of(arm)["text"]
        np.testing.assert_allclose(joined.of(arm)["nats"], whole.of(arm)["nats"], atol=1e-4)
    assert whole.of("twin")["text"] == whole.of("local")["text"] != whole.of("baseline")["text"]
    assert whole.of("local")["sample"] == list(range(7))


def test_empty_texts_and_single_sentences_are_counted_and_never_numbers():
    texts = Texts.join(
        [_texts(["", "one sentence", "Two here. And there.", ""], arm) for arm in ("baseline", "local")]
    )
    arms = [Arm("baseline", (0.0,)), Arm("local", (0.1,))]
    found = summary(
        texts, arm_scores(texts), arms, Scales(1, 2, 3, "given"), Yardsticks.flat(np.ones(2)), settings={}
    )["interventions"]
    assert found["local"]["length_variance_text"]["rate"] == 0.25
    assert found["local"]["length_variance_text"]["value"] is None
    assert found["local"]["ttr"]["rate"] == 0.5
    assert found["local"]["self_bleu"]["n"] == 2


def _texts(found: list[str], arm: str) -> Texts:
    import pyarrow as pa

    rows = [
        {"sample": at, "document": at, "arm": arm, "prompt": "", "prompt_tokens": 0, "text": text,
         "tokens": len(text),
         "ended": True, "nats": -1.0, "broken_step": -1, "broken_layer": -1}
        for at, text in enumerate(found)
    ]  # fmt: skip
    return Texts(pa.Table.from_pylist(rows))

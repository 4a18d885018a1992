"""Arms: which layers they perturb and how much, and prompts: where samples start."""

import numpy as np
import pytest

from mspgt.boundaries.scales import Scales
from mspgt.errors import InputError
from mspgt.interventions.arms import plan_arms, plan_response
from mspgt.interventions.doses import Yardsticks, added_variance
from mspgt.interventions.prompts import make_prompts
from mspgt.lm.load import load
from mspgt.lm.start import start_token
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document
from mspgt.vocabulary import SCALES
from tests.lm.tiny import tiny_model

SCALED = Scales(13, 16, 32, "given")  # the paper's Llama-2: 13, 3 and 16 layers


def planned(**settings):
    return {arm.name: arm for arm in plan_arms(SCALED, random_sets=4, seed=1, **settings)}


def test_the_arms_of_the_paper_and_their_matched_doses():
    arms = planned(equal_kl={"local": 0.2, "intermediate": 0.3, "global": 0.05})
    assert list(arms)[:5] == ["baseline", "aa", *SCALES]
    assert arms["baseline"].layers == arms["aa"].layers == ()
    assert arms["baseline"].stream != arms["aa"].stream
    assert arms["local"].layers == tuple(range(1, 14))
    assert arms["global"].layers == tuple(range(17, 33))
    assert arms["intermediate"].sigma[13:16] == (0.1, 0.1, 0.1)
    for scale in SCALES:
        matched = arms[f"{scale}_matched_layers"]
        assert len(matched.layers) == 3
        assert set(matched.layers) <= set(arms[scale].layers)
        for dose in ("matched_variance", "equal_kl", "literal"):
            assert arms[f"{scale}_{dose}"].layers == arms[scale].layers
        assert arms[f"{scale}_literal"].sigma == arms[scale].sigma
        assert arms[f"{scale}_literal"].definition == "all"
        assert arms[scale].definition == "dimension"
    assert max(arms["global_equal_kl"].sigma) == 0.05
    assert planned(equal_kl={"local": 0.2, "intermediate": 0.3, "global": 0.05}) == arms
    assert not any("equal_kl" in name or "literal" in name for name in planned(literal=False))
    assert not any("literal" in name for name in planned(definition="all"))


@pytest.mark.parametrize("definition", ["dimension", "own"])
def test_matched_variance_is_relative_to_the_activations(definition):
    """Layers whose activations differ a thousandfold: every scale gets one and the same share of its own variance."""
    spread = np.geomspace(0.01, 10, 32)[:, None] * np.random.default_rng(0).lognormal(0, 1, (32, 8))
    typical = np.sqrt(np.square(spread).mean(axis=1))  # activations without a mean
    yardsticks = Yardsticks(spread, typical, 9 * typical, typical)
    arms = planned(definition=definition)
    totals = [added_variance(arms[f"{scale}_matched_variance"], yardsticks) for scale in SCALES]
    assert totals == pytest.approx([0.01 * (13 * 3 * 16) ** (1 / 3)] * 3)
    whole = [added_variance(arms[scale], yardsticks) for scale in SCALES]
    assert whole == pytest.approx([0.13, 0.03, 0.16])
    literal = added_variance(arms["local_literal"], yardsticks)
    assert literal == pytest.approx(81 * whole[0])


def test_random_sets_have_the_size_and_where_they_should_the_spread_of_the_intermediate_arm():
    arms = planned()
    middle = arms["intermediate_matched_layers"].layers
    for number in range(1, 5):
        anywhere, spread = arms[f"random_{number}"].layers, arms[f"random_spread_{number}"].layers
        assert len(anywhere) == len(spread) == len(middle)
        assert spread[-1] - spread[0] == middle[-1] - middle[0]
        assert spread != middle
    assert len({arms[f"random_spread_{number}"].layers for number in range(1, 5)}) == 4
    one_wide = plan_arms(Scales(1, 2, 12, "given"), random_sets=3)
    assert [len(arm.layers) for arm in one_wide if arm.name.startswith("random")] == [1] * 6


def test_the_response_goes_through_every_size():
    arms = plan_response(SCALED, (0.01, 1.0))
    assert [arm.name for arm in arms[1:]] == [f"{s}@{size}" for size in ("0.01", "1") for s in SCALES]
    assert max(arms[-1].sigma) == 1.0 == 100 * max(arms[3].sigma)


@pytest.mark.parametrize("sigma", [0.0, -0.1, float("nan"), float("inf")])
def test_a_dose_must_be_a_size(sigma):
    with pytest.raises(InputError, match="above 0"):
        plan_arms(SCALED, sigma=sigma)


def test_yardsticks_must_be_sizes_but_a_dimension_may_stand_still():
    good = np.ones(3)
    still = np.ones((3, 4))
    still[:, 1] = 0
    assert Yardsticks(still, good, good, good).layers == 3
    for wrong in (np.array([1.0, 0.0, 1.0]), np.array([1.0, np.nan, 1.0])):
        with pytest.raises(InputError, match="finite and positive"):
            Yardsticks(still, wrong, good, good)


@pytest.fixture(scope="module", params=[True, False], ids=["bos", "no bos"])
def lm(request, tmp_path_factory):
    return load(tiny_model(tmp_path_factory.mktemp("prompts"), bos=request.param))


def corpus(*documents: tuple[str, ...]) -> Corpus:
    return Corpus("t", tuple(Document(str(i), "", d) for i, d in enumerate(documents)), "")


LONG = tuple(f"Sentence {k} of it has some six words." for k in "abcdefghij")


def test_prompts_start_where_documents_do_and_then_later_in_them(lm):
    prompts = make_prompts(lm, corpus(LONG, LONG[::-1], ("Rain.", "It fell.")), 9, 12)
    assert [prompt.document for prompt in prompts] == [0, 1, 2] * 3
    assert [prompt.sample for prompt in prompts] == list(range(9))
    for prompt in prompts:
        assert prompt.ids[0] == start_token(lm).id
        assert prompt.special == prompt.spared == 1
        assert len(prompt.ids) == 13 or prompt.document == 2
    texts = [lm.tokenizer.decode(list(prompt.ids[1:])) for prompt in prompts]
    assert LONG[0].startswith(texts[0][:12])
    assert LONG[9].startswith(texts[1][:12])
    own = [text for text, prompt in zip(texts, prompts, strict=True) if prompt.document == 0]
    assert len(set(own)) == 3
    assert all(text.startswith("Sentence ") for text in own)


def test_a_prompt_without_a_start_token_spares_its_first_word(lm):
    every = make_prompts(lm, corpus(LONG), 3, 12)
    for prompt, bare in zip(every, make_prompts(lm, corpus(LONG), 3, 12, start="none"), strict=True):
        assert (bare.special, bare.spared) == (0, 1)
        assert bare.ids == prompt.ids[1:]
    named = make_prompts(lm, corpus(LONG), 1, 12, start="a")
    assert named[0].ids[0] == lm.tokenizer.convert_tokens_to_ids("a")


def test_a_short_document_gives_all_it_has(lm):
    prompts = make_prompts(lm, corpus(("Rain.", "It fell."), LONG), 4, 30)
    short = [prompt for prompt in prompts if prompt.document == 0]
    assert [lm.tokenizer.decode(list(p.ids[p.special :])) for p in short] == ["Rain. It fell."] * 2

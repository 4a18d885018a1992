"""Arms: which layers they perturb and how much, and prompts: where samples start."""

import numpy as np
import pytest

from mspgt.boundaries.scales import SCALES, Scales
from mspgt.errors import InputError
from mspgt.interventions.arms import plan_arms, plan_response
from mspgt.interventions.prompts import make_prompts
from mspgt.lm.load import load
from mspgt.text.corpus import Corpus
from mspgt.text.documents import Document
from tests.lm.tiny import tiny_model

SCALED = Scales(13, 16, 32, "given")  # the paper's Llama-2: 13, 3 and 16 layers
STD = np.r_[9.0, np.geomspace(0.5, 20, 32)]


def test_the_arms_of_the_paper_and_their_matched_doses():
    arms = {arm.name: arm for arm in plan_arms(SCALED, STD, sigma=0.1, random_sets=2, seed=1)}
    assert list(arms)[:5] == ["baseline", "aa", *SCALES]
    assert arms["baseline"].layers == arms["aa"].layers == ()
    assert arms["baseline"].stream != arms["aa"].stream
    assert arms["local"].layers == tuple(range(1, 14))
    assert arms["global"].layers == tuple(range(17, 33))
    np.testing.assert_allclose(np.array(arms["intermediate"].sigma)[13:16], 0.1 * STD[14:17])
    for scale in SCALES:
        matched = arms[f"{scale}_matched_layers"]
        assert len(matched.layers) == 3
        assert set(matched.layers) <= set(arms[scale].layers)
        assert arms[f"{scale}_matched_variance"].layers == arms[scale].layers
    totals = [arms[f"{scale}_matched_variance"].variance for scale in SCALES]
    assert totals == pytest.approx([np.prod([arms[s].variance for s in SCALES]) ** (1 / 3)] * 3)
    drawn = [arms[f"random_{k}"].layers for k in (1, 2)]
    assert drawn[0] != drawn[1]
    assert all(len(layers) == 3 for layers in drawn)
    again = {arm.name: arm for arm in plan_arms(SCALED, STD, sigma=0.1, random_sets=2, seed=1)}
    assert again == arms


def test_the_response_goes_through_every_size():
    arms = plan_response(SCALED, STD, (0.01, 1.0))
    assert [arm.name for arm in arms[1:]] == [f"{s}@{size}" for size in ("0.01", "1") for s in SCALES]
    assert arms[-1].variance == pytest.approx(100**2 * arms[3].variance)


@pytest.mark.parametrize("sigma", [0.0, -0.1, float("nan"), float("inf")])
def test_a_dose_must_be_a_size(sigma):
    with pytest.raises(InputError, match="sigma above 0"):
        plan_arms(SCALED, STD, sigma=sigma)
    with pytest.raises(InputError, match="32 layers"):
        plan_arms(SCALED, STD[:-1])


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
    special = int(lm.tokenizer.bos_token_id is not None)
    for prompt in prompts:
        assert prompt.special == special
        assert len(prompt.ids) == special + 12 or prompt.document == 2
    texts = [lm.tokenizer.decode(list(prompt.ids[special:])) for prompt in prompts]
    assert LONG[0].startswith(texts[0][:12])
    assert LONG[9].startswith(texts[1][:12])
    own = [text for text, prompt in zip(texts, prompts, strict=True) if prompt.document == 0]
    assert len(set(own)) == 3
    assert all(text.startswith("Sentence ") for text in own)


def test_a_short_document_gives_all_it_has(lm):
    prompts = make_prompts(lm, corpus(("Rain.", "It fell."), LONG), 4, 30)
    short = [prompt for prompt in prompts if prompt.document == 0]
    assert [lm.tokenizer.decode(list(p.ids[p.special :])) for p in short] == ["Rain. It fell."] * 2

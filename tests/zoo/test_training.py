"""Shipped models are what their recipes make, and as near to the exact reader as their cards say."""

import math

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from mspgt.errors import InputError
from mspgt.synthetic.bayes import surprisal
from mspgt.zoo import bundled
from mspgt.zoo.recipes import RECIPES, recipe
from mspgt.zoo.stream import Stream
from mspgt.zoo.training import train
from mspgt.zoo.vocabulary import build_tokenizer

BAR = 0.05  # bits a token above the exact reader, figure 18 of the acceptance list


@pytest.mark.parametrize("name", ["triscale-llama-2", "triscale-qwen2-1"])
def test_training_again_follows_the_stored_curve(name, tmp_path):
    """Five steps: the first loss to 0.1 %, the rest to 2 %, since float32 sums differ between machines."""
    again = train(name, tmp_path, until=5)
    stored = bundled.card(name)["curve"][:5]
    assert again[0] == pytest.approx(stored[0], rel=1e-3)
    assert again == pytest.approx(stored, rel=0.02)
    assert stored[4] < stored[0] - 0.1


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_cards_state_an_excess_within_the_bar(name):
    card = bundled.card(name)
    assert 0 < card["excess_bits_a_token"] <= BAR
    assert len(card["curve"]) == card["step"] == recipe(name).steps


@pytest.mark.parametrize("name", ["triscale-llama-1", "triscale-qwen2-3"])
def test_excess_on_sampled_words_is_that_of_the_card(name):
    """Measured another way: surprisal of the words themselves, the model's less the exact reader's."""
    plan, documents = recipe(name), 160
    tokenizer = build_tokenizer(plan.language, bos=plan.bos)
    stream = Stream(plan.language, tokenizer, bos=plan.bos)
    model = AutoModelForCausalLM.from_pretrained(bundled.path(name), dtype=torch.float32)
    words = plan.language.sample(documents, seed=77).words
    exact = surprisal(plan.language, words).reshape(documents, -1)
    above = []
    for line, bits in zip(words.reshape(documents, -1), exact, strict=True):
        ids = stream.inside[line[line >= 0]]
        ids[0] = stream.first[line[0]]
        bits = bits[~np.isnan(bits)]
        tokens = torch.tensor([[1, *ids]] if plan.bos else [ids.tolist()])
        with torch.no_grad():
            logs = torch.log_softmax(model(tokens).logits[0, :-1], -1) / math.log(2)
        model_bits = -logs.gather(1, tokens[0, 1:, None])[:, 0].numpy()
        above.append((model_bits - bits[len(bits) - len(model_bits) :]).mean())
    error = np.std(above) / math.sqrt(documents)
    assert error < 0.01
    assert np.mean(above) <= bundled.card(name)["excess_bits_a_token"] + 4 * error
    assert np.mean(above) > -4 * error, "no model is better than the exact reader"


def test_checkpoints_of_one_run_come_nearer_and_nearer():
    steps = [bundled.card(n) for n in bundled.names(checkpoints=True) if n.startswith("triscale-qwen2-1")]
    steps.sort(key=lambda card: card["step"])
    assert len(steps) == 6
    excess = [card["excess_bits_a_token"] for card in steps]
    assert excess == sorted(excess, reverse=True)


def test_unknown_recipe_is_refused(tmp_path):
    with pytest.raises(InputError, match="triscale-llama-1"):
        train("gpt-5", tmp_path)

"""Shipped models are what their recipes make, and as near to the exact reader as their cards say."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from mspgt.errors import InputError
from mspgt.zoo import bundled
from mspgt.zoo.recipes import RECIPES, StagedRecipe, recipe
from mspgt.zoo.stream import Stream
from mspgt.zoo.training import train
from mspgt.zoo.vocabulary import build_tokenizer

BAR = 0.05  # bits a token above the exact reader, figure 18 of the acceptance list


STAGED = {name for name, plan in RECIPES.items() if isinstance(plan, StagedRecipe)}


@pytest.mark.parametrize("name", ["triscale-llama-2", "triscale-qwen2-1", "triscale-separated"])
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
    # Stages that learn nothing from the next word leave less of it: no language models, and no bar.
    assert 0 < card["excess_bits_a_token"] <= (math.inf if name in STAGED else BAR)
    assert len(card["curve"]) == card["step"] == recipe(name).steps
    assert card["recipe"] == json.loads(json.dumps(dataclasses.asdict(recipe(name))))


def test_models_of_known_scales_differ_in_what_they_were_asked_for_alone():
    plans = [dataclasses.asdict(recipe(name)) for name in (*sorted(STAGED), "triscale-unseparated")]
    shared = [{key: value for key, value in plan.items() if key in plans[-1]} for plan in plans]
    assert shared[0] == shared[1] == shared[2]
    assert {(plan["local"], plan["intermediate"]) for plan in plans[:2]} == {(5, 12)}


@pytest.mark.parametrize("name", ["triscale-llama-1", "triscale-qwen2-1", "triscale-separated"])
def test_excess_on_sampled_words_is_that_of_the_card(name):
    """Measured another way: surprisal of the words drawn, the model's less the exact reader's."""
    plan, sequences = recipe(name), 90 if name in STAGED else 60
    stream = Stream(plan.language, build_tokenizer(plan.language, bos=plan.bos), bos=plan.bos)
    block = stream.draw(sequences, plan.long_sequence, [77, 1])
    tokens = torch.from_numpy(block.tokens)
    model = AutoModelForCausalLM.from_pretrained(bundled.path(name), dtype=torch.float32)
    with torch.no_grad():
        logs = torch.log_softmax(model(tokens).logits[:, :-1], -1) / math.log(2)
    of_model = -logs.gather(2, tokens[:, 1:, None])[..., 0].numpy()
    of_reader = -np.log2(np.take_along_axis(block.predictive, block.tokens[..., None], -1)[:, 1:, 0])
    above = (of_model - of_reader).mean(axis=1)
    error = np.std(above) / math.sqrt(sequences)
    assert error < 0.005
    assert np.mean(above) == pytest.approx(bundled.card(name)["excess_bits_a_token"], abs=4 * float(error))


def test_checkpoints_of_one_run_come_nearer_and_nearer():
    steps = [bundled.card(n) for n in bundled.names(checkpoints=True) if n.startswith("triscale-qwen2-1")]
    steps.sort(key=lambda card: card["step"])
    assert len(steps) == 6
    excess = [card["excess_bits_a_token"] for card in steps]
    assert excess == sorted(excess, reverse=True)


def test_unknown_recipe_is_refused(tmp_path):
    with pytest.raises(InputError, match="triscale-llama-1"):
        train("gpt-5", tmp_path)

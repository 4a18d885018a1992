"""Make a bundled model from its recipe, and measure how far it stays above the exact reader."""

import math
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from mspgt.vocabulary import Progress
from mspgt.zoo.architecture import build
from mspgt.zoo.bundled import write_model
from mspgt.zoo.fitting import READERS, fit
from mspgt.zoo.recipes import BundledRecipe, StagedRecipe, recipe
from mspgt.zoo.staged import Stages
from mspgt.zoo.stream import Block, Stream
from mspgt.zoo.vocabulary import build_tokenizer

HELD_OUT = 1_000_003  # no run has this seed


def train(
    name: str,
    out: Path,
    *,
    device: str = "cpu",
    until: int | None = None,
    progress: Progress | None = None,
) -> list[float]:
    """Train the model `name` into the folder `out/name`; killed, the same call goes on from its last state.

    Every step's loss is the mean over positions of KL(exact predictive || model) in bits: the same gradient
    in expectation as cross-entropy on the sampled words, without their sampling noise. Returns it for every
    step; in a staged run, what the readers of the stages lack of their labels is added. `until` stops after that many
    steps and writes no model. Raises InputError for an unknown name.
    """
    plan = recipe(name)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer(plan.language, bos=plan.bos)
    stream = Stream(plan.language, tokenizer, bos=plan.bos)
    model = build(plan, tokenizer.get_vocab_size()).to(device)

    stages = Stages(model, plan) if isinstance(plan, StagedRecipe) else None

    def loss_at(step: int) -> torch.Tensor:
        length = plan.length(step)
        block = stream.draw(plan.tokens_a_step // length, length, [plan.seed, step])
        if stages is None:
            return excess(model, block)
        with stages.apart() as states:
            above = excess(model, block)
        return above + stages.loss(stream, length, step, states)

    def keep(step: int, folder: str, curve: list[float]) -> None:
        # What is shipped is what is measured: the weights as float16 holds them.
        rounded = build(plan, tokenizer.get_vocab_size()).to(device)
        own = {k: v.half().float() for k, v in model.state_dict().items() if not k.startswith(READERS)}
        rounded.load_state_dict(own)
        facts = {
            "step": step,
            "excess_bits_a_token": held_out_excess(rounded, plan, tokenizer),
            "curve": curve,
        }
        write_model(out / folder, rounded.half(), tokenizer, plan, facts)

    curve = fit(
        model,
        plan,
        loss_at,
        out / f"{name}.state",
        until=until,
        progress=progress,
        at_checkpoint=lambda step: keep(step, f"{name}-step{step}", []),
    )
    if len(curve) == plan.steps:
        keep(plan.steps, name, curve)
    return curve


def excess(model: PreTrainedModel, block: Block) -> torch.Tensor:
    """Mean KL(exact predictive || model) in bits a token, over all positions but the first."""
    tokens = torch.from_numpy(block.tokens).to(model.device)
    exact = torch.from_numpy(block.predictive[:, 1:]).to(model.device)
    log_model = torch.log_softmax(model(tokens, use_cache=False).logits[:, :-1].float(), dim=-1)
    return (torch.special.xlogy(exact, exact) - exact * log_model).sum(dim=-1).mean() / math.log(2)


@torch.no_grad()
def held_out_excess(
    model: PreTrainedModel, plan: BundledRecipe, tokenizer: Tokenizer, *, sequences: int = 128
) -> float:
    """Excess over the exact reader, in bits a token, on long sequences that no run was trained on."""
    model.eval()
    stream = Stream(plan.language, tokenizer, bos=plan.bos)
    parts = [
        excess(model, stream.draw(16, plan.long_sequence, [HELD_OUT, part])).item()
        for part in range(sequences // 16)
    ]
    return sum(parts) / len(parts)

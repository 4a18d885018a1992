"""The untrained model of a recipe, its initial weights decided by the seed alone."""

import math
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, Qwen2Config, Qwen2ForCausalLM

from mspgt.errors import InputError
from mspgt.zoo.recipes import Recipe

ARCHITECTURES: dict[str, tuple[Any, Any]] = {
    "llama": (LlamaConfig, LlamaForCausalLM),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM),
}


def build(recipe: Recipe, vocabulary: int) -> PreTrainedModel:
    """A float32 model with `vocabulary` tied embedding rows, ready to train."""
    if recipe.architecture not in ARCHITECTURES:
        raise InputError(
            f"architecture must be one of {', '.join(ARCHITECTURES)}, got {recipe.architecture!r}"
        )
    config_class, model_class = ARCHITECTURES[recipe.architecture]
    config = config_class(
        vocab_size=vocabulary,
        hidden_size=recipe.width,
        intermediate_size=recipe.inner,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.kv_heads,
        max_position_embeddings=recipe.max_length,
        initializer_range=recipe.initial_std,
        tie_word_embeddings=True,
        bos_token_id=1 if recipe.bos else None,
        eos_token_id=None,
        pad_token_id=0,
    )
    model = model_class(config)
    generator = torch.Generator().manual_seed(recipe.seed)
    # Drawn here rather than by transformers, whose order of drawing changes between releases.
    for name, weight in sorted(model.named_parameters()):
        if weight.ndim < 2:
            torch.nn.init.constant_(weight, float("norm" in name))
            continue
        # Each block adds to the residual stream twice: without this its variance would grow with depth.
        into_residual = name.endswith(("o_proj.weight", "down_proj.weight"))
        std = recipe.initial_std / (math.sqrt(2 * recipe.layers) if into_residual else 1.0)
        torch.nn.init.normal_(weight, std=std, generator=generator)
    return model

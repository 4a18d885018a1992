"""Tiny random models of many families, saved to a folder with a tokenizer made on the spot; no network."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

TEXTS = [
    "The old man rowed his boat across the bay.",
    "She laughed.",
    "Nobody knew why the lights had gone out, and nobody asked.",
    "A café opened on the corner; naïve visitors paid €5 for tea.",
    "Rain fell on the roof all night long.",
]
VOCABULARY = 320
_COMMON = {"vocab_size": VOCABULARY, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": None}
_LLAMA = {
    **_COMMON,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    # Wide enough that attention is far from uniform.
    "initializer_range": 0.4,
}
_GPT2 = {**_COMMON, "n_embd": 32, "n_head": 4, "n_positions": 64, "initializer_range": 0.4}
CONFIGS = {
    "llama": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": {**_LLAMA, "head_dim": 16},
    "mistral": {**_LLAMA, "sliding_window": 5},
    "gemma2": {**_LLAMA, "head_dim": 8, "sliding_window": 5, "query_pre_attn_scalar": 8},
    "gemma3_text": {**_LLAMA, "head_dim": 8, "sliding_window": 5, "sliding_window_pattern": 2},
    "gpt_oss": {
        **_LLAMA,
        "head_dim": 8,
        "sliding_window": 5,
        "num_local_experts": 2,
        "num_experts_per_tok": 1,
    },
    "gpt_neox": {**_LLAMA, "num_key_value_heads": 4},
    "gpt2": _GPT2,
    "bloom": {**_COMMON, "hidden_size": 32, "n_head": 4, "initializer_range": 0.4},
    "falcon": {**_COMMON, "hidden_size": 32, "num_attention_heads": 4, "initializer_range": 0.4},
    "gptj": {**_GPT2, "rotary_dim": 4},
    "mamba": {**_COMMON, "hidden_size": 32, "state_size": 4},
}
_DEPTH_KEY = {"gpt2": "n_layer", "gptj": "n_layer", "bloom": "n_layer"}
BY_INTERFACE = ["llama", "qwen2", "qwen3", "mistral", "gemma2", "gemma3_text", "gpt_oss", "gpt_neox", "gpt2"]
BY_HOOKS = ["bloom", "falcon"]
BY_EITHER = ["gptj"]  # through the interface from transformers 5.24 on, through hooks before


def tiny_tokenizer(*, bos: bool = True, pad: bool = False) -> PreTrainedTokenizerFast:
    """A byte-level BPE of VOCABULARY entries; ids 0 and 1 are the special tokens."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(TEXTS * 3, trainer)
    if bos:
        raw.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<s>" if bos else None,
        eos_token="</s>",
        pad_token="<pad>" if pad else None,
    )


def tiny_model(
    folder: Path,
    family: str = "llama",
    *,
    layers: int = 3,
    seed: int = 0,
    bos: bool = True,
    pad: bool = False,
    dtype: torch.dtype = torch.float32,
    **changes: object,
) -> Path:
    """Write a random model of `family` and its tokenizer to `folder`; `changes` go into the config."""
    settings = {**CONFIGS[family], _DEPTH_KEY.get(family, "num_hidden_layers"): layers, **changes}
    config = AutoConfig.for_model(family, **settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config)
    model.to(dtype).save_pretrained(folder)
    tiny_tokenizer(bos=bos, pad=pad).save_pretrained(folder)
    return folder

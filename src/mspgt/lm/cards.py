"""The paper's models, as their config.json has them."""

from __future__ import annotations

from mspgt.lm.identity import Card

CARDS = {
    "meta-llama/Llama-2-7b-hf": Card(
        "llama", 32, 4096, 32, 6_738_415_616, "float16", "", True, 11008, 32000, False, 4096
    ),
    "meta-llama/Meta-Llama-3-8B": Card(
        "llama", 32, 4096, 32, 8_030_261_248, "bfloat16", "", True, 14336, 128256, False, 8192
    ),
    "Qwen/Qwen1.5-7B": Card(
        "qwen2", 32, 4096, 32, 7_721_324_544, "bfloat16", "", True, 11008, 151936, False, 32768
    ),
    "Qwen/Qwen2.5-7B": Card(
        "qwen2", 28, 3584, 28, 7_615_616_512, "bfloat16", "", True, 18944, 152064, False, 131072
    ),
}

"""How each bundled model is made: everything that decides its weights, as data."""

from dataclasses import dataclass, field
from typing import Any

from mspgt.errors import InputError
from mspgt.synthetic.triscale import TriScale


@dataclass(frozen=True)
class Recipe:
    """One training run of a deep and narrow model, whatever its text.

    `seed` decides the initial weights and the text of every step. A step is `tokens_a_step` tokens in
    sequences of `sequence` tokens, or of `long_sequence` every fourth step, so that positions beyond one
    document are trained as well. Both learning rates rise over `warmup` steps and fall to zero over the last
    `decay` of the run. Texts longer than `max_length` are out of range: just beyond `long_sequence` a model
    still holds, at twice the length no more. `checkpoints` are steps whose weights are kept besides the last.
    """

    architecture: str
    seed: int
    layers: int = 24
    width: int = 64
    inner: int = 96
    heads: int = 4
    kv_heads: int = 4
    max_length: int = 160
    initial_std: float = 0.05
    steps: int = 500
    tokens_a_step: int = 1024
    sequence: int = 32
    long_sequence: int = 128
    matrix_rate: float = 0.01
    other_rate: float = 0.003
    warmup: int = 30
    decay: float = 0.4
    checkpoints: tuple[int, ...] = ()

    @property
    def bos(self) -> bool:
        """Whether a text starts with a beginning-of-text token, as in the original of the architecture."""
        return self.architecture == "llama"

    def length(self, step: int) -> int:
        """Tokens a sequence at a step."""
        return self.long_sequence if step % 4 == 3 else self.sequence

    def rate(self, step: int) -> float:
        """The learning rates at a step, as a fraction of their peak."""
        return min(1.0, (step + 1) / self.warmup, (self.steps - step) / (self.decay * self.steps))


@dataclass(frozen=True)
class BundledRecipe(Recipe):
    """A training run on documents of `language`, drawn on the fly."""

    language: TriScale = field(default_factory=TriScale)


@dataclass(frozen=True)
class StagedRecipe(BundledRecipe):
    """A training run in which layers are asked for one thing after another: a model whose scales are known.

    `stages` are (last layer, label). The layers of a stage learn from a linear reader of that label at its last
    layer, and of the labels that every stage is to `keep`, and from nothing else: no gradient passes from one stage
    to the one before. Labels are those of `zoo.labels`, and "next" for the next word. `local` and `intermediate`: the
    last layers of the Local and the Intermediate scale, where the boundaries are.
    """

    stages: tuple[tuple[int, str], ...] = ()
    keep: tuple[str, ...] = ()
    local: int = 0
    intermediate: int = 0


# Models alike in architecture, seed (initial weights, text) and steps. Where the truth is was fixed before any of
# them was trained: Local up to layer 5, Intermediate up to layer 12, Global from there on; in the last, no boundary
# is planted. The first recipe lost the words themselves on the way, and with them what tells the topic; the second,
# made after that was seen, differs in one thing: every stage is asked to keep the word. There is no third.
_ALIKE: dict[str, Any] = {"architecture": "qwen2", "seed": 31, "layers": 18, "kv_heads": 2, "steps": 600}
_STAGED: dict[str, Any] = {
    **_ALIKE,
    "stages": (
        (3, "previous"),
        (5, "before_previous"),
        (8, "relation"),
        (10, "head"),
        (12, "depth"),
        (15, "topic"),
        (18, "next"),
    ),
    "local": 5,
    "intermediate": 12,
}

RECIPES: dict[str, BundledRecipe] = {
    **{f"triscale-llama-{run}": BundledRecipe("llama", run) for run in (1, 2, 3)},
    # Grouped queries, as in every Qwen2; one run keeps its states along training.
    "triscale-qwen2-1": BundledRecipe("qwen2", 11, kv_heads=2, checkpoints=(25, 75, 150, 250, 350)),
    **{f"triscale-qwen2-{run}": BundledRecipe("qwen2", 10 + run, kv_heads=2) for run in (2, 3)},
    "triscale-separated-first": StagedRecipe(**_STAGED),
    "triscale-separated": StagedRecipe(**_STAGED, keep=("word",)),
    "triscale-unseparated": BundledRecipe(**_ALIKE),
}


def recipe(name: str) -> BundledRecipe:
    """The recipe of a bundled model; InputError lists the known names."""
    if name not in RECIPES:
        raise InputError(f"no recipe is called {name!r}; choose one of {', '.join(RECIPES)}")
    return RECIPES[name]

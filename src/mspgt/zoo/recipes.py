"""How each bundled model is made: everything that decides its weights, as data."""

from dataclasses import dataclass, field

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


RECIPES = {
    **{f"triscale-llama-{run}": BundledRecipe("llama", run) for run in (1, 2, 3)},
    # Grouped queries, as in every Qwen2; one run keeps its states along training.
    "triscale-qwen2-1": BundledRecipe("qwen2", 11, kv_heads=2, checkpoints=(25, 75, 150, 250, 350)),
    **{f"triscale-qwen2-{run}": BundledRecipe("qwen2", 10 + run, kv_heads=2) for run in (2, 3)},
}


def recipe(name: str) -> BundledRecipe:
    """The recipe of a bundled model; InputError lists the known names."""
    if name not in RECIPES:
        raise InputError(f"no recipe is called {name!r}; choose one of {', '.join(RECIPES)}")
    return RECIPES[name]

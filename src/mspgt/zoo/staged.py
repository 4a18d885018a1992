"""Training in stages: every run of layers learns what it is asked for, and nothing from what comes after it."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, rms_norm
from transformers import PreTrainedModel

from mspgt.zoo.fitting import READERS
from mspgt.zoo.labels import NONE, Labeller
from mspgt.zoo.recipes import StagedRecipe
from mspgt.zoo.stream import Stream

NEXT = "next"


class Stages:
    """The readers of a staged run and its loss; they hang on the model as `readers` while it is trained."""

    def __init__(self, model: PreTrainedModel, plan: StagedRecipe) -> None:
        self._model, self._plan, self._labels = model, plan, Labeller(plan.language)
        # The last layer of a stage, and a label that it is asked for: its own, and what every stage is to keep.
        self._asked = [
            (layer, label)
            for layer, own in plan.stages
            if own != NEXT
            for label in dict.fromkeys((own, *plan.keep))
        ]
        generator = torch.Generator().manual_seed(plan.seed)
        readers = nn.ModuleDict()
        for layer, label in self._asked:
            reader = nn.Linear(plan.width, self._labels.classes[label])
            nn.init.normal_(reader.weight, std=plan.initial_std, generator=generator)
            nn.init.zeros_(reader.bias)
            readers[f"{label}_{layer}"] = reader
        model.add_module(READERS, readers.to(model.device))

    def loss(self, stream: Stream, length: int, step: int, states: dict[int, Tensor]) -> Tensor:
        """Sum over readers of the bits a word that each, at the last layer of its stage, lacks of its label."""
        drawn = (self._plan.tokens_a_step // length, length, [self._plan.seed, step])
        return torch.stack(list(self.lacks(stream, drawn, states).values())).sum()

    def lacks(
        self, stream: Stream, drawn: tuple[int, int, list[int]], states: dict[int, Tensor]
    ) -> dict[tuple[int, str], Tensor]:
        """(layer, label) to bits a word that its reader lacks, on the text that `stream.draw(*drawn)` gives."""
        labels = self._labels.draw(stream, *drawn)
        found = {}
        for layer, label in self._asked:
            said = self._model.get_submodule(f"{READERS}.{label}_{layer}")(
                rms_norm(states[layer], (self._plan.width,))
            )
            truth = torch.from_numpy(labels[label].values).to(said.device)
            missing = cross_entropy(said.flatten(0, 1), truth.flatten(), ignore_index=NONE)
            found[layer, label] = missing / math.log(2)
        return found

    @contextmanager
    def apart(self) -> Iterator[dict[int, Tensor]]:
        """While this is open no gradient passes a stage's last layer; yields those layers' states, as they come."""
        states: dict[int, Tensor] = {}
        hooks = []
        for layer, label in self._plan.stages:
            if label != NEXT:

                def stop(_: nn.Module, __: Any, output: Tensor, layer: int = layer) -> Tensor:
                    states[layer] = output
                    return output.detach()

                block = self._model.get_submodule(f"model.layers.{layer - 1}")
                hooks.append(block.register_forward_hook(stop))
        try:
            yield states
        finally:
            for hook in hooks:
                hook.remove()

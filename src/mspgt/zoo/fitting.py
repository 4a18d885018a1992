"""The training loop: two optimisers, one schedule, and a state on disk from which a killed run goes on."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PreTrainedModel

from mspgt.errors import NumericsError, StoreError
from mspgt.vocabulary import Progress
from mspgt.zoo.muon import Muon
from mspgt.zoo.recipes import Recipe

READERS = "readers"  # a module of linear heads, trained beside the model and no part of it


def fit(
    model: PreTrainedModel,
    recipe: Recipe,
    loss_at: Callable[[int], torch.Tensor],
    state: Path,
    *,
    until: int | None = None,
    progress: Progress | None = None,
    save_every: int = 50,
    at_checkpoint: Callable[[int], None] = lambda step: None,
) -> list[float]:
    """Train in place and return the loss of every step so far.

    `loss_at(step)` draws that step's text and returns its loss, so a run resumed from the file `state`
    repeats what an unbroken one would have done. `until` stops early, leaving the state.
    `progress(done, total, text)`. Raises NumericsError when the loss is not finite, StoreError when `state`
    belongs to another recipe.
    """
    model.train()
    named = list(model.named_parameters())
    others = [p for name, p in named if p.ndim != 2 or "embed" in name or name.startswith(READERS)]
    kept = {id(p) for p in others}
    matrices = [p for _, p in named if id(p) not in kept]
    optimisers = [
        Muon(matrices, recipe.matrix_rate),
        torch.optim.Adam(others, recipe.other_rate, betas=(0.9, 0.95)),
    ]
    peaks = (recipe.matrix_rate, recipe.other_rate)
    curve: list[float] = []
    if state.exists():
        curve = _resume(state, recipe, model, optimisers)
    stop = recipe.steps if until is None else min(until, recipe.steps)
    for step in range(len(curve), stop):
        for optimiser, peak in zip(optimisers, peaks, strict=True):
            optimiser.param_groups[0]["lr"] = peak * recipe.rate(step)
        loss = loss_at(step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        curve.append(round(loss.item(), 6))
        if not torch.isfinite(loss):
            raise NumericsError(
                f"the loss became {loss.item()} at step {step}; lower the recipe's learning rates"
            )
        done = step + 1
        if done in recipe.checkpoints:
            at_checkpoint(done)
        if done % save_every == 0 or done == stop:
            _save(state, recipe, model, optimisers, curve)
        if progress:
            progress(done, recipe.steps, f"loss {curve[-1]:.3f} bits")
    return curve


def _save(
    path: Path,
    recipe: Recipe,
    model: PreTrainedModel,
    optimisers: list[torch.optim.Optimizer],
    curve: list[float],
) -> None:
    content = {
        "recipe": repr(recipe),
        "model": model.state_dict(),
        "optimisers": [optimiser.state_dict() for optimiser in optimisers],
        "curve": curve,
    }
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _resume(
    path: Path, recipe: Recipe, model: PreTrainedModel, optimisers: list[torch.optim.Optimizer]
) -> list[float]:
    try:
        content = torch.load(path, map_location=model.device, weights_only=True)
    except (RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
        raise StoreError(
            f"{path} is not a whole training state ({error}); remove it to start anew"
        ) from error
    if content["recipe"] != repr(recipe):
        raise StoreError(f"{path} holds a run of another recipe; remove it or choose another folder")
    model.load_state_dict(content["model"])
    for optimiser, saved in zip(optimisers, content["optimisers"], strict=True):
        optimiser.load_state_dict(saved)
    return content["curve"]

"""Sampling continuations under several perturbations at once, with randomness that belongs to the sample."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mspgt.errors import InputError
from mspgt.lm.cache import make_room
from mspgt.lm.keyed import fold, stream_key, uniform
from mspgt.lm.perturb import Noise, perturbed

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel

LOGITS_AT_ONCE = {"cpu": 2**25, "cuda": 2**28}


@dataclass(frozen=True)
class Generated:
    """What was sampled.

    tokens: int64 (samples, arms, new tokens); what follows the end of a text has no meaning. lengths: (samples,
    arms) tokens before the end-of-sequence token, which is not counted. ended: (samples, arms) whether there was
    one. broken: (samples, arms) the step whose logits were not finite, −1 where all were.
    """

    tokens: Tensor
    lengths: Tensor
    ended: Tensor
    broken: Tensor


def generate(
    lm: LanguageModel,
    prompts: Tensor,
    samples: Sequence[int],
    sigma: Tensor,
    *,
    seed: int,
    streams: Sequence[int] | None = None,
    new_tokens: int = 128,
    temperature: float = 1.0,
    top_p: float = 0.95,
    first: int = 0,
    own: Tensor | None = None,
    cache: bool = True,
    stop: bool = True,
) -> Generated:
    """Continue every prompt under every arm in one batch of samples × arms rows.

    Arms share the prompt, the sampling randomness (one uniform number a sample and step, put through the inverse
    distribution function of the nucleus) and the noise but for its scale. A text ends at
    the model's end-of-sequence token.

    Args:
        prompts: int64 (samples, T), all of one length, so that nothing is padded.
        samples: number of each sample in the study; with `seed` it decides all randomness.
        sigma, own: noise of each arm, as in `Noise`.
        streams: the stream of sampling randomness of each arm, 0 unless given; an A/A arm takes another.
        first: positions before it get no noise.
        stop: False writes on to the last token where all texts have ended, for measurements of speed.
        cache: False computes the whole prefix at every step. The result is the same up to rounding.

    Raises:
        InputError: prompts and new tokens do not fit the context, or sampling settings cannot be used.
    """
    count, length = prompts.shape
    _require_settings(lm, length, new_tokens, temperature, top_p)
    arms = len(sigma)
    device = lm.device
    noise = Noise(seed, samples, sigma.to(device), lm.width, first=first, own=own)
    draws = _sampling_numbers(seed, samples, streams or [0] * arms, new_tokens, device)
    ends = torch.tensor(end_tokens(lm), dtype=torch.int64, device=device)
    rows = prompts.to(device).repeat_interleave(arms, dim=0)
    tokens = torch.full((count * arms, new_tokens), 0, dtype=torch.int64, device=device)
    done = torch.zeros(count * arms, dtype=torch.bool, device=device)
    lengths = torch.full((count * arms,), new_tokens, device=device)
    broken = torch.full((count * arms,), -1, device=device)
    reader = _Reader(lm, cache, new_tokens)
    with torch.inference_mode(), perturbed(lm, noise):
        for step in range(new_tokens):
            noise.place(*reader.upcoming(rows))
            logits = reader.read(rows)
            chosen, finite = sample_nucleus(logits, draws[:, step], temperature, top_p)
            broken = torch.where((broken < 0) & ~finite, step, broken)
            tokens[:, step] = chosen
            ending = torch.isin(chosen, ends) & ~done
            lengths = torch.where(ending, step, lengths)
            done |= ending
            # Asking a GPU whether all rows are done makes it wait, so it is not asked at every step.
            if stop and (step % 8 == 7 or device.type == "cpu") and bool(done.all()):
                break
            rows = torch.cat([rows, chosen[:, None]], dim=1)
    # Clones, because tensors made in inference mode refuse later use outside it.
    found = (part.cpu().clone().unflatten(0, (count, arms)) for part in (tokens, lengths, done, broken))
    return Generated(*found)


class _Reader:
    """Feeds growing rows to a model: only what is new where it keeps a cache, all of them where it does not."""

    def __init__(self, lm: LanguageModel, cache: bool, room: int) -> None:
        self._model: Any = lm.model
        known = inspect.signature(lm.model.forward).parameters
        # Its name changed with transformers' releases; state-space models had their own.
        names = [name for name in ("cache", "past_key_values", "cache_params") if name in known]
        self._name = names[0] if cache and names else None
        self._kept: dict[str, Any] = {}
        self._read = 0
        self._room = room
        wishes = {"use_cache": self._name is not None, "logits_to_keep": 1}
        self._wishes = {name: value for name, value in wishes.items() if name in known}

    def upcoming(self, rows: Tensor) -> tuple[int, int]:
        """The positions that the next `read` of `rows` computes: first and one past the last."""
        return self._read, rows.shape[1]

    def read(self, rows: Tensor) -> Tensor:
        """Logits of the next token, (rows, vocabulary)."""
        output = self._model(input_ids=rows[:, self._read :], **self._kept, **self._wishes)
        if self._name is not None:
            if not self._kept:
                make_room(getattr(output, self._name), self._room)
            self._kept, self._read = {self._name: getattr(output, self._name)}, rows.shape[1]
        logits: Tensor = output.logits[:, -1]
        return logits


def sample_nucleus(logits: Tensor, number: Tensor, temperature: float, top_p: float) -> tuple[Tensor, Tensor]:
    """Tokens from the smallest set whose probability reaches `top_p` (Holtzman et al. 2020).

    `number` in [0, 1) chooses by the distribution function over the tokens of the set in order of their ids, so
    that equal numbers choose alike under nearly equal distributions. Tokens as probable as the last of the set
    belong to it.

    Args:
        logits: (rows, vocabulary). number: (rows,).

    Returns:
        Chosen tokens, and whether the logits of the row were finite, both (rows,).
    """
    probability = (logits.float() / temperature).softmax(dim=-1)
    ordered = _ascending(probability)
    dropped = (ordered.cumsum(dim=-1) <= 1 - top_p).sum(dim=-1, keepdim=True)
    least = ordered.gather(-1, dropped.clamp_max(ordered.shape[-1] - 1))
    total = torch.where(probability >= least, probability, 0).cumsum(dim=-1)
    mass = total[:, -1:]
    # Rounding must not carry the choice past the last token of the set.
    chosen = ((total <= number[:, None] * mass) & (total < mass)).sum(dim=-1)
    return chosen, mass[:, 0] > 0


def _ascending(values: Tensor) -> Tensor:
    # On a CPU NumPy sorts twenty times faster, because torch always sorts positions along.
    if values.device.type == "cpu":
        return torch.from_numpy(np.sort(values.numpy(), axis=-1))
    return values.sort(dim=-1).values


def _sampling_numbers(
    seed: int, samples: Sequence[int], streams: Sequence[int], steps: int, device: torch.device
) -> Tensor:
    """One uniform number for every row and step, (samples × arms, steps); arms of one stream share theirs."""
    which = torch.tensor(list(samples), dtype=torch.int64, device=device)
    keys = fold(stream_key("sampling", seed), which)[:, None]
    keys = fold(keys, torch.tensor(list(streams), dtype=torch.int64, device=device))
    return uniform(fold(keys[..., None], torch.arange(steps, device=device))).flatten(0, 1)


def end_tokens(lm: LanguageModel) -> list[int]:
    """Tokens that end a text: what the model's generation settings name, else its tokenizer's."""
    settings = lm.model.generation_config
    named = None if settings is None else settings.eos_token_id
    if named is None:
        named = lm.tokenizer.eos_token_id
    if named is None:
        return []
    return list(named) if isinstance(named, list) else [int(named)]


def log_likelihood(lm: LanguageModel, prompts: Tensor, generated: Generated) -> Tensor:
    """Log-probability in nats of each continuation under the unperturbed model, (samples, arms), float64.

    The sum over its tokens before the end; 0 for an empty one.
    """
    count, length = prompts.shape
    arms, new = generated.tokens.shape[1:]
    rows = torch.cat(
        [prompts.repeat_interleave(arms, dim=0), generated.tokens.view(count * arms, new)], dim=1
    )
    counted = torch.arange(new) < generated.lengths.view(-1, 1)
    vocabulary = lm.model.get_input_embeddings().weight.shape[0]
    limit = LOGITS_AT_ONCE.get(lm.device.type, LOGITS_AT_ONCE["cpu"])
    at_once = max(1, limit // (rows.shape[1] * vocabulary))
    sums = []
    with torch.inference_mode():
        for start in range(0, len(rows), at_once):
            ids = rows[start : start + at_once].to(lm.device)
            logits = lm.model(input_ids=ids, use_cache=False).logits[:, length - 1 : -1].float()
            chosen = ids[:, length:, None].to(logits.device)
            nats = (logits.gather(-1, chosen)[..., 0] - logits.logsumexp(dim=-1)).double().cpu()
            sums.append((nats * counted[start : start + at_once]).sum(dim=1))
    return torch.cat(sums).view(count, arms)


def first_broken_layer(
    lm: LanguageModel,
    prompt: Tensor,
    continuation: Tensor,
    sample: int,
    sigma: Tensor,
    *,
    seed: int,
    first: int = 0,
    own: bool = False,
) -> int | None:
    """The block after which one arm's residual stream is first not finite; None if it stays finite throughout.

    Args:
        prompt, continuation: int64 (T,), what was read when the logits broke.
        sigma, own: (layers,) or (layers, d), and a truth value, of that arm.
    """
    rows = torch.cat([prompt, continuation])[None].to(lm.device)
    noise = Noise(seed, [sample], sigma[None].to(lm.device), lm.width, first=first, own=torch.tensor([own]))
    noise.place(0, rows.shape[1])
    broken: list[int] = []

    def watch(layer: int) -> Any:
        def after(_: Any, __: Any, output: Any) -> None:
            stream = output[0] if isinstance(output, tuple) else output
            if not bool(stream.isfinite().all()):
                broken.append(layer)

        return after

    with torch.inference_mode(), perturbed(lm, noise):
        # Registered after the noise, these see the stream that it leaves behind.
        handles = [block.register_forward_hook(watch(l)) for l, block in enumerate(lm.blocks, start=1)]
        try:
            lm.model(input_ids=rows, use_cache=False)
        finally:
            for handle in handles:
                handle.remove()
    return min(broken, default=None)


def _require_settings(
    lm: LanguageModel, length: int, new_tokens: int, temperature: float, top_p: float
) -> None:
    if length < 1 or new_tokens < 1 or length + new_tokens > lm.max_length:
        raise InputError(
            f"Expected prompts of at least one token that fit, with {new_tokens} new ones, into the context of "
            f"{lm.name} ({lm.max_length} tokens), found prompts of {length}. Ask for fewer tokens."
        )
    if not (temperature > 0 and 0 < top_p <= 1):
        raise InputError(
            f"Expected a temperature above 0 and top_p in (0, 1], found {temperature} and {top_p}."
        )

"""Texts to token ids, and ids to right-padded batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch
from torch import Tensor

from mspgt.errors import InputError

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel

# What stands in front of a text: a token, nothing, or (paper mode) whatever the tokenizer adds by itself.
Front = int | None | Literal["default"]
DEFAULT: Literal["default"] = "default"
_Value = TypeVar("_Value")
_AT_ONCE = 256  # texts that the tokenizer is given


@dataclass(frozen=True)
class Encoded:
    """One text as tokens: `ids`, character `offsets` (start, end), `special` for tokens the tokenizer added.

    `cut` is the number of tokens that were dropped because the text is longer than the model's context.
    """

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    special: tuple[bool, ...]
    cut: int = 0


@dataclass
class Batch:
    """Right-padded texts.

    input_ids, attention_mask: int64 (B, T). special: bool (B, T), true for BOS and other tokens that the
    tokenizer added, false for padding. offsets: per text, unpadded. indices: (B,) the place of each text in
    the list given to `batches`.
    """

    input_ids: Tensor
    attention_mask: Tensor
    special: Tensor
    offsets: list[list[tuple[int, int]]]
    indices: list[int]


def encode(
    lm: LanguageModel,
    texts: Sequence[str],
    *,
    too_long: Literal["error", "cut", "never"] = "error",
    front: Front = DEFAULT,
) -> list[Encoded]:
    """Tokenize, with `front` before each text: a token, nothing, or what the tokenizer adds by itself.

    The name of a special token inside a text ("</s>") is text like any other. A text longer than
    `lm.max_length` raises InputError, or is cut at its end and says so in `Encoded.cut` ("never": it is left whole,
    to be divided). A text without a single token raises InputError.
    """
    return list(encode_each(lm, texts, too_long=too_long, front=front))


def encode_each(
    lm: LanguageModel,
    texts: Sequence[str],
    *,
    too_long: Literal["error", "cut", "never"] = "error",
    front: Front = DEFAULT,
) -> Iterator[Encoded]:
    """As `encode`, text after text, so that few are held in the tokenizer's own form at a time."""
    if isinstance(texts, str):
        raise InputError("Expected a sequence of texts, found a single string; pass [text].")
    known = Known()
    for first in range(0, len(texts), _AT_ONCE):
        some = texts[first : first + _AT_ONCE]
        for place, (ids, offsets, special) in enumerate(_tokens(lm, some, front), start=first):
            cut = 0 if too_long == "never" else max(0, len(ids) - lm.max_length)
            if not ids:
                raise InputError(
                    f"Text {place} has no tokens ({texts[place][:40]!r}); drop empty texts first."
                )
            if cut and too_long == "error":
                raise InputError(
                    f"Text {place} has {len(ids)} tokens, {lm.name} takes {lm.max_length}. "
                    "Split it into sentences, or have it cut (in a study measure.too_long: cut)."
                )
            keep = len(ids) - cut
            yield Encoded(known(ids[:keep]), known(offsets[:keep]), tuple(map(bool, special[:keep])), cut)


class Known:
    """Equal numbers, or pairs of them, as one object: a long text holds few different ones, and many of each."""

    def __init__(self) -> None:
        self._seen: dict[Any, Any] = {}

    def __call__(self, values: Sequence[_Value]) -> tuple[_Value, ...]:
        return tuple(map(self._seen.setdefault, values, values))


def _tokens(
    lm: LanguageModel, texts: Sequence[str], front: Front
) -> Iterator[tuple[list[int], list[tuple[int, int]], list[int]]]:
    """Ids, offsets and the mask of special tokens of each text, with what stands in front."""
    table = lm.tokenizer(
        list(texts),
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
        add_special_tokens=front == DEFAULT,
        split_special_tokens=True,
        verbose=False,  # a text longer than the context is told by who asks
        truncation=False,
        padding=False,
    )
    for ids, offsets, special in zip(
        table["input_ids"], table["offset_mapping"], table["special_tokens_mask"], strict=True
    ):
        if ids and isinstance(front, int):
            yield [front, *ids], [(0, 0), *offsets], [1, *special]
        else:
            yield ids, offsets, special


def batches(encoded: Sequence[Encoded], *, max_tokens: int, pad_id: int = 0) -> Iterator[Batch]:
    """Right-padded batches of at most `max_tokens` tokens, padding included, longest texts first.

    Every text comes exactly once; which texts share a batch cannot change a result, since padding stands on
    the right behind a mask. For the same reason `pad_id` only has to be a valid id. A text longer than
    `max_tokens` gets a batch of its own.
    """
    if max_tokens < 1:
        raise InputError(f"Expected max_tokens of at least 1, found {max_tokens}.")
    order = sorted(range(len(encoded)), key=lambda place: -len(encoded[place].ids))
    start = 0
    while start < len(order):
        longest = len(encoded[order[start]].ids)
        indices = order[start : start + max(1, max_tokens // longest)]
        start += len(indices)
        yield _pad([encoded[place] for place in indices], indices, longest, pad_id)


def _pad(members: list[Encoded], indices: list[int], length: int, pad_id: int) -> Batch:
    input_ids = torch.full((len(members), length), pad_id, dtype=torch.int64)
    attention_mask = torch.zeros((len(members), length), dtype=torch.int64)
    special = torch.zeros((len(members), length), dtype=torch.bool)
    for row, member in enumerate(members):
        filled = len(member.ids)
        input_ids[row, :filled] = torch.tensor(member.ids)
        attention_mask[row, :filled] = 1
        special[row, :filled] = torch.tensor(member.special)
    return Batch(input_ids, attention_mask, special, [list(member.offsets) for member in members], indices)

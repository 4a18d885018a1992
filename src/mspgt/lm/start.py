"""The token that a text starts with: where attention rests, so that no word has to serve for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mspgt.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel

AUTO, NONE = "auto", "none"
# What separated documents in training where a tokenizer adds nothing by itself (GPT-2, Pythia, Qwen, SmolLM, …).
SEPARATOR = "<|endoftext|>"
# The key of tokenizer_config.json under which a folder may name its own.
KEY = "text_start"


@dataclass(frozen=True)
class Start:
    """A token in front of every sequence: its `id`, how it is written, and why it was chosen."""

    id: int
    token: str
    why: str


def start_token(lm: LanguageModel, wish: str = AUTO) -> Start | None:
    """The start token of a model; None for `none`.

    `auto` takes the first of: what the folder's tokenizer_config.json names as `text_start`, what the tokenizer puts
    in front by itself, `<|endoftext|>` where the vocabulary has it, the tokenizer's beginning-of-sequence token, its
    end-of-sequence token. Any other wish is a token of the vocabulary.

    Raises:
        ModelError: nothing of this is there, or the vocabulary has no such token.
    """
    if wish == NONE:
        return None
    tokenizer = lm.tokenizer
    vocabulary = tokenizer.get_vocab()
    if wish != AUTO:
        found = vocabulary.get(wish)
        if found is None:
            raise unknown_start(lm.name, wish, list(vocabulary))
        return Start(int(found), wish, "as asked")
    named = tokenizer.init_kwargs.get(KEY)
    if isinstance(named, str):
        ids = tokenizer(named, add_special_tokens=False)["input_ids"]
        if len(ids) != 1:
            raise ModelError(
                f"tokenizer_config.json of {lm.name} names {named!r} as {KEY}, which is {len(ids)} tokens; "
                "expected one."
            )
        return Start(int(ids[0]), named, f"named as {KEY} in tokenizer_config.json")
    table = tokenizer("a", return_special_tokens_mask=True)
    if table["special_tokens_mask"][0]:
        return _start(lm, table["input_ids"][0], "the tokenizer puts it there")
    if SEPARATOR in vocabulary:
        return Start(int(vocabulary[SEPARATOR]), SEPARATOR, "it separates documents in training")
    for role in ("bos", "eos"):
        found = getattr(tokenizer, f"{role}_token_id")
        if found is not None:
            return _start(lm, found, f"the tokenizer's {role.upper()} token")
    raise no_start(lm.name)


def unknown_start(name: str, wish: str, vocabulary: list[str]) -> ModelError:
    """What to say of a wish that the vocabulary does not hold."""
    return ModelError(
        f"The vocabulary of {name} has no token {wish!r}.{did_you_mean(wish, vocabulary)} "
        "Name one that it has with --set measure.start=TOKEN, or none."
    )


def no_start(name: str) -> ModelError:
    """What to say where nothing of what `auto` looks for is there."""
    return ModelError(
        f"No start token was found for {name}: its tokenizer adds none and names none, and without one the first "
        "word of every text takes its place. Name the token that starts a text with --set measure.start=TOKEN, or "
        "go without with --set measure.start=none."
    )


def _start(lm: LanguageModel, token: int, why: str) -> Start:
    return Start(int(token), str(lm.tokenizer.convert_ids_to_tokens(int(token))), why)

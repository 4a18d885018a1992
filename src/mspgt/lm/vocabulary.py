"""What the files of a model's tokenizer say, read without loading the model or importing torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mspgt.errors import ModelError
from mspgt.lm.gguf_file import GgufFile
from mspgt.lm.start import AUTO, KEY, NONE, SEPARATOR, no_start, unknown_start


@dataclass(frozen=True)
class Vocabulary:
    """tokens: of the vocabulary. named: token the folder names as start. opening: that the tokenizer puts in front.

    roles: its beginning- and end-of-sequence tokens. count: texts → tokens of them all, None where it takes the
    model's loader to know.
    """

    tokens: frozenset[str]
    named: str | None
    opening: str | None
    roles: tuple[str, ...]
    count: Callable[[Sequence[str]], int] | None

    def start(self, name: str, wish: str = AUTO) -> str | None:
        """The start token as `start_token` chooses it; None for `none`.

        Raises:
            ModelError: there is none, or not the one that is asked for.
        """
        if wish == NONE:
            return None
        if wish != AUTO:
            if wish not in self.tokens:
                raise unknown_start(name, wish, list(self.tokens))
            return wish
        separator = SEPARATOR if SEPARATOR in self.tokens else None
        found = next((token for token in (self.named, self.opening, separator, *self.roles) if token), None)
        if found is None:
            raise no_start(name)
        return found


def vocabulary_of_gguf(found: GgufFile) -> Vocabulary:
    """The vocabulary of a .gguf file."""
    roles = tuple(
        found.vocabulary[found.roles[role]]
        for role in ("bos", "eos")
        if role in found.roles and found.roles[role] < len(found.vocabulary)
    )
    return Vocabulary(
        frozenset(found.vocabulary), None, roles[0] if found.opens and roles else None, roles, None
    )


def vocabulary_of_folder(folder: Path) -> Vocabulary | None:
    """The vocabulary of a folder with tokenizer.json; None where only the model's loader can make one.

    Raises:
        ModelError: no file of a tokenizer, or one that cannot be read.
    """
    file = folder / "tokenizer.json"
    if not file.is_file():
        others = ("tokenizer.model", "vocab.json", "spiece.model", "tokenizer_config.json")
        if any((folder / other).is_file() for other in others):
            return None
        raise ModelError(
            f"{folder}: expected a tokenizer beside the model, found none. Put the model's own tokenizer.json there."
        )
    from tokenizers import Tokenizer

    settings = _settings(folder / "tokenizer_config.json")
    try:
        tokenizer: Any = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing narrower
        raise ModelError(
            f"{file}: expected a tokenizer, found: {str(error)[:200]}. Fetch it again."
        ) from error
    first = tokenizer.encode("a")
    opening = first.tokens[0] if first.special_tokens_mask and first.special_tokens_mask[0] else None
    roles = [_written(settings.get(f"{role}_token")) for role in ("bos", "eos")]

    def count(texts: Sequence[str]) -> int:
        return sum(len(one.ids) for one in tokenizer.encode_batch(list(texts), add_special_tokens=False))

    return Vocabulary(
        frozenset(tokenizer.get_vocab(with_added_tokens=True)),
        _written(settings.get(KEY)),
        opening,
        tuple(role for role in roles if role),
        count,
    )


def _settings(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: expected JSON, found: {error}. Fetch it again.") from error
    return found if isinstance(found, dict) else {}


def _written(token: Any) -> str | None:
    """A token as files write it: as text, or as a table with its content."""
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else None

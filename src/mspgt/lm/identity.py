"""What a model folder says of itself, read without loading weights or importing torch."""

from __future__ import annotations

import hashlib
import json
import math
import operator
import re
import struct
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mspgt.errors import ModelError

_KINDS = {".safetensors", ".bin", ".json", ".model", ".txt", ".py"}
_DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}
LAYERS, WIDTH = ("num_hidden_layers", "n_layer", "num_layers"), ("hidden_size", "n_embd", "d_model")
CONTEXT = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
MOST_LAYERS, MOST_WIDTH = 10_000, 1_000_000
LONGEST_HEADER = 100_000_000  # bytes, of the format
_WITHOUT_ATTENTION = ("mamba", "rwkv", "falcon_mamba")


@dataclass(frozen=True)
class Card:
    """The shape of a model: `family` the architecture, `dtype` the checkpoint's, `digest` of every file.

    feed_forward: width of a block's hidden layer. vocabulary: tokens, 0 where the config does not say. tied: the
    input's vectors score the output too. context: tokens that fit, None where the config does not say.
    """

    family: str
    layers: int
    width: int
    heads: int | None
    parameters: int
    dtype: str
    digest: str
    has_attention: bool
    feed_forward: int
    vocabulary: int
    tied: bool
    context: int | None


def safe_name(name: str) -> str:
    """A folder name for any model name: "org/model" becomes "org__model".

    Letters, digits, ".", "_" and "-" stay; whatever else a name holds (separators, "..", control characters,
    markup) is replaced, and a short hash keeps changed names apart. Never empty, never hidden, never a path.
    """
    parts = name.split("/")
    plain = [re.sub(r"[^A-Za-z0-9._-]+", "-", part).lstrip(".-")[:80] for part in parts]
    if len(parts) <= 2 and all(parts) and plain == parts and not any("__" in part for part in parts):
        return "__".join(parts)
    stem = "__".join(part for part in plain[-2:] if part) or "model"
    return f"{stem}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def folder_sha256(folder: Path) -> str:
    """Hash of names and bytes of all files that can change a result: weights, configs, vocabularies, code.

    Raises:
        ModelError: an index names weights outside the folder, or none that are there; or the folder is an adapter.
    """
    digest = hashlib.sha256()
    for name, path in sorted(_content(folder).items()):
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _content(folder: Path) -> dict[str, Path]:
    """Name below the folder → file: what lies in it, and what its indices name in folders of its own."""
    if (folder / "adapter_config.json").exists():
        raise ModelError(
            f"{folder}: holds an adapter (adapter_config.json), whose base model lies elsewhere and would be in no "
            "digest. Merge the two (in peft: merge_and_unload), save the result, and name that folder."
        )
    found = {path.name: path for path in folder.iterdir() if path.suffix in _KINDS and path.is_file()}
    for index in [path for name, path in found.items() if name.endswith(".index.json")]:
        for name in _named_weights(index):
            inside = PurePosixPath(name)
            if inside.is_absolute() or ".." in inside.parts or "\\" in name:
                raise ModelError(
                    f"{index}: names weights outside its folder ({name!r}). Such a model is not loaded: put all "
                    "files into one folder."
                )
            if index.name.endswith(".safetensors.index.json") and inside.suffix != ".safetensors":
                raise ModelError(
                    f"{index}: expected safetensors files, found {name!r}: its table names no other kind."
                )
            path = folder / inside
            if not path.is_file():
                raise ModelError(f"{index}: names {name!r}, which is not there. Fetch the model again.")
            found[str(inside)] = path
    return found


def _named_weights(index: Path) -> set[str]:
    try:
        names = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        if not all(isinstance(name, str) for name in names):
            raise ValueError("a name that is no text")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{index}: expected a table of weights, found: {error!r}. Fetch it again."
        ) from error
    return names


def read_card(folder: Path) -> Card:
    """The card of a local model folder.

    Raises:
        ModelError: config.json or a weights header cannot be read.
    """
    counts = parameter_counts(folder)
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{folder}: expected a readable config.json, found: {error}.") from error
    return card_from(str(folder), config, counts, folder_sha256(folder))


def parameter_counts(folder: Path) -> dict[str, int]:
    """Type → number of parameters, from the headers of a folder's safetensors files; empty where it has none.

    Raises:
        ModelError: a header cannot be read.
    """
    counts: dict[str, int] = {}
    weights = [path for name, path in sorted(_content(folder).items()) if name.endswith(".safetensors")]
    for file in weights:
        for tensor in _header(file).values():
            counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + math.prod(tensor["shape"])
    return counts


def card_from(where: str, config: Any, counts: dict[str, int], digest: str) -> Card:
    """The card from what config.json holds and the number of parameters of each type of the weights' headers.

    Raises:
        ModelError: the config is no object, or names no depth or width.
    """
    if not isinstance(config, dict):
        raise ModelError(f"{where}: expected an object in config.json, found {type(config).__name__}.")
    text = config.get("text_config") or config
    if not isinstance(text, dict):
        raise ModelError(f"{where}: expected an object as text_config, found {text!r:.60}. Fetch it again.")
    dtype = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    if counts:
        dtype = _DTYPES.get(max(counts, key=lambda name: counts[name]), dtype)
    family = str(config.get("model_type", "unknown"))
    heads = _first(text, "num_attention_heads", "n_head")
    layers, width = require_size(where, text)
    return Card(
        family=family,
        layers=layers,
        width=width,
        heads=heads,
        parameters=sum(counts.values()),
        dtype=dtype,
        digest=digest,
        has_attention=has_attention(family),
        feed_forward=_first(text, "intermediate_size", "n_inner", "ffn_dim", "d_ff") or 4 * width,
        vocabulary=_first(text, "vocab_size") or 0,
        tied=bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings", True))),
        context=_first(text, *CONTEXT),
    )


def has_attention(family: str) -> bool:
    """Whether an architecture has attention, by its name."""
    return not family.startswith(_WITHOUT_ATTENTION)


def require_size(where: str, config: dict[str, Any]) -> tuple[int, int]:
    """Layers and width that a config names.

    Raises:
        ModelError: it names none, or more than any model has: building it would take for ever.
    """
    layers = _needed(where, config, *LAYERS)
    width = _needed(where, config, *WIDTH)
    for what, value, most in (("layers", layers, MOST_LAYERS), ("a width of", width, MOST_WIDTH)):
        if not 1 <= value <= most:
            raise ModelError(
                f"{where}: config.json says {what} {value:,}; expected 1 to {most:,}. Fetch it again."
            )
    return layers, width


def refuse_impossible(folder: Path) -> None:
    """Refuse a folder whose weights lie elsewhere, or that asks for a model beyond all sizes, before it is built.

    Raises:
        ModelError: it does. What else may be wrong with a folder is for the loader to say.
    """
    _content(folder)
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return
    except RecursionError as error:
        raise ModelError(f"{folder}: config.json is nested too deeply to be read. Fetch it again.") from error
    text = (config.get("text_config") or config) if isinstance(config, dict) else {}
    if isinstance(text, dict) and _first(text, *LAYERS) is not None and _first(text, *WIDTH) is not None:
        require_size(str(folder), text)


def _first(config: dict[str, Any], *keys: str) -> int | None:
    values = (config.get(key) for key in keys)
    # JSON may write a whole number as 1e9.
    return next((int(value) for value in values if isinstance(value, int | float) and value % 1 == 0), None)


def _needed(where: str, config: dict[str, Any], *keys: str) -> int:
    value = _first(config, *keys)
    if value is None:
        raise ModelError(f"{where}: config.json names none of {', '.join(keys)}.")
    return value


def _header(file: Path) -> dict[str, Any]:
    """The tensor table at the start of a safetensors file."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > min(file.stat().st_size - 8, LONGEST_HEADER):
                raise ValueError("its header is longer than the file, or than the format allows")
            table = json.loads(stream.read(length))
            table.pop("__metadata__", None)
            for tensor in table.values():
                if (
                    not isinstance(tensor["dtype"], str)
                    or math.prod(map(operator.index, tensor["shape"])) < 0
                ):
                    raise ValueError("a tensor without a type or a shape")
    except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{file}: expected a complete safetensors file, found: {error!r}. Fetch it again."
        ) from error
    return table

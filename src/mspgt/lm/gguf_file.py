"""Models in one `.gguf` file: what it says of itself, checked before anything is loaded."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mspgt.errors import MissingExtraError, ModelError

_MAGIC = b"GGUF"
_PLAIN = ("F32", "F16", "BF16")


@dataclass(frozen=True)
class GgufFile:
    """`architecture` as the file names it; `quantisation` of most of its weights; `digest` SHA-256 of all bytes.

    feed_forward: width of a block's hidden layer. context: tokens that fit, None where the file does not say.
    vocabulary: its tokens, in order. tied: the input's vectors score the output too. opens: the tokenizer puts a
    token in front by itself. roles: "bos", "eos" → number of the token.
    """

    architecture: str
    quantisation: str
    parameters: int
    digest: str
    layers: int
    width: int
    heads: int | None
    feed_forward: int
    context: int | None
    vocabulary: tuple[str, ...]
    tied: bool
    opens: bool
    roles: dict[str, int]


def gguf_path(model: str | Path) -> Path | None:
    """The file that `model` names, or None where it names no .gguf file.

    Raises:
        ModelError: a name that ends in .gguf, and no such file.
    """
    path = Path(model).expanduser()
    if path.suffix.lower() != ".gguf":
        return None
    if not path.is_file():
        raise ModelError(f"Model {str(model)[:200]!r}: there is no such file. Check the path.")
    return path.resolve()


def read_gguf(path: Path) -> GgufFile:
    """Read the header and check that every tensor lies within the file.

    Raises:
        MissingExtraError: the extra `gguf` is not installed.
        ModelError: no GGUF file, one cut off, one without a tokenizer, or of an architecture that is not known.
    """
    missing = [name for name in ("accelerate", "gguf") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"A .gguf file needs the extra gguf: pip install 'mspgt[gguf]' (missing: {', '.join(missing)})."
        )
    from gguf import GGUFReader

    with path.open("rb") as stream:
        if stream.read(4) != _MAGIC:
            raise ModelError(
                f"{path.name}: expected a GGUF file, found other bytes at its start. Fetch it again."
            )
    try:
        reader: Any = GGUFReader(path)
        fields, tensors = reader.fields, reader.tensors
    except (ValueError, IndexError, KeyError, UnicodeDecodeError, OverflowError) as error:
        raise ModelError(
            f"{path.name}: expected a whole GGUF file, found one cut off or damaged ({error}). Fetch it again."
        ) from error
    size = path.stat().st_size
    beyond = [tensor.name for tensor in tensors if tensor.data_offset + tensor.n_bytes > size]
    if beyond or not tensors:
        raise ModelError(
            f"{path.name}: {len(beyond)} tensors lie beyond its end: it is cut off. Fetch it again."
        )
    architecture = _architecture(path, fields)
    if "tokenizer.ggml.tokens" not in fields:
        raise ModelError(
            f"{path.name}: expected a tokenizer in the file, found none. Choose a file that has one."
        )
    counts: Counter[str] = Counter()
    for tensor in tensors:
        counts[tensor.tensor_type.name] += int(tensor.n_elements)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()

    def number(key: str) -> int | None:
        """A whole number; of one a layer, the largest."""
        if key not in fields:
            return None
        value = fields[key].contents()
        return max(map(int, value)) if isinstance(value, list) else int(value)

    layers, width = number(f"{architecture}.block_count"), number(f"{architecture}.embedding_length")
    if not layers or not width:
        raise ModelError(f"{path.name}: names no number of blocks, or no width. Fetch it again.")
    roles = {role: number(f"tokenizer.ggml.{role}_token_id") for role in ("bos", "eos")}
    return GgufFile(
        architecture=architecture,
        quantisation=counts.most_common(1)[0][0],
        parameters=sum(counts.values()),
        digest=digest,
        layers=layers,
        width=width,
        heads=number(f"{architecture}.attention.head_count"),
        feed_forward=number(f"{architecture}.feed_forward_length") or 4 * width,
        context=number(f"{architecture}.context_length"),
        vocabulary=tuple(fields["tokenizer.ggml.tokens"].contents()),
        tied=all(tensor.name != "output.weight" for tensor in tensors),
        opens=bool(number("tokenizer.ggml.add_bos_token")),
        roles={role: token for role, token in roles.items() if token is not None},
    )


def _architecture(path: Path, fields: Any) -> str:
    """The architecture, where it is one that can be unpacked."""
    from transformers.integrations.ggml import GGUF_CONFIG_MAPPING

    found = fields["general.architecture"].contents() if "general.architecture" in fields else None
    known = sorted(set(GGUF_CONFIG_MAPPING) - {"general", "tokenizer"})
    # Files write some names without an underscore.
    if found is None or str(found) not in _spellings(known):
        raise ModelError(
            f"{path.name}: expected an architecture that transformers can unpack from a GGUF file "
            f"({', '.join(known)}), found {found!r}. Take the model's own folder of safetensors."
        )
    return str(found)


def _spellings(known: Iterable[str]) -> set[str]:
    names = set(known)
    return names | {name.replace("_", "") for name in names} | {name.replace("_", "-") for name in names}


def dequantised() -> dict[str, Any]:
    """What from_pretrained needs so that weights are unpacked at once; older releases always do."""
    try:
        from transformers.utils.quantization_config import GgufConfig
    except ImportError:
        return {}
    return {"quantization_config": GgufConfig(dequantize=True)}


def note(found: GgufFile) -> str:
    """What a reader of the results should know."""
    if found.quantisation in _PLAIN:
        return f"GGUF file, {found.quantisation}"
    return f"GGUF file, {found.quantisation} quantised weights, unpacked when loaded: rounded values are measured"

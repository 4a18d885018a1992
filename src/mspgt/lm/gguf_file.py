"""Models in one `.gguf` file: what it says of itself, checked before anything is loaded."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mspgt.errors import MissingExtraError, ModelError

_MAGIC = b"GGUF"
_PLAIN = ("F32", "F16", "BF16")


@dataclass(frozen=True)
class GgufFile:
    """`architecture` as the file names it; `quantisation` of most of its weights; `digest` SHA-256 of all bytes."""

    architecture: str
    quantisation: str
    parameters: int
    digest: str


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
        ModelError: no GGUF file, one cut off, or one without a tokenizer.
    """
    try:
        import accelerate  # noqa: F401
        from gguf import GGUFReader
    except ImportError as error:
        raise MissingExtraError(
            f"A .gguf file needs the extra gguf: pip install 'mspgt[gguf]' ({error})."
        ) from error
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
    if "tokenizer.ggml.tokens" not in fields:
        raise ModelError(
            f"{path.name}: expected a tokenizer in the file, found none. Choose a file that has one."
        )
    counts: Counter[str] = Counter()
    for tensor in tensors:
        counts[tensor.tensor_type.name] += int(tensor.n_elements)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return GgufFile(
        architecture=str(fields["general.architecture"].contents()),
        quantisation=counts.most_common(1)[0][0],
        parameters=sum(counts.values()),
        digest=digest,
    )


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

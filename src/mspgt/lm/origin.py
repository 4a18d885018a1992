"""Where a model is read from: a folder, a .gguf file, or one commit of the Hub."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from mspgt.errors import InputError, MissingExtraError, ModelError
from mspgt.lm.gguf_file import GgufFile, gguf_path, read_gguf
from mspgt.lm.hub import commit_of, offline, reachable
from mspgt.lm.identity import folder_sha256, parameter_counts, refuse_impossible
from mspgt.lm.memory import not_mapped

# What transformers raises for folders, configs, weights and tokenizers that it cannot use.
LOAD_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    ImportError,
    SafetensorError,
    StrictDataclassError,
)
_NEXT = {
    "config": "Expected a Hub id, or a folder with config.json of a model that transformers knows.",
    "tokenizer": "Expected tokenizer.json beside the model.",
    "weights": "Expected a causal language model in complete .safetensors files. Download it again if a file "
    "is cut short. For .bin files from a source you trust: `allow_pickle: true` beside the model's `id` in a study, "
    "or allow_pickle=True in Python.",
}


@dataclass(frozen=True)
class Origin:
    """name: what messages call it. path: the folder or the Hub's id, which transformers reads with `arguments`.

    folder: None for a model of the Hub, whose commit is `commit`. packed: the .gguf file in `folder`, if it is one.
    """

    name: str
    path: str
    folder: Path | None
    packed: GgufFile | None
    commit: str
    arguments: dict[str, Any]

    def digest(self) -> str:
        """Of all that can change a result; for a model of the Hub its commit."""
        if self.packed is not None:
            return self.packed.digest
        return self.commit if self.folder is None else folder_sha256(self.folder)

    def parameters(self) -> int:
        """How many there are, by the headers of its files; 0 of a Hub model, before anything is fetched."""
        if self.packed is not None:
            return self.packed.parameters
        return 0 if self.folder is None else sum(parameter_counts(self.folder).values())

    def read(self, what: str, by: Callable[..., Any], **more: Any) -> Any:
        """What a `from_pretrained` of transformers makes of it; ModelError, with what to do next, where it cannot."""
        return _reading(
            self.name, what, lambda: by(self.path, **more, **self.arguments),
            hub=self.folder is None and what == "config",
        )  # fmt: skip


def origin_of(model: str | Path, revision: str | None, trust_remote_code: bool) -> Origin:
    """Find a model; the network is asked only where there is no such folder.

    Raises:
        InputError: a revision of a folder. ModelError: neither a folder nor a Hub id, or nothing that can be read.
    """
    file = gguf_path(model)
    packed = None if file is None else read_gguf(file)
    folder = _folder(model if file is None else file.parent)
    arguments: dict[str, Any] = {"trust_remote_code": trust_remote_code}
    if folder is None:
        # Without a network, what the cache holds; the Hub's client would wait a minute to say no.
        kept = not reachable()
        path = str(model)
        # One commit for all that is read, whatever is pushed meanwhile.
        commit = _reading(path, "config", lambda: commit_of(path, revision, kept), hub=True)
        arguments |= {"revision": commit} | ({"local_files_only": True} if kept else {})
        return Origin(path, path, None, None, commit, arguments)
    if revision:
        raise InputError(
            f"A revision ({revision!r}) needs a Hub id; {folder.name!r} is a folder. Leave it out."
        )
    arguments |= {"local_files_only": True} | ({} if file is None else {"gguf_file": file.name})
    refuse_impossible(folder)
    return Origin(folder.name if file is None else file.name, str(folder), folder, packed, "", arguments)


def _folder(model: str | Path) -> Path | None:
    """The local folder that `model` names, or None for a Hub id."""
    try:
        path = Path(model).expanduser().resolve()
        if path.is_dir():
            return path
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"Model {str(model)[:200]!r} is no readable folder.") from error
    hub_id = r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?"
    if isinstance(model, Path) or not re.fullmatch(hub_id, model, re.ASCII) or ".." in model:
        raise ModelError(
            f"Model {str(model)[:200]!r}: there is no such folder, and it is no Hub id ('org/model'). "
            "Check the path; a model folder holds config.json, tokenizer.json and .safetensors files."
        )
    return None


def _reading(name: str, what: str, read: Any, *, hub: bool = False) -> Any:
    try:
        return read()
    except LOAD_ERRORS as error:
        detail = "".join(c if c.isprintable() else " " for c in f"{type(error).__name__}: {error}")
        if "offload_folder" in detail:
            raise ModelError(
                f"{name!r} does not fit, and weights of it must be written anew before they can be read from disk. "
                "Name a folder with room for the whole model: `offload` beside the model's `id`, or --offload."
            ) from error
        if advice := not_mapped(error):
            raise ModelError(f"{name!r}: {advice}") from error
        if "accelerate" in detail and isinstance(error, ValueError | ImportError):
            raise MissingExtraError("device_map needs accelerate: pip install accelerate.") from error
        if hub and not reachable():
            raise ModelError(offline(name)) from error
        raise ModelError(
            f"Could not read the {what} of model {name!r}: {detail[:600]}\n{_NEXT[what]}"
        ) from error

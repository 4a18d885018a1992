"""Models of the Hugging Face Hub: can it be reached, and what does a model say of itself without its weights?"""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mspgt.errors import ModelError
from mspgt.lm.identity import Card, card_from, read_card

_COMMIT = re.compile(r"[0-9a-f]{40}")
# Through a proxy the name is looked up elsewhere.
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def reachable() -> bool:
    """Whether the Hub's name can be looked up from here; sends it nothing."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    host = urlsplit(constants.ENDPOINT).hostname
    if any(os.environ.get(name) for name in _PROXIES) or host is None:
        return True
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def offline(model: str) -> str:
    """The message for a model that is neither a folder nor in the cache, when the Hub cannot be reached."""
    return (
        f"{model[:200]}: there is no such folder here, the Hub's cache does not hold it, and the Hub cannot be "
        "reached. Check the path; or connect to a network and fetch it first (hf download)."
    )


def commit_of(model: str, revision: str | None, kept: bool) -> str:
    """The commit that a revision of a model stands for: 40 hexadecimal digits; fetches config.json.

    Args:
        kept: ask the Hub's cache alone.

    Raises:
        OSError, ValueError: of the Hub's client: no such model or revision, no access, no network; or no commit.
    """
    from huggingface_hub import hf_hub_download

    # In the cache every file lies in a folder that is called by its commit.
    file = Path(hf_hub_download(model, "config.json", revision=revision, local_files_only=kept))
    if not _COMMIT.fullmatch(file.parent.name):
        raise ValueError(f"expected the commit of its files, found {file.parent.name!r}")
    return file.parent.name


def read_hub_card(model: str, revision: str | None = None) -> Card:
    """The card of a model on the Hub, its digest the commit; fetches config.json and the headers of its weights.

    Without a network it is read from the Hub's cache, where it is whole.

    Raises:
        ModelError: no such model or revision, no access, no safetensors, or no network.
    """
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        NotASafetensorsRepoError,
        SafetensorsParsingError,
    )

    try:
        if not reachable():
            folder = Path(snapshot_download(model, revision=revision, local_files_only=True))
            card = read_card(folder)
            return Card(**{**vars(card), "digest": folder.name})
        api = HfApi()
        commit = str(api.model_info(model, revision=revision).sha)
        config: Any = json.loads(
            Path(hf_hub_download(model, "config.json", revision=commit)).read_text("utf-8")
        )
        weights = api.get_safetensors_metadata(model, revision=commit)
    except LocalEntryNotFoundError as error:
        raise ModelError(offline(model)) from error
    except NotASafetensorsRepoError as error:
        raise ModelError(
            f"{model}: expected weights in safetensors, found none at this revision. Choose another revision, or a "
            "model that has them."
        ) from error
    except (HfHubHTTPError, HFValidationError, SafetensorsParsingError, OSError, ValueError) as error:
        raise ModelError(
            f"{model}: its card cannot be read from the Hub: {str(error).splitlines()[0][:300]}. Check the id "
            "and the revision; a gated model needs `hf auth login`."
        ) from error
    return card_from(
        model, config, {str(kind): count for kind, count in weights.parameter_count.items()}, commit
    )

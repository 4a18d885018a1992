"""What a study's models say of themselves before anything is loaded, and what would stop them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mspgt.lm.gguf_file import GgufFile, gguf_path, read_gguf
from mspgt.lm.hub import read_hub_card
from mspgt.lm.identity import Card, has_attention, parameter_counts, read_card, safe_name
from mspgt.lm.memory import require_memory
from mspgt.lm.vocabulary import Vocabulary, vocabulary_of_folder, vocabulary_of_gguf
from mspgt.lm.windows import fitting_window
from mspgt.study.config import MeasureConfig, ModelConfig
from mspgt.study.identity import Identity
from mspgt.study.jobs import local_id


@dataclass(frozen=True)
class Look:
    """A model before it is loaded.

    vocabulary: None where only its loader, or the Hub, knows it. quantised: how a .gguf file is.
    """

    identity: Identity
    card: Card
    vocabulary: Vocabulary | None
    quantised: str = ""


def look(model: ModelConfig) -> Look:
    """What a folder, a .gguf file, a package or a model of the Hub says of itself; no weights are read or fetched.

    Raises:
        ModelError: something of it cannot be read, its architecture is not known, or it does not fit in memory.
    """
    source = local_id(model.id)
    file = gguf_path(source)
    if file is not None:
        return _look_at_gguf(model, file)
    folder = Path(source).expanduser()
    if not folder.is_dir():
        card = read_hub_card(model.id, model.revision)
        _require_memory(model, card.parameters, _dtype(model, card))
        return Look(identity_of(model, card, card.digest), card, None)
    # Before its files are hashed, which takes minutes for what is too large anyway.
    _require_memory(model, sum(parameter_counts(folder).values()), _dtype(model, None))
    card = read_card(folder)
    _require_memory(model, card.parameters, _dtype(model, card))
    return Look(identity_of(model, card, f"local-{card.digest[:12]}"), card, vocabulary_of_folder(folder))


def _look_at_gguf(model: ModelConfig, file: Path) -> Look:
    found = read_gguf(file)
    card = card_of_gguf(found)
    _require_memory(model, card.parameters, _dtype(model, card))
    identity = identity_of(model, card, f"local-{card.digest[:12]}")
    return Look(identity, card, vocabulary_of_gguf(found), found.quantisation)


def card_of_gguf(found: GgufFile) -> Card:
    """The card of a .gguf file; its values are exact in float32, which is what they are unpacked to."""
    return Card(
        family=found.architecture,
        layers=found.layers,
        width=found.width,
        heads=found.heads,
        parameters=found.parameters,
        dtype="float32",
        digest=found.digest,
        has_attention=has_attention(found.architecture),
        feed_forward=found.feed_forward,
        vocabulary=len(found.vocabulary),
        tied=found.tied,
        context=found.context,
    )


def identity_of(model: ModelConfig, card: Card, revision: str = "") -> Identity:
    """A model as a study names it, of the shape that its card tells."""
    return Identity(
        label=model.label,
        folder=safe_name(model.label),
        family=model.family or card.family,
        revision=revision,
        weights_sha256=card.digest,
        dtype=_dtype(model, card),
        layers=card.layers,
        width=card.width,
        heads=card.heads,
        parameters=card.parameters,
        has_attention=card.has_attention,
        no_attention="" if card.has_attention else "the architecture has no attention",
        blocks=model.blocks or "",
    )


def readings(found: Look, measure: MeasureConfig) -> Iterator[str]:
    """How text will reach a model, in words.

    Raises:
        ModelError: it has no start token, or not the one that is asked for.
        InputError: the window is longer than its context.
    """
    name = found.identity.label
    if found.vocabulary is not None:
        start = found.vocabulary.start(name, measure.start)
        yield "no start token" if start is None else f"start token {start!r}"
    if measure.context != "sentence" and found.card.context is not None:
        yield f"windows of {fitting_window(name, found.card.context, measure.window)} tokens"
    if found.quantised:
        yield f"GGUF file, {found.quantised}"


def _require_memory(model: ModelConfig, parameters: int, dtype: str) -> None:
    if not on_gpu(model) and not placed(model):
        require_memory(model.label, parameters, dtype)


def _dtype(model: ModelConfig, card: Card | None) -> str:
    """What the loaded model will compute in; bfloat16, the smallest, where nothing is known of it yet."""
    if model.dtype != "auto":
        return model.dtype
    if card is None:
        return "bfloat16"
    if card.dtype == "float16" and not on_gpu(model) and not placed(model):
        return "float32"
    return card.dtype


def placed(model: ModelConfig) -> bool:
    """Whether its layers are placed one by one, on GPUs, in memory or on disk."""
    return model.device_map is not None or model.memory is not None


def on_gpu(model: ModelConfig) -> bool:
    """Whether it will be measured on a GPU."""
    if model.device is not None:
        return model.device.startswith("cuda")
    return Path("/dev/nvidiactl").exists()

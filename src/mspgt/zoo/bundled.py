"""The bundled models on disk: their names, their folders, and the proof that no byte has changed."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mspgt.errors import InputError, StoreError, did_you_mean
from mspgt.synthetic.corpora import sample_corpus
from mspgt.synthetic.triscale import TriScale
from mspgt.zoo.recipes import Recipe
from mspgt.zoo.vocabulary import save_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

WEIGHTS = Path(__file__).parent / "weights"
CARD = "recipe.json"


def names(*, checkpoints: bool = False) -> tuple[str, ...]:
    """Names of the bundled models; with `checkpoints`, also the states of a run along its training."""
    found = sorted(card.parent.name for card in WEIGHTS.glob(f"*/{CARD}"))
    return tuple(name for name in found if checkpoints or "-step" not in name)


def path(name: str) -> Path:
    """The folder of a bundled model, every file checked against its SHA-256.

    Raises InputError for an unknown name, StoreError for a file that is missing or has changed.
    """
    known = names(checkpoints=True)
    if name not in known:
        raise InputError(
            f"no bundled model is called {name!r}; choose one of {', '.join(known)}.{did_you_mean(name, known)}"
        )
    verify(WEIGHTS / name)
    return WEIGHTS / name


def card(name: str) -> dict[str, Any]:
    """How a bundled model was made: recipe, excess over the exact reader, loss of every step, hashes."""
    return json.loads((path(name) / CARD).read_text())


def planted_text(folder: Path) -> tuple[str, ...] | None:
    """Sentences, none of them trained on, of the planted language that a model folder's card names; else None."""
    try:
        language = TriScale(**json.loads((folder / CARD).read_text())["recipe"]["language"])
    except (OSError, ValueError, KeyError, TypeError):  # no card, or a file of another hand under its name
        return None
    documents = sample_corpus(language, 2, seed=0).documents
    return tuple(sentence for document in documents for sentence in document.sentences)


def verify(folder: Path) -> None:
    """Check every file of a model folder against its card; StoreError names the first that differs."""
    for file, expected in json.loads((folder / CARD).read_text())["sha256"].items():
        target = folder / file
        found = _sha256(target) if target.is_file() else "no file"
        if found != expected:
            raise StoreError(
                f"{target} should have SHA-256 {expected[:16]}…, found {found[:16]}: install mspgt again, or "
                "make the model with `mspgt zoo train`"
            )


def write_model(
    folder: Path, model: "PreTrainedModel", tokenizer: "Tokenizer", plan: Recipe, facts: dict[str, Any]
) -> None:
    """Write a whole model folder with its card, and put it in place in one step."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    model.save_pretrained(partial)
    # How text is drawn is the reader's choice, not part of the model.
    (partial / "generation_config.json").unlink(missing_ok=True)
    save_tokenizer(partial, tokenizer, bos=plan.bos, max_length=plan.max_length)
    hashes = {file.name: _sha256(file) for file in sorted(partial.iterdir())}
    content = {"recipe": dataclasses.asdict(plan), **facts, "sha256": hashes}
    (partial / CARD).write_text(json.dumps(content) + "\n")
    for file in partial.iterdir():
        file.chmod(0o644)  # safetensors writes files that other users cannot read
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()

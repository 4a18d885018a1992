from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel

from .tiny import tiny_model


@pytest.fixture(scope="session")
def tiny_lm(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., LanguageModel]:
    """`tiny_lm(family, **options of tiny_model)` loads a tiny random model, made once a session.

    `load_as` is the type to compute in.
    """
    made: dict[str, LanguageModel] = {}

    def make(family: str = "llama", *, load_as: str = "auto", **options: object) -> LanguageModel:
        key = f"{family} {load_as} {sorted(options.items())}"
        if key not in made:
            folder = tmp_path_factory.mktemp(family)
            made[key] = load(tiny_model(folder, family, **options), device="cpu", dtype=load_as)
        return made[key]

    return make


@pytest.fixture(scope="session")
def real_models() -> dict[str, Path]:
    """Trained models beside the checkout, by name; tests that need them are skipped where they are absent."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "models"
    if not folder.is_dir():
        pytest.skip("no trained models at ../shared/data/models")
    return {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}

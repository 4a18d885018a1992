from pathlib import Path

import pytest

from mspgt.text.treebank import Treebank, load_treebank
from tests.lm.conftest import tiny_lm

__all__ = ["tiny_lm"]


@pytest.fixture(scope="session")
def ewt() -> Treebank:
    """EWT's dev and test splits with entities and roles, beside the checkout."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "ewt"
    if not folder.is_dir():
        pytest.skip(f"the real data are not at {folder}")
    held_out = ("dev", "test")
    return load_treebank(
        [folder / f"en_ewt-ud-{split}.conllu" for split in held_out],
        entities=[folder / f"uner-{split}.iob2" for split in held_out],
        roles=[folder / f"propbank-{split}.jsonl" for split in held_out],
    )


@pytest.fixture(scope="session")
def gsd() -> Treebank:
    """A German treebank that marks no documents."""
    file = Path(__file__).parents[3] / "shared" / "data" / "multilingual" / "de_gsd-ud-test.conllu"
    if not file.exists():
        pytest.skip(f"the real data are not at {file}")
    return load_treebank([file])

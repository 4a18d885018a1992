from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The real data beside the checkout."""
    folder = Path(__file__).parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real data are not at {folder}")
    return folder

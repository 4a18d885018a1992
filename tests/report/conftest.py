"""One report of the planted results, built once for all tests that read it."""

import json
from pathlib import Path
from typing import Any

import pytest

from mspgt.report import build_report
from tests.report.planted_results import planted


@pytest.fixture
def results() -> dict[str, Any]:
    return planted()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder after `build_report`."""
    run = tmp_path_factory.mktemp("run")
    (run / "results.json").write_text(json.dumps(planted()))
    build_report(run)
    return run

"""Damaged input of every kind is refused with an error of ours; `make soak` draws 10,000 examples of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trust.fuzzing import TARGETS, Target

EXAMPLES = {"command line": 40, "CoNLL-U": 60, "IOB2": 60, "roles": 60}


@pytest.mark.parametrize("kind", TARGETS)
def test_damaged_input_raises_errors_of_ours_only(kind: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    refused = []

    @settings(max_examples=EXAMPLES.get(kind, 120), suppress_health_check=list(HealthCheck))
    @given(TARGETS[kind].drawn)
    def tried(drawn: Any) -> None:
        refused.append(TARGETS[kind].refuses(drawn, tmp_path))

    tried()
    assert sum(refused) > len(refused) / 10


def test_a_reader_that_raises_what_it_stumbles_over_is_seen(tmp_path: Path) -> None:
    """Planted: a reader that takes a number for granted."""

    @settings(max_examples=200)
    @given(Target(st.binary(max_size=3), lambda content, folder: int(content)).drawn)
    def tried(drawn: bytes) -> None:
        Target(st.nothing(), lambda content, folder: int(content)).refuses(drawn, tmp_path)

    with pytest.raises(ValueError, match="invalid literal"):
        tried()

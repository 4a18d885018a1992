"""Damaged input of every kind is refused with an error of ours; `make soak` draws 10,000 examples of each."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mspgt.errors import ModelError, StoreError
from mspgt.lm.identity import parameter_counts
from mspgt.study.store import MANIFEST, Address, StageResult, _seal
from tests.trust.fuzzing import TARGETS, Target

EXAMPLES = {"command line": 40, "CoNLL-U": 60, "IOB2": 60, "roles": 60, "report": 60}


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


WHOLE = {"bytes": 11, "sha256": "0" * 64}


@pytest.mark.parametrize(
    "change",
    [
        *({"files": files} for files in (None, [], "\ud800", {}, {"meta.json": None}, {"meta.json": {"bytes": 1}})),
        *({"files": {"meta.json": WHOLE, name: WHOLE}} for name in ("../x", "", "..", "a\0b", "n" * 300)),
        {"seconds": None},
        {"stage": "\ud800"},
    ],
)  # fmt: skip
def test_a_sealed_manifest_of_another_shape_is_called_damaged(change: dict[str, Any], tmp_path: Path) -> None:
    where = Address(tmp_path, "m", "r", "stage", {"n": 1})
    where.save(StageResult({}, {"n": 1}), 0)
    manifest = json.loads((where.folder / MANIFEST).read_text("utf-8")) | change
    manifest["sha256"] = _seal({name: value for name, value in manifest.items() if name != "sha256"})
    (where.folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    assert where.status().reason.startswith("damaged: ")
    with pytest.raises(StoreError, match="damaged"):
        where.load()
    where.fill(lambda: StageResult({}, {"n": 1}))
    assert where.load().meta == {"n": 1}


def test_a_tensor_header_longer_than_the_format_allows_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with (tmp_path / "model.safetensors").open("wb") as stream:
        stream.write(struct.pack("<Q", 2**33))
        stream.truncate(2**34)  # a hole: sixteen gigabytes that take no room
    with pytest.raises(ModelError, match="longer than the file, or than the format allows"):
        parameter_counts(tmp_path)


def test_a_reader_that_raises_what_it_stumbles_over_is_seen(tmp_path: Path) -> None:
    """Planted: a reader that takes a number for granted."""

    @settings(max_examples=200)
    @given(Target(st.binary(max_size=3), lambda content, folder: int(content)).drawn)
    def tried(drawn: bytes) -> None:
        Target(st.nothing(), lambda content, folder: int(content)).refuses(drawn, tmp_path)

    with pytest.raises(ValueError, match="invalid literal"):
        tried()

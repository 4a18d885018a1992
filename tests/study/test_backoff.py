"""Memory that runs out in the middle of a batch, by an allocator that refuses large ones."""

from __future__ import annotations

import gc
import logging
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch

from mspgt.errors import MspgtError, NumericsError
from mspgt.study.backoff import _let_go
from mspgt.study.stages import compute
from tests.lm.tiny import tiny_model
from tests.study.small import write_corpus
from tests.trust.reruns import comparable, moved, small_study


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("memory")
    model = tiny_model(folder / "tiny", "llama", layers=6)
    corpus = write_corpus(folder / "text.jsonl", 6)
    return model, corpus, comparable(small_study(model, corpus, folder / "run", interventions=None))


def allow(
    tokens: int, patch: pytest.MonkeyPatch, error: type[Exception] = torch.OutOfMemoryError
) -> list[int]:
    """Let no batch of more tokens into the model; returns the sizes that were refused."""
    refused: list[int] = []
    plain = torch.nn.Embedding.forward

    def forward(self: torch.nn.Embedding, ids: torch.Tensor) -> torch.Tensor:
        if ids.shape[0] > 1 and ids.numel() > tokens:
            refused.append(ids.numel())
            raise error("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return plain(self, ids)

    patch.setattr(torch.nn.Embedding, "forward", forward)
    return refused


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
def test_a_study_goes_on_with_smaller_batches_to_the_same_results(
    made: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
) -> None:
    model, corpus, plain = made
    refused = allow(400, monkeypatch, error)
    with caplog.at_level(logging.WARNING, "mspgt"):
        found = comparable(small_study(model, corpus, tmp_path / "run", interventions=None))
    assert refused
    assert "batches of half the size" in caplog.text
    assert max(moved(plain, found).values(), default=0) < 1e-4


def test_what_no_batch_fits_is_one_error(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, corpus, _ = made
    sizes = []

    def never(work: Any, *_: Any) -> None:
        sizes.append(work.config.measure.batch_tokens)
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("mspgt.study.jobs.compute", never)
    with pytest.raises(NumericsError, match="smallest batches"):
        small_study(model, corpus, tmp_path / "run", interventions=None, twins={"seeds": 0})
    assert sizes == [4096, 2048, 1024, 512, 256, 128, 64, 32, 16]


def test_a_check_has_no_batches_and_is_not_tried_again(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, corpus, _ = made
    asked = []

    def never(*_: Any) -> None:
        asked.append(1)
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("mspgt.study.jobs.Loader.inspect", never)
    with pytest.raises(MspgtError, match="before the first batch"):
        small_study(model, corpus, tmp_path / "run", interventions=None, twins={"seeds": 0})
    assert asked == [1]


def test_another_error_is_not_taken_for_a_lack_of_memory(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, corpus, _ = made
    asked = []

    def broken(*_: Any) -> None:
        asked.append(1)
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr("mspgt.study.jobs.compute", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        small_study(model, corpus, tmp_path / "run", interventions=None, twins={"seeds": 0})
    assert asked == [1]


def test_what_the_failed_batch_held_is_given_back_before_the_next(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: tensors that refer to each other, which only the collector takes away."""
    model, corpus, _ = made
    held: list[weakref.ref[Any]] = []

    class Held:
        me: Any = None

    def once(*given: Any) -> None:
        if not held:
            one = Held()
            one.me = one
            held.append(weakref.ref(one))
            raise torch.OutOfMemoryError("CUDA out of memory")
        assert held[0]() is None
        compute(*given)

    monkeypatch.setattr("mspgt.study.jobs.compute", once)
    gc.disable()
    try:
        small_study(model, corpus, tmp_path / "run", interventions=None, twins={"seeds": 0})
    finally:
        gc.enable()
    assert held


def test_memory_that_a_gpu_caches_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    emptied = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(1))
    _let_go()
    assert emptied == [1]

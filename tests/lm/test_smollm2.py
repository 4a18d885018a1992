"""A real language model, with sinks and massive activations, in its own bfloat16."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.observe import Observation, observe
from mspgt.lm.reading import read
from mspgt.lm.start import start_token
from mspgt.lm.tokenize import Batch, Front, batches, encode
from mspgt.signals.attention import attention_drift
from mspgt.text.align import last_subtokens
from mspgt.text.words import word_spans

ENGLISH = (
    "The harbour had been quiet since the storm, and the fishermen mended their nets on the pier.",
    "In 1887 the town council voted to build a second bridge, which was never finished.",
    "She had not expected the letter, but she knew the hand at once.",
    "Most of the heat that reaches the surface of the lake is lost again during the night.",
)


@pytest.fixture(scope="module")
def lm(smollm2: Path) -> LanguageModel:
    return load(smollm2, device="cpu")


def english(lm: LanguageModel) -> Batch:
    (batch,) = batches(encode(lm, ENGLISH), max_tokens=1000)
    return batch


def drift(seen: Observation, batch: Batch) -> torch.Tensor:
    """S3 without the first token, which is the sink."""
    assert seen.attention is not None
    kept = batch.attention_mask.bool()
    kept[:, 0] = False
    return attention_drift(seen.attention, kept, kept)[0].mean(0)


def test_attention_is_seen_in_bfloat16_beside_the_models_own(lm: LanguageModel, smollm2: Path) -> None:
    assert lm.dtype == torch.bfloat16
    assert lm.has_attention, lm.no_attention
    batch = english(lm)
    seen = observe(lm, batch, verify=True)
    for one, other in zip(observe(lm, batch, attention=False).hidden, seen.hidden, strict=True):
        assert torch.equal(one, other)
    assert seen.apart is not None
    assert seen.apart < 0.02
    found = drift(seen, batch)
    exact = drift(observe(load(smollm2, device="cpu", dtype="float32"), batch), batch)
    assert bool(((found - exact).abs() <= torch.maximum(0.02 * exact, torch.tensor(0.003))).all())
    assert float(exact.max()) > 0.05


def test_windows_start_with_the_token_that_separates_documents_and_words_are_found(lm: LanguageModel) -> None:
    found = start_token(lm)
    assert found is not None
    assert found.token == "<|endoftext|>"
    reading = read(lm, [ENGLISH, ENGLISH[::-1]])
    assert [window.ids[0] for window in reading.sequences] == [found.id, found.id]
    for text, tokens in zip((*ENGLISH, *ENGLISH[::-1]), reading.sentences, strict=True):
        assert min(last_subtokens(tokens.offsets, word_spans(text))) >= 0


def test_the_start_token_is_the_sink_and_the_first_word_is_none(lm: LanguageModel) -> None:
    def norms(front: Front) -> torch.Tensor:
        (batch,) = batches(encode(lm, ENGLISH[:1], front=front), max_tokens=1000)
        return torch.linalg.vector_norm(observe(lm, batch, attention=False).hidden[15][0].float(), dim=-1)

    plain, started = norms("default"), norms(start_token(lm).id)  # type: ignore[union-attr]
    assert float(plain[0] / plain.median()) > 20
    assert float(started[0] / started.median()) > 20
    assert float(started[1:].max() / started.median()) < 10

"""A hundred seeds: noise and text follow the seed and the item alone, and no two of them share a stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from mspgt.lm import generate as generating
from mspgt.lm import perturb
from mspgt.lm.generate import generate
from mspgt.lm.keyed import fold, stream_key, uniform
from mspgt.lm.load import load
from mspgt.lm.model import LanguageModel
from mspgt.lm.perturb import Noise
from mspgt.stats.bootstrap import document_weights
from tests.lm.tiny import tiny_model

SEEDS, ITEMS, STEPS = 100, 4, 4


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million numbers drawn ahead, of which five are used, would be all that these tests do."""
    monkeypatch.setattr(perturb, "AHEAD", 2**9)


@pytest.fixture(scope="module")
def lm(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return load(tiny_model(tmp_path_factory.mktemp("seeds") / "tiny"), device="cpu")


def prompts() -> torch.Tensor:
    return torch.randint(3, 300, (ITEMS, 4), generator=torch.Generator().manual_seed(5))


def texts(lm: LanguageModel, items: list[int], seed: int) -> dict[int, tuple[int, ...]]:
    """Item → its text under noise, from a batch of these items in this order."""
    found = generate(
        lm, prompts()[items], items, torch.full((1, lm.layers), 0.3), seed=seed, new_tokens=STEPS
    )
    return {
        item: tuple(rows[0, : int(length)].tolist())
        for item, rows, length in zip(items, found.tokens, found.lengths[:, 0], strict=True)
    }


def batches(seed: int) -> Iterator[list[int]]:
    """Two workers that share the items out in another order; one has less to do, or begins again in the middle."""
    order = torch.randperm(ITEMS, generator=torch.Generator().manual_seed(seed)).tolist()
    yield from (order[:1], order[1:])


def test_text_and_noise_follow_seed_and_item_and_no_batch_order_or_worker(lm: LanguageModel) -> None:
    whole = {seed: texts(lm, list(range(ITEMS)), seed) for seed in range(SEEDS)}
    for seed in range(SEEDS):
        parts: dict[int, tuple[int, ...]] = {}
        for items in batches(seed):
            parts |= texts(lm, items, seed)
        assert parts == whole[seed], seed
    # Another seed is another text, of every item. (Two of 4,950 pairs of four tokens may meet by chance.)
    for item in range(ITEMS):
        assert len({found[item] for found in whole.values()}) >= SEEDS - 2


def test_a_generator_that_follows_the_batch_is_seen(
    lm: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: randomness by the place in the batch, as a global generator gives it."""
    plain = generating._sampling_numbers
    monkeypatch.setattr(
        generating,
        "_sampling_numbers",
        lambda seed, samples, *more: plain(seed, list(range(len(samples))), *more),
    )
    whole = texts(lm, list(range(ITEMS)), 0)
    parts = {item: text for items in batches(0) for item, text in texts(lm, items, 0).items()}
    assert parts != whole


def streams() -> Iterator[tuple[str, torch.Tensor]]:
    """The first numbers of every stream that a hundred seeds open for two purposes and three items."""
    for seed in range(SEEDS):
        for purpose in ("noise", "sampling"):
            for item in range(3):
                key = fold(stream_key(purpose, seed), torch.tensor([item]))
                yield f"{purpose} {seed} {item}", uniform(fold(key[:, None], torch.arange(64)))[0]


def test_no_two_streams_meet_or_go_together() -> None:
    """600 streams: all numbers differ, and no two are correlated beyond what chance allows of so many pairs."""
    rows = torch.stack([row for _, row in streams()])
    values = rows.flatten()
    # Of 38,400 draws from 2²⁴ values some 44 pairs are equal by chance; a shared stream makes 64 at once.
    assert len(values) - len(values.unique()) < 90
    related = torch.corrcoef(rows.double()).fill_diagonal_(0).abs().max()
    assert related < 0.7  # the largest of 179,700 pairs of 64 numbers: .55 expected, a shared stream 1
    shared = torch.cat([rows, rows[:1]])  # planted: a worker that repeats the stream of another
    assert torch.corrcoef(shared.double()).fill_diagonal_(0).abs().max() > 0.99


def noise(seed: int, samples: list[int], positions: range = range(3)) -> torch.Tensor:
    """What is added after block 2, (samples, positions, 8)."""
    made = Noise(seed, samples, torch.full((1, 2), 0.5), 8)
    made.place(positions.start, positions.stop)
    return made.add(2, torch.zeros(len(samples), len(positions), 8))


def test_noise_of_an_item_is_its_own_in_any_batch_and_at_any_step() -> None:
    seen = set()
    for seed in range(SEEDS):
        together = noise(seed, [9, 4, 0])
        assert torch.equal(noise(seed, [4])[0], together[1])
        assert torch.equal(noise(seed, [0, 9])[1], together[0])
        assert torch.equal(
            noise(seed, [4, 0], range(2, 3)), together[1:, 2:]
        )  # step by step, as texts are written
        seen |= {tuple(row) for row in together.flatten(0, 1).tolist()}
    assert len(seen) == SEEDS * 9


def test_a_hundred_seeds_resample_a_hundred_ways() -> None:
    drawn = [document_weights(20, 3, seed) for seed in range(SEEDS)]
    assert len({one.tobytes() for one in drawn}) == SEEDS
    assert all((document_weights(20, 3, seed) == one).all() for seed, one in enumerate(drawn))

"""Generation under several arms: what a sample becomes belongs to its number, whatever else is in the batch."""

import numpy as np
import pytest
import torch
from transformers.generation.logits_process import TopPLogitsWarper

from mspgt.errors import InputError
from mspgt.lm.generate import first_broken_layer, generate, log_likelihood, sample_nucleus
from mspgt.lm.keyed import fold, normal, stream_key
from mspgt.lm.load import load
from mspgt.lm.perturb import Noise, perturbed
from tests.lm.tiny import tiny_model

FAMILIES = ["llama", "qwen2", "mistral", "gemma2", "gpt_neox", "gpt2", "bloom", "falcon", "gptj", "mamba"]
NEW = 8


@pytest.fixture(scope="module", params=FAMILIES)
def lm(request, tmp_path_factory):
    return load(tiny_model(tmp_path_factory.mktemp(request.param), request.param))


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return load(tiny_model(tmp_path_factory.mktemp("plain"), "llama"))


def prompts(count: int, length: int = 6) -> torch.Tensor:
    return torch.randint(3, 300, (count, length), generator=torch.Generator().manual_seed(5))


def arms(lm) -> torch.Tensor:
    """No noise, noise after block 1, noise after every block."""
    sigma = torch.zeros(3, lm.layers)
    sigma[1, 0], sigma[2] = 0.4, 0.2
    return sigma


def written(generated) -> list[list[list[int]]]:
    """Tokens before the end of each text."""
    return [
        [row[:n].tolist() for row, n in zip(rows, lengths, strict=True)]
        for rows, lengths in zip(generated.tokens, generated.lengths, strict=True)
    ]


def test_batch_order_arms_and_cache_change_nothing(lm):
    ids = prompts(5)
    whole = written(generate(lm, ids, range(5), arms(lm), seed=3, new_tokens=NEW, first=1))
    for order in ([2], [4, 0], [3, 2, 1]):
        part = generate(lm, ids[order], order, arms(lm), seed=3, new_tokens=NEW, first=1)
        assert written(part) == [whole[sample] for sample in order]
    alone = generate(lm, ids, range(5), arms(lm)[2:], seed=3, new_tokens=NEW, first=1)
    assert written(alone) == [[texts[2]] for texts in whole]
    uncached = generate(lm, ids, range(5), arms(lm), seed=3, new_tokens=NEW, first=1, cache=False)
    assert written(uncached) == whole
    plain, local, everywhere = zip(*whole, strict=True)
    assert plain != local != everywhere != plain, "the noise of the arms changed nothing"


def test_a_nearly_empty_nucleus_is_greedy_decoding(lm):
    ids = prompts(3)
    found = generate(lm, ids, range(3), torch.zeros(1, lm.layers), seed=0, new_tokens=NEW, top_p=1e-6)
    with torch.inference_mode():
        ours = ids
        for _ in range(NEW):
            ours = torch.cat([ours, lm.model(input_ids=ours).logits[:, -1:].argmax(-1)], dim=1)
    for text, row in zip(written(found), ours[:, ids.shape[1] :].tolist(), strict=True):
        assert text[0] == (row[: row.index(1)] if 1 in row else row)


def test_another_seed_stream_or_number_gives_another_text(llama):
    ids, none = prompts(1), torch.zeros(2, llama.layers)
    plain = written(generate(llama, ids, [0], none, seed=0, new_tokens=NEW))
    assert plain[0][0] == plain[0][1]
    apart = written(generate(llama, ids, [0], none, seed=0, new_tokens=NEW, streams=[0, 1]))
    assert apart[0][0] == plain[0][0] != apart[0][1]
    assert written(generate(llama, ids, [1], none, seed=0, new_tokens=NEW))[0][0] != plain[0][0]
    assert written(generate(llama, ids, [0], none, seed=1, new_tokens=NEW))[0][0] != plain[0][0]


@pytest.mark.parametrize("top_p", [0.3, 0.95, 1.0])
def test_the_nucleus_is_sampled_with_its_probabilities(top_p):
    logits = torch.randn(1, 12, generator=torch.Generator().manual_seed(1)) * 1.5
    kept = TopPLogitsWarper(top_p)(None, logits).softmax(-1)[0] if top_p < 1 else logits.softmax(-1)[0]
    grid = (torch.arange(40_000) + 0.5) / 40_000
    chosen, finite = sample_nucleus(logits.expand(40_000, -1), grid, 1.0, top_p)
    shares = torch.bincount(chosen, minlength=12) / 40_000
    assert finite.all()
    np.testing.assert_allclose(shares, kept, atol=1e-4)
    cool, _ = sample_nucleus(logits.expand(40_000, -1), grid, 0.5, 1.0)
    shares = torch.bincount(cool, minlength=12) / 40_000
    np.testing.assert_allclose(shares, (logits[0] / 0.5).softmax(-1), atol=1e-4)


def test_equal_probabilities_are_all_chosen():
    grid = (torch.arange(1000) + 0.5) / 1000
    chosen, _ = sample_nucleus(torch.zeros(1000, 10), grid, 1.0, 0.95)
    assert torch.bincount(chosen, minlength=10).tolist() == [100] * 10
    edge, _ = sample_nucleus(torch.zeros(1, 10), torch.tensor([1 - 2.0**-24]), 1.0, 0.95)
    assert edge.item() == 9


def test_noise_has_its_size_its_places_and_one_source_for_all_arms(llama):
    ids = prompts(40, 20)
    sigma = torch.zeros(3, llama.layers)
    sigma[1, 1], sigma[2, 1] = 0.1, 0.3
    noise = Noise(0, range(40), sigma, llama.width, first=4)
    noise.place(0, 20)
    seen = {}
    with torch.inference_mode(), perturbed(llama, noise):
        handle = llama.blocks[1].register_forward_hook(lambda _, __, out: seen.update(h=out))
        llama.model(input_ids=ids.repeat_interleave(3, 0), use_cache=False)
        handle.remove()
    clean, small, large = (seen["h"].view(40, 3, 20, -1)[:, arm] for arm in range(3))
    assert torch.equal(clean[:, :4], small[:, :4])
    added, more = (small - clean)[:, 4:], (large - clean)[:, 4:]
    assert added.std().item() == pytest.approx(0.1, rel=0.02)
    assert abs(added.mean().item()) < 0.002
    torch.testing.assert_close(more, 3 * added, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(added[:, 0], added[:, 1])
    with torch.inference_mode():
        again = llama.model(input_ids=ids[:1], use_cache=False).logits
        plain = load_logits(llama, ids[:1])
    torch.testing.assert_close(again, plain)


def test_noise_by_dimension_and_by_a_tokens_own_size(llama):
    """Against noise added by hand to the stream of a plain pass, from the same keyed numbers."""
    ids, d = prompts(3, 9), llama.width
    sizes = torch.zeros(3, llama.layers, d)
    sizes[0, 1], sizes[1, 1] = torch.rand(d, generator=torch.Generator().manual_seed(2)), 0.2
    sizes[2, 1] = 0.2
    own = torch.tensor([False, False, True])
    noise = Noise(7, range(3), sizes, d, first=1, own=own)
    noise.place(0, 9)
    seen = {}
    with torch.inference_mode():
        clean = {}
        handle = llama.blocks[1].register_forward_hook(lambda _, __, out: clean.update(h=out.clone()))
        llama.model(input_ids=ids, use_cache=False)
        handle.remove()
        with perturbed(llama, noise):
            handle = llama.blocks[1].register_forward_hook(lambda _, __, out: seen.update(h=out))
            llama.model(input_ids=ids.repeat_interleave(3, 0), use_cache=False)
            handle.remove()
    added = seen["h"].view(3, 3, 9, d) - clean["h"][:, None]
    keys = fold(fold(stream_key("noise", 7), torch.arange(3))[:, None], torch.arange(1, 9))
    unit = normal(fold(keys, torch.tensor(2)), d)
    assert (added[:, :, 0] == 0).all()
    rms = clean["h"][:, 1:].square().mean(-1, keepdim=True).sqrt()
    for arm, scale in enumerate((sizes[0, 1], 0.2, 0.2 * rms)):
        torch.testing.assert_close(added[:, arm, 1:], scale * unit, atol=2e-4, rtol=1e-3)


def load_logits(lm, ids):
    return lm.model(input_ids=ids, use_cache=False).logits


def test_prompts_are_spared_when_asked(llama):
    """With noise only where nothing is read from the cache, the first token cannot change."""
    ids, sigma = prompts(6), torch.zeros(2, llama.layers)
    sigma[1] = 3.0
    spared = generate(llama, ids, range(6), sigma, seed=0, new_tokens=NEW, first=ids.shape[1])
    assert torch.equal(spared.tokens[:, 0, 0], spared.tokens[:, 1, 0])
    assert not torch.equal(spared.tokens[:, 0], spared.tokens[:, 1])
    reached = generate(llama, ids, range(6), sigma, seed=0, new_tokens=NEW, first=1)
    assert not torch.equal(reached.tokens[:, 0, 0], reached.tokens[:, 1, 0])


def test_noise_that_breaks_a_model_is_found_and_harms_no_other_arm(llama):
    ids, sigma = prompts(2), torch.zeros(3, llama.layers)
    sigma[1, 1], sigma[2, 0] = 3e38, 0.2
    found = generate(llama, ids, range(2), sigma, seed=0, new_tokens=NEW)
    assert (found.broken[:, 1] == 0).all()
    assert (found.broken[:, [0, 2]] == -1).all()
    without = generate(llama, ids, range(2), sigma[[0, 2]], seed=0, new_tokens=NEW)
    assert torch.equal(found.tokens[:, [0, 2]], without.tokens)
    layer = first_broken_layer(llama, ids[0], found.tokens[0, 1, :0], 0, sigma[1], seed=0)
    assert layer == 2
    assert first_broken_layer(llama, ids[0], ids[1], 0, sigma[2], seed=0) is None


def test_the_likelihood_of_a_text_stops_at_its_end(llama):
    ids = prompts(3)
    found = generate(
        llama, ids, range(3), torch.zeros(2, llama.layers), seed=0, new_tokens=NEW, streams=[0, 1]
    )
    found.lengths[1, 0] = 4
    found.lengths[2, 1] = 0
    nats = log_likelihood(llama, ids, found)
    assert nats[2, 1] == 0
    for sample in range(3):
        for arm in range(2):
            row = torch.cat([ids[sample], found.tokens[sample, arm, : found.lengths[sample, arm]]])[None]
            logs = load_logits(llama, row).log_softmax(-1)[0, :-1].gather(-1, row[0, 1:, None])[:, 0]
            expected = logs[ids.shape[1] - 1 :].sum()
            assert nats[sample, arm].item() == pytest.approx(expected.item(), abs=1e-4)


def test_settings_that_cannot_be_used_are_refused(llama):
    none = torch.zeros(1, llama.layers)
    with pytest.raises(InputError, match="context"):
        generate(llama, prompts(1, 60), [0], none, seed=0, new_tokens=8)
    for wrong in ({"temperature": 0.0}, {"top_p": 0.0}, {"top_p": 1.5}):
        with pytest.raises(InputError, match="temperature"):
            generate(llama, prompts(1), [0], none, seed=0, new_tokens=2, **wrong)
    for size in (-1.0, float("nan")):
        with pytest.raises(InputError, match="non-negative"):
            generate(llama, prompts(1), [0], none + size, seed=0, new_tokens=2)

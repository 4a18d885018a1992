"""The paper's four architectures with random weights in bfloat16 on an accelerator: every stage beside the plain pass
or plain `generate` over the same tokens.

    python -m bench.gpu                 # all four; after eight minutes no new stage is begun
    python -m bench.gpu --tiny          # a trial of the script on any machine: six narrow layers, nothing written

Needs nothing but this package: text and labels are the planted language's, words are tokens. What grows in step with
its input (10,000 sentences, 1,000 samples, 16,622 labelled ones) is measured on less and multiplied; both numbers are
written to bench/results/gpu.json after every stage, so that a machine that is taken away leaves what it had measured.
Every model gets an equal share of the time, and says whether it was complete. Batches are halved where memory runs
out, and the size that fitted is told.
"""

from __future__ import annotations

import argparse
import copy
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from bench import generation
from bench.measuring import forward
from bench.record import record
from mspgt.errors import NumericsError
from mspgt.lm.blocks import find_blocks
from mspgt.lm.cards import CARDS
from mspgt.lm.identity import Card
from mspgt.lm.model import LanguageModel
from mspgt.lm.norms import reading_norms
from mspgt.lm.probe import SAMPLE, probe
from mspgt.lm.shape import Shape
from mspgt.signals.features import word_features
from mspgt.signals.geometry import Geometry, reduce_shards
from mspgt.signals.labels import probe_tasks
from mspgt.signals.measure import Scales, Shard, measure_scales, measure_shard
from mspgt.signals.probes import train_probes
from mspgt.signals.tokens import CorpusTokens, read_corpus
from mspgt.study.multiply import flops_a_second
from mspgt.synthetic.corpora import sample_corpus, sample_treebank
from mspgt.synthetic.triscale import TriScale
from mspgt.text.corpus import Corpus
from mspgt.text.treebank import Treebank
from mspgt.vocabulary import SINK_RATIO

KEY_VALUE_HEADS = {
    "meta-llama/Llama-2-7b-hf": 32, "meta-llama/Meta-Llama-3-8B": 8, "Qwen/Qwen1.5-7B": 32, "Qwen/Qwen2.5-7B": 4
}  # fmt: skip
TINY = Card("llama", 6, 64, 4, 0, "float32", "", True, 128, 0, False, 2048)
PAPER = {"sentences": 10_000, "samples": 1_000, "labelled": 12_544 + 2_001 + 2_077}
AGREEING_LAYERS, AGREEING_SENTENCES = 3, 60
SECONDS = 480.0
Figures = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much is measured: documents of 8 sentences, labelled sentences a split, samples of Experiment 2."""

    documents: int
    labelled: int
    samples: int
    new_tokens: int
    batch_tokens: int
    drawn: int
    repeats: int


LARGE = Size(125, 1000, 16, 128, 16_384, 8192, 3)
SMALL = Size(8, 40, 2, 4, 512, 128, 1)


def model_of(
    name: str, card: Card, heads: int, words: list[str], device: str, dtype: torch.dtype
) -> LanguageModel:
    """Random weights, made where they compute; every word of the text is a token."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    ids = {word: i for i, word in enumerate(["<unk>", "<s>", *words])}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    config = AutoConfig.for_model(
        card.family, hidden_size=card.width, intermediate_size=card.feed_forward, num_hidden_layers=card.layers,
        num_attention_heads=card.heads, num_key_value_heads=heads, vocab_size=max(card.vocabulary, len(ids)),
        max_position_embeddings=card.context, tie_word_embeddings=card.tied,
        bos_token_id=1, eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    blocks = find_blocks(model)
    lm = LanguageModel(
        name=name, family=card.family, model=model,
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<unk>", bos_token="<s>"),
        blocks=blocks, layers=card.layers, width=card.width, heads=card.heads,
        parameters=sum(weights.numel() for weights in model.parameters()), revision="random", weights_sha256="",
        max_length=card.context or 2048, device=torch.device(device), dtype=dtype,
    )  # fmt: skip
    probe(lm)
    return lm


class Clock:
    """Seconds and peak memory of stages on one device."""

    def __init__(self, device: torch.device) -> None:
        self.gpu = device.type == "cuda"

    def __call__(self, work: Callable[[], Any], repeats: int = 1) -> tuple[float, float | None, Any]:
        """Median seconds of the clock, the most GiB that were held on the accelerator, and what was found last."""
        seconds = []
        if self.gpu:
            torch.cuda.reset_peak_memory_stats()
        for _ in range(repeats):
            self._wait()
            started = time.perf_counter()
            found = work()
            self._wait()
            seconds.append(time.perf_counter() - started)
        peak = round(torch.cuda.max_memory_allocated() / 2**30, 2) if self.gpu else None
        return float(np.median(seconds)), peak, found

    def _wait(self) -> None:
        if self.gpu:
            torch.cuda.synchronize()


def fitting(work: Callable[[int], Any], size: int) -> tuple[int, Any]:
    """What `work` finds with the largest of `size`, `size` / 2, … that memory allows, and that size.

    Raises:
        NumericsError: not even 1 fits.
    """
    while size >= 1:
        try:
            return size, work(size)
        except torch.OutOfMemoryError:
            size //= 2
        gc.collect()
        torch.cuda.empty_cache()
    raise NumericsError("Out of memory with a batch of one: take a card with more memory.")


def measured(
    lm: LanguageModel, tokens: CorpusTokens, documents: int, batch_tokens: int
) -> tuple[Scales, Shard]:
    settings = {"sink_ratio": SINK_RATIO, "batch_tokens": batch_tokens}
    scales = measure_scales(lm, tokens.readings["calibrated"], sample=64, **settings)
    return scales, measure_shard(lm, tokens, range(documents), scales, **settings)


def stages(
    lm: LanguageModel, card: Card, corpus: Corpus, treebank: Treebank, size: Size
) -> Iterator[Figures]:
    """Seconds, shares and memory of every stage that runs on the accelerator, as soon as each is known."""
    clock = Clock(lm.device)
    tokens = read_corpus(lm, corpus, limit=size.drawn, seed=0)
    documents = len(corpus.documents)
    rows, (scales, _) = fitting(lambda n: measured(lm, tokens, documents, n), size.batch_tokens)
    settings = {"sink_ratio": SINK_RATIO, "batch_tokens": rows}
    plain, plain_memory, _ = clock(lambda: forward(lm, tokens, full=False, batch_tokens=rows), size.repeats)
    measuring, measuring_memory, shard = clock(
        lambda: measure_shard(lm, tokens, range(documents), scales, **settings), size.repeats
    )
    count = sum(len(text.ids) for part, _ in tokens.passes() for text in part.sequences)
    shape = replace(Shape.of(replace(card, parameters=lm.parameters)), layers=lm.layers)
    length = count / sum(len(part.sequences) for part, _ in tokens.passes())
    large = flops_a_second(4096, card.width, card.feed_forward, 1, _name(lm.dtype), lm.device.type)
    yield {
        "layers": lm.layers, "width": lm.width, "parameters": lm.parameters, "dtype": _name(lm.dtype),
        "sentences": corpus.n_sentences, "tokens": count, "batch_tokens": rows,
        "plain_pass_seconds": round(plain, 3),
        "measuring_to_plain_pass": round(measuring / plain, 3),
        "large_products_tflops": round(large / 1e12, 1),
        "plain_pass_share_of_large_products": round(shape.forward(count, length) / plain / large, 3),
        "measuring_share_of_large_products": round(shape.forward(count, length) / measuring / large, 3),
        "peak_gib": {"plain pass": plain_memory, "measuring": measuring_memory},
        "hours_at_the_paper's_scale": {"measuring": _hours(measuring * PAPER["sentences"] / corpus.n_sentences)},
    }  # fmt: skip
    reducing, memory, _ = clock(lambda: _reduced(lm, shard, documents))
    yield {
        "reduction_to_measuring": round(reducing / measuring, 3),
        "peak_gib": {"reduction": memory}, "hours_at_the_paper's_scale": {"reduction": _hours(reducing)},
    }  # fmt: skip
    samples, writing = fitting(lambda n: generation.ratio(lm, n, size.new_tokens, size.repeats), size.samples)
    written = writing["rows"] * writing["new_tokens"] * writing["microseconds_a_token"] / 1e6
    yield {
        "generation": writing, "samples_at_once": samples,
        "hours_at_the_paper's_scale": {"generation": _hours(written * PAPER["samples"] / samples)},
    }  # fmt: skip
    splits = treebank.train, treebank.dev, treebank.test
    labelled = sum(map(len, splits))
    reading, reading_memory, features = clock(
        lambda: [word_features(lm, split, batch_tokens=rows) for split in splits]
    )
    yield {"labelled_sentences": labelled, "probe_features_seconds": round(reading, 2)}
    probing, probing_memory, _ = clock(
        lambda: train_probes(*features, probe_tasks(treebank), seeds=3, controls=False)
    )
    yield {
        "probe_training_seconds": round(probing, 2),
        "peak_gib": {"probe features": reading_memory, "probes": probing_memory},
        "hours_at_the_paper's_scale": {"probes": _hours((reading + probing) * PAPER["labelled"] / labelled)},
    }  # fmt: skip


def _hours(seconds: float) -> float:
    return round(seconds / 3600, 4)


def joined(told: Figures, more: Figures) -> Figures:
    """Figures with more of them; tables of both are one table."""
    tables = {key: {**told[key], **one} for key, one in more.items() if isinstance(told.get(key), dict)}
    return {**told, **more, **tables}


def _reduced(lm: LanguageModel, shard: Shard, documents: int) -> Geometry:
    return reduce_shards([shard], np.arange(documents), norms=reading_norms(lm), device=lm.device)


def agreement(
    name: str, card: Card, heads: int, words: list[str], corpus: Corpus, device: str, batch: int
) -> Figures:
    """Largest difference of CKA and of S3 between the processor and the accelerator, in float32, of a few layers."""
    # Only the words of the text: on a processor the vectors of a whole vocabulary take a minute to draw.
    few = replace(card, layers=min(card.layers, AGREEING_LAYERS), vocabulary=0)
    here = model_of(name, few, heads, words, "cpu", torch.float32)
    found = []
    for where in ("cpu", device):
        model = copy.deepcopy(here.model).to(where)
        lm = replace(here, model=model, blocks=find_blocks(model), device=torch.device(where))
        tokens = read_corpus(lm, corpus, limit=1024, seed=0)
        _, shard = measured(lm, tokens, len(corpus.documents), batch)
        found.append(_reduced(lm, shard, len(corpus.documents)))
    sets = ("paper", "calibrated")
    pairs = {
        "cka": [(g.cka(name), h.cka(name)) for g, h in [found] for name in sets],
        "s3_bits": [(g.attention(name), h.attention(name)) for g, h in [found] for name in sets],
    }
    return {
        what: float(max(np.abs(a - b).max() for a, b in each)) for what, each in pairs.items()
    } | {"layers": few.layers}  # fmt: skip


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def fewer(corpus: Corpus, sentences: int) -> Corpus:
    """The first documents that hold so many sentences, six at least."""
    each = max(1, len(corpus.documents[0].sentences))
    return replace(corpus, documents=corpus.documents[: max(6, sentences // each)])


def main(names: tuple[str, ...] = (), tiny: bool = False, seconds: float = SECONDS) -> Figures:
    gpu = torch.cuda.is_available()
    if not gpu and not tiny:
        print("gpu: no accelerator here, nothing measured; `python -m bench.gpu --tiny` tries the script")
        return {}
    size = SMALL if tiny else LARGE
    language = TriScale()
    corpus = sample_corpus(language, size.documents, 0)
    treebank = sample_treebank(language, 0, train=size.labelled, dev=size.labelled, test=size.labelled)
    texts = [*SAMPLE, *(s for document in corpus.documents for s in document.sentences)]
    texts += [s.text for split in (treebank.train, treebank.dev, treebank.test) for s in split]
    words = sorted({piece for text in texts for piece in _pieces(text)})
    cards = {"tiny": TINY} if tiny else {n: CARDS[n] for n in names or KEY_VALUE_HEADS}
    device = "cuda" if gpu else "cpu"
    dtype = torch.bfloat16 if gpu else torch.float32
    figures: Figures = {}
    end = time.monotonic() + seconds
    for place, (name, card) in enumerate(cards.items()):
        # What is left is shared by the models still to come.
        until = time.monotonic() + (end - time.monotonic()) / (len(cards) - place)
        figures[name] = {"complete": False}
        lm = model_of(name, card, KEY_VALUE_HEADS.get(name, 2), words, device, dtype)
        for more in stages(lm, card, corpus, treebank, size):
            figures[name] = joined(figures[name], more)
            _write(figures, tiny)
            if time.monotonic() > until:
                break
        else:
            some = fewer(corpus, AGREEING_SENTENCES)
            told = agreement(name, card, KEY_VALUE_HEADS.get(name, 2), words, some, device, size.batch_tokens)
            figures[name] = joined(figures[name], {"processor_and_accelerator": told, "complete": True})
            figures[name]["hours"] = round(sum(figures[name]["hours_at_the_paper's_scale"].values()), 4)
            _write(figures, tiny)
        del lm
        gc.collect()
        torch.cuda.empty_cache()
    return figures


def _write(figures: Figures, tiny: bool) -> None:
    if not tiny:
        record("gpu", {**figures, "paper": PAPER})


def _pieces(text: str) -> list[str]:
    """What the tokenizer takes for words."""
    from tokenizers import pre_tokenizers

    return [piece for piece, _ in pre_tokenizers.Whitespace().pre_tokenize_str(text)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.gpu")
    parser.add_argument("names", nargs="*", help="architectures; all four when none is named")
    parser.add_argument(
        "--tiny", action="store_true", help="try the script on any machine; nothing is written"
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="after which no new stage is begun")
    asked = parser.parse_args()
    found = main(tuple(asked.names), asked.tiny, asked.seconds)
    if asked.tiny:
        print(found)

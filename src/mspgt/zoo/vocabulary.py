"""Tokenizers of the zoo: byte-level BPE, in which every word of TriScale is one token.

The splitting rule is Qwen2's own, because transformers gives every Qwen2 model that rule whatever its
tokenizer.json says. Bytes are tokens, so any text in normal form C round-trips.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from mspgt.synthetic.lexicon import SEPARATOR
from mspgt.synthetic.triscale import TriScale

END, BOS = "<|endoftext|>", "<s>"
SPECIAL = {END: 0, BOS: 1}
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def build_tokenizer(language: TriScale, *, bos: bool) -> Tokenizer:
    """Tokenizer of a language; with `bos` texts start with `<s>`, as for Llama but not Qwen."""
    ids = dict(SPECIAL)
    for letter in sorted(pre_tokenizers.ByteLevel.alphabet()):
        ids[letter] = len(ids)
    merges = []
    # Words after a space come first: their merges must win inside " The", where "The" could be merged too.
    words = [f" {word}" for word in language.vocabulary] + [w for w in language.vocabulary if w[0].isupper()]
    for word in words:
        letters = word.replace(" ", "Ġ")
        for cut in range(1, len(letters)):
            if letters[: cut + 1] not in ids:
                merges.append((letters[:cut], letters[cut]))
                ids[letters[: cut + 1]] = len(ids)
    return _byte_level(models.BPE(vocab=ids, merges=merges), bos=bos)


def learn_tokenizer(texts: Iterable[str], size: int, *, bos: bool) -> Tokenizer:
    """Tokenizer of at most `size` tokens, its merges learnt from texts."""
    tokenizer = _byte_level(models.BPE(), bos=bos)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _byte_level(model: models.BPE, *, bos: bool) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, SPECIAL[BOS])]
        )
    return tokenizer


def save_tokenizer(folder: Path, tokenizer: Tokenizer, *, bos: bool, max_length: int) -> None:
    """Write tokenizer.json and tokenizer_config.json into a folder."""
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "TokenizersBackend" if bos else "Qwen2Tokenizer",
        "bos_token": BOS if bos else None,
        "eos_token": None,
        # Without a token of their own, documents are known by the line break between them (stream.py).
        **({} if bos else {"text_start": SEPARATOR}),
        "pad_token": END,
        "model_max_length": max_length,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")

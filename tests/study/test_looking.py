"""What stops a study before anything is loaded: files that cannot be used, start tokens, windows, memory."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from mspgt.errors import InputError, ModelError
from mspgt.lm.load import load
from mspgt.lm.memory import free_memory, require_memory
from mspgt.lm.start import start_token
from mspgt.study.config import MeasureConfig, ModelConfig
from mspgt.study.looking import look, readings
from tests.lm.tiny import tiny_model

gguf = pytest.importorskip("gguf")
pytest.importorskip("accelerate")


def tiny_gguf(
    path: Path, architecture: str = "llama", tokens: tuple[str, ...] = ("a", "b"), **roles: int
) -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(3)
    writer.add_embedding_length(8)
    writer.add_feed_forward_length(24)
    writer.add_head_count(2)
    writer.add_context_length(64)
    if tokens:
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(list(tokens))
    for role, number in roles.items():
        writer.add_uint32(f"tokenizer.ggml.{role}_token_id", number)
    writer.add_tensor("token_embd.weight", np.zeros((2, 8), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def ready(model: Path, **measure: object) -> list[str]:
    return list(readings(look(ModelConfig(id=str(model), device="cpu")), MeasureConfig(**measure)))


def test_a_gguf_file_says_its_shape_unread(tmp_path):
    found = look(ModelConfig(id=str(tiny_gguf(tmp_path / "m.gguf", eos=1)), device="cpu"))
    assert (found.identity.layers, found.identity.width, found.identity.heads) == (3, 8, 2)
    assert (found.identity.dtype, found.identity.parameters, found.card.feed_forward) == ("float32", 16, 24)
    assert list(readings(found, MeasureConfig())) == [
        "start token 'b'",
        "windows of 64 tokens",
        "GGUF file, F32",
    ]


def test_the_plan_of_a_real_gguf_file_says_what_loading_finds(smollm2_gguf):
    found, lm = look(ModelConfig(id=str(smollm2_gguf), device="cpu")), load(smollm2_gguf, device="cpu")
    identity = found.identity
    assert (identity.family, identity.layers, identity.width, identity.heads) == (
        lm.family, lm.layers, lm.width, lm.heads,
    )  # fmt: skip
    assert (identity.parameters, identity.revision, identity.weights_sha256) == (
        lm.parameters, lm.revision, lm.weights_sha256,
    )  # fmt: skip
    assert (found.card.context, found.card.vocabulary) == (lm.max_length, len(lm.tokenizer))
    start = start_token(lm)
    assert start is not None
    assert found.vocabulary.start("m") == start.token


@pytest.mark.parametrize("read", [load, lambda path, **_: look(ModelConfig(id=str(path)))])
@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"architecture": "clip"}, "an architecture that transformers can unpack.*found 'clip'"),
        ({"tokens": ()}, "expected a tokenizer in the file"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, read, made, message):
    with pytest.raises(ModelError, match=message):
        read(tiny_gguf(tmp_path / "m.gguf", **made), device="cpu")


def test_a_start_token_that_cannot_be_found(tmp_path):
    none = tiny_gguf(tmp_path / "m.gguf")
    with pytest.raises(ModelError, match=r"No start token was found for m\.gguf"):
        ready(none)
    assert "start token 'a'" in ready(none, start="a")
    assert "no start token" in ready(none, start="none")
    with pytest.raises(ModelError, match="has no token 'c'"):
        ready(none, start="c")


def test_a_folder_s_start_token_and_window(tmp_path):
    folder = tiny_model(tmp_path / "m", layers=3, max_position_embeddings=128)
    start = start_token(load(folder, device="cpu"))
    assert start is not None
    assert ready(folder) == [f"start token {start.token!r}", "windows of 128 tokens"]
    with pytest.raises(InputError, match="A window of 256 tokens is longer than the context of m, 128"):
        ready(folder, window=256)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(ModelError, match="expected a tokenizer beside the model"):
        ready(folder)


def test_a_model_whose_float32_copy_does_not_fit_says_what_would():
    with pytest.raises(
        ModelError, match=r"3\.7 GB of memory, and 2\.9 GB are free\. In bfloat16 it takes 1\.9 GB"
    ):
        require_memory("m", 10**9, "float32", 29 * 2**30 // 10)
    with pytest.raises(ModelError, match=r"a machine with at least 1\.9 GB"):
        require_memory("m", 10**9, "float32", 2**30)
    require_memory("m", 10**9, "bfloat16", 3 * 2**30)
    assert free_memory() is None or free_memory() > 2**20


def test_it_is_refused_before_its_weights_are_read(tmp_path):
    folder = tiny_model(tmp_path / "m", layers=3)
    table = {"w": {"dtype": "F32", "shape": [10**7, 10**7], "data_offsets": [0, 4 * 10**14]}}
    header = json.dumps(table).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    for read in (lambda: look(ModelConfig(id=str(folder), device="cpu")), lambda: load(folder, device="cpu")):
        with pytest.raises(ModelError, match=r"100,000,000,000,000 parameters in .*at least"):
            read()

"""What a folder says of itself, against what the loaded model says."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspgt.errors import ModelError
from mspgt.lm.identity import card_from, folder_sha256, read_card, safe_name
from mspgt.lm.load import load

from .tiny import tiny_model


@pytest.mark.parametrize(
    ("name", "folder"),
    [("Qwen/Qwen2.5-0.5B", "Qwen__Qwen2.5-0.5B"), ("gpt2", "gpt2"), ("org/a_b", "org__a_b")],
)
def test_ordinary_names(name: str, folder: str) -> None:
    assert safe_name(name) == folder


@given(name=st.text(max_size=300) | st.from_regex(r"[./\\a_-]{0,12}", fullmatch=True))
def test_any_name_gives_one_plain_folder(name: str) -> None:
    folder = safe_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,200}", folder)
    assert ".." not in folder or Path("root", folder).resolve().parent == Path("root").resolve()


@given(names=st.lists(st.from_regex(r"[a_/.]{1,6}", fullmatch=True), min_size=2, max_size=2, unique=True))
def test_names_do_not_collide(names: list[str]) -> None:
    assert safe_name(names[0]) != safe_name(names[1])


@pytest.mark.parametrize("family", ["llama", "gpt2", "mamba"])
def test_the_card_is_what_loads(tmp_path: Path, family: str) -> None:
    folder = tiny_model(tmp_path, family)
    card, lm = read_card(folder), load(folder, device="cpu")
    assert (card.family, card.layers, card.width, card.heads) == (lm.family, lm.layers, lm.width, lm.heads)
    assert card.parameters == lm.parameters
    assert card.digest == lm.weights_sha256
    assert card.has_attention == lm.has_attention


def test_the_digest_is_of_names_and_of_files_that_count(tmp_path: Path) -> None:
    contents = {"config.json": b"{}", "model.safetensors": b"one", "other.safetensors": b"two"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    seen = folder_sha256(tmp_path)
    (tmp_path / "README.md").write_text("words")
    (tmp_path / "runs.json").mkdir()
    assert folder_sha256(tmp_path) == seen
    (tmp_path / "other.safetensors").rename(tmp_path / "renamed.safetensors")
    assert folder_sha256(tmp_path) != seen  # the same bytes under another name may be other weights


def test_what_a_config_leaves_out_has_its_usual_value() -> None:
    plain = {"model_type": "llama", "num_hidden_layers": 4, "hidden_size": 8}
    card = card_from("m", plain, {}, "")
    assert (card.tied, card.feed_forward, card.vocabulary, card.context) == (True, 32, 0, None)
    assert (card.heads, card.dtype, card.has_attention, card.parameters) == (None, "float32", True, 0)
    assert not card_from("m", {**plain, "tie_word_embeddings": False}, {}, "").tied
    assert card_from("m", {**plain, "torch_dtype": "bfloat16"}, {}, "").dtype == "bfloat16"
    assert card_from("m", {**plain, "torch_dtype": "bfloat16"}, {"F32": 9, "F16": 2}, "").dtype == "float32"
    assert (
        card_from("m", {**plain, "num_hidden_layers": 10_000, "hidden_size": 1_000_000}, {}, "").layers
        == 10_000
    )
    for wrong in ({"num_hidden_layers": 10_001}, {"hidden_size": 1_000_001}, {"num_hidden_layers": 0}):
        with pytest.raises(ModelError, match="expected 1 to"):
            card_from("m", {**plain, **wrong}, {}, "")


@pytest.mark.parametrize("config", ["", "[]", "null", '{"model_type": "llama"}'])
def test_unreadable_cards(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelError):
        read_card(tmp_path)


def test_truncated_header(tmp_path: Path, tiny_lm: Callable[..., object]) -> None:
    folder = tiny_model(tmp_path, "llama")
    (folder / "model.safetensors").write_bytes(b"\x01\x02")
    with pytest.raises(ModelError, match="complete safetensors"):
        read_card(folder)


@pytest.mark.parametrize("missing", [0, 1, 8])
def test_a_header_that_ends_behind_the_file_is_refused(tmp_path: Path, missing: int) -> None:
    """The longest is all of the file but the eight bytes of its length; what is cut off here would still be JSON."""
    folder = tiny_model(tmp_path, "llama")
    table = json.dumps({"w": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(table) + missing) + table)
    if missing:
        with pytest.raises(ModelError, match="longer than the file"):
            read_card(folder)
    else:
        assert read_card(folder).parameters == 0


def indexed(folder: Path, name: str) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"lm_head.weight": name}}))


def test_weights_that_an_index_names_in_folders_of_its_own_are_in_the_digest(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model", "llama", layers=3)
    (folder / "sub").mkdir()
    moved = folder / "sub" / "part.safetensors"
    (folder / "model.safetensors").rename(moved)
    indexed(folder, "sub/part.safetensors")
    card = read_card(folder)
    assert card.parameters > 0
    content = bytearray(moved.read_bytes())
    content[-1] ^= 1
    moved.write_bytes(content)
    assert folder_sha256(folder) != card.digest


@pytest.mark.parametrize(
    "name", ["../other.safetensors", "sub/../../x.safetensors", "/etc/hostname", "..\\x"]
)
def test_weights_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    folder = tiny_model(tmp_path / "model", "llama", layers=3)
    (tmp_path / "other.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    indexed(folder, name)
    for read in (read_card, load):
        with pytest.raises(ModelError, match="outside its folder"):
            read(folder)


@pytest.mark.parametrize("layers", ["1e9", "1000000000", "0", "-3"])
def test_a_model_beyond_all_sizes_is_refused_at_once(tmp_path: Path, layers: str) -> None:
    folder = tiny_model(tmp_path / "model", "llama", layers=3)
    config = folder / "config.json"
    text = re.sub(r'"num_hidden_layers": \d+', f'"num_hidden_layers": {layers}', config.read_text())
    config.write_text(text)
    for read in (read_card, load):
        with pytest.raises(ModelError, match="layers"):
            read(folder)

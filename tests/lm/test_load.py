"""Models that load faithfully, and models that must be refused in words a user can act upon."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BertConfig, BertLMHeadModel

from mspgt.errors import InputError, MissingExtraError, ModelError
from mspgt.lm.load import load
from mspgt.lm.model import NO_LIMIT, LanguageModel

from .tiny import BY_EITHER, BY_HOOKS, BY_INTERFACE, tiny_model, tiny_tokenizer

Make = Callable[..., LanguageModel]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "Tiny-1", "llama")


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of a good model, to be spoiled."""
    return shutil.copytree(original, tmp_path / "Tiny-1")


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(config))


def edit_weights(folder: Path, edit: Callable[[dict[str, torch.Tensor]], None]) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    edit(weights)
    save_file(weights, path, metadata={"format": "pt"})


@pytest.mark.parametrize("family", [*BY_INTERFACE, *BY_HOOKS, *BY_EITHER, "mamba"])
def test_facts_of_every_family(tiny_lm: Make, family: str) -> None:
    lm = tiny_lm(family)
    assert lm.family == family
    assert (lm.layers, lm.width) == (3, 32)
    assert lm.heads == (None if family == "mamba" else 4)
    assert len(lm.blocks) == 3
    assert lm.has_attention == (family != "mamba")
    assert lm.max_length == {"bloom": NO_LIMIT, "mamba": NO_LIMIT, "falcon": 2048}.get(family, 64)
    assert lm.dtype == torch.float32
    assert not lm.model.training
    assert lm.parameters == AutoModelForCausalLM.from_config(lm.model.config).num_parameters()


def test_local_identity(folder: Path) -> None:
    lm = load(folder, device="cpu")
    assert lm.name == "Tiny-1"
    assert lm.revision == f"local-{lm.weights_sha256[:12]}"
    assert load(str(folder), device="cpu").weights_sha256 == lm.weights_sha256
    edit_weights(folder, lambda weights: weights["model.norm.weight"].mul_(1.5))
    changed = load(folder, device="cpu").weights_sha256
    assert changed != lm.weights_sha256
    edit_config(folder, rms_norm_eps=1e-3)
    assert load(folder, device="cpu").weights_sha256 != changed


def test_dtypes(tmp_path: Path) -> None:
    half = tiny_model(tmp_path / "half", "llama", dtype=torch.float16)
    lm = load(half, device="cpu")
    assert lm.dtype == torch.float32
    assert any("float16" in note for note in lm.notes)
    assert load(half, device="cpu", dtype="float16").dtype == torch.float16
    brain = tiny_model(tmp_path / "brain", "llama", dtype=torch.bfloat16)
    lm = load(brain, device="cpu")
    assert lm.dtype == torch.bfloat16
    assert not any("float16" in note for note in lm.notes)
    with pytest.raises(InputError, match="bfloat16"):
        load(brain, dtype="int4")


def test_padding_token_is_found_and_noted(tmp_path: Path) -> None:
    without = load(tiny_model(tmp_path / "without", "llama", bos=False, pad=False), device="cpu")
    assert without.tokenizer.pad_token == "</s>"
    assert any("padding" in note for note in without.notes)
    assert any("beginning-of-sequence" in note for note in without.notes)
    with_pad = load(tiny_model(tmp_path / "with", "llama", bos=True, pad=True), device="cpu")
    assert with_pad.tokenizer.pad_token == "<pad>"
    assert with_pad.notes == []
    bare = tiny_model(tmp_path / "bare", "llama")
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = None
    tokenizer.save_pretrained(bare)
    assert load(bare, device="cpu").tokenizer.pad_token_id == 0


def test_nan_weights_are_named(folder: Path) -> None:
    def spoil(weights: dict[str, torch.Tensor]) -> None:
        weights["model.layers.1.mlp.up_proj.weight"][3, 4] = float("nan")

    edit_weights(folder, spoil)
    with pytest.raises(ModelError, match=r"model\.layers\.1\.mlp\.up_proj\.weight \(block 2\)"):
        load(folder, device="cpu")


def test_infinite_weights_outside_the_blocks(folder: Path) -> None:
    edit_weights(folder, lambda weights: weights["model.norm.weight"].fill_(float("inf")))
    with pytest.raises(ModelError, match=r"model\.norm\.weight \(outside the blocks\)"):
        load(folder, device="cpu")


def test_a_missing_tensor_is_not_made_up(folder: Path) -> None:
    edit_weights(folder, lambda weights: weights.pop("model.layers.2.self_attn.q_proj.weight"))
    with pytest.raises(ModelError, match=r"layers\.2\.self_attn\.q_proj"):
        load(folder, device="cpu")


def test_a_tensor_of_another_shape(folder: Path) -> None:
    def spoil(weights: dict[str, torch.Tensor]) -> None:
        weights["model.norm.weight"] = torch.ones(31)

    edit_weights(folder, spoil)
    with pytest.raises(ModelError, match=r"norm\.weight"):
        load(folder, device="cpu")


@pytest.mark.parametrize(
    ("depth", "message"),
    [(0, "config.json says layers 0"), (2, "leaves out: model.layers.2"), (4, r"layers\.3")],
)
def test_a_config_of_another_depth(folder: Path, depth: int, message: str) -> None:
    edit_config(folder, num_hidden_layers=depth)
    with pytest.raises(ModelError, match=message):
        load(folder, device="cpu")


def test_tensors_without_a_place_are_noted(folder: Path) -> None:
    def add(weights: dict[str, torch.Tensor]) -> None:
        weights["model.layers.1.self_attn.q_proj.bias"] = torch.ones(32)

    edit_weights(folder, add)
    notes = load(folder, device="cpu").notes
    assert any(
        "1 tensors of the checkpoint have no place" in note and "q_proj.bias" in note for note in notes
    )


@pytest.mark.parametrize("prefix", ["", "model.", "wrapper.model."])
def test_blocks_beyond_the_config_under_other_prefixes(folder: Path, prefix: str) -> None:
    edit_weights(folder, lambda weights: weights.update({f"{prefix}layers.3.mlp.x.weight": torch.ones(2)}))
    with pytest.raises(ModelError, match=r"layers\.3"):
        load(folder, device="cpu")


@pytest.mark.parametrize("size", [0, 5, 4_000, -1])
def test_truncated_weights(folder: Path, size: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelError, match="weights"):
        load(folder, device="cpu")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_missing_files(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(ModelError):
        load(folder, device="cpu")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"model_type": "nonesuch"}',
        '{"model_type": "llama", "hidden_size": "many"}',
        "\0",
    ],
)
def test_unreadable_configs(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError):
        load(folder, device="cpu")


@pytest.mark.parametrize("text", ["", "{", '{"version": "1.0"}'])
def test_unreadable_tokenizers(folder: Path, text: str) -> None:
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(ModelError):
        load(folder, device="cpu")


def test_a_tokenizer_of_another_model(folder: Path) -> None:
    edit_weights(
        folder,
        lambda weights: weights.update(
            {name: w[:50].clone() for name, w in weights.items() if w.shape[0] == 320}
        ),
    )
    edit_config(folder, vocab_size=50)
    with pytest.raises(ModelError, match="tokenizer"):
        load(folder, device="cpu")


def test_not_causal(tmp_path: Path) -> None:
    config = BertConfig(
        vocab_size=320,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        initializer_range=0.4,
    )
    BertLMHeadModel(config).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="not a causal"):
        load(tmp_path, device="cpu")


def test_not_a_language_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    tiny_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="causal language model"):
        load(tmp_path, device="cpu")


def test_pickles_only_when_asked(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="allow_pickle"):
        load(folder, device="cpu")
    assert load(folder, device="cpu", allow_pickle=True).layers == 3


def test_remote_code_is_not_run(folder: Path, tmp_path: Path) -> None:
    sign = tmp_path / "ran"
    (folder / "evil.py").write_text(f"import pathlib\npathlib.Path({str(sign)!r}).touch()\nclass Evil: ...\n")
    edit_config(
        folder,
        model_type="evil",
        auto_map={"AutoConfig": "evil.Evil", "AutoModelForCausalLM": "evil.Evil"},
    )
    with pytest.raises(ModelError):
        load(folder, device="cpu")
    assert not sign.exists()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "no such model",
        "/nowhere/at/all",
        "../../etc",
        "a/b/c",
        "a\nb",
        "a\0b",
        "[red]x",
        "x" * 5000,
        "~nobody/m",
    ],
)
def test_hostile_names(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError) as caught:
        load(name)
    assert len(str(caught.value)) < 1000
    assert "\0" not in str(caught.value)
    assert "a\nb" not in str(caught.value)


def test_a_hub_id_without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="the Hub cannot be reached"):
        load("nobody/nothing-of-that-name")


def test_a_revision_of_a_folder(folder: Path) -> None:
    with pytest.raises(InputError, match="needs a Hub id"):
        load(folder, revision="main")


def test_devices(folder: Path) -> None:
    with pytest.raises(InputError, match="cpu"):
        load(folder, device="warp:9")
    try:
        import accelerate  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match="accelerate"):
            load(folder, device_map="auto")


def test_blocks_by_path(folder: Path) -> None:
    assert load(folder, device="cpu", blocks="model.layers").layers == 3
    with pytest.raises(ModelError, match=r"model\.layers \(3\)"):
        load(folder, device="cpu", blocks="transformer.h")

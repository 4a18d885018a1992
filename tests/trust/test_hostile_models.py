"""Model folders made to run code, to escape, or to be measured wrongly. A canary never sings; what is wrong is told.

Beside them, test_load.py and test_identity.py hold weights outside the folder, missing, extra, truncated and
misshapen tensors, and depths that do not fit.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from mspgt.errors import MspgtError
from mspgt.lm.load import load
from tests.lm.tiny import tiny_model


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("sound") / "tiny")


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "tiny"))


def config(folder: Path, name: str = "config.json", **changes: Any) -> None:
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def evil(folder: Path) -> str:
    """Python in the folder that leaves a mark when it runs; returns its module."""
    (folder / "evil.py").write_text(
        f"import pathlib\npathlib.Path({str(folder / 'canary')!r}).touch()\nclass Evil:\n    pass\n"
    )
    return "evil.Evil"


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(folder / "canary")))


def _pickle_named_safetensors(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb(folder / "canary")))


def _pickle_in_index(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "part.bin").write_bytes(pickle.dumps(Bomb(folder / "canary")))
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": {"model.embed_tokens.weight": "part.bin"}})
    )


def _auto_map(folder: Path) -> None:
    name = evil(folder)
    config(folder, model_type="evil", auto_map={"AutoConfig": name, "AutoModelForCausalLM": name})


def _auto_map_of_a_known_type(folder: Path) -> None:
    name = evil(folder)
    config(folder, auto_map={"AutoConfig": name, "AutoModelForCausalLM": name, "AutoModel": name})


def _auto_map_elsewhere(folder: Path) -> None:
    evil(folder)
    config(folder, auto_map={"AutoModelForCausalLM": f"{folder}--evil.Evil"})


def _tokenizer_map(folder: Path) -> None:
    name = evil(folder)
    config(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": [name, name]}, tokenizer_class="Evil")


def _attention_from_elsewhere(folder: Path) -> None:
    evil(folder)
    for key in ("_attn_implementation", "_attn_implementation_internal", "attn_implementation"):
        config(folder, **{key: "somebody/kernel:evil"})


def _nested_trust(folder: Path) -> None:
    name = evil(folder)
    config(
        folder,
        trust_remote_code=True,
        text_config={"trust_remote_code": True, "auto_map": {"AutoModel": name}},
    )


def _quantizer(folder: Path) -> None:
    evil(folder)
    config(folder, quantization_config={"quant_method": "evil", "modules_to_not_convert": ["evil.Evil"]})


def _template(folder: Path) -> None:
    config(
        folder, "tokenizer_config.json",
        chat_template="{{ ''.__class__.__mro__[1].__subclasses__() }}{% include '/etc/hostname' %}",
    )  # fmt: skip


def _generation(folder: Path) -> None:
    evil(folder)
    (folder / "generation_config.json").write_text(
        json.dumps({"custom_generate": "evil", "trust_remote_code": True, "assistant_model": str(folder)})
    )
    (folder / "custom_generate").mkdir()
    shutil.copy(folder / "evil.py", folder / "custom_generate" / "generate.py")


def _adapter(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(
        json.dumps(
            {
                "base_model_name_or_path": "/nowhere",
                "peft_type": "LORA",
                "auto_mapping": {"parent_library": "evil"},
            }
        )
    )
    evil(folder)


def _type_as_path(folder: Path) -> None:
    evil(folder)
    config(folder, model_type="../evil", architectures=["os.system", "__import__"])


def _named_as_a_module(folder: Path) -> None:
    (folder / "torch.py").write_text(f"import pathlib\npathlib.Path({str(folder / 'canary')!r}).touch()\n")
    (folder / "sitecustomize.py").write_text((folder / "torch.py").read_text())


KINDS: dict[str, Callable[[Path], None]] = {
    name.removeprefix("_").replace("_", " "): value
    for name, value in list(globals().items())
    if name.startswith("_") and not name.startswith("__") and callable(value)
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_code_of_a_folder_runs(folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either refused in words of ours, or loaded as the plain model that its weights are."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    KINDS[kind](folder)
    try:
        lm = load(folder, device="cpu")
    except MspgtError as error:
        told = str(error)
        assert len(told) < 2000
        assert "Traceback" not in told
    else:
        assert type(lm.model).__module__.startswith("transformers.")
        assert lm.layers == 3
    assert not (folder / "canary").exists()


def test_the_canary_can_sing(folder: Path) -> None:
    """With trust, the same code runs: the test above is not blind."""
    name = evil(folder)
    config(folder, model_type="evil", auto_map={"AutoConfig": name, "AutoModelForCausalLM": name})
    with pytest.raises((MspgtError, AttributeError, TypeError, ValueError)):
        load(folder, device="cpu", trust_remote_code=True)
    assert (folder / "canary").exists()
    mark = folder / "second"
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()


def test_a_linked_shard_is_hashed_by_what_it_leads_to(folder: Path, tmp_path: Path) -> None:
    from mspgt.lm.identity import folder_sha256

    outside = tmp_path / "elsewhere.safetensors"
    (folder / "model.safetensors").rename(outside)
    (folder / "model.safetensors").symlink_to(outside)
    before = folder_sha256(folder)
    content = bytearray(outside.read_bytes())
    content[-1] ^= 1
    outside.write_bytes(content)
    assert folder_sha256(folder) != before


def test_transformers_is_new_enough() -> None:
    """Older ones ran code from `_attn_implementation_internal` and its like."""
    assert tuple(map(int, version("transformers").split(".")[:2])) >= (5, 3)

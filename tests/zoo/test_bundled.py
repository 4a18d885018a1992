"""The weights on disk: whole, small, and refused when a byte has changed."""

import shutil

import pytest

from mspgt.errors import InputError, StoreError
from mspgt.lm.check import check
from mspgt.lm.load import load
from mspgt.zoo import bundled
from mspgt.zoo.recipes import RECIPES


def test_every_recipe_is_bundled_and_every_hash_holds():
    assert bundled.names() == tuple(sorted(RECIPES))
    for name in bundled.names(checkpoints=True):
        assert bundled.path(name).is_dir()


def test_weights_are_at_most_twenty_megabytes_and_those_of_known_scales_two_each():
    sizes = {
        folder.name: sum(file.stat().st_size for file in folder.iterdir())
        for folder in bundled.WEIGHTS.iterdir()
    }
    known = {name: sizes.pop(name) for name in RECIPES if "separated" in name}
    assert sum(sizes.values()) <= 20e6
    assert len(known) == 3
    assert max(known.values()) <= 2e6


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_changed_byte_is_refused(file, tmp_path, monkeypatch):
    name = bundled.names()[0]
    shutil.copytree(bundled.WEIGHTS / name, tmp_path / name)
    monkeypatch.setattr(bundled, "WEIGHTS", tmp_path)
    assert bundled.path(name) == tmp_path / name
    content = bytearray((tmp_path / name / file).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name / file).write_bytes(bytes(content))
    with pytest.raises(StoreError, match=file):
        bundled.path(name)
    (tmp_path / name / file).unlink()
    with pytest.raises(StoreError, match="no file"):
        bundled.path(name)


def test_a_model_of_the_planted_language_is_judged_on_it(tmp_path):
    folder = bundled.path("triscale-qwen2-1")
    lm, planted = load(folder, device="cpu"), bundled.planted_text(folder)
    (judged,) = [one for one in check(lm, planted) if one.name == "predicts text"]
    assert judged.ok
    assert "planted language" in judged.reason
    (english,) = [one for one in check(lm) if one.name == "predicts text"]
    assert "plain English" in english.reason
    assert bundled.planted_text(tmp_path) is None
    for other in ("[]", "{", '{"recipe": "soup"}', '{"recipe": {"language": {"salt": 1}}}'):
        (tmp_path / bundled.CARD).write_text(other)
        assert bundled.planted_text(tmp_path) is None


def test_unknown_name_lists_the_known():
    with pytest.raises(InputError, match="triscale-llama-1"):
        bundled.path("triscale-mamba-1")

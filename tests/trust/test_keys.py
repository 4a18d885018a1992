"""Nothing that can change a result may leave its key as it is.

Which settings a stage reads is seen while it is computed; each of them, turned to another value, must change the key
under which the stage is stored, or stand on the list of those that change no number. The plan's hash is held against
every setting there is.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from mspgt.lm.identity import folder_sha256
from mspgt.lm.load import load
from mspgt.study import codec, dosing, intervening, jobs, keys, stages, theory_stages
from mspgt.study.closure import LIBRARIES, release
from mspgt.study.config import ModelConfig, StepRange, StudyConfig, _Section
from mspgt.study.identity import Subject
from mspgt.study.loading import make_config
from mspgt.study.run import run_study
from mspgt.study.stages import addresses
from mspgt.study.store import Address, digest
from tests.lm.tiny import tiny_model

STEPS = StepRange.model_validate({"from": 1, "to": 2, "every": 1})
# Settings that change no number, and why; the plan's hash leaves them out.
IRRELEVANT = {
    "name": "what a study is called",
    "mode": "which mode is shown first; both are always computed",
    "corpus.language": "a word in results",
    "measure.batch_tokens": "speed and memory; moves results by rounding alone",
    "measure.shard_documents": "what a killed run loses; moves results by rounding alone",
    "interventions.languagetool": "where a server stands; its version is in the key",
    "interventions.batch_rows": "speed and memory; noise is keyed by text",
    "interventions.shard_samples": "what a killed run loses",
    "theory.gradient_tokens": "speed and memory",
    "controls": "planted subjects beside the models; no number of a model reads it",
    "models.memory": "where weights lie",
    "models.offload": "where weights lie",
    "run.on": "where jobs run",
    "run.workers": "how many processes",
    "run.spread": "in which tasks stages are handed out",
    "run.gpus": "what a task asks of a cluster",
    "run.keep_activations": "whether intermediate files stay",
}
# Read while a stage is computed, but by what it shares with later ones and does not use itself.
SHARED = {
    ("scales", "measure.cka_tokens"),
    ("scales", "measure.unit"),
    ("scales", "seed"),
    ("pairing", "measure.cka_tokens"),
    ("pairing", "measure.unit"),
    ("pairing", "seed"),
}


def other(name: str, annotation: Any, value: Any) -> Any:
    """Another value of the same kind."""
    by_hand = {
        "start": "<s>", "window": 16, "scales": (1, 3), "encoder": None, "weights": (1.0, 0.8, 0.5), "revision": "v2",
        "languagetool": "http://localhost:1", "languagetool_version": "6.5", "step": 3, "workers": 3, "blocks": "x",
        "memory": "3GB",
        "random_sets": 1, "response": (0.2,), "sigmas": (0.05,), "betas": (0.2, 1.0), "conllu": ("x.conllu",),
        "entities": ("x",), "roles": ("x",), "planted": None, "source": "elsewhere.txt",
        "trained": {"seed": 1},
        "steps": (STEPS,) if isinstance(value, tuple) else 20,  # of a model's training, or of a fit
    }  # fmt: skip
    if name in by_hand and by_hand[name] != value:
        return by_hand[name]
    options = [get_args(a) for a in (annotation, *get_args(annotation)) if get_origin(a) is Literal]
    if options:
        return next(option for option in options[0] if option != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 0.9 if value else 0.1
    if isinstance(value, str):
        return value + "x"
    if value is None:
        return 7 if any(a in (int, float) for a in get_args(annotation)) else "other"
    raise AssertionError(f"no other value for {name}: {value!r}")


def leaves(section: BaseModel, path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name of every setting, with the section that holds it."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{path}{name}.")
        elif name == "models":
            yield from leaves(value[0], "models.")
        elif is_dataclass(value):
            yield from ((f"{path}{name}.{one.name}", value) for one in fields(value))
        else:
            yield f"{path}{name}", section


def flipped(config: StudyConfig, path: str) -> StudyConfig:
    """The study with one setting turned."""
    *outer, name = path.split(".")
    if outer == ["models"]:
        model = config.models[0]
        field = ModelConfig.model_fields[name]
        changed = model.model_copy(update={name: other(name, field.annotation, getattr(model, name))})
        return config.model_copy(update={"models": (changed,)})
    section: Any = getattr(config, outer[0]) if outer else config
    if is_dataclass(section):
        old = getattr(section, name)
        return config.model_copy(update={outer[0]: replace(section, **{name: other(name, type(old), old)})})  # type: ignore[type-var]
    field = type(section).model_fields[name]
    changed = section.model_copy(update={name: other(name, field.annotation, getattr(section, name))})
    return config.model_copy(update={outer[0]: changed}) if outer else changed


def full_config(model: Path) -> StudyConfig:
    return make_config(
        {
            "name": "test",
            "models": [{"id": str(model), "scales": [2, 4]}],
            "corpus": {"source": "triscale", "format": "triscale", "max_documents": 40},
            "treebank": {"planted": "triscale", "max_train": 40, "max_eval": 60},
            "twins": {"seeds": 1},
            "measure": {"cka_tokens": 128, "heads": "matched", "shard_documents": 40},
            "boundaries": {"draws": 100, "permutations": 99},
            "probes": {"seeds": 2, "epochs": 1, "max_examples": 200},
            "scales": {"documents": 20, "words": 40, "draws": 100},
            "interventions": {
                **{"samples": 4, "prompt_tokens": 8, "new_tokens": 6, "random_sets": 0, "response": [0.1]},
                **{"response_samples": 2, "encoder": None, "draws": 100, "harper": False},
            },
            "theory": {
                **{"tokens": 400, "components": 4, "examples": 300, "hidden": 8, "epochs": 1, "texts": 4},
                **{"permutations": 19, "betas": [0.1, 1.0], "steps": 20, "width_draws": 100, "draws": 100},
                **{
                    "hessian_draws": 1,
                    "label_draws": 1,
                    "sigmas": [0.1],
                    "value_steps": 10,
                    "reach_windows": 2,
                },
            },
            "run": {"workers": 1},
        }
    )


SAMPLE = full_config(Path("model"))


def test_every_setting_changes_the_plan_or_is_on_the_list() -> None:
    before = digest(SAMPLE.science())
    found = {path: digest(flipped(SAMPLE, path).science()) != before for path, _ in leaves(SAMPLE)}
    assert {path for path, changes in found.items() if not changes} == set(IRRELEVANT)
    assert len(found) > 90


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyConfig, dict[str, set[str]], list[Any]]:
    """A study; stage → settings that were read while it was computed; and what its parts were given."""
    patch = pytest.MonkeyPatch()
    reads: dict[str, set[str]] = defaultdict(set)
    now: list[str] = []
    place = {type(getattr(SAMPLE, name)): f"{name}." for name in StudyConfig.model_fields}
    place = {kind: path for kind, path in place.items() if issubclass(kind, BaseModel)}
    place |= {StudyConfig: ""}

    def note(section: Any, names: Any) -> None:
        kind = type(section)
        if now and kind in place:
            reads[now[-1]] |= {
                place[kind] + name for name in names if f"{place[kind]}{name}." not in place.values()
            }

    def see(self: Any, name: str) -> Any:
        if name in type(self).model_fields:
            note(self, [name])
        return object.__getattribute__(self, name)

    def dump(self: Any, *, include: Any = None, exclude: Any = None, **more: Any) -> Any:
        chosen = set(include) if include else set(type(self).model_fields) - set(exclude or ())
        note(self, chosen)
        return plain_dump(self, include=include, exclude=exclude, **more)

    fill = Address.fill

    def watching(address: Address, work: Any) -> None:
        def seen() -> Any:
            now.append(address.stage)
            try:
                return work()
            finally:
                now.pop()

        fill(address, seen)

    given = []

    class Noting(jobs.Context):
        def given(self, identity: Any, work: Any) -> Any:
            made = super().given(identity, work)
            given.append((work.part, made))
            return made

    plain_dump = BaseModel.model_dump
    folder = tmp_path_factory.mktemp("keys")
    config = full_config(tiny_model(folder / "tiny", "llama", layers=6, max_position_embeddings=128))
    # What stages share must be read anew by each, or only the first would be seen to read it.
    for shared in (stages.Measuring, theory_stages.Shared, dosing.Auditing, intervening.Writing):
        for name, value in list(vars(shared).items()):
            if isinstance(value, cached_property):
                patch.setattr(shared, name, property(value.func))
    patch.setattr(_Section, "__getattribute__", see, raising=False)
    patch.setattr(_Section, "model_dump", dump, raising=False)
    patch.setattr(Address, "fill", watching)
    patch.setattr("mspgt.study.run.Context", Noting)
    try:
        run_study(config, folder / "run", quiet=True)
    finally:
        patch.undo()
    return config, reads, given


def keys_of(config: StudyConfig, given: list[Any]) -> dict[str, set[str]]:
    """Stage → its keys under a configuration, data and models unchanged."""
    found: dict[str, set[str]] = defaultdict(set)
    _, first = given[0]
    every: list[Any] = []
    for twin in (None, 0):
        where = addresses(first.root, config, Subject(first.identity, twin), first.data)
        every += [
            where.scales,
            where.geometry,
            where.probes,
            where.pairing,
            *(shard for _, shard in where.shards),
        ]
    for part, one in given:
        every += part.addresses(replace(one, config=config))
    for address in every:
        if address is not None:
            found[address.stage].add(address.key)
    return found


def test_every_setting_that_a_stage_reads_is_in_its_key(watched: Any) -> None:
    config, reads, given = watched
    before = keys_of(config, given)
    assert set(reads) == set(before), "a stage was not watched"
    assert sum(map(len, reads.values())) > 60
    stale = {
        (stage, path)
        for path in set().union(*reads.values()) - set(IRRELEVANT) - {"models", "corpus", "treebank"}
        for after in [keys_of(flipped(config, path), given)]
        for stage in reads
        if path in reads[stage] and after[stage] == before[stage]
    }
    assert stale == SHARED


def test_a_setting_that_is_left_out_of_a_key_is_seen(watched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that the test above is for, planted: the limit of sinks no longer enters a key."""
    config, reads, given = watched
    plain = keys.stage_address

    def forgetful(root: Any, identity: Any, stage: str, inputs: dict[str, Any], *functions: Any) -> Address:
        return plain(
            root, identity, stage, {k: v for k, v in inputs.items() if k != "sink_ratio"}, *functions
        )

    monkeypatch.setattr(stages, "stage_address", forgetful)
    changed = flipped(config, "measure.sink_ratio")
    assert "measure.sink_ratio" in reads["scales"]
    assert keys_of(changed, given)["scales"] == keys_of(config, given)["scales"]


def test_what_is_shared_and_not_used_changes_no_byte(watched: Any) -> None:
    """The stages on the list SHARED, computed again under other values of what they only pass on."""
    config, _, given = watched
    one = given[0][1]
    lm = load(config.models[0].id, device="cpu")
    found = []
    for changes, seed in (({}, config.seed), ({"cka_tokens": 200, "unit": "sentence"}, 5)):
        changed = config.model_copy(
            update={"measure": config.measure.model_copy(update=changes), "seed": seed}
        )
        work = stages.Measuring(changed, Subject(one.identity), one.data, lambda: lm)
        result = stages.activation_scales(work)
        work.activation_scales = codec.unpack_scales(result)
        found.append({**result.arrays, **stages.head_pairing(work).arrays})
    assert {name: array.tobytes() for name, array in found[0].items()} == {
        name: array.tobytes() for name, array in found[1].items()
    }


@pytest.mark.parametrize("library", LIBRARIES)
def test_another_release_of_a_library_changes_every_key_that_it_can_reach(
    library: str, watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, _, given = watched
    before = keys_of(config, given)
    monkeypatch.setattr(keys, "release", lambda name: "99.1" if name == library else release(name))
    after = keys_of(config, given)
    changed = {stage for stage in before if before[stage] != after[stage]}
    assert changed >= {"observe", "geometry"}, changed


def test_one_byte_of_weights_or_tokenizer_changes_the_identity(tmp_path: Path) -> None:
    """Same size, same time of change."""
    folder = tiny_model(tmp_path / "tiny")
    seen = {folder_sha256(folder)}
    files = sorted(path for path in folder.iterdir() if path.is_file())
    assert {"model.safetensors", "tokenizer.json", "config.json"} <= {path.name for path in files}
    for path in files:
        content, stat = bytearray(path.read_bytes()), path.stat()
        content[-2] ^= 1
        path.write_bytes(content)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert path.stat().st_size == stat.st_size
        seen.add(folder_sha256(folder))
    assert len(seen) == len(files) + 1

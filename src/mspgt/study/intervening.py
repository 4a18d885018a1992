"""Experiment 2 as a part of a study.

    audit, dosing ─► texts (shards of samples) ─► scores
                                               ─► coherence, grammar, harper (shards)
    response

A shard holds every arm of its samples, because arms share a pass. Each checker is a stage of its own, so that one
that was not there can be made up for without writing a text again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mspgt.errors import InputError, MissingExtraError, UnavailableError
from mspgt.results import Notice
from mspgt.study.checking import (
    CHECKERS,
    MAKERS,
    TEXTS,
    check_shards,
    checked,
    checker_inputs,
    note,
    noted,
    shared_languagetool,
)
from mspgt.study.config import StudyConfig
from mspgt.study.dosing import (
    Auditing,
    Pair,
    audit_addresses,
    audit_results,
    audited_doses,
    doses_by_scale,
    equal_sizes,
    scales_address,
    settings_of,
    yardsticks,
)
from mspgt.study.identity import Identity, Subject
from mspgt.study.intervening_notices import notices
from mspgt.study.keys import stage_address
from mspgt.study.parts import Cost, Given, Models, Part
from mspgt.study.stages import Data, Measuring, activation_scales, who_is
from mspgt.study.store import Address, StageResult
from mspgt.study.tasks import Listing, Piece, Task
from mspgt.text.limits import evenly_spread
from mspgt.vocabulary import SCALES, Progress

if TYPE_CHECKING:
    from mspgt.interventions.arms import Arm
    from mspgt.interventions.metrics import Scores
    from mspgt.interventions.prompts import Prompt
    from mspgt.interventions.texts import Texts

log = logging.getLogger("mspgt")


@dataclass(frozen=True)
class Places:
    """Where the results of one model lie, and the activation scales that they start from; `shards` of samples."""

    scales: Address
    shards: tuple[range, ...]
    texts: tuple[Address, ...]
    checks: dict[str, tuple[Address, ...]]  # checker → shards; only those that are on
    scores: Address
    response: Address | None
    audit: Pair | None

    def all(self) -> Iterator[Address]:
        yield self.scales
        yield from self.audit or ()
        yield from self.texts
        yield self.scores
        for shards in self.checks.values():
            yield from shards
        if self.response is not None:
            yield self.response


class Interventions(Part):
    """The part `interventions` of a study."""

    name = "interventions"

    def costs(self, config: StudyConfig, identity: Identity, data: Data) -> Iterable[Cost]:
        """Sentences of average length that would cost as much; nothing of it depends on where boundaries lie."""
        settings = settings_of(config)
        doses = 3 + settings.literal + bool(settings.audit_passages)
        arms = 2 + doses * len(SCALES) + 2 * settings.random_sets
        words = [len(s.split()) for document in data.corpus.documents for s in document.sentences]
        # A word of English is about 1.3 tokens. A text is read once more for its likelihood.
        tokens = 1.3 * sum(words) / len(words)
        text = (2 * settings.prompt_tokens + 2 * settings.new_tokens) / tokens
        yield Cost("texts", round(settings.samples * arms * text), settings.samples * arms * 200)
        if settings.audit_passages:
            # Noise in one layer and at twelve depths, under four definitions; by scale; and a search of some tries.
            rows = settings.audit_passages * (4 * (identity.layers + 12 + len(SCALES)) + 5 * len(SCALES))
            yield Cost("audit", round(rows * settings.audit_tokens / tokens), 0)
        if settings.response_samples:
            rows = min(settings.samples, settings.response_samples) * len(SCALES) * len(settings.response)
            yield Cost("response", round(rows * 1.5 * text), 0)

    def addresses(self, given: Given) -> Iterable[Address]:
        """The scales of Experiment 1 are read to the end, so a damaged one is work to do."""
        return places(given).all()

    def tasks(self, given: Given, model: Models) -> Listing:
        """All but what checkers say, which can be made up for later."""
        return partial(self._tasks, Writing(given, places(given), model))

    def _tasks(self, shared: Writing, report: Progress) -> Iterator[Task]:
        given, where = shared.given, shared.where
        measuring = Measuring(given.config, Subject(given.identity), given.data, shared.model)
        # Experiment 1 leaves them; only a damaged store has none.
        yield Task(Piece("scales"), where.scales, partial(activation_scales, measuring), 0)
        if where.audit is not None:
            yield Task(Piece("audit"), where.audit[0], partial(audited_doses, shared, report), 1)
            yield Task(Piece("dosing"), where.audit[1], partial(doses_by_scale, shared), 1)
        total = settings_of(given.config).samples
        for number, (samples, address) in enumerate(zip(where.shards, where.texts, strict=True)):

            def step(done: int, before: int = samples.start) -> None:
                report(before + done, total, "writing texts, samples")

            yield Task(Piece("texts", number), address, partial(written_texts, shared, samples, step), 2)
        if where.response is not None:
            yield Task(Piece("response"), where.response, partial(noise_response, shared, report), 2)
        yield Task(
            Piece("scores"), where.scores, lambda: scored_texts(given, [one.load() for one in where.texts])
        )

    def compute(self, given: Given, model: Models, report: Progress) -> None:
        """Write what texts are missing, then score them. A checker that is not there is noted, and all goes on."""
        super().compute(given, model, report)
        where = places(given)
        for name in where.checks:
            try:
                check_shards(
                    name, settings_of(given.config), where.shards, where.texts, where.checks[name], report
                )
            except (UnavailableError, MissingExtraError, InputError) as error:
                log.warning("%s: %s is not measured: %s", given.identity.label, name, error)
                note(where.checks[name], str(error))
            else:
                note(where.checks[name], None)

    @contextmanager
    def serving(self, config: StudyConfig) -> Iterator[StudyConfig]:
        """One local LanguageTool for the run; on a cluster, whose machines cannot reach it, each job its own."""
        if config.run.on != "here":
            yield config
            return
        with shared_languagetool(settings_of(config)) as settings:
            yield config.model_copy(update={"interventions": settings})

    def decide(self, given: Given) -> tuple[dict[str, Any], list[Notice]]:
        """Effects of every arm; also writes all texts of the model to `texts/` of the run folder."""
        from mspgt.interventions.experiment import summary

        settings, where = settings_of(given.config), places(given)
        texts = joined_texts([address.load() for address in where.texts])
        _publish(given, texts)
        scores = _unpack_scores(where.scores.load(), texts)
        missing, versions = {}, {}
        for name in CHECKERS:
            if name not in where.checks:
                missing[name] = CHECKERS[name].off
                continue
            if not all(address.status().done for address in where.checks[name]):
                missing[name] = noted(where.checks[name])
                continue
            shards = [address.load() for address in where.checks[name]]
            seen = sorted({str(shard.meta["version"]) for shard in shards})
            if len(seen) > 1:
                missing[name] = f"shards were checked by {' and '.join(seen)}; delete {name}-* of the stages"
                continue
            versions[name] = seen[0]
            for arm, metrics in scores.items():
                found = np.concatenate([shard.arrays[arm] for shard in shards])
                metrics[name] = CHECKERS[name].scores(found, texts.of(arm)["text"])
        content = summary(
            texts,
            scores,
            _arms(given, equal_sizes(where.audit)),
            given.scales,
            yardsticks(given),
            settings={
                key: getattr(settings, key)
                for key in (
                    *("sigma", "dose", "scope", "prompt_tokens", "new_tokens", "temperature", "top_p"),
                    *("mattr_window", "margin", "coherence_samples"),
                )
            }
            | {"versions": versions, "seconds": sum(address.seconds() for address in where.texts)},
            missing=missing,
            response=None if where.response is None else where.response.load().meta["curve"],
            draws=settings.draws,
            margin=settings.margin,
            seed=given.config.seed,
        )
        content |= audit_results(given, where.audit)
        return content, list(notices(given, missing, content))


def places(given: Given) -> Places:
    """All addresses of one model."""
    config, identity, settings = given.config, given.identity, settings_of(given.config)

    def at(stage: str, inputs: dict[str, Any], *functions: Callable[..., Any]) -> Address:
        return stage_address(given.root, identity, stage, inputs, *functions)

    audit, scales = audit_addresses(given), scales_address(given)
    writing = {
        **who_is(Subject(identity)),
        "corpus": given.data.corpus.sha256,
        "scales": scales.key,
        "dosing": None if audit is None else audit[1].key,
        "boundaries": [given.scales.LI, given.scales.IG],
        "start": config.measure.start,
        "seed": config.seed,
        **settings.model_dump(
            include={
                *("samples", "prompt_tokens", "new_tokens", "temperature", "top_p"),
                *("sigma", "dose", "literal", "scope", "random_sets"),
            }
        ),
    }
    shards = tuple(
        range(start, min(start + settings.shard_samples, settings.samples))
        for start in range(0, settings.samples, settings.shard_samples)
    )
    texts = tuple(
        at("texts", {**writing, "shard": [part.start, part.stop]}, written_texts) for part in shards
    )
    checks = {
        name: tuple(at(name, {"texts": address.key, **inputs}, checked, MAKERS[name]) for address in texts)
        for name, inputs in checker_inputs(settings).items()
    }
    scoring = {"texts": [address.key for address in texts], "mattr_window": settings.mattr_window}
    scores = at("scores", scoring, scored_texts)
    response = None
    if settings.response_samples:
        curve = settings.model_dump(include={"response", "response_samples", "draws"})
        response = at("response", {**writing, **curve}, noise_response)
    return Places(scales, shards, texts, checks, scores, response, audit)


class Writing(Auditing):
    """What texts of one model are written with, beside what their doses are audited with."""

    def __init__(self, given: Given, where: Places, model: Models) -> None:
        super().__init__(given, where.scales, model)
        self.where = where

    @cached_property
    def equal(self) -> dict[str, float] | None:
        """The sizes of equal KL, where they were looked for."""
        return equal_sizes(self.where.audit)

    @cached_property
    def prompts(self) -> list[Prompt]:
        from mspgt.interventions.prompts import make_prompts

        config, corpus, settings = self.given.config, self.given.data.corpus, settings_of(self.given.config)
        return make_prompts(
            self.lm, corpus, settings.samples, settings.prompt_tokens, start=config.measure.start
        )


def written_texts(work: Writing, samples: range, progress: Callable[[int], None]) -> StageResult:
    """Texts of some samples under every arm."""
    from mspgt.interventions.texts import write_texts

    written = write_texts(
        work.lm,
        work.prompts[samples.start : samples.stop],
        _arms(work.given, work.equal),
        work.units,
        **_generation(work.given),
        progress=progress,
    )
    return StageResult(files={TEXTS: written.to_parquet()})


def noise_response(work: Writing, report: Progress) -> StageResult:
    """How texts change with the size of the noise."""
    from mspgt.interventions.arms import plan_response
    from mspgt.interventions.experiment import respond
    from mspgt.interventions.texts import write_texts

    given, settings = work.given, settings_of(work.given.config)
    chosen = evenly_spread(work.prompts, settings.response_samples)
    arms = plan_response(given.scales, settings.response, settings.dose)
    texts = write_texts(
        work.lm,
        chosen,
        arms,
        work.units,
        **_generation(given),
        progress=lambda done: report(done, len(chosen), "noise–response curve, samples"),
    )
    curve = respond(
        work.lm,
        chosen,
        texts,
        arms,
        work.units,
        sigmas=settings.response,
        scope=settings.scope,
        seed=given.config.seed,
        draws=settings.draws,
    )
    return StageResult(meta={"curve": curve})


def scored_texts(given: Given, shards: Sequence[StageResult]) -> StageResult:
    """Sums of every metric that needs nothing but the texts."""
    from mspgt.interventions.experiment import arm_scores

    scores = arm_scores(joined_texts(shards), mattr_window=settings_of(given.config).mattr_window)
    arrays = {}
    for arm, found in scores.items():
        for metric, one in found.items():
            arrays[f"{arm}/{metric}"] = one.sums
            if one.exchanged is not None:
                arrays[f"{arm}/{metric}/exchanged"] = one.exchanged
    return StageResult(arrays)


def _generation(given: Given) -> dict[str, Any]:
    return {
        "seed": given.config.seed,
        **settings_of(given.config).model_dump(
            include={"new_tokens", "temperature", "top_p", "scope", "batch_rows"}
        ),
    }


def _arms(given: Given, equal: dict[str, float] | None) -> list[Arm]:
    """equal: scale → size of noise of equal KL, where there is one."""
    from mspgt.interventions.arms import plan_arms

    settings = settings_of(given.config)
    return plan_arms(
        given.scales,
        sigma=settings.sigma,
        definition=settings.dose,
        literal=settings.literal,
        equal_kl=equal,
        random_sets=settings.random_sets,
        seed=given.config.seed,
    )


def joined_texts(shards: Sequence[StageResult]) -> Texts:
    """All texts of a model."""
    from mspgt.interventions.texts import Texts

    return Texts.join([Texts.from_parquet(shard.files[TEXTS]) for shard in shards])


def _unpack_scores(result: StageResult, texts: Texts) -> dict[str, dict[str, Scores]]:
    from mspgt.interventions.metrics import METRICS, Scores

    found: dict[str, dict[str, Scores]] = {}
    for arm in texts.arms:
        for metric in METRICS:
            sums = result.arrays.get(f"{arm}/{metric.key}")
            if sums is not None:
                exchanged = result.arrays.get(f"{arm}/{metric.key}/exchanged")
                found.setdefault(arm, {})[metric.key] = Scores(metric.law, sums, exchanged)
    return found


def _publish(given: Given, texts: Texts) -> None:
    """All texts of a model in one table, for readers: texts/<model>.parquet."""
    folder = given.root / "texts"
    folder.mkdir(exist_ok=True)
    path = folder / f"{given.identity.folder}.parquet"
    scratch = path.with_name(f".{path.name}")
    scratch.write_bytes(texts.to_parquet())
    scratch.replace(path)

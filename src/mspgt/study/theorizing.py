"""The theory as a part of a study: stages of one model, each in the store, and what is decided from them.

    information ── V-information, Gaussian information, near-Markov flow, spectra      (states of sampled tokens)
    bottleneck ─── the H-VIB on the last layer of each scale                           (states of sampled tokens)
    sensitivity ── Fisher traces, data Hessian, slopes, arms             (forward and backward, in shards of texts)
    reach ──────── how far attention reaches back                                      (windows of running text)
    values ─────── an H-VIB a layer, if asked for                                      (states of sampled tokens)
    widths ─────── interval width against draws and documents                          (no model)

All of them see the half of the documents that does not choose the boundary which the kink test is about. What cannot
be computed (no treebank, no gradient, too little text) is null with its reason; the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from mspgt.results import Notice, to_jsonable
from mspgt.study.config import StudyConfig, TheoryConfig
from mspgt.study.identity import Identity, Subject
from mspgt.study.keys import stage_address
from mspgt.study.parts import Cost, Given, Models, Part
from mspgt.study.stages import Data, addresses, who_is
from mspgt.study.store import Address, StageResult
from mspgt.study.tasks import Listing, Piece, Task
from mspgt.study.theory_layers import reach, values
from mspgt.study.theory_sensitivity import joined, sensitivity, shards
from mspgt.study.theory_stages import (
    Shared,
    bottleneck,
    held_out_sentences,
    information,
    section_of,
    widths,
)
from mspgt.vocabulary import Progress

STAGES: dict[str, Callable[..., StageResult]] = {
    "information": information,
    "bottleneck": bottleneck,
    "sensitivity": sensitivity,
    "reach": reach,
    "values": values,
    "widths": widths,
}


def asked_for(theory: TheoryConfig) -> dict[str, Callable[..., StageResult]]:
    """The stages of a study; two can be left out."""
    off = {"reach": not theory.reach_windows, "values": not theory.value_steps}
    return {name: function for name, function in STAGES.items() if not off.get(name)}


class Theorizing(Part):
    """Section `theory` of a study."""

    name = "theory"

    def costs(self, config: StudyConfig, identity: Identity, data: Data) -> Iterator[Cost]:
        """Passes of sentences: information and bottleneck read the text once each, sensitivity its texts often."""
        from mspgt.theory.passes import batch_bytes, covariance_bytes, passes, reader_bytes, state_bytes

        theory = section_of(config)
        half = max(1, data.corpus.n_sentences // 2)
        labelled = held_out_sentences(data)
        width, depth = identity.width, identity.layers
        spectra = 8 * (depth + 1) * width
        a_value = 2 if "16" in identity.dtype else 4
        words = sum(len(sentence.words) for sentence in labelled)
        held = state_bytes(depth, width, theory.tokens, a_value)
        batch = batch_bytes(depth, width, config.measure.batch_tokens, a_value)
        covariance = covariance_bytes(width, theory.tokens)
        treebank = state_bytes(depth, width, words, a_value) + max(batch, reader_bytes(depth, width, words))
        information = held + max(batch, covariance, reader_bytes(depth, width, theory.tokens), treebank)
        yield Cost("theory: information", half + len(labelled), spectra + 2**20, memory=information)
        yield Cost("theory: bottleneck", half, 2**16, memory=held + max(batch, covariance))
        texts = min(theory.texts, half)
        forward, backward = passes(
            texts,
            depth,
            len(theory.sigmas),
            3,
            draws=theory.noise_draws,
            label_draws=theory.label_draws,
            hessian_draws=theory.hessian_draws,
        )
        again = len(shards(texts)) - 1  # every shard tries for a gradient
        forward, backward = forward + again, backward + again
        yield Cost("theory: sensitivity", forward + 2 * backward, 8 * texts * depth * 7, backward=backward)
        if theory.reach_windows:
            # Two maps a layer of a batch: as read, and as kept.
            rows = max(config.measure.batch_tokens, theory.reach_window)
            maps = 12 * depth * theory.reach_window * rows
            yield Cost(
                "theory: reach", theory.reach_windows, 8 * theory.reach_windows * depth, memory=batch + maps
            )
        if theory.value_steps:
            yield Cost("theory: values", half, 2**16, memory=held + max(batch, covariance))
        yield Cost("theory: widths", 0, 2**14)

    def addresses(self, given: Given) -> list[Address]:
        """Of the stages that were asked for, in order."""
        return [address for _, _, address in self.stages(given)]

    def stages(self, given: Given) -> Iterator[tuple[Piece, Callable[[Shared], StageResult], Address]]:
        """Name, function and place of every stage; sensitivity has one a shard."""
        theory, identity = section_of(given.config), given.identity
        measure = given.config.measure
        reading = {
            **who_is(Subject(identity)),
            "corpus": given.data.corpus.sha256,
            "too_long": measure.too_long,
            "start": measure.start,
            "sink_ratio": measure.sink_ratio,
            "scale_sentences": measure.scale_sentences,
            "seed": given.config.seed,
        }
        settings = theory.model_dump(mode="json", exclude={"gradient_tokens"})
        where = {"LI": given.scales.LI, "IG": given.scales.IG}
        treebank = None if given.data.treebank is None else given.data.treebank.sha256
        profiles = addresses(given.root, given.config, Subject(identity), given.data)
        inputs: dict[str, dict[str, Any]] = {
            "information": {
                **reading,
                "treebank": treebank,
                **_only(settings, "tokens", "components", "examples", "hidden", "epochs", "permutations"),
            },
            "bottleneck": {
                **reading,
                **where,
                **_only(settings, "tokens", "components", "betas", "steps", "draws"),
            },
            "sensitivity": {
                **reading,
                **where,
                **_only(
                    settings, "texts", "sigmas", "arm_sigma", "noise_draws", "label_draws", "hessian_draws"
                ),
            },
            "reach": {**reading, **_only(settings, "reach_window", "reach_windows")},
            "values": {
                **reading,
                **where,
                **_only(settings, "tokens", "components", "value_steps", "draws"),
            },
            "widths": {
                "geometry": profiles.geometry.key,
                "probes": None if profiles.probes is None else profiles.probes.key,
                "seed": given.config.seed,
                **_only(settings, "width_draws"),
            },
        }
        for stage, function in asked_for(theory).items():
            name = f"theory-{stage}"
            if stage != "sensitivity":
                address = stage_address(given.root, identity, name, inputs[stage], function)
                yield Piece(stage), function, address
                continue
            for number, shard in enumerate(shards(theory.texts)):
                places = {**inputs[stage], "shard": [shard.start, shard.stop]}
                address = stage_address(given.root, identity, name, places, function)
                yield Piece(stage, number), partial(function, shard=shard), address

    def tasks(self, given: Given, model: Models) -> Listing:
        """Stage by stage; sensitivity beside the prompts of Experiment 2."""
        profiles = addresses(given.root, given.config, Subject(given.identity), given.data)

        def signals() -> tuple[StageResult, StageResult | None]:
            return profiles.geometry.load(), None if profiles.probes is None else profiles.probes.load()

        return partial(self._tasks, Shared(given, model, signals))

    def _tasks(self, shared: Shared, report: Progress) -> Iterator[Task]:
        shared.report = report
        for piece, function, address in self.stages(shared.given):
            wave = 2 if piece.stage == "sensitivity" else 1
            yield Task(piece, address, partial(function, shared), wave)

    def decide(self, given: Given) -> tuple[dict[str, Any], list[Notice]]:
        """`theory` of the model's results, from the store."""
        parts: dict[str, list[StageResult]] = {}
        for piece, _, address in self.stages(given):
            parts.setdefault(piece.stage, []).append(address.load())
        loaded = {stage: joined(own) if stage == "sensitivity" else own[0] for stage, own in parts.items()}
        from mspgt.study.theory_results import theory_results  # loads torch, which a plan does not need

        found, notices = theory_results(given, loaded)
        return {"theory": to_jsonable(found)}, notices


def _only(settings: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: settings[name] for name in names}

"""From the stage results of one model to its part of `results.json`. No model is needed here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.concordance import concordance
from mspgt.boundaries.find import Findings, find_boundaries
from mspgt.results import (
    Boundaries,
    Check,
    Controls,
    MetricResult,
    ModelResult,
    Notice,
    Numbers,
    ProbeResult,
    TokenSetResult,
    numbers,
)
from mspgt.signals.document_tables import LEAST_DOCUMENTS
from mspgt.signals.geometry import CKA_FLOOR, calibrated_s1, paper_s1
from mspgt.signals.jumps import JumpSignal, jump_signal
from mspgt.signals.labels import SCORES
from mspgt.signals.profiles import Draws, Signals
from mspgt.stats.bootstrap import LEAST_SHARE, document_weights
from mspgt.study import codec, intervals
from mspgt.study.config import StudyConfig
from mspgt.study.identity import Identity, Subject
from mspgt.study.plan import Plan
from mspgt.study.precision import precision_result
from mspgt.study.reading import ceilings
from mspgt.study.stages import Addresses, Data, addresses, measured
from mspgt.study.store import StageResult
from mspgt.vocabulary import SIGNALS

Array = NDArray[np.float64]
FEW_FINAL = 0.1  # of all tokens, of which most end a word in text that the tokenizer was made for


def decide(
    plan: Plan, identity: Identity, root: Path, checks: list[Check], notes: list[str]
) -> tuple[ModelResult, list[Notice], Findings]:
    """Boundaries in both modes, controls and probes of one model; what the reader must be told; and the findings."""
    config, place = plan.config, f"models.{identity.label}"
    where = addresses(root, config, Subject(identity), plan.data)
    signals, *twins = _all_signals(plan, identity, root)
    draws, notices = _resampled(config, signals, place)
    notices = [*_before_decisions(signals, notes, place), *notices]
    findings = find_boundaries(signals, twins=twins, draws=draws, settings=config.boundaries.model_dump())
    notices += [Notice(f"{place}.boundaries", why, "") for why in findings.notes]
    if findings.phases is None:
        notices.append(Notice(f"{place}.phases", findings.no_phases, "phases are null"))

    meta = where.geometry.load().meta
    signals_ci, signals_bands = intervals.of_signals(signals, draws)
    result = ModelResult(
        family=identity.family,
        layers=identity.layers,
        width=identity.width,
        parameters=identity.parameters,
        revision=identity.revision,
        signals=_signal_table(signals, findings, 1 - signals.first),
        signals_ci=signals_ci,
        signals_bands=signals_bands,
        embedding_step=_embedding_step(signals),
        boundaries=Boundaries(findings.paper, findings.calibrated),
        phases=findings.phases,
        controls=_controls(signals, findings, config.boundaries.permutations, config.seed),
        probes={},
        contexts={
            one.measure.context: _calibrated_signals(read_signals(identity, there, plan.data))
            for one, there in measured(root, config, Subject(identity), plan.data)[1:]
        },
        signals_from_embedding=_signal_table(signals, findings, 0) if signals.embedding else None,
        checks=checks,
        metrics=_metrics(signals),
        token_sets=_token_sets(signals),
        frequent_words=list(meta["frequent_words"]),
        metric_dependent=findings.metric_dependent,
        tokens={
            key: int(meta[key])
            for key in ("real_tokens", "word_final_tokens", "sinks", "cut_sentences", "sentences")
        },
        seconds={
            "measuring": float(meta["measuring_seconds"]),
            "geometry": where.geometry.seconds(),
            **({"probes": where.probes.seconds()} if where.probes is not None else {}),
        },
    )
    result.precision, told = precision_result(identity, where, result.signals_ci)
    notices += told
    if where.probes is not None:
        assert plan.data.treebank is not None
        result.probes, about = _probe_results(
            signals, config.boundaries.draws, config.seed, plan.data.treebank.labels, ceilings(config)
        )
        notices += [Notice(f"{place}.{key}", what, consequence) for key, what, consequence in about]
    return result, notices + token_notices(result.tokens, place), findings


def _all_signals(plan: Plan, identity: Identity, root: Path) -> Iterator[Signals]:
    """Of the model, then of its twins."""
    config = plan.config
    for twin in (None, *range(config.twins.seeds)):
        subject, data = Subject(identity, twin), plan.data if twin is None else plan.twin_data
        where = addresses(root, config, subject, data)
        yield read_signals(identity, where, data, config.boundaries.include_embedding)


def _resampled(config: StudyConfig, signals: Signals, place: str) -> tuple[Draws | None, list[Notice]]:
    """Bootstrap draws of the signals, or why there are none."""
    if signals.transitions < 1:
        return None, [Notice(f"{place}.boundaries", "the model has one layer", "no boundary possible")]
    if signals.geometry.n_clusters < 2:
        why = "no interval, no acceptance, no noise ratio"
        return None, [Notice(f"{place}.boundaries", "one document", why)]
    draws = signals.bootstrap(config.boundaries.draws, config.seed)
    notices = [Notice(f"{place}.signals_ci.S2", note, "") for note in draws.notes]
    for name, why in intervals.too_few_for(signals):
        notices.append(
            Notice(f"{place}.signals_ci.{name}", why, f"{name} has no interval in calibrated mode")
        )
    return draws, notices


def _before_decisions(signals: Signals, notes: list[str], place: str) -> Iterator[Notice]:
    """Of the signals themselves: those that are missing, what loading told, S1 where it was clipped or is null."""
    for name, why in signals.missing.items():
        yield Notice(f"{place}.signals.{name}", why, f"{name} is null")
    yield from (Notice(place, note, "") for note in notes)
    yield from clip_notices(signals, place)
    yield from document_notices(signals, place)


def token_notices(tokens: dict[str, int], place: str) -> list[Notice]:
    """What of the text was not read, or counts for little in the calibrated signals."""
    notices = []
    if count := tokens["cut_sentences"]:
        what = f"{count} sentences were cut to the context"
        notices.append(Notice(f"{place}.tokens", what, "their ends are unread"))
    if tokens["word_final_tokens"] < FEW_FINAL * tokens["real_tokens"]:
        share = tokens["word_final_tokens"] / tokens["real_tokens"]
        what = f"only {share:.1%} of the tokens end a word: this tokenizer and the words of this text do not meet"
        notices.append(Notice(f"{place}.signals", what, "calibrated signals stand on those alone"))
    return notices


def clip_notices(signals: Signals, place: str) -> list[Notice]:
    """Where CKA was clipped for S1, if anywhere."""
    where = {
        "paper": "signals.S1.paper",
        "calibrated": "signals.S1.calibrated",
        "with_sinks": "controls.with_sinks.S1",
    }
    return [
        Notice(
            f"{place}.{where[kind]}",
            f"CKA below {CKA_FLOOR:g} was clipped at {count} of {signals.layers} steps from layer to layer, "
            "the embedding's included",
            "S1 there is the least that it can be",
        )
        for kind, count in signals.clips().items()
        if count
    ]


def document_notices(signals: Signals, place: str) -> list[Notice]:
    """Why S1 across documents is null, where it is."""
    missing = ~np.isfinite(signals.geometry.cka("calibrated"))
    if not missing.any():
        return []
    count = signals.geometry.n_clusters
    why = (
        f"{count} documents: CKA across documents needs {LEAST_DOCUMENTS}"
        if count < LEAST_DOCUMENTS
        else f"HSIC of a layer with itself is not above 0 at {missing.sum()} of {signals.layers} steps: "
        "too few documents, or a layer that does not vary"
    )
    return [Notice(f"{place}.signals.S1.calibrated", why, "S1 is null there")]


def _metrics(signals: Signals) -> dict[str, MetricResult]:
    """S1 and the spread of variance by what is compared, over transitions 1..L−1 and layers 0..L."""
    found = {}
    for name, cka in signals.geometry.metrics.items():
        spread = signals.geometry.spread.get(name)
        found[name] = MetricResult(
            S1=_numbers(calibrated_s1(cka)[0][1:]) if len(cka) > 1 else None,
            participation=None if spread is None else _numbers(spread.participation),
            largest_share=None if spread is None else _numbers(spread.largest),
            flagged=[] if spread is None else np.flatnonzero(spread.largest > 0.5).tolist(),
        )
    return found


def _token_sets(signals: Signals) -> dict[str, TokenSetResult]:
    """S1 over other tokens, and over the calibrated ones themselves (main)."""
    curves = {"main": signals.geometry.cka("calibrated"), **signals.geometry.variants}
    return {
        name: TokenSetResult(
            S1=_numbers(calibrated_s1(cka)[0][1:]) if len(cka) > 1 else None,
            tokens=signals.geometry.drawn.get(name, 0),
        )
        for name, cka in curves.items()
    }


def read_signals(identity: Identity, where: Addresses, data: Data, embedding: bool = False) -> Signals:
    """The measured signals of one subject, from the store."""
    probes = None if where.probes is None else where.probes.load()
    return unpack_signals(identity, where.geometry.load(), probes, data, embedding)


def unpack_signals(
    identity: Identity,
    geometry: StageResult,
    probes: StageResult | None,
    data: Data,
    embedding: bool = False,
) -> Signals:
    """The measured signals of one subject, from the results of its stages."""
    missing = {}
    if probes is None:
        off = "no treebank was given" if data.treebank is None else f"every task is off: {data.treebank.off}"
        missing["S2"] = off
    if not identity.has_attention:
        missing["S3"] = f"not measurable: {identity.no_attention}"
    return Signals(
        layers=identity.layers,
        geometry=codec.unpack_geometry(geometry),
        probes=None if probes is None else codec.unpack_probes(probes),
        missing=missing,
        embedding=embedding,
    )


def _numbers(row: Array) -> Numbers | None:
    return None if np.isnan(row).all() else numbers(row)


def _signal_table(signals: Signals, findings: Findings, skip: int) -> dict[str, dict[str, Numbers | None]]:
    """Profiles and evidence without their first `skip` transitions."""
    paper, calibrated = signals.paper()[:, skip:], signals.calibrated()[:, skip:]
    table = {
        name: {"paper": _numbers(paper[i]), "calibrated": _numbers(calibrated[i])}
        for i, name in enumerate(SIGNALS)
    }
    evidence = {"paper": findings.paper_evidence, "calibrated": findings.calibrated_evidence}
    table["evidence"] = {
        mode: None if row is None else _numbers(row[skip:]) for mode, row in evidence.items()
    }
    return table


def _calibrated_signals(signals: Signals) -> dict[str, Numbers | None]:
    return {name: _numbers(row) for name, row in zip(SIGNALS, signals.calibrated(), strict=True)}


def _embedding_step(signals: Signals) -> dict[str, dict[str, float | None]]:
    """The step from the embedding to block 1: a spike in every model, random ones too, so never a boundary."""
    geometry = signals.geometry
    step: dict[str, dict[str, float | None]] = {
        "S1": {
            "paper": float(paper_s1(geometry.cka("paper"))[0][0]),
            "calibrated": float(calibrated_s1(geometry.cka("calibrated"))[0][0]),
        }
    }
    if signals.probes is not None:
        step["S2"] = {mode: float(value) for mode, value in jump_signal(signals.probes).embedding.items()}
    return step


def _controls(signals: Signals, findings: Findings, permutations: int, seed: int) -> Controls:
    floors: dict[str, float | None] = dict(zip(SIGNALS, findings.floors.tolist(), strict=True))
    controls = Controls(findings.random_init, floors)
    if signals.transitions >= 1:
        sinks = signals.with_sinks()
        outcome = concordance(findings.stabilised, permutations=permutations, seed=seed)
        controls = replace(
            controls,
            with_sinks=None
            if sinks is None
            else {name: _numbers(sinks[i, 1 - signals.first :]) for i, name in enumerate(SIGNALS)},
            concordance_p=outcome.p,
            concordance=outcome,
        )
    return controls


def _probe_results(
    signals: Signals, draws: int, seed: int, labels: str, ceilings: Mapping[str, float]
) -> tuple[dict[str, ProbeResult], list[tuple[str, str, str]]]:
    """Task → its probes; and what the reader must be told: where below the model, what, and its consequence."""
    probes = signals.probes
    assert probes is not None
    point = jump_signal(probes)
    spread = (
        jump_signal(probes, document_weights(probes.n_documents, draws, seed + 1))
        if probes.n_documents > 1
        else None
    )
    results, about = {}, _about_s2(point)
    if spread is None:
        about.append(
            ("probes.*.f1_ci", "the test split of the treebank is one document", "F1 has no interval")
        )
    about += [
        ("probes.*.f1_ci", f"the test split of the treebank: {why}", "F1 has no interval")
        for name, why in intervals.too_few_for(signals)
        if name == "S2"
    ]
    for task in probes.tasks:
        shaken, why = (None, "") if spread is None else _with_labels(spread.f1[task])
        if np.isnan(point.f1[task]).all():
            why = "the test split holds no label of it: F1 is null, and S2 the mean over the other tasks"
        if why:
            about.append((f"probes.{task}.f1", why, ""))
        f1_ci, f1_bands = (None, None) if shaken is None else intervals.of_draws(shaken, probes.n_documents)
        results[task] = ProbeResult(
            f1=numbers(point.f1[task]),
            f1_ci=f1_ci,
            f1_bands=f1_bands,
            selectivity=probes.selectivity(task),
            codelength=probes.codelength(task),
            floor=probes.floor(task),
            ceiling=ceilings.get(task),
            labels=labels,
            examples=probes.examples(task),
            score=SCORES.get(task, "F1"),
        )
    return results, about


def _about_s2(point: JumpSignal) -> list[tuple[str, str, str]]:
    """Why S2 has no value at any transition, in either mode; empty where it has one in both."""
    if np.isnan(point.score).all():
        return [("signals.S2", "the test split holds no label of any task", "S2 is null")]
    if np.isnan(point.paper).all() and point.paper.size:
        return [("signals.S2", "F1 is 0 at every layer, and no jump is relative to 0", "S2 is null")]
    if np.isnan(point.calibrated).all() and point.calibrated.size:
        why = "its noise is not known from a single seed, or from a test split of one document"
        return [("signals.S2.calibrated", why, "calibrated S2 is null; give more seeds, or `# newdoc` lines")]
    return []


def _with_labels(draws: Array) -> tuple[Array | None, str]:
    """The draws of F1, (draws, layers), that hold a label of the task, and what is to be said of the others."""
    held = ~np.isnan(draws).all(axis=-1)
    if held.all():
        return draws, ""
    why = f"{(~held).sum()} of {len(draws)} draws of test documents hold no label of it"
    if held.mean() < LEAST_SHARE:
        return None, f"{why}: F1 has no interval; S2 of those draws is the mean over the other tasks"
    return draws[held], f"{why}: they are not in its interval, and S2 is there the mean over the other tasks"

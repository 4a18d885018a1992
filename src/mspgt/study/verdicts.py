"""Experiment 3 of a study: families and verdicts, from the results of its models alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mspgt.families import FamilyComparison, compare_families
from mspgt.predictions.design import Design, Member
from mspgt.predictions.drift_split import split_drift
from mspgt.predictions.judging import verdicts
from mspgt.predictions.readings import Measurements, Reading, by_family, named, position
from mspgt.predictions.registry import predictions
from mspgt.predictions.rules import Rules
from mspgt.results import ModelResult, Notice, PredictionResult, from_json, to_jsonable
from mspgt.results.families import FamilyResult, OffsetResult
from mspgt.study.config import StudyConfig
from mspgt.study.identity import Identity
from mspgt.study.replicates import training_runs
from mspgt.vocabulary import BOUNDARIES

Families = dict[str, dict[str, FamilyResult]]  # family → boundary
MODES = {"calibrated": Reading(), "paper": Reading(mode="paper")}
# Accounts that stand beside in every family, where some model of the results has them.
ACCOUNTS = {
    "functional": ("scales", Reading(positions="functional")),
    "phases": ("phases", Reading(positions="phases")),
}


def conclude(
    config: StudyConfig, models: dict[str, ModelResult], documents: int
) -> tuple[Families, dict[str, PredictionResult], list[Notice]]:
    """`families` and `predictions` of results.json, and what the reader must be told.

    Models that the study names as states of one training run are marked so first (`run`, `step`).

    Args:
        models: label → result; everything that was measured is in it.
        documents: of the corpus.
    """
    for one in config.models:
        models[one.label].run, models[one.label].step = one.run, one.step
        models[one.label].trained = {part: str(value) for part, value in one.trained.items()}
    # Numbers that could not be measured are null where verdicts read them, as in the file.
    measured = {label: from_json(ModelResult, to_jsonable(model), label) for label, model in models.items()}
    return conclusions(Measurements(measured, documents), config.predictions)


def conclusions(
    results: Measurements, rules: Rules
) -> tuple[Families, dict[str, PredictionResult], list[Notice]]:
    """The same from what was measured; `compare` gives several studies at once."""
    families = families_of(results)
    judged = verdicts(results, rules)
    notices = [
        Notice(f"families.{family}.{which}", why, "consistency of this boundary means little or nothing")
        for family, boundaries in families.items()
        for which in BOUNDARIES
        for why in boundaries[which].reasons
    ]
    notices += [
        Notice(f"predictions.{name}", "; ".join(verdict.missing), "not testable: no statistic")
        for name, verdict in judged.items()
        if verdict.verdict == "not testable"
    ]
    return families, judged, notices


def families_of(results: Measurements) -> Families:
    """Family → boundary → consistency, drift and offset, from calibrated positions.

    `paper` stands beside them, and `functional` and `phases` where some model has them.
    """
    grouped = by_family(results)
    measured = {
        name: reading
        for name, (key, reading) in ACCOUNTS.items()
        if any(getattr(model, key) for model in results.models.values())
    }
    readings = {**MODES, **measured}
    compared = {mode: _compared(grouped, reading) for mode, reading in readings.items()}
    return {
        family: {
            which: from_json(
                FamilyResult,
                _boundary(compared["calibrated"], family, which, models, MODES["calibrated"])
                | {
                    name: _boundary(one, family, which, models, readings[name])
                    for name, one in compared.items()
                    if name != "calibrated"
                },
                f"families.{family}.{which}",
            )
            for which in BOUNDARIES
        }
        for family, models in sorted(grouped.items())
    }


def _compared(grouped: Mapping[str, dict[str, ModelResult]], reading: Reading) -> FamilyComparison:
    return compare_families(
        {
            family: {
                name: {which: position(model, which, reading) for which in BOUNDARIES}
                for name, model in named(models)
            }
            for family, models in sorted(grouped.items())
        }
    )


def _boundary(
    compared: FamilyComparison,
    family: str,
    which: str,
    models: dict[str, ModelResult],
    reading: Reading,
) -> dict[str, Any]:
    found = compared.families[family][which]
    drift = [
        replace(pair, same_architecture=models[pair.first].shape == models[pair.second].shape)
        for pair in found.drift
    ]
    offsets = {
        one.second: OffsetResult(one.offset, one.ci, one.offset_paper)
        for one in compared.offsets
        if one.boundary == which and one.first == family
    }
    split = split_drift(models, which, reading)
    return dict(to_jsonable(replace(found, drift=drift, offsets=offsets, split=split)))


def power_lines(config: StudyConfig, identities: Sequence[Identity], documents: int) -> Iterator[str]:
    """For `mspgt plan`: what each verdict could show in this study, before anything is spent."""
    runs = training_runs(config, identities)
    sections = {name: getattr(config, name, None) for name in ("interventions", "theory")}
    design = Design(
        members=tuple(Member(i.label, i.family, i.shape) for i in runs),
        documents=documents,
        samples=getattr(sections["interventions"], "samples", None),
        random_sets=getattr(sections["interventions"], "random_sets", 0),
        theory=sections["theory"] is not None,
        tasks=("pos", "dep", "ner", "srl") if config.treebank else (),
    )
    for name, prediction in predictions().items():
        yield f"verdict {name}: {prediction.power(design, config.predictions)}"

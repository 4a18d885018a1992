"""Experiment 3 over finished runs of different studies: only runs that measured the same thing the same way."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from mspgt.errors import InputError
from mspgt.predictions.readings import POSITIONS, Measurements, primary
from mspgt.predictions.registry import fixed_in_advance
from mspgt.predictions.rules import Rules
from mspgt.results import ModelResult, Notice, Results, read, to_jsonable
from mspgt.results.comparison import (
    ComparedCurves,
    ComparedInterventions,
    ComparedModel,
    ComparedRun,
    ComparedScales,
    Comparison,
)
from mspgt.study.differences import short, unlike
from mspgt.study.overlaying import curves_of
from mspgt.study.sizes import against_sizes
from mspgt.study.store import write_json
from mspgt.study.verdicts import conclusions

# What may differ: the models, and the draw of random numbers.
FREE = ("models", "seed")
# Their files are compared by content; the settings say where those lie.
BY_CONTENT = ("corpus", "treebank")
# An experiment that one run lacks is missing there; two runs that have it must have it alike.
OPTIONAL = ("interventions", "theory")


@dataclass(frozen=True)
class FinishedRun:
    """A run folder: its plan and its results."""

    folder: Path
    plan: dict[str, Any]
    results: Results

    @property
    def name(self) -> str:
        return self.folder.name


def compare_runs(
    folders: Sequence[Path], out: Path, account: str | None = None, *, curves_only: bool = False
) -> dict[str, Any]:
    """Curves, families, drift and verdicts over all models of several runs; writes compare.json into `out`.

    Args:
        curves_only: lay curves over one another and judge nothing; runs that did not measure alike may be given, and
            every difference is told among `sketches`.
        account: whose boundaries to judge (functional, shocks, phases) in place of what the runs planned; null: as
            planned.

    Returns:
        What compare.json holds: `runs`, `models` (boundaries and what identifies each), `curves` of each (by layer),
        `sizes` (positions against depth, width, parameters and steps), `families`, `predictions` and `warnings`, as
        in results.json.

    Raises:
        InputError: a folder is no finished run, or two runs cannot be compared; names every knob that differs.
    """
    if account is not None and account not in POSITIONS:
        raise InputError(f"--account is one of {', '.join(POSITIONS)}; found {account!r}.")
    runs = [read_run(folder) for folder in folders]
    if not runs:
        raise InputError("Expected the folders of one or more finished runs, found none.")
    problems = [line for other in runs[1:] for line in differences(runs[0], other)]
    if problems and not curves_only:
        raise _not_alike(problems)
    models, notices = merged(runs)
    notices += [
        Notice(f"runs.{key}", how, "heights of curves do not compare") for key, how in _split(problems)
    ]
    cut = [run for run in runs if run.results.provenance.limits]
    notices += [Notice(f"runs.{run.name}", _read_of(run), "a sketch of the whole") for run in cut]
    rules = Rules(**runs[0].plan["config"]["predictions"])
    if account is not None and account != rules.positions:
        notices.append(_not_planned(rules, account))
        rules = replace(rules, positions=account)  # type: ignore[arg-type]
    everything = Measurements(models, min(run.results.provenance.data.documents for run in runs))
    families, predictions, told = ({}, {}, []) if curves_only else conclusions(everything, rules)
    sizes = None if curves_only else against_sizes(models, primary(everything, rules)[0])
    found = Comparison(
        runs=[_row(run) for run in runs],
        models={name: _light(model) for name, model in models.items()},
        families=families,
        predictions=predictions,
        warnings=[*notices, *told],
        account="" if curves_only else account or rules.positions,
        curves=_curves(runs, models),
        sizes=sizes,
        sketches=[*sketches(runs, models), *unlike_words(problems)],
    )
    content: dict[str, Any] = to_jsonable(found, whole=True)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "compare.json", content)
    return content


def _not_alike(problems: Sequence[str]) -> InputError:
    listed = "\n  ".join(problems)
    return InputError(
        f"these runs did not measure the same thing the same way:\n  {listed}\nRun one of the studies again with the "
        "settings of the other, or lay their curves over one another without judging anything: --curves."
    )


def _not_planned(rules: Rules, account: str) -> Notice:
    what = f"positions are read by {account}; the runs planned {rules.positions}"
    return Notice("predictions", what, "these verdicts were not fixed in advance")


def _row(run: FinishedRun) -> ComparedRun:
    study, made = run.results.study, run.results.provenance
    return ComparedRun(
        run.name, study.name, study.hash, made.mspgt, made.started, made.data.name, made.limits
    )


def sketches(runs: Sequence[FinishedRun], models: Mapping[str, ModelResult]) -> Iterator[str]:
    """What makes the comparison a sketch: runs cut short by limits, and interventions on thirds of the depth."""
    cut = [run for run in runs if run.results.provenance.limits]
    if len(cut) == 1:
        yield _read_of(cut[0])
    elif cut:
        yield f"cut short by limits, which are among the warnings: {', '.join(run.name for run in cut)}"
    thirds = [
        name
        for name, model in models.items()
        if model.interventions_about and model.interventions_about.scales.source == "thirds"
    ]
    if thirds:
        yield f"interventions on thirds of the depth, not on scales that were found: {', '.join(thirds)}"


def _read_of(run: FinishedRun) -> str:
    return f"{run.name} read {'; '.join(run.results.provenance.limits)}"


def unlike_words(problems: Sequence[str]) -> Iterator[str]:
    """That runs did not measure alike, where their curves are laid over one another nevertheless."""
    if count := len({key for key, _ in _split(problems)}):
        yield f"the runs did not measure alike ({count} differences, among the warnings), and nothing is judged"


def _split(problems: Sequence[str]) -> list[tuple[str, str]]:
    """(what, how) of every difference in what was measured; rules of verdicts are none."""
    parts = (line.partition(": ") for line in problems)
    return [(key, how) for key, _, how in parts if not key.startswith("rule")]


def read_run(folder: Path) -> FinishedRun:
    """A finished run of this version's contract.

    Raises:
        ResultsError: no results, or not what this version reads.
        InputError: no plan there, or written by a version whose rules differ.
    """
    results = read(folder)
    try:
        plan = json.loads((folder / "plan.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder}: expected a finished run with plan.json and results.json, found: {error}. "
            "Run the study to its end first."
        ) from error
    if not isinstance(plan, dict):
        raise InputError(f"{folder / 'plan.json'}: expected a mapping, found {type(plan).__name__}.")
    if "predictions" not in plan:
        raise InputError(
            f"{folder} was planned by a version that fixed no rules of verdicts in advance "
            f"(mspgt {plan.get('environment', {}).get('mspgt', 'unknown')}). Run the study again with this version."
        )
    if results.study.hash != plan["hash"]:
        raise InputError(
            f"{folder}: its results are of plan {results.study.hash[:12]}…, and plan {plan['hash'][:12]}… was begun "
            "there after it and has not ended. Run either study to its end (mspgt run): what is done is used again."
        )
    return FinishedRun(folder, plan, results)


def differences(one: FinishedRun, other: FinishedRun) -> Iterator[str]:
    """Every knob, data set or rule that keeps two runs from being compared, in words."""
    mine, yours = one.plan["config"], other.plan["config"]
    for section in sorted({*mine, *yours} - {*FREE, *BY_CONTENT}):
        a, b = mine.get(section), yours.get(section)
        if section in OPTIONAL and (a is None or b is None):
            continue
        for key, x, y in unlike(section, a, b):
            yield f"{key}: {short(x)} in {one.name}, {short(y)} in {other.name}"
    for what in BY_CONTENT:
        if one.plan[what] != other.plan[what]:
            names = [_data_name(run, what) for run in (one, other)]
            yield f"{what}: {names[0]} in {one.name}, {names[1]} in {other.name}: the content differs"
    for identity in sorted({*one.plan["predictions"], *other.plan["predictions"]}):
        # Thresholds differ where the settings do, and were named there.
        a, b = ({**run.plan["predictions"].get(identity, {}), "threshold": 0} for run in (one, other))
        if a != b:
            versions = [run.results.provenance.mspgt for run in (one, other)]
            yield (
                f"rule of {identity}: the runs were planned under different rules "
                f"(mspgt {versions[0]} and {versions[1]})"
            )
    if one.plan["predictions"] != _now(one):
        yield f"rules: {one.name} was planned under rules that this version does not have any more"


def _now(run: FinishedRun) -> dict[str, Any]:
    return fixed_in_advance(Rules(**run.plan["config"]["predictions"]))


def _data_name(run: FinishedRun, what: str) -> str:
    data = run.results.provenance.data
    if what == "corpus":
        return f"{data.name} ({data.documents} documents, {data.sentences} sentences)"
    treebank = data.treebank
    return "none" if treebank is None else f"{treebank.name} ({treebank.sentences})"


def merged(runs: Sequence[FinishedRun]) -> tuple[dict[str, ModelResult], list[Notice]]:
    """All models; a name of different weights takes the run's name along, and a number where runs share it.

    The same weights measured in two runs count once, as in the first.
    """
    models: dict[str, ModelResult] = {}
    notices = []
    weights: dict[str, str] = {}
    for run in runs:
        for label, _, digest, *_ in run.plan["models"]:
            model = run.results.models[label]
            if digest in weights:
                notices.append(
                    Notice(
                        f"models.{label}",
                        f"{run.name} measured the same weights as {weights[digest]}",
                        "they count once",
                    )
                )
                continue
            name = _free(label, run.name, models)
            weights[digest] = f"{label} of {run.name}"
            models[name] = model
    for what in ("mspgt", "torch", "transformers", "device"):
        values = {getattr(run.results.provenance, what) for run in runs}
        if len(values) > 1:
            notices.append(
                Notice(f"runs.{what}", f"runs differ: {', '.join(sorted(values))}", "rounding may differ")
            )
    seeds = {run.plan["config"]["seed"] for run in runs}
    if len(seeds) > 1:
        notices.append(Notice("runs.seed", f"runs differ: {sorted(seeds)}", "tokens were drawn differently"))
    return models, notices


def _free(label: str, run: str, taken: Container[str]) -> str:
    """The label; beside the run's name, and numbered, as far as other weights have that name."""
    numbered = (f"{label} ({run}, {number})" for number in count(2))
    return next(name for name in chain((label, f"{label} ({run})"), numbered) if name not in taken)


def _curves(runs: Sequence[FinishedRun], models: Mapping[str, ModelResult]) -> dict[str, ComparedCurves]:
    """Name in the comparison → curves."""
    owners = {
        id(model): (run, label) for run in runs for label, model in run.results.models.items()
    }  # a name may have taken its run's along
    found = {}
    for name, model in models.items():
        run, label = owners[id(model)]
        found[name] = curves_of(model, run.results.provenance, run.results.warnings, label)
    return found


def _light(model: ModelResult) -> ComparedModel:
    about = model.interventions_about
    return ComparedModel(
        family=model.family,
        layers=model.layers,
        width=model.width,
        parameters=model.parameters,
        revision=model.revision,
        boundaries=model.boundaries,
        run=model.run,
        step=model.step,
        scales=None if model.scales is None else ComparedScales(model.scales.LI, model.scales.IG),
        # What a verdict is marked by: few texts, scales that were not found.
        interventions_about=None if about is None else ComparedInterventions(about.samples, about.scales),
    )

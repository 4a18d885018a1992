"""The drift of equation 2 split by what training runs differ in: seed, data or optimiser.

β_s is claimed to depend on architecture, data and optimisation. Runs of one architecture that differ in one of three
declared things, and agree in the other two, say how far that one moves a boundary: the standard deviation of relative
positions within such groups, pooled over groups. Whatever is random from run to run is in each of them, as is the
error of a position itself, which stands beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np
from scipy import stats

from mspgt.predictions.places import Place, match
from mspgt.predictions.readings import Reading, boundaries_of, named
from mspgt.results import ModelResult
from mspgt.results.families import DriftPart

PARTS = ("seed", "data", "optimiser")


def split_drift(
    models: Mapping[str, ModelResult], which: str, reading: Reading
) -> dict[str, DriftPart] | None:
    """Part → how far it moves one boundary (`LI` or `IG`) among the runs of a family; None where none is declared.

    Boundaries are matched first among the runs of each architecture, as for P3.2.
    """
    if not any(model.trained for model in models.values()):
        return None
    positions: dict[str, Place] = {}
    refused = []
    for shape in sorted({model.shape for model in models.values()}):
        own = {name: model for name, model in named(models) if model.shape == shape}
        found = {name: boundaries_of(model, reading) for name, model in own.items() if _declared(model)}
        refused += [f"{name} declares not all of {', '.join(PARTS)}" for name in own if name not in found]
        refused += [f"{name}: {why}" for name, why in found.items() if isinstance(why, str)]
        able = {name: one for name, one in found.items() if not isinstance(one, str)}
        if len(able) < 2:
            continue
        matched = match(able, ("LI", "IG").index(which))
        if isinstance(matched, str):
            refused.append(matched)
        else:
            positions |= matched.places
    made = {name: (models[name].shape, models[name].trained) for name in positions}
    return {part: _part(part, positions, made, refused) for part in PARTS}


def _part(
    part: str,
    positions: Mapping[str, Place],
    made: Mapping[str, tuple[object, Mapping[str, str]]],
    refused: Sequence[str],
) -> DriftPart:
    groups: dict[tuple[object, ...], dict[str, list[str]]] = {}
    for name, (shape, trained) in made.items():
        others = (shape, *(str(trained[other]) for other in PARTS if other != part))
        groups.setdefault(others, {}).setdefault(str(trained[part]), []).append(name)
    told = {others: by_value for others, by_value in groups.items() if len(by_value) > 1}
    squares, freedom = 0.0, 0
    for by_value in told.values():
        # Runs that agree in everything declared are one value of it.
        values = np.array(
            [np.mean([positions[name].relative for name in names]) for names in by_value.values()]
        )
        squares += float(((values - values.mean()) ** 2).sum())
        freedom += len(values) - 1
    names = [[name for own in by_value.values() for name in own] for by_value in told.values()]
    if not freedom:
        why = "; ".join(["no two runs differ in it alone", *refused])
        return DriftPart(None, None, 0, None, [], why)
    sd = sqrt(squares / freedom)
    ends = [sd * sqrt(freedom / float(stats.chi2.ppf(tail, freedom))) for tail in (0.975, 0.025)]
    errors = [positions[name].coarseness / sqrt(3) for group in names for name in group]
    return DriftPart(
        sd, (ends[0], ends[1]), freedom, float(np.sqrt(np.mean(np.square(errors)))), names, "; ".join(refused)
    )


def _declared(model: ModelResult) -> bool:
    return all(part in model.trained for part in PARTS)


def told(found: Mapping[str, DriftPart]) -> str:
    """The parts in one sentence."""
    parts = [
        f"{part} {one.sd:.3f} [{one.ci[0]:.3f}, {one.ci[1]:.3f}] ({one.freedom} degrees of freedom)"
        if one.sd is not None and one.ci is not None
        else f"{part} not measured ({one.reason})"
        for part, one in found.items()
    ]
    return f"SD of positions among runs that differ in one thing alone: {', '.join(parts)}"

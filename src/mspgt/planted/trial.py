"""Each planted subject through the path of models, and what it found held against what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mspgt.boundaries.phase_checks import WITHIN
from mspgt.boundaries.phase_results import phases_of
from mspgt.boundaries.robustness import TOLERANCE
from mspgt.planted import rises, updates
from mspgt.planted.recipe import LAYERS, Control
from mspgt.planted.stacks import find_in_stack
from mspgt.planted.texts import adjusted, text_effects, written_arms
from mspgt.results import Claim, PlantedControl, PlantedPlace, PlantedTest
from mspgt.results.planted import PaperFound
from mspgt.scales.decide import decide_scales
from mspgt.scales.tasks import TASKS
from mspgt.synthetic.triscale import TriScale
from mspgt.vocabulary import KINDS

LEVEL = 0.05  # family-wise error of every account here
ROUGHNESS = 0.25  # log-SD of lasting change from block to block
WORD_JUMP = 6.0  # −log CKA
ORDERS = {"LI": "L–I", "IG": "I–G"}


def tried(control: Control, settings: Mapping[str, Any] | None = None) -> PlantedControl:
    """Draw one subject, measure it as a model, and judge.

    Args:
        settings: a study's `boundaries` section, by which shocks are looked for.
    """
    if control.kind == "shocks":
        return _shocks(control, settings)
    return {"phases": _phases, "functional": _functional, "interventions": _interventions}[control.kind](
        control
    )


def _shocks(control: Control, settings: Mapping[str, Any] | None) -> PlantedControl:
    found = find_in_stack(
        LAYERS,
        control.layers,
        height=control.size or 0.0,
        drift=control.drift,
        seed=control.seed,
        settings=settings,
    )
    calibrated, paper = found.calibrated, found.paper
    names = {one.layer: name for name, one in calibrated.chosen.items() if one is not None}
    claims = sorted((one for kind in KINDS for one in getattr(calibrated, kind)), key=lambda one: one.layer)
    sizes = [(kind, one.size80) for kind, one in calibrated.power.items() if one.size80 is not None]
    smallest = min(sizes, key=lambda one: one[1], default=None)
    return judged(
        control,
        LAYERS,
        [PlantedPlace(_at(layer), layer, layer - TOLERANCE, layer + TOLERANCE) for layer in control.layers],
        [_of_claim(one, ORDERS.get(names.get(one.layer, ""), one.kind)) for one in claims],
        [PlantedTest(one.kind, one.layer, one.score, one.critical) for one in calibrated.rivals.get("1", ())],
        size80=None if smallest is None else smallest[1],
        paper=PaperFound(
            LI=None if paper.LI is None else paper.LI.layer,
            IG=None if paper.IG is None else paper.IG.layer,
            accepted=paper.accepted,
        ),
    )


def _at(layer: int) -> str:
    return f"layer {layer}"


def _of_claim(one: Claim, name: str) -> PlantedTest:
    return PlantedTest(name, one.layer, one.score, one.critical, set=list(one.set))


def _phases(control: Control) -> PlantedControl:
    rng = np.random.default_rng(control.seed)
    steps = np.exp(ROUGHNESS * rng.standard_normal(LAYERS - 1)) / (LAYERS - 1)
    steps *= np.exp(-control.drift * np.linspace(-0.5, 0.5, LAYERS - 1))
    steps[[layer - 1 for layer in control.layers]] += control.size or 0.0
    word: NDArray[np.float64] | None = None
    if control.word is not None:
        word = np.zeros(LAYERS - 1)
        word[control.word - 1] = WORD_JUMP
    found = phases_of(updates.measured(updates.tokens_of(steps, word_steps=word, rng=rng), rng))
    strongest = [found.candidate] if found.candidate else []
    return judged(
        control,
        LAYERS,
        [PlantedPlace(_at(layer), layer, layer - WITHIN, layer + WITHIN) for layer in control.layers],
        [_of_claim(one, one.kind) for one in found.boundaries],
        [_of_claim(one, one.kind) for one in strongest],
        size80=found.size80,
        reasons=list(found.why),
    )


def _functional(control: Control) -> PlantedControl:
    assert control.centres is not None
    asked = [next(task for task in TASKS if task.name == name) for name, *_ in rises.PLANTED]
    found = decide_scales(rises.stack_gains(control.centres, control.seed), tasks=asked, seed=control.seed)
    depths = [at * rises.LAYERS for at in control.centres]
    places, claims, tests = [], [], []
    for pair, low, high in zip(ORDERS, depths, depths[1:], strict=False):
        order, boundary = found.order[pair], getattr(found, pair)
        if high > low:
            # Where one scale hands over to the next lies between the places of their own rises.
            places.append(PlantedPlace(ORDERS[pair], None, low, high))
        test = PlantedTest(ORDERS[pair], boundary.layer, p=order.p, set=list(boundary.set))
        tests.append(test)
        if boundary.layer is not None:
            claims.append(test)
    return judged(control, rises.LAYERS, places, claims, tests, reasons=[found.verdict])


def _interventions(control: Control) -> PlantedControl:
    language = TriScale()
    arms = written_arms(language, control.arms, control.seed)
    tests = [
        PlantedTest(arm, p=p, metric=metric)
        for arm, metrics in adjusted(text_effects(language, arms, control.seed)).items()
        for metric, p in metrics.items()
    ]
    claims = []
    for arm in dict.fromkeys(one.name for one in tests):
        strongest = min((one for one in tests if one.name == arm), key=lambda one: one.p or 0.0)
        if strongest.p is not None and strongest.p <= LEVEL:
            claims.append(strongest)
    return judged(control, None, [PlantedPlace(arm) for arm in control.arms], claims, tests)


def judged(
    control: Control,
    layers: int | None,
    places: Sequence[PlantedPlace],
    claims: Sequence[PlantedTest],
    tests: Sequence[PlantedTest],
    *,
    size80: float | None = None,
    paper: PaperFound | None = None,
    reasons: Sequence[str] = (),
) -> PlantedControl:
    """Which of what was planted was found, and which of what was found was planted."""
    for place in places:
        place.found = any(_meets(one, place) for one in claims)
    for one in claims:
        one.planted = any(_meets(one, place) for place in places)
    return PlantedControl(
        kind=control.kind,
        says=control.says,
        seed=control.seed,
        layers=layers,
        size=control.size,
        unit=control.unit,
        planted=list(places),
        found=list(claims),
        tests=list(tests),
        size80=size80,
        paper=paper,
        passed=all(one.found for one in places) and all(one.planted for one in claims),
        reasons=list(reasons),
    )


def _meets(one: PlantedTest, place: PlantedPlace) -> bool:
    """A boundary by where it lies; one with a name, or a scale, by its name too."""
    if place.low is None or place.high is None:
        return one.name == place.name
    if place.layer is None and one.name != place.name:
        return False
    return one.layer is not None and place.low <= one.layer <= place.high

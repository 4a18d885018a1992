"""P-order by functional scales: where each kind of context becomes usable, instead of what probes are asked."""

from __future__ import annotations

from mspgt.predictions.verdict import Unit
from mspgt.results import ModelResult
from mspgt.vocabulary import INITIALS

STEPS = {"LI": "L → I", "IG": "I → G"}


def functional_unit(name: str, model: ModelResult, missing: list[str]) -> tuple[Unit | None, bool]:
    """The gaps between the centres of a model's scales, and whether both of them were tested.

    The tests are those of the functional account itself: both gaps judged together, each beyond its margin. A scale
    that is undefined leaves its steps untested, and the reason in `missing`.
    """
    found = model.scales
    if not found:
        missing.append(f"{name}: functional scales were not measured")
        return None, False
    tests = {step: found.order[pair] for pair, step in STEPS.items()}
    known = {
        step: (test.gap.value, test.p, test.p_reversed)
        for step, test in tests.items()
        if test.gap.value is not None and test.p is not None and test.p_reversed is not None
    }
    missing += [f"{name}: {step}: {tests[step].reason}" for step in tests if step not in known]
    if not known:
        return None, False
    least = min(known, key=lambda step: known[step][0])
    depth, ends = model.layers, tests[least].gap.ci
    centres = {scale: found.scales[scale].centre.value for scale in INITIALS}
    told = ", ".join(
        f"{scale} {centre / depth:.2f}" for scale, centre in centres.items() if centre is not None
    )
    margin = max(tests[step].margin for step in known) / depth
    unit = Unit(
        name,
        known[least][0] / depth,
        None if ends is None else (ends[0] / depth, ends[1] / depth),
        max(p for _, p, _ in known.values()),
        min(reversed_ for _, _, reversed_ in known.values()),
        f"models.{name}.scales.order",
        f"centres of functional scales: {told}; least step {least}, margin {margin:.2f}",
    )
    return unit, len(known) == len(tests)

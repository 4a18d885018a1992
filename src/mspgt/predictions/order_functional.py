"""P-order by functional scales: where each kind of context becomes usable, instead of what probes are asked."""

from __future__ import annotations

from mspgt.predictions.verdict import Json, Unit

STEPS = {"LI": "L → I", "IG": "I → G"}


def functional_unit(name: str, model: Json, missing: list[str]) -> tuple[Unit | None, bool]:
    """The gaps between the centres of a model's scales, and whether both of them were tested.

    The tests are those of the functional account itself: both gaps judged together, each beyond its margin. A scale
    that is undefined leaves its steps untested, and the reason in `missing`.
    """
    found = model.get("scales")
    if not found:
        missing.append(f"{name}: functional scales were not measured")
        return None, False
    tests = {step: found["order"][pair] for pair, step in STEPS.items()}
    known = {step: test for step, test in tests.items() if test["p"] is not None}
    missing += [f"{name}: {step}: {tests[step]['reason']}" for step in tests if step not in known]
    if not known:
        return None, False
    least = min(known, key=lambda step: known[step]["gap"]["value"])
    depth, gap = model["layers"], known[least]["gap"]
    ends = gap["ci"]
    told = ", ".join(
        f"{scale} {found['scales'][scale]['centre']['value'] / depth:.2f}"
        for scale in ("L", "I", "G")
        if found["scales"][scale]["centre"]["value"] is not None
    )
    margin = max(test["margin"] for test in known.values()) / depth
    unit = Unit(
        name,
        gap["value"] / depth,
        None if ends is None else (ends[0] / depth, ends[1] / depth),
        max(test["p"] for test in known.values()),
        min(test["p_reversed"] for test in known.values()),
        f"models.{name}.scales.order",
        f"centres of functional scales: {told}; least step {least}, margin {margin:.2f}",
    )
    return unit, len(known) == len(tests)

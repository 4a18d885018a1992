"""What a reader must be told before believing an effect of Experiment 2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mspgt.results import Notice
from mspgt.study.parts import Given


def notices(given: Given, missing: dict[str, str], content: dict[str, Any]) -> Iterator[Notice]:
    """What stands beside effects.

    Args:
        missing: metric → why it was not measured.
        content: fields of ModelResult, as the part sets them.
    """
    settings, about = given.config.interventions, content["interventions_about"]
    assert settings is not None
    place = f"models.{given.identity.label}.interventions"
    for name, why in missing.items():
        yield Notice(f"{place}.*.{name}", f"{name} was not measured: {why}", f"{name} is null")
    for name, arm in about["arms"].items():
        if arm["failed"] is not None:
            yield Notice(f"{place}.{name}", arm["failed"]["reason"], "its effects are null; other arms stand")
    if given.scales.source == "thirds":
        yield Notice(
            f"{place}_about.scales",
            "no boundary was found or given: the scales are thirds of the depth",
            "effects describe thirds and carry no verdict",
        )
    if "coherence" not in missing and (settings.coherence_samples or settings.samples) < settings.samples:
        yield Notice(
            f"{place}.*.coherence",
            f"only {settings.coherence_samples} of {settings.samples} samples were encoded",
            "its intervals are wider; n says how many",
        )
    equal = (content["doses_about"] or {}).get("equal_kl") or {}
    if equal.get("reason"):
        yield Notice(f"{place}.*_equal_kl", equal["reason"], "there are no arms of equal KL")
    if about["short_prompts"]:
        yield Notice(
            f"{place}_about.short_prompts",
            f"{about['short_prompts']} prompts are shorter than {settings.prompt_tokens} tokens",
            "their documents hold no more",
        )

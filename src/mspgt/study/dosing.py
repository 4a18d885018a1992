"""The doses of Experiment 2 as stages of a study: what noise is measured against, and what it costs.

audit      by layer and depth, whatever the boundaries are
dosing     by scale, and the sizes of equal KL
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from mspgt.study.config import InterventionsConfig, StudyConfig
from mspgt.study.identity import Subject
from mspgt.study.keys import stage_address
from mspgt.study.parts import Given, Models
from mspgt.study.stages import addresses, who_is
from mspgt.study.store import Address, StageResult
from mspgt.vocabulary import Progress

if TYPE_CHECKING:
    from mspgt.interventions.doses import Yardsticks
    from mspgt.interventions.prompts import Prompt
    from mspgt.lm.model import LanguageModel

Pair = tuple[Address, Address]  # of the audit and of the doses by scale


def scales_address(given: Given) -> Address:
    """Where Experiment 1 left the activation scales."""
    return addresses(given.root, given.config, Subject(given.identity), given.data).scales


def audit_addresses(given: Given) -> Pair | None:
    """Of the audit and of the doses by scale; None where a study asks for neither."""
    settings = settings_of(given.config)
    if not settings.audit_passages:
        return None
    asked = {
        **who_is(Subject(given.identity)),
        "corpus": given.data.corpus.sha256,
        "scales": scales_address(given).key,
        "start": given.config.measure.start,
        "seed": given.config.seed,
        **settings.model_dump(include={"sigma", "audit_passages", "audit_tokens"}),
    }
    found = {"boundaries": [given.scales.LI, given.scales.IG], "dose": settings.dose}
    return (
        stage_address(given.root, given.identity, "audit", asked, audited_doses),
        stage_address(given.root, given.identity, "dosing", {**asked, **found}, doses_by_scale),
    )


def yardsticks(given: Given) -> Yardsticks:
    """What noise is measured against, from the activation scales in the store."""
    return yardsticks_in(scales_address(given))


def yardsticks_in(scales: Address) -> Yardsticks:
    """The same, by where the activation scales lie."""
    from mspgt.interventions.doses import Yardsticks
    from mspgt.study import codec  # loads torch, which a plan does not need

    return Yardsticks.of(codec.unpack_scales(scales.load()))


class Auditing:
    """What the doses of one model are audited with, each thing made when first asked for."""

    def __init__(self, given: Given, scales: Address, model: Models) -> None:
        """scales: where Experiment 1 left the activation scales."""
        self.given, self.scales, self.model = given, scales, model

    @property
    def lm(self) -> LanguageModel:
        return self.model()

    @cached_property
    def units(self) -> Yardsticks:
        """What noise is measured against."""
        return yardsticks_in(self.scales)

    @cached_property
    def passages(self) -> list[Prompt]:
        from mspgt.interventions.costs import make_passages

        settings = settings_of(self.given.config)
        corpus, start = self.given.data.corpus, self.given.config.measure.start
        return make_passages(self.lm, corpus, settings.audit_passages, settings.audit_tokens, start=start)


def audited_doses(work: Auditing, report: Progress) -> StageResult:
    """The dose audit by block and by depth."""
    from mspgt.interventions.audit import dose_audit
    from mspgt.interventions.experiment import passages_read

    doses = dose_audit(
        work.lm,
        work.passages,
        work.units,
        sigma=settings_of(work.given.config).sigma,
        seed=work.given.config.seed,
        progress=lambda done: report(done, len(work.passages), "dose audit, passages"),
    )
    return StageResult(meta={"doses": doses, "read": passages_read(work.passages)})


def doses_by_scale(work: Auditing) -> StageResult:
    """What noise on each scale costs, and the sizes at which all cost the same."""
    from mspgt.interventions.audit import equal_divergence, scale_costs

    given, settings = work.given, settings_of(work.given.config)
    asked: dict[str, Any] = {"sigma": settings.sigma, "seed": given.config.seed}
    costs = scale_costs(work.lm, work.passages, given.scales, work.units, **asked)
    equal = equal_divergence(
        work.lm, work.passages, given.scales, work.units, definition=settings.dose, **asked
    )
    return StageResult(meta={"scales": costs, "equal_kl": equal})


def equal_sizes(where: Pair | None) -> dict[str, float] | None:
    """Scale → size of noise of equal KL; None where there is none."""
    found = None if where is None else where[1].load().meta["equal_kl"]["sizes"]
    return found and dict(found)


def audit_results(given: Given, where: Pair | None) -> dict[str, Any]:
    """`doses` and `doses_about` of ModelResult."""
    if where is None:
        return {"doses": None, "doses_about": None}
    from mspgt.interventions.experiment import audit_summary

    by_layer, by_scale = (address.load().meta for address in where)
    return audit_summary(
        by_layer["doses"],
        by_scale["scales"],
        by_scale["equal_kl"],
        yardsticks(given),
        read=by_layer["read"],
        sigma=settings_of(given.config).sigma,
    )


def settings_of(config: StudyConfig) -> InterventionsConfig:
    """The section of the study; the part runs only where there is one."""
    assert config.interventions is not None
    return config.interventions

"""Which models of a study are training runs of one configuration, and what their mean profile says."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import TYPE_CHECKING

import numpy as np

from mspgt.boundaries.power import power_statement
from mspgt.errors import InputError
from mspgt.predictions.readings import State, last_states
from mspgt.results import Notice, ReplicatedResult
from mspgt.study.config import StudyConfig
from mspgt.study.identity import Identity
from mspgt.vocabulary import KINDS

if TYPE_CHECKING:
    from mspgt.boundaries.find import Findings  # loads torch, which a plan does not need

Groups = dict[str, list[Identity]]


def training_runs(config: StudyConfig, identities: Sequence[Identity]) -> list[Identity]:
    """One model a training run, in the order given."""
    settings = {model.label: model for model in config.models}
    named = [(settings[one.label], one) for one in identities]
    kept = last_states(State(one.label, model.run, model.step, one.weights_sha256) for model, one in named)
    return [identity for identity in identities if identity.label in kept]


def replicate_groups(config: StudyConfig, identities: Sequence[Identity]) -> Groups:
    """Group → its runs, two or more: models of one `replicates` name, else of one family and shape.

    Raises:
        InputError: models of one `replicates` name differ in layers, width or parameters.
    """
    settings = {model.label: model for model in config.models}
    named: Groups = {}
    alike: dict[tuple[str, int, int, int], list[Identity]] = {}
    for identity in training_runs(config, identities):
        name = settings[identity.label].replicates
        if name is not None:
            named.setdefault(name, []).append(identity)
        else:
            alike.setdefault((identity.family, *identity.shape), []).append(identity)
    for name, members in named.items():
        if len({member.shape for member in members}) > 1:
            shapes = "; ".join(
                f"{m.label}: {m.layers} layers, width {m.width}, {m.parameters:,} parameters" for m in members
            )
            raise InputError(
                f"models: replicates: {name}: training runs of one configuration must agree in layers, width and "
                f"parameters, found {shapes}. Give models of another shape another name, or none."
            )
    groups = {name: members for name, members in named.items() if len(members) > 1}
    for members in alike.values():
        if len(members) > 1:
            groups[_free(members[0], groups)] = members
    return groups


def _free(member: Identity, taken: Container[str]) -> str:
    """The family; as far as other groups have that name, with what tells this one apart, and numbered."""
    shape = f"{member.family}, {member.layers} layers, width {member.width}"
    whole = f"{shape}, {member.parameters:,} parameters"
    numbered = (f"{whole} ({number})" for number in count(2))
    return next(name for name in chain((member.family, shape, whole), numbered) if name not in taken)


def judge_replicates(
    config: StudyConfig, groups: Groups, findings: Mapping[str, Findings]
) -> tuple[dict[str, ReplicatedResult], list[Notice]]:
    """`replicated` of results.json, and what the reader must be told."""
    from mspgt.boundaries.replicated import find_replicated

    results, notices = {}, []
    for name, members in groups.items():
        runs = {member.label: findings[member.label] for member in members}
        unread = np.isnan([one.stabilised for one in runs.values()]).all(axis=-1).any(axis=0)
        if members[0].layers < 2 or unread.all():
            why = "one layer" if members[0].layers < 2 else "no signal was measured in every run"
            notices.append(Notice(f"replicated.{name}", why, "no boundary possible"))
            continue
        results[name] = find_replicated(runs, members[0].family, level=config.boundaries.level)
    return results, notices


def replicate_lines(config: StudyConfig, identities: Sequence[Identity]) -> Iterator[str]:
    """For `mspgt plan`: what the runs of each group could show together, if their roughness is their own."""
    for name, members in replicate_groups(config, identities).items():
        runs, transitions = len(members), members[0].layers - 1
        if transitions < 1:
            continue
        sizes = {kind: power_statement(transitions, kind).size80 for kind in KINDS}
        seen = [f"{kind} {size / np.sqrt(runs):.1f} SD" for kind, size in sizes.items() if size is not None]
        yield (
            f"runs    {name}: {runs} runs of one configuration ({', '.join(m.label for m in members)}), also judged "
            f"on their mean; common to all and seen in 80 %: {', '.join(seen) or 'nothing at this depth'}"
        )

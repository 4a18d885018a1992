"""What a study consists of, before it runs and after: enough to say what each verdict could have shown."""

from __future__ import annotations

from dataclasses import dataclass

from mspgt.predictions.readings import Measurements, finished


@dataclass(frozen=True)
class Member:
    """One training run of a study."""

    name: str
    family: str
    shape: tuple[int, int, int]  # layers, width, parameters


@dataclass(frozen=True)
class Design:
    """Models, one a training run, and the experiments on them."""

    members: tuple[Member, ...]
    documents: int
    samples: int | None = None  # generated texts an arm; None: no interventions
    random_sets: int = 0  # of layers, as far apart as those of the Intermediate scale
    theory: bool = False
    tasks: tuple[str, ...] = ()  # of the probes

    def families(self) -> dict[str, list[Member]]:
        """Members by family."""
        grouped: dict[str, list[Member]] = {}
        for member in self.members:
            grouped.setdefault(member.family, []).append(member)
        return grouped

    def too_few(self, members: int) -> str:
        """What pairs of families with so many members each lack; empty where there is one."""
        if self.samples is None:
            return "needs Experiment 2 (interventions) on models of two families"
        families = self.families()
        if len(families) < 2:
            return f"needs models of two families, found {len(families)}"
        few = [name for name, own in families.items() if len(own) < members]
        if len(families) - len(few) < 2:
            return f"needs {members} models in each of two families; fewer in {', '.join(few)}"
        return ""

    def architectures(self) -> dict[tuple[str, int, int, int], list[Member]]:
        """Members by architecture: training runs of one configuration together."""
        grouped: dict[tuple[str, int, int, int], list[Member]] = {}
        for member in self.members:
            grouped.setdefault((member.family, *member.shape), []).append(member)
        return grouped


def design_of(results: Measurements) -> Design:
    """The design that results came from."""
    models = finished(results)
    members = tuple(Member(name, model.family, model.shape) for name, model in models.items())
    abouts = [model.interventions_about for model in models.values()]
    samples = [about.samples for about in abouts if about and about.samples]
    sets = [
        sum(name.startswith("random_spread_") for name in model.interventions)
        for model in models.values()
        if model.interventions
    ]
    return Design(
        members=members,
        documents=results.documents,
        samples=min(samples, default=None),
        random_sets=min(sets, default=0),
        theory=any(model.theory for model in models.values()),
        tasks=tuple(sorted({task for model in models.values() for task in model.probes})),
    )

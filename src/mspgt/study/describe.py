"""What `mspgt plan` prints: a study's stages, what they cost, and why each will run. No weights are loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mspgt.lm.memory import bytes_of
from mspgt.lm.shape import Shape
from mspgt.study.config import ModelConfig, StudyConfig
from mspgt.study.estimate import TOKENS_A_WORD, share_of_speed, stage_work
from mspgt.study.experiments import PARTS
from mspgt.study.footprint import Drawn, Weights, memory
from mspgt.study.identity import Identity
from mspgt.study.kept import PLANS
from mspgt.study.looking import Look, look, on_gpu, readings
from mspgt.study.plan import Plan, PlannedStage
from mspgt.study.reading import read_data
from mspgt.study.replicates import replicate_lines
from mspgt.study.speed import flops_a_second
from mspgt.study.stages import Data
from mspgt.study.store import Status
from mspgt.study.verdicts import power_lines


def describe(config: StudyConfig, root: Path, *, quiet: bool = False) -> Iterator[str]:
    """Lines of the plan: models, data, stages with reasons, cost, and the hash that results will carry."""
    data, twin_data = read_data(config)
    looks = [look(model) for model in config.models]
    told = [list(readings(one, config.measure)) for one in looks]
    plan = Plan(config, data, twin_data, tuple(one.identity for one in looks))
    yield f"study   {config.name}   plan {plan.hash[:16]}   in {root}"
    other = plan.other(root)
    if other:
        yield f"folder  holds another plan, kept under {PLANS}/; what has the same key is used again. Different:"
        yield from (f"          {line}" for line in other)
    yield _data_line(data)
    for identity, words in zip(plan.identities, told, strict=True):
        yield (
            f"model   {identity.label}: {identity.family}, {identity.layers} layers, width {identity.width}, "
            f"{identity.parameters:,} parameters, {', '.join((identity.dtype, *words))}"
            + _power(identity, 1 + (data.treebank is not None) + identity.has_attention)
        )
    stages = [*plan.stages(root), *later_stages(plan)]
    yield from replicate_lines(config, plan.identities)
    yield from power_lines(config, plan.identities, len(data.corpus.documents))
    if not quiet:
        width = max(len(stage.subject) for stage in stages)
        for stage in stages:
            mark = "done" if stage.status.done else "run "
            yield f"  {mark}  {stage.subject:<{width}}  {stage.stage:<9} {stage.status.reason}{_cost(stage)}"
    todo = [stage for stage in stages if not stage.status.done]
    sentences = sum(stage.passes for stage in todo)
    yield f"to run  {len(todo)} of {len(stages)} stages, {sentences:,} sentences through a model"
    yield from _needs(config, plan, looks, todo)
    activations = max(
        Drawn.of(Shape.of(one.card), one.identity.dtype, config, data, _tokens(one, data)).bytes
        for one in looks
    )
    yield f"disk    {in_bytes(sum(s.disk for s in todo))} to keep, {in_bytes(activations)} at a time while measuring"


def expected(plan: Plan, root: Path) -> Iterator[str]:
    """What a run that starts now will need in all, model by model; nothing where measuring is done already."""
    missing = [stage for stage in plan.stages(root) if not stage.status.done]
    if missing:
        looks = [look(model) for model in plan.config.models]
        yield from _needs(plan.config, plan, looks, [*missing, *later_stages(plan)])


def _needs(
    config: StudyConfig, plan: Plan, looks: Sequence[Look], todo: Sequence[PlannedStage]
) -> Iterator[str]:
    """Hours, at the speed that is measured now, and memory, model by model."""
    if not todo:
        return
    total = 0.0
    for found, model in zip(looks, config.models, strict=True):
        need = needed(config, plan, found, model, todo)
        if need is None:
            continue
        seconds, peak = need
        total += seconds
        yield (
            f"needs   {found.identity.label}: about {in_time(seconds)} of "
            f"{'a GPU' if on_gpu(model) else 'one core'}, {in_bytes(peak)} of memory"
        )
    if len(looks) > 1:
        yield f"time    about {in_time(total)} of a core or GPU for all models"


def needed(
    config: StudyConfig, plan: Plan, found: Look, model: ModelConfig, todo: Sequence[PlannedStage]
) -> tuple[float, float] | None:
    """Seconds of one core (or GPU) at the speed that is measured now, and bytes at the peak; None without a stage."""
    identity, shape = found.identity, Shape.of(found.card, config.measure.window)
    products, own = 0.0, []  # operations of large products that would take as long
    for twin, data in ((False, plan.data), (True, plan.twin_data)):
        tokens = _tokens(found, data)
        for stage in todo:
            label, _, which = stage.subject.partition(" (twin")
            if label == identity.label and bool(which) == twin:
                work = stage_work(stage, shape, config, data, tokens, twin=twin)
                products += work / share_of_speed(stage)
                own.append(stage)
    if not own:
        return None
    device = "cuda" if on_gpu(model) else "cpu"
    speed = flops_a_second(identity.width, found.card.feed_forward, identity.dtype, 1, device)
    within = None if model.memory is None else bytes_of(model.memory)
    stored = None if found.quantised else found.card.dtype
    peak = memory(
        shape, Weights(identity.dtype, stored, within), config, plan.data, own,
        tokens=_tokens(found, plan.data), twins=config.twins.seeds > 0,
    )  # fmt: skip
    return products / speed, peak


def _tokens(found: Look, data: Data) -> float:
    """Tokens of a text: counted where the tokenizer lies here, else by its words."""
    text = [sentence for document in data.corpus.documents for sentence in document.sentences]
    if found.vocabulary is not None and found.vocabulary.count is not None:
        return float(found.vocabulary.count(text))
    return TOKENS_A_WORD * sum(len(sentence.split()) for sentence in text)


def standing(plan: Plan, root: Path) -> str:
    """What is done of a run, and what will be computed and why, in a few words."""
    stages = list(plan.stages(root))
    waiting: dict[str, list[str]] = {}
    for stage in stages:
        if not stage.status.done:
            waiting.setdefault(stage.status.reason, []).append(f"{stage.stage} of {stage.subject}")
    done = len(stages) - sum(map(len, waiting.values()))
    told = [f"{done} of {len(stages)} stages are done and kept"]
    for reason, names in waiting.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        told.append(f"{len(names)} to compute, {reason}: {', '.join(names[:3])}{more}")
    return "; ".join(told)


def later_stages(plan: Plan) -> Iterator[PlannedStage]:
    """Stages that start from boundaries: whether they are up to date is known once those are decided."""
    waits = Status(False, "after the boundaries are decided")
    for part in PARTS:
        if getattr(plan.config, part.name) is not None:
            for identity in plan.identities:
                for cost in part.costs(plan.config, identity, plan.data):
                    yield PlannedStage(
                        identity.label, cost.stage, waits, cost.passes, cost.disk, cost.backward, cost.memory
                    )  # fmt: skip


def _cost(stage: PlannedStage) -> str:
    """Passes each way and memory, of a stage that goes backward or keeps states."""
    if not stage.backward and not stage.memory:
        return ""
    told = [f"{stage.passes - 2 * stage.backward:,} forward"]
    if stage.backward:
        told.append(f"{stage.backward:,} backward")
    text = f"; {' and '.join(told)} passes of a sentence"
    return text + (f", {in_bytes(stage.memory)} above the model" if stage.memory else "")


def _power(identity: Identity, signals: int) -> str:
    from mspgt.boundaries.power import power_statement
    from mspgt.vocabulary import KINDS

    if identity.layers < 3:
        return "; no boundary possible"
    sizes = {kind: power_statement(identity.layers - 1, kind, signals=signals).size80 for kind in KINDS}
    seen = [f"{kind} {size:.1f}" for kind, size in sizes.items() if size is not None]
    blind = [kind for kind, size in sizes.items() if size is None]
    text = f"; seen in 80 %, in roughness SDs: {', '.join(seen)}" if seen else ""
    return text + (f"; could not be seen: {', '.join(blind)}" if blind else "")


def _data_line(data: Data) -> str:
    corpus, treebank = data.corpus, data.treebank
    text = f"data    {corpus.name}: {len(corpus.documents)} documents, {corpus.n_sentences:,} sentences"
    if treebank is None:
        return text + "; no treebank, so S2 is null"
    counts = "/".join(str(len(getattr(treebank, split))) for split in ("train", "dev", "test"))
    return f"{text}; treebank {treebank.name}: {counts} sentences, tasks {', '.join(treebank.tasks)}"


def in_time(seconds: float) -> str:
    """A duration in words: seconds, minutes or hours."""
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )


def in_bytes(count: float) -> str:
    """Bytes in words: MB below one GB."""
    return f"{count / 2**20:.0f} MB" if count < 2**30 else f"{count / 2**30:.1f} GB"

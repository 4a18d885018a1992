"""Training runs that differ in one thing alone, and the study that splits their drift (equation 2).

`python -m calibration.drift_runs OUT` trains models of one bundled recipe: one run, and others in which the initial
weights, the order of the text, or the learning rates alone are different. `mspgt run OUT/drift.yaml` measures them,
and `families.drift.*.split` of its results holds the SD of positions by seed, data and optimiser. A run that is there
already is not made again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mspgt.zoo.architecture import build
from mspgt.zoo.bundled import write_model
from mspgt.zoo.fitting import fit
from mspgt.zoo.recipes import BundledRecipe, recipe
from mspgt.zoo.stream import Stream
from mspgt.zoo.training import excess
from mspgt.zoo.vocabulary import build_tokenizer

RATES = (1.0, 0.5, 2.0, 0.7, 1.4)  # of the optimiser, over those of the recipe
STUDY = """\
# Runs of one recipe that differ in their initial weights, in the order of their text, or in their learning rates.
name: drift
models:
{models}
corpus: {{source: triscale, format: triscale, max_documents: 300}}
treebank: {{planted: triscale, max_train: 600, max_eval: 300}}
measure: {{cka_tokens: 4096, shard_documents: 300}}
probes: {{controls: false}}
twins: {{seeds: 1, max_sentences: 800, max_train: 300, max_eval: 200}}
scales: {{documents: 60, seeds: 1, draws: 300}}
"""


@dataclass(frozen=True)
class Run:
    """What one run was made with; runs that agree in two of the three tell of the third."""

    seed: int = 1  # of the initial weights
    data: int = 1  # of the order of the text
    optimiser: float = 1.0  # learning rates over those of the recipe

    @property
    def name(self) -> str:
        """The folder of the run."""
        return f"seed{self.seed}-data{self.data}-rate{self.optimiser:g}"


def runs(each: int) -> Iterator[Run]:
    """One run, and `each` more in which one thing is different, for each of the three things."""
    yield Run()
    for other in range(2, 2 + each):
        yield Run(seed=other)
        yield Run(data=other)
        yield Run(optimiser=RATES[other - 1])


def make(run: Run, plan: BundledRecipe, out: Path) -> None:
    """Train one run into `out/name`."""
    plan = replace(
        plan,
        seed=run.seed,
        matrix_rate=plan.matrix_rate * run.optimiser,
        other_rate=plan.other_rate * run.optimiser,
    )
    tokenizer = build_tokenizer(plan.language, bos=plan.bos)
    stream = Stream(plan.language, tokenizer, bos=plan.bos)
    model = build(plan, tokenizer.get_vocab_size())

    def loss_at(step: int) -> torch.Tensor:
        length = plan.length(step)
        return excess(model, stream.draw(plan.tokens_a_step // length, length, [run.data, step]))

    curve = fit(model, plan, loss_at, out / f"{run.name}.state")
    write_model(out / run.name, model, tokenizer, plan, {"data_seed": run.data, "curve": curve})


def main() -> None:
    """Make what is missing, and write the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--recipe", default="triscale-qwen2-1")
    parser.add_argument("--each", type=int, default=1, choices=range(1, len(RATES)))
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--steps", type=int, default=500)
    chosen = parser.parse_args()
    plan = replace(recipe(chosen.recipe), layers=chosen.layers, steps=chosen.steps, checkpoints=())
    chosen.out.mkdir(parents=True, exist_ok=True)
    models = []
    for run in runs(chosen.each):
        if not (chosen.out / run.name).is_dir():
            make(run, plan, chosen.out)
        trained = {"seed": run.seed, "data": run.data, "optimiser": f"rate {run.optimiser:g}"}
        folder = json.dumps(str((chosen.out / run.name).resolve()))
        models.append(
            f"  - {{id: {folder}, name: {run.name}, family: drift, trained: {json.dumps(trained)}}}"
        )
    (chosen.out / "drift.yaml").write_text(STUDY.format(models="\n".join(models)), "utf-8")


if __name__ == "__main__":
    main()

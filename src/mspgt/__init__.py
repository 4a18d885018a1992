"""mspgt: find the Local, Intermediate and Global scales inside a language model.

>>> import mspgt
>>> from mspgt.synthetic.corpora import sample_corpus
>>> from mspgt.synthetic.triscale import TriScale
>>> from mspgt.zoo.bundled import path
>>> lm = mspgt.load(path("triscale-llama-1"))      # a folder, or the id of any causal model on the Hub
>>> corpus = sample_corpus(TriScale(), 12, seed=0)  # or mspgt.load_corpus("my-text.txt")
>>> signals = mspgt.measure(lm, corpus, cka_tokens=256)
>>> found = mspgt.find_boundaries(signals, draws=signals.bootstrap(50, seed=0))
>>> found.calibrated.chosen, found.paper.accepted
({'LI': None, 'IG': None}, False)

Nothing heavy is imported until a name is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mspgt.boundaries.detect import detect as detect
    from mspgt.boundaries.find import find_boundaries as find_boundaries
    from mspgt.errors import MspgtError as MspgtError
    from mspgt.families import compare_families as compare_families
    from mspgt.interventions.diversity import self_bleu as self_bleu
    from mspgt.interventions.experiment import intervene as intervene
    from mspgt.lm.check import check as check
    from mspgt.lm.load import load as load
    from mspgt.scales.find import find_scales as find_scales
    from mspgt.signals.attention import jensen_shannon as jensen_shannon
    from mspgt.signals.cka import cka as cka
    from mspgt.signals.profiles import measure as measure
    from mspgt.study.run import Study as Study
    from mspgt.text.corpus import load_corpus as load_corpus
    from mspgt.text.treebank import load_treebank as load_treebank

_HOMES = {
    "MspgtError": "mspgt.errors",
    "Study": "mspgt.study.run",
    "check": "mspgt.lm.check",
    "cka": "mspgt.signals.cka",
    "compare_families": "mspgt.families",
    "detect": "mspgt.boundaries.detect",
    "find_boundaries": "mspgt.boundaries.find",
    "find_scales": "mspgt.scales.find",
    "intervene": "mspgt.interventions.experiment",
    "jensen_shannon": "mspgt.signals.attention",
    "load": "mspgt.lm.load",
    "load_corpus": "mspgt.text.corpus",
    "load_treebank": "mspgt.text.treebank",
    "measure": "mspgt.signals.profiles",
    "self_bleu": "mspgt.interventions.diversity",
}
__all__ = sorted(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mspgt' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

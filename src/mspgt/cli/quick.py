"""A study from a command line: what `boundaries`, `intervene` and `theory` share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mspgt.cli.options import Labels, Loading, Running

if TYPE_CHECKING:
    from mspgt.study.config import StudyConfig

# A first look: enough text for S1 and S3 and labels for S2, and one small twin. The page marks it as cut short.
# SmolLM2-135M takes about 7 processor minutes.
QUICK: dict[str, dict[str, int]] = {
    "corpus": {"max_sentences": 600},
    "treebank": {"max_train": 600, "max_eval": 300},
    "measure": {"cka_tokens": 4096},
    "twins": {"seeds": 1, "max_sentences": 200, "max_train": 300, "max_eval": 200},
}
PLANTED = "triscale"  # a corpus and a treebank of the planted language, drawn on the spot


def quick_study(
    models: list[str],
    corpus: str,
    labels: Labels,
    loading: Loading,
    *,
    tagger: str | None = None,
    functional: bool = False,
    quick: bool = False,
) -> dict[str, Any]:
    """The mapping that a study file would hold."""
    from mspgt.study.config import BUNDLED

    given = {key: value for key, value in vars(loading).items() if value not in (None, False)}
    own = Path(models[0].removeprefix(BUNDLED)).name
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", own).strip(".-") or "model"
    data: dict[str, Any] = {
        "name": name[:40] if len(models) == 1 else f"{name[:40]}-and-{len(models) - 1}-more",
        "models": [{"id": model, **given} for model in models],
        **data_given(corpus, labels, tagger),
    }
    if functional:
        data["scales"] = {}
    if quick:
        for section, limits in QUICK.items():
            if section in data or section != "treebank":
                data[section] = {**data.get(section, {}), **limits}
    return data


def data_given(corpus: str | None, labels: Labels, tagger: str | None = None) -> dict[str, dict[str, Any]]:
    """Text and labels, where they are given, as sections of a study file, which refuses what does not go together."""
    sections: dict[str, dict[str, Any]] = {}
    if corpus is not None:
        sections["corpus"] = {"source": corpus, **({"format": PLANTED} if corpus == PLANTED else {})}
    planted = labels.treebank == [PLANTED]
    own: dict[str, Any] = {"planted": PLANTED} if planted else {"conllu": labels.treebank}
    own |= {"entities": labels.entities, "roles": labels.roles, "tagger": tagger}
    if known := {key: value for key, value in own.items() if value}:
        sections["treebank"] = known
    return sections


def study_of(study: str, corpus: str | None, labels: Labels, running: Running) -> StudyConfig:
    """The study of a file, with what the command line gives in place of its own."""
    from mspgt.study.loading import load_config

    return load_config(study, running.overrides, data_given(corpus, labels))


def run_quick(data: dict[str, Any], running: Running) -> None:
    """Run the study of such a mapping; it lies in runs/ where no folder is named."""
    from mspgt.cli.finish import finish
    from mspgt.study.loading import make_config

    finish(make_config(data, running.overrides, where="command line"), running)

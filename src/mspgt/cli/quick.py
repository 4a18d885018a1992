"""A study from a command line: what `boundaries`, `intervene` and `theory` share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

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
    *,
    treebank: list[str] | None = None,
    entities: list[str] | None = None,
    roles: list[str] | None = None,
    tagger: str | None = None,
    functional: bool = False,
    quick: bool = False,
    mode: str | None = None,
    seed: int | None = None,
    **loading: Any,
) -> dict[str, Any]:
    """The mapping that a study file would hold; `loading` is given to every model where it is not None."""
    from mspgt.study.config import BUNDLED

    given = {key: value for key, value in loading.items() if value is not None}
    own = Path(models[0].removeprefix(BUNDLED)).name
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", own).strip(".-") or "model"
    data: dict[str, Any] = {
        "name": name[:40] if len(models) == 1 else f"{name[:40]}-and-{len(models) - 1}-more",
        "models": [{"id": model, **given} for model in models],
        "corpus": {"source": corpus, **({"format": PLANTED} if corpus == PLANTED else {})},
    }
    labels: dict[str, Any] = {"entities": entities, "roles": roles, "tagger": tagger}
    labels |= {"planted": PLANTED} if treebank == [PLANTED] else {"conllu": treebank}
    if given_labels := {key: value for key, value in labels.items() if value}:
        # What does not go together is refused where a study file is.
        data["treebank"] = given_labels
    if functional:
        data["scales"] = {}
    if quick:
        for section, limits in QUICK.items():
            if section in data or section != "treebank":
                data[section] = {**data.get(section, {}), **limits}
    return data | {key: value for key, value in {"mode": mode, "seed": seed}.items() if value is not None}


def other_data(
    corpus: str | None, treebank: list[str] | None, entities: list[str] | None, roles: list[str] | None
) -> dict[str, Any]:
    """Sections of a study file that take the place of its own: the text, and the labels, where they are given."""
    sections: dict[str, Any] = {}
    if corpus is not None:
        sections["corpus"] = {"source": corpus, "format": PLANTED if corpus == PLANTED else "auto"}
    if treebank == [PLANTED]:
        sections["treebank"] = {"planted": PLANTED}
    elif treebank or entities or roles:
        sections["treebank"] = {"conllu": treebank or [], "entities": entities or [], "roles": roles or []}
    return sections


def run_quick(data: dict[str, Any], settings: list[str] | None, out: Path | None, quiet: bool) -> None:
    """Run the study of such a mapping, with `--set` over it; it lies in runs/ where no folder is named."""
    from mspgt.cli.finish import finish
    from mspgt.study.loading import make_config

    config = make_config(data, tuple(settings or ()), where="command line")
    finish(config, out or Path("runs") / config.name, quiet)

"""A study from a command line: what `boundaries` and `intervene` share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any


def quick_study(
    models: list[str],
    corpus: str,
    *,
    treebank: list[str] | None = None,
    entities: list[str] | None = None,
    roles: list[str] | None = None,
    tagger: str | None = None,
    mode: str | None = None,
    seed: int | None = None,
    **loading: Any,
) -> dict[str, Any]:
    """The mapping that a study file would hold; `loading` is given to every model where it is not None."""
    given = {key: value for key, value in loading.items() if value is not None}
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(models[0]).name).strip(".-") or "model"
    data: dict[str, Any] = {
        "name": name[:40] if len(models) == 1 else f"{name[:40]}-and-{len(models) - 1}-more",
        "models": [{"id": model, **given} for model in models],
        "corpus": {"source": corpus},
    }
    if tagger:
        data["treebank"] = {"tagger": tagger, **({"conllu": treebank} if treebank else {})}
    elif treebank:
        data["treebank"] = {"conllu": treebank, "entities": entities or [], "roles": roles or []}
    return data | {key: value for key, value in {"mode": mode, "seed": seed}.items() if value is not None}

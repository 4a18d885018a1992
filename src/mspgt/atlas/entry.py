"""An entry of the atlas: a run's results of one model in the shape of `results.json`, small enough for a repository.

    atlas/<org>__<model>/<revision>/<plan>.json

What is kept is every account of where the scales lie, with the controls and with what could have been seen, so that
entries can be laid beside each other without the runs that they come from. Pages read an entry as they read a run.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import Any

from mspgt.errors import InputError
from mspgt.lm.identity import safe_name

DIGITS = 5  # significant ones: an entry is read and compared, never computed with
LARGEST = 256 * 1024  # bytes
# Of a model's results; what else there is would have to be measured again by whoever doubts it.
KEPT = (
    *[
        "family",
        "layers",
        "width",
        "parameters",
        "revision",
        "signals",
        "boundaries",
        "scales",
        "phases",
        "metrics",
    ],
    *("doses", "tokens", "seconds"),
)
EFFECT = ("baseline", "value", "percent", "difference", "ci", "p_adjusted", "n")
VERDICT = ("title", "tier", "verdict", "statistic", "ci", "threshold", "rule", "reason")
# Settings of a run that say nothing of whether the positions of two entries may be compared.
OF_ITS_OWN = ("models", "seed", "interventions", "theory", "predictions")
Json = dict[str, Any]


def make_entry(results: Json, name: str) -> Json:
    """The entry of one model of a finished run.

    Args:
        results: what its `results.json` holds.

    Raises:
        InputError: there is no such model, or what makes an entry worth keeping was not measured; every fault is
            named.
    """
    if name not in results["models"]:
        raise InputError(f"Expected one of the run's models {sorted(results['models'])}, found {name!r}.")
    model = results["models"][name]
    if faults := missing_parts(model):
        raise InputError(f"{name} cannot join the atlas: {'; '.join(faults)}.")
    place = f"models.{name}"
    entry = rounded(
        {
            **{key: results[key] for key in ("schema", "study")},
            "provenance": results["provenance"] | {"settings": portable(results["provenance"]["settings"])},
            "comparable": comparable(results["provenance"]),
            "models": {name: _light(model)},
            "families": {},
            "predictions": {
                key: {part: one[part] for part in VERDICT if part in one}
                for key, one in results["predictions"].items()
            },
            "models_in_run": len(results["models"]),  # verdicts are on all of them
            "warnings": [
                one
                for one in results["warnings"]
                if one["where"] == place or one["where"].startswith((f"{place}.", "provenance"))
            ],
        }
    )
    if (size := len(dumped(entry).encode())) > LARGEST:
        raise InputError(f"The entry of {name} takes {size:,} bytes; an entry may take {LARGEST:,}.")
    return dict(entry)


def missing_parts(model: Json) -> list[str]:
    """Why a model's results make no entry: every account must have been asked, with its control."""
    faults = []
    if not (model["controls"].get("random_init") or {}).get("seeds"):
        faults.append("no random-initialised twin was measured (twins.seeds)")
    if model["boundaries"]["paper"]["LI"] is not None and model["boundaries"]["paper"]["accepted"] is None:
        faults.append("boundaries have no intervals (the corpus needs more than one document)")
    if model.get("scales") is None:
        faults.append("functional scales were not measured (they need labels: --treebank)")
    if model.get("phases") is None:
        faults.append("phases were not measured")
    return faults


def comparable(made: Json) -> str:
    """A short digest of the data and of all settings that decide what positions mean: alike in entries to compare."""
    settings = {key: value for key, value in portable(made["settings"]).items() if key not in OF_ITS_OWN}
    treebank = made["data"].get("treebank") or {}
    content = [settings, made["data"]["sha256"], treebank.get("sha256")]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def place_of(entry: Json) -> str:
    """Where an entry lies in the atlas, by names that are safe on any disk."""
    ((name, model),) = entry["models"].items()
    return f"{safe_name(name)}/{safe_name(model['revision'])}/{safe_name(entry['study']['hash'][:16])}.json"


def _light(model: Json) -> Json:
    controls = model["controls"]
    twins = {key: value for key, value in controls["random_init"].items() if key != "signals"}
    effects = {
        arm: {metric: {part: one.get(part) for part in EFFECT} for metric, one in metrics.items()}
        for arm, metrics in (model.get("interventions") or {}).items()
    }
    return {key: model.get(key) for key in KEPT} | {
        "controls": {
            "random_init": twins,
            "concordance_p": controls.get("concordance_p"),
            "with_sinks": None,
        },
        "probes": {},
        "checks": [],
        "theory": None,
        "interventions": effects or None,
    }


def portable(value: Any) -> Any:
    """Settings with every path of a machine cut down to the name of its file; data are known by their content."""
    if isinstance(value, dict):
        return {key: portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [portable(item) for item in value]
    return PurePath(value).name if isinstance(value, str) and PurePath(value).is_absolute() else value


def rounded(value: Any) -> Any:
    """The same value with every number at `DIGITS` significant digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def dumped(entry: Json) -> str:
    """The text of an entry's file: the same entry gives the same bytes."""
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"

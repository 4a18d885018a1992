"""Results with planted answers: only the keys of results.json that a prediction reads."""

from typing import Any

import numpy as np
from scipy import stats

SCALES = ("local", "intermediate", "global")
SUFFIX = {"plain": "", "matched_layers": "_matched_layers", "matched_variance": "_matched_variance"}


def claim(
    layer: int, layers: int, reach: int = 0, kind: str = "spike", score: float = 5.0, **robust: bool
) -> dict[str, Any]:
    within = list(range(max(layer - reach, 1), min(layer + reach, layers - 1) + 1))
    return {
        "kind": kind,
        "layer": layer,
        "relative": layer / layers,
        "set": within,
        "score": score,
        "critical": 3.0,
        "robust": robust,
    }


def model(
    family: str,
    layers: int,
    li: int | None = None,
    ig: int | None = None,
    *,
    reach: int = 0,
    paper: tuple[int, int] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A model with calibrated boundaries, and paper-mode ones where given."""
    chosen = {
        which: None if layer is None else claim(layer, layers, reach)
        for which, layer in (("LI", li), ("IG", ig))
    }
    places = dict(zip(("LI", "IG"), paper or (None, None), strict=True))
    protocol = {
        which: None
        if layer is None
        else {"layer": layer, "relative": layer / layers, "ci": [layer - 1, layer + 1], "width": 2}
        for which, layer in places.items()
    }
    return {
        "family": family,
        "layers": layers,
        "width": 64,
        "parameters": 1000 + layers,
        "boundaries": {
            "calibrated": {"chosen": chosen, "spike": [one for one in chosen.values() if one]},
            "paper": {
                **protocol,
                "accepted": paper is not None,
                "other_normalisation": {"LI": None, "IG": None},
            },
        },
        "probes": {},
        **more,
    }


def results(**models: dict[str, Any]) -> dict[str, Any]:
    return {"models": models, "provenance": {"data": {"documents": 60}}, "warnings": []}


def noise(
    effects: dict[str, tuple[float, float, float]],
    *,
    se: float = 1.0,
    layers: tuple[int, int, int] = (4, 4, 4),
    source: str = "calibrated",
    sigma: float = 0.1,
) -> dict[str, Any]:
    """Interventions whose effects, in percent of a baseline of 50, are as given by metric for L, I, G."""
    arms: dict[str, Any] = {}
    about: dict[str, Any] = {
        "scales": {"LI": 4, "IG": 8, "source": source},
        "sigma": sigma,
        "samples": 1000,
        "arms": {},
        "contrasts": {},
    }
    for dose, suffix in SUFFIX.items():
        for at, scale in enumerate(SCALES):
            about["arms"][scale + suffix] = {"layers": list(range(1, layers[at] + 1))}
            arms[scale + suffix] = {metric: effect(e[at], se) for metric, e in effects.items()}
        for metric, e in effects.items():
            lead = e[1] - max(e[0], e[2])
            size = abs(e[1]) - max(abs(e[0]), abs(e[2]))
            about["contrasts"].setdefault(metric, {})[dose] = {
                "signed": contrast(lead, se),
                "absolute": contrast(size, se),
            }
    for number, wobble in enumerate((-0.5, 0.0, 0.5), start=1):
        # Layers drawn from all scales do what the mean layer does.
        arms[f"random_{number}"] = {
            metric: effect(sum(e) / 3 + wobble * se, se) for metric, e in effects.items()
        }
    return {"interventions": arms, "interventions_about": about}


def effect(percent: float, se: float) -> dict[str, Any]:
    """What results.json holds of an effect, in percent of a baseline of 50."""
    log = float(np.log1p(percent / 100))
    margin = 1.96 * se / 100
    return {
        "baseline": 50.0, "percent": percent, "percent_se": se, "documents": 60, "log_ratio": log,
        "log_ratio_ci": [log - margin, log + margin],
    }  # fmt: skip


def contrast(estimate: float, se: float) -> dict[str, Any]:
    return {
        "estimate": estimate,
        "ci": [estimate - 1.96 * se, estimate + 1.96 * se],
        "p": float(stats.norm.sf(estimate / se)),
    }


def probe(layers: int, centre: float, error: float = 0.004) -> dict[str, Any]:
    """A probe whose score is gained around one layer."""
    f1 = 0.5 + 0.4 / (1 + np.exp(-(np.arange(layers + 1) - centre)))
    return {
        "f1": f1.tolist(),
        "f1_ci": [[v - 1.96 * error, v + 1.96 * error] for v in f1],
        "selectivity": (f1 - 0.2).tolist(),
    }


def untested_order() -> dict[str, Any]:
    """What functional scales say of their order where none of its steps could be tested."""
    gap = {"value": None, "ci": None}
    return {which: {"p": None, "p_reversed": None, "gap": gap, "reason": "flat"} for which in ("LI", "IG")}


def kinks(t: float, source: str = "calibrated") -> dict[str, Any]:
    """The theory part's kink tests, with a statistic of `t` at both boundaries."""
    one = {
        "p": min(1.0, float(4 * stats.t.sf(t / 1.2, 12))),
        "statistic": -t, "freedom": 12.0, "bend": 0.01, "layer": 8, "rank": 0.1,
        "laws": {
            "bends": {"scale": 1.0, "freedom": 12.0, "unit": 0.9},
            "profile": {"scale": 1.3, "freedom": 8.0, "unit": 1.0},
        },
    }  # fmt: skip
    return {"source": source, "primary": "all", "LI": {"all": one}, "IG": {"all": one}}

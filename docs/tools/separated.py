"""What the instrument says of the models whose scales are known: `separated.json`, and the tables of `separated.md`.

`python docs/tools/separated.py RUN` condenses a run of the study `separated` into the file and writes the page's
tables from it; a test holds the page against the file, and the file against the bundled weights.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mspgt.scales.curves import rise
from mspgt.zoo.bundled import card

DOCS = Path(__file__).parents[1]
PAGE, FILE = DOCS / "separated.md", DOCS / "separated.json"
MARK = "<!-- written by docs/tools/separated.py -->\n"
BOUNDARIES = {"LI": "L–I", "IG": "I–G"}
Json = dict[str, Any]


def condensed(run: Path) -> Json:
    """The small part of a run's results that the page rests on."""
    results = json.loads((run / "results.json").read_text("utf-8"))
    return {
        "study": results["study"]["name"],
        "hash": results["study"]["hash"],
        "mspgt": results["provenance"]["mspgt"],
        "models": {name: _model(name, model) for name, model in results["models"].items()},
    }


def _model(name: str, model: Json) -> Json:
    made = card(name)
    paper, calibrated, scales = (
        model["boundaries"]["paper"],
        model["boundaries"]["calibrated"],
        model["scales"],
    )
    truth = {"LI": made["recipe"].get("local"), "IG": made["recipe"].get("intermediate")}
    return {
        "weights": made["sha256"]["model.safetensors"],
        "excess": made["excess_bits_a_token"],
        "truth": truth,
        "paper": {
            **{which: paper[which] and paper[which]["layer"] for which in BOUNDARIES},
            "accepted": paper["accepted"],
        },
        "shocks": {
            "chosen": {which: one and one["layer"] for which, one in calibrated["chosen"].items()},
            "claims": sorted(
                [kind, one["layer"]] for kind in ("spike", "bump", "step", "kink") for one in calibrated[kind]
            ),
            "size80": {kind: one["size80"] for kind, one in calibrated["power"].items()},
        },
        "phases": {
            "boundaries": [one["layer"] for one in model["phases"]["boundaries"]],
            "score": model["phases"]["score"],
            "threshold": model["phases"]["threshold"],
            "candidate": model["phases"]["candidate"] and model["phases"]["candidate"]["layer"],
        },
        "functional": {
            "verdict": scales["verdict"],
            "share": scales["block_share"]["value"],
            **{
                which: {key: scales[which][key] for key in ("layer", "set", "reason")}
                | {"soft": scales[which]["soft"]["value"], "soft_ci": scales[which]["soft"]["ci"]}
                for which in BOUNDARIES
            },
            "topic": _topic(scales),
            "twin": scales["twin"]["defined_scales"],
            "rise": {
                scale: own["rise"] and [round(value, 3) for value in own["rise"]]
                for scale, own in scales["scales"].items()
            },
        },
        "S1": [round(value, 4) for value in model["signals"]["S1"]["calibrated"]],
        "S3": [round(value, 4) for value in model["signals"]["S3"]["calibrated"]],
    }


def _topic(scales: Json) -> Json:
    """The topic of the document beyond the word alone, its bag of words not taken off: how far syntax leads it."""
    gain = np.array(scales["tasks"]["topic"]["gain"])
    share = rise(gain[None, None]).share[0, 0]
    lead = np.array(scales["scales"]["I"]["rise"]) - share
    return {
        "bits": [round(float(value), 3) for value in gain],
        "share": [round(float(value), 3) for value in share],
        "layer": int(lead.argmax()),
        "lead": round(float(lead.max()), 3),
        "beyond_bag": round(float(max(scales["tasks"]["topic_beyond_bag"]["gain"])), 3),
        "bag": round(scales["tasks"]["topic_beyond_bag"]["baseline"], 3),
        "entropy": round(scales["tasks"]["topic_beyond_bag"]["entropy"], 3),
    }


def written(markdown: str, found: Json) -> str:
    """The page with its tables as the file has them."""
    before, _, rest = markdown.partition(MARK)
    _, _, after = rest.partition(MARK)
    return before + MARK + "\n" + "\n".join(tables(found)).rstrip() + "\n\n" + MARK + after


def tables(found: Json) -> Iterator[str]:
    """Truth and what each account says, a column a model; then the rises."""
    models = found["models"]
    yield f"| | {' | '.join(f'`{name}`' for name in models)} |"
    yield "|---" * (1 + len(models)) + "|"
    yield _row("bits a token above the exact reader", [f"{one['excess']:.3f}" for one in models.values()])
    yield _row("planted: L–I, I–G", [_pair(one["truth"], "none planted") for one in models.values()])
    yield _row("functional scales", [_functional(one["functional"]) for one in models.values()])
    yield _row(
        "syntax against the plain topic", [_lead(one["functional"]["topic"]) for one in models.values()]
    )
    yield _row("order", [one["functional"]["verdict"] for one in models.values()])
    yield _row("phases", [_phases(one["phases"]) for one in models.values()])
    yield _row("shocks", [_shocks(one["shocks"]) for one in models.values()])
    yield _row("paper's protocol", [_paper(one["paper"]) for one in models.values()])
    yield ""
    yield "Share of its level that each functional scale has reached, by layer:"
    yield ""
    layers = len(next(iter(models.values()))["S1"]) + 1
    yield f"| model | scale | {' | '.join(map(str, range(layers + 1)))} |"
    yield "|---" * (layers + 3) + "|"
    for name, one in models.items():
        found_rises = {**one["functional"]["rise"], "plain topic": one["functional"]["topic"]["share"]}
        for scale in ("L", "I", "G", "plain topic"):
            shares = found_rises.get(scale)
            cells = [f"{value:.2f}" for value in shares] if shares else ["undefined", *[""] * layers]
            yield f"| `{name}` | {scale} | {' | '.join(cells)} |"


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def _pair(layers: Json, none: str) -> str:
    return none if layers["LI"] is None else f"{layers['LI']}, {layers['IG']}"


def _functional(found: Json) -> str:
    told = []
    for which, name in BOUNDARIES.items():
        one = found[which]
        if one["layer"] is None:
            told.append(f"{name} undefined: {one['reason']}")
        else:
            told.append(f"{name} **{one['layer']}**, set {{{', '.join(map(str, one['set']))}}}")
    return "; ".join(told)


def _lead(found: Json) -> str:
    return f"syntax leads most at layer {found['layer']}, by {found['lead']:.2f} of its level"


def _phases(found: Json) -> str:
    if found["boundaries"]:
        return f"at {', '.join(map(str, found['boundaries']))}"
    return f"none; strongest at {found['candidate']}, score {found['score']:.2f}, threshold {found['threshold']:.2f}"


def _shocks(found: Json) -> str:
    if not found["claims"]:
        return "none"
    return ", ".join(f"{kind} at {layer}" for kind, layer in found["claims"])


def _paper(found: Json) -> str:
    if found["LI"] is None or found["IG"] is None:
        return "fewer than two peaks"
    return f"{found['LI']}, {found['IG']}, {'accepted' if found['accepted'] else 'rejected by its own rule'}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        FILE.write_text(json.dumps(condensed(Path(sys.argv[1])), indent=1) + "\n", "utf-8")
    PAGE.write_text(written(PAGE.read_text("utf-8"), json.loads(FILE.read_text("utf-8"))), "utf-8")

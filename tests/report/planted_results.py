"""A results.json as a run would write it, built from the contract's own types: models of many depths, with
the missing values and the hostile name that a page must survive."""

import json
from typing import Any

import numpy as np

from mspgt.results import (
    Boundaries,
    CalibratedResult,
    Check,
    Claim,
    DataProvenance,
    ModelResult,
    Notice,
    PaperBoundary,
    PaperResult,
    PlantedControl,
    PlantedPlace,
    PlantedTest,
    ProbeResult,
    Provenance,
    Results,
    StudyName,
    to_jsonable,
)
from mspgt.results.predictions import DecidedBy, PaperClaim, PaperRule, PredictionResult, Specification
from mspgt.results.study import TreebankProvenance
from mspgt.vocabulary import KINDS

HOSTILE = "<script>alert(1)</script>"
NESTED = (-1.96, -1.28, -0.67, 0.67, 1.28, 1.96)


def planted() -> dict[str, Any]:
    """Six models: the modes disagree on `acme/llama-deep`, on the hostile one and on `state/mamba`, which
    has no S3 and one calibrated boundary only; `unlabelled` has no S2, `one-block` no transitions."""
    models = {
        "stories": model(5, seed=1),
        "acme/llama-deep": model(24, seed=2, paper=(7, 15, True), claims={"LI": None, "IG": None}),
        "state/mamba": model(24, seed=3, paper=None, lost="S3", alone=claim("spike", 9, 24, [9, 10])),
        "unlabelled": model(12, seed=4, paper=(4, 8, False), lost="S2"),
        HOSTILE: model(
            32,
            seed=5,
            paper=(6, 20, True),
            claims={
                "LI": claim("spike", 11, 32, [10, 11]),
                "IG": claim("step", 20, 32, [17, 18, 19, 20, 23]),
            },
        ),
        "one-block": model(1, seed=6),
    }
    warnings = [
        Notice(
            "models.state/mamba.signals.S3", "the model has no attention", "S3 takes no part in the fusion"
        ),
        Notice("models.unlabelled.signals.S2", "no labels were given", "S2 takes no part in the fusion"),
        Notice("models.one-block.signals", "one block has no transitions", "there is nothing to detect"),
        Notice("models", "sentences were cut to the context", "12 of 600 lost their end"),
    ]
    data = DataProvenance(
        "wikitext", "ab" * 32, 60, 8234, 213886, TreebankProvenance("ewt", off={"srl": "no roles given"})
    )
    provenance = Provenance(
        "0.1.0", "2.13.0", "5.23.0", "3.12.3", "cpu", dict.fromkeys(models, "float32"),
        {"study": 0, "twins": 5}, data, "2025-06-01T09:30:00Z", 312.4, "2 cores", settings(),
    )  # fmt: skip
    study = StudyName("planted", "9f" * 16, "calibrated")
    # Through text and back, so that the report sees what `json.load` gives.
    return json.loads(
        json.dumps(
            to_jsonable(
                Results(study, provenance, models, {}, predictions(), warnings, planted=planted_subjects())
            )
        )
    )


def planted_subjects() -> dict[str, PlantedControl]:
    """A hit with a miss that was to be expected, silence, a false alarm, a hand-over, and an effect."""
    places = [PlantedPlace("layer 7", 7, 6, 8, found=True), PlantedPlace("layer 17", 17, 16, 18)]
    spike = PlantedTest("spike", 7, 5.0, 4.0, set=[6, 7], planted=True)
    stray = PlantedTest("step", 12, 4.5, 4.0, set=[12])
    order = PlantedTest("L–I", 4, p=0.01, set=[4, 5], planted=True)
    effect = PlantedTest("local", p=0.002, metric="ttr", planted=True)
    paper = {"LI": 7, "IG": 17, "accepted": False}
    return {
        "two breaks": PlantedControl(
            "shocks", "two breaks", 1, 24, 4.0, "roughness SDs", places, [spike], [], 5.0, paper, False
        ),
        "flat": PlantedControl("shocks", HOSTILE, 2, 24, None, "roughness SDs", [], [], [stray], 5.0, paper, True),
        "alarm": PlantedControl("phases", "drift", 3, 24, None, "−log CKA", [], [stray], [], 0.3, None, False),
        "ordered": PlantedControl(
            "functional", "ordered", 4, 12, None, "", [PlantedPlace("L–I", None, 2.4, 5.4, found=True)], [order],
            [order], None, None, True,
        ),
        "noise": PlantedControl(
            "interventions", "word choice replaced", 5, None, None, "", [PlantedPlace("local", found=True)], [effect],
            [effect], None, None, True,
        ),
    }  # fmt: skip


def settings() -> dict[str, Any]:
    """What a run keeps of its study file."""
    return {
        "corpus": {"source": "wiki.valid.raw", "max_documents": None},
        "measure": {"cka_tokens": 8192},
        "probes": {"seeds": 3},
        "boundaries": {
            "weights": [1.0, 0.8, 0.6], "prominence": 0.3, "draws": 1000, "max_width": 5.0, "level": 0.05,
        },
    }  # fmt: skip


def predictions() -> dict[str, PredictionResult]:
    """One prediction of every verdict, with evidence in a model and in a part that the page does not know."""
    rule = "supported when the one-sided 95 % bound lies below the threshold"
    claimed = PaperClaim("CV 0.06 and 0.00", "section 4.3", "supported", "")
    kink = PaperClaim("a kink", "", "", "")
    evidence = ["models.acme/llama-deep.boundaries", "families.llama.LI", "bench.unknown"]
    lacking = ["two training runs of one architecture"]
    here = [f"models.{HOSTILE}.signals.S1"]
    return {
        "P1.1": prediction("supported", 0.061, 0.2, (0.02, 0.17), rule, claimed, 0.04, evidence, []),
        "P1.2": prediction("refuted", -0.4, 2.0, None, rule, kink, 0.03, [], []),
        "P2.1": prediction("inconclusive", 0.3, 0, (-0.1, None), HOSTILE, claimed, None, here, []),
        "P3.2": prediction("not testable", None, 0.3, None, rule, claimed, 0.05, [], lacking),
    }


def prediction(*judged: Any) -> PredictionResult:
    """Without units, readings or rates."""
    return PredictionResult(
        *judged,
        power="", id="", title="", tier="", headline=False, statistic_name="", p_support=None, p_refute=None,
        p_support_holm=None, p_refute_holm=None, why=[], units=[], decided_by=DecidedBy(),
        paper_rule=PaperRule("", "", None, "", None), null_rates={},
        specification=Specification([], {}, None, None), excluded="", positions="",
    )  # fmt: skip


def claim(kind: str, layer: int, layers: int, within: list[int]) -> Claim:
    robust = {"without_S1": True, "without_S2": None, "with_sinks": False}
    return Claim(kind, layer, layer - 1, layer / layers, within, 5.1, 3.6, 2, robust)


def model(
    layers: int,
    *,
    seed: int,
    paper: tuple[int, int, bool] | None = None,
    claims: dict[str, Claim | None] | None = None,
    alone: Claim | None = None,
    lost: str | None = None,
) -> ModelResult:
    rng = np.random.default_rng(seed)
    depth = layers - 1
    base = 0.004 + 0.07 * np.exp(-np.arange(depth) / 2) + 0.03 * np.exp(-np.arange(depth)[::-1] / 1.5)
    curves = {"S1": base * rng.lognormal(0, 0.25, depth), "S2": rng.gamma(2, 0.02, depth)}
    curves |= {"S3": 0.02 + 0.1 * rng.random(depth), "evidence": rng.normal(0, 1.4, depth)}
    paper_curves = {"S1": np.exp(curves["S1"]), "S2": curves["S2"] * 1.2, "S3": curves["S3"] * 1.1}
    paper_curves["evidence"] = rng.random(depth) * 2.4
    signals: dict[str, Any] = {}
    intervals: dict[str, Any] = {}
    bands: dict[str, Any] = {}
    for name, curve in curves.items():
        missing = name == lost or depth == 0
        signals[name] = {
            "calibrated": None if missing else curve,
            "paper": None if missing else paper_curves[name],
        }
        spread = 0.1 * np.abs(curve)[:, None] * np.array(NESTED)
        ends = None if missing or name == "evidence" else curve[:, None] + spread
        intervals[name] = {"calibrated": None if ends is None else ends[:, [0, 5]], "paper": None}
        inner = None if ends is None else {"80": ends[:, [1, 4]], "50": ends[:, [2, 3]]}
        bands[name] = {"calibrated": inner, "paper": None}
    chosen = claims or {"LI": None, "IG": None}
    found = [alone] if alone else [one for one in chosen.values() if one]
    size = 2.0 + 30 / layers
    power = {
        kind: {"size80": size, "statement": f"a {kind} of {size:.1f} SD is found in 80 % of cases"}
        if layers > 20 or (kind == "spike" and layers > 8)
        else {
            "size80": None,
            "statement": f"a {kind} of any size could not have been seen in {layers} layers",
        }
        for kind in KINDS
    }
    blind = [kind for kind, one in power.items() if one["size80"] is None]
    calibrated = CalibratedResult(
        *([one for one in found if one.kind == kind] for kind in KINDS),
        chosen=chosen,
        noise_ratio={"S1": 0.07, "S2": None if lost == "S2" else 0.4, "S3": None if lost == "S3" else 0.05},
        power=power,
        rivals={"1": [{"kind": "spike", "layer": 2, "score": 1.0, "critical": 3.6}], "4": []},
        reasons=["one boundary was found, so which of L–I and I–G it is stays open"] * bool(alone)
        + ["no boundary was found"] * (not found)
        + [f"could not have been seen at this depth: {', '.join(blind)}"] * bool(blind),
    )
    rates = {
        name: {"min": 0.0, "median": m, "max": top}
        for name, m, top in (("found", 0.93, 1.0), ("accepted", 0.46, 0.9))
    }
    return ModelResult(
        family="llama",
        layers=layers,
        width=64,
        parameters=1_234_567,
        revision="0f" * 20,
        signals=signals,
        signals_ci=intervals,
        embedding_step={"S1": {"paper": 1.3, "calibrated": 0.26}, "S2": {"paper": None, "calibrated": None}},
        boundaries=Boundaries(_paper(layers, paper, rates), calibrated),
        controls=_controls(curves, lost, depth, rng),
        probes={} if lost == "S2" else {task: _probe(layers, rng) for task in ("pos", "dep", "ner")},
        checks=[
            Check("blocks found", True, f"{layers} of {layers}"),
            Check("attention", None if lost == "S3" else True, ""),
        ],
        tokens={"real": 213886, "word_final": 170001, "sinks": 60},
        seconds={"measure": 41.2},
        signals_bands=bands,
    )  # fmt: skip


def _paper(layers: int, at: tuple[int, int, bool] | None, rates: dict[str, Any]) -> PaperResult:
    ends = at[:2] if at else ()
    accepted = at[2] if at else False
    width = 3.0 if accepted else 6.0
    found = [PaperBoundary(b, b - 1, b / layers, [b - width / 2, b + width / 2], width) for b in ends] or [
        None,
        None,
    ]
    reasons = (
        []
        if accepted
        else ["the I-G interval is 6 layers wide; acceptance needs < 5" if at else "one peak of two"]
    )
    return PaperResult(
        found[0], found[1], accepted, 0.97 if at else None, rates if layers > 5 else None,
        {"LI": None, "IG": None, "agrees": at is None, "reasons": []}, "layer 1 can never be a peak", reasons,
    )  # fmt: skip


def _controls(
    curves: dict[str, Any], lost: str | None, depth: int, rng: np.random.Generator
) -> dict[str, Any]:
    signals = ("S1", "S2", "S3")
    # As `find_boundaries` writes it: signal → (seeds, transitions), NaN where not measured.
    twins = {
        name: np.full((5, depth), np.nan)
        if name == lost
        else 0.4 * np.median(curves[name]) * rng.lognormal(0, 0.2, (5, depth))
        for name in signals
        if depth
    }
    return {
        "random_init": {
            "seeds": 5,
            "levels": dict.fromkeys(signals, 0.001),
            "signals": {"calibrated": twins, "paper": twins},
            "paper_found": [[2, 4], None, [1, 3], [2, 3], None],
            "calibrated_claims": [[], [], [], [], [{"kind": "spike", "layer": 3}]],
        },
        "with_sinks": {name: None if name == lost or not depth else curves[name] * 0.8 for name in signals},
        "concordance_p": 0.31,
        "concordance": {"agreement": 0.1, "p": 0.31, "residuals": 14, "reasons": []},
    }


def _probe(layers: int, rng: np.random.Generator) -> ProbeResult:
    f1 = 0.5 + 0.4 * (1 - np.exp(-np.arange(layers + 1) / 3)) + rng.normal(0, 0.01, layers + 1)
    return ProbeResult(
        list(f1), [[v - 0.02, v + 0.02] for v in f1], list(f1 - 0.45), list(2 - f1), 0.62,
        labels="gold", examples={"train": 12544, "dev": 2001, "test": 2077},
    )  # fmt: skip

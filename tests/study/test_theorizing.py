"""The theory as a part of a study: what it writes, resumes and refuses, on tiny models with random weights."""

import json
import re
import shutil
from dataclasses import fields, is_dataclass
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch

from mspgt.report.figures import charts_figure
from mspgt.report.theory import theory_groups
from mspgt.report.theory_charts import information_chart, theory_charts
from mspgt.report.theory_section import theory_section
from mspgt.report.theory_values import _weights, values_html
from mspgt.report.words import number
from mspgt.results import dumped, parse, read, to_jsonable
from mspgt.results.theory import Theory
from mspgt.study.config import RunConfig
from mspgt.study.describe import describe
from mspgt.study.loading import make_config
from mspgt.study.run import run_study
from mspgt.study.stages import Data, document_groups
from mspgt.study.theory_stages import held_out, held_out_sentences
from mspgt.synthetic.corpora import sample_corpus, sample_treebank
from mspgt.synthetic.triscale import TriScale
from mspgt.text.corpus import Corpus
from tests.lm.tiny import tiny_model
from tests.results.test_results import unknown
from tests.whole import record

BLOCKS = {"information", "kink", "markov", "fisher", "beta", "hvib", "concentration", "reach", "values"}
SMALL = {
    "tokens": 700, "components": 4, "examples": 300, "hidden": 8, "epochs": 1, "permutations": 19, "texts": 8,
    "betas": [0.1, 1.0], "steps": 20, "width_draws": 100, "draws": 100,
    "hessian_draws": 2, "label_draws": 2, "sigmas": [0.1], "reach_windows": 6,
}  # fmt: skip


NOISE = {
    "samples": 5, "prompt_tokens": 8, "new_tokens": 8, "random_sets": 0, "audit_passages": 0, "literal": False,
    "response": [0.05, 0.2, 0.8], "response_samples": 5, "encoder": None, "harper": False, "draws": 100,
}  # fmt: skip


def study(
    model, *, treebank=True, theory=None, scales=(8, 15), documents=60, corpus=None, noise=None, **changes
):
    data = {
        "name": "test",
        "models": [{"id": str(model), "scales": scales, **changes}],
        "corpus": corpus or {"source": "triscale", "format": "triscale", "max_documents": documents},
        "twins": {"seeds": 0},
        "boundaries": {"draws": 100, "permutations": 99},
        "measure": {"shard_documents": 60, "cka_tokens": 256},
        "probes": {"seeds": 2, "epochs": 1, "max_examples": 200, "controls": False},
        "theory": {**SMALL, **(theory or {})},
        "run": {"workers": 1},
    }
    if noise:
        data["interventions"] = noise
    if treebank:
        data["treebank"] = {"planted": "triscale", "max_train": 40, "max_eval": 160}
    return make_config(data)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "deep"
    return tiny_model(folder, "llama", layers=22, max_position_embeddings=128, initializer_range=0.2)


@pytest.fixture(scope="module")
def finished(model, tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "run"
    return out, run_study(study(model, noise=NOISE, theory={"value_steps": 10}), out, quiet=True)


def test_weights_of_scales_from_noise_in_them(finished):
    """β̂ of Experiment 2 over its rates: what the next dose costs over the rate that it closes."""
    _, results = finished
    found = results["models"]["deep"]
    block = found["theory"]["beta"]["response"]
    for scale, one in block["scales"].items():
        curve = found["interventions_about"]["response"][scale]
        closed = -np.diff(one["rate"])
        assert (closed > 0).all()
        assert np.multiply(one["value"], closed) == pytest.approx(np.diff(curve["loss"]))
        assert all(low <= value <= high for value, (low, high) in zip(one["value"], one["ci"], strict=True))
        assert len(one["at"]) == len(block["rates"])
    page = told(results, "deep")
    assert "Weights of the scales from noise in them" in page
    assert number(block["scales"]["local"]["value"][0]) in page


def test_the_contract_holds_every_key_and_is_written_as_it_was_read(finished):
    out, _ = finished
    results = read(out)
    assert dumped(results) == (out / "results.json").read_text("utf-8")
    assert unknown(results) == []


def test_every_block_is_there_with_units_and_estimator(finished):
    _, results = finished
    theory = results["models"]["deep"]["theory"]
    assert set(theory) == BLOCKS
    for name, block in theory.items():
        assert block["units"], name
        assert block["estimator"], name
    assert theory == json.loads(json.dumps(to_jsonable(theory)))


def test_lengths_and_ranges(finished):
    theory = finished[1]["models"]["deep"]["theory"]
    for kind in ("topical", "syntactic", "lexical"):
        block = theory["information"][kind]
        assert len(block["bits"]) == len(block["ci"]) == 23
        assert all(low <= high for low, high in block["ci"])
    assert len(theory["information"]["gaussian"]["nats"]) == 22
    assert len(theory["markov"]["ratio"]) == 20
    fisher = theory["fisher"]
    assert all(value > 0 for value in fisher["fisher"]["value"])
    assert all(len(fisher[key]["value"]) == 22 for key in ("empirical", "hessian", "kl_slope", "loss_slope"))
    assert [arm["layers"][0] for arm in fisher["arms"].values()] == [1, 9, 16]
    for arm in fisher["arms"].values():
        assert arm["kl"] == pytest.approx(arm["predicted"], rel=0.5)
    activations = theory["beta"]["activations"]
    assert all(np.diff(one["value"]).min() > 0 for one in activations.values())  # β̂ grows with the noise
    for point in theory["hvib"]["curve"]:
        assert np.allclose(point["kl"], np.add(point["information"], point["gap"]), atol=0.5)
    assert theory["kink"]["LI"]["boundary"] == 8
    assert 0 <= theory["kink"]["IG"]["p"] <= 1
    reach = theory["reach"]
    assert all(0 < value < 128 for value in reach["layers"]["value"])
    assert reach["mean"]["value"] == pytest.approx(np.mean(reach["layers"]["value"]))
    values = theory["values"]
    assert len(values["value"]) == len(values["weights"]) == 22
    assert [switch["layer"] for switch in values["switches"]] == [9, 16]
    assert values["weights"][8] == [1.0, 0.1, 1.0]
    planted = theory["beta"]["equation23"]
    assert planted["languages"] == len(planted["points"]) >= 12


def drawn(content, name):
    """Everything that a report shows of the theory of one model."""
    results = parse(content)
    section = theory_section(results, name, "stem")
    return theory_groups(results, name), figures_of(results, name), section and section.tables[0]


def figures_of(results, name):
    """Figure 2 and what does not run over layers, for a paper."""
    model = results.models[name]
    information, others = information_chart(name, model), theory_charts(model)
    return [information and charts_figure([information]), charts_figure(others, name) if others else None]


def told(results, name):
    """Its single values, as the page tells them."""
    return str(values_html(parse(results).models[name].theory, name))


@pytest.mark.parametrize("block", ["markov", "concentration", "information", "kink", "beta", "hvib"])
def test_a_part_that_was_not_measured_is_told_with_its_reason(finished, block):
    """Its numbers are null in a whole reading of the contract, where they were no keys once."""
    out, _ = finished
    whole = to_jsonable(read(out / "results.json"), whole=True)
    part = whole["models"]["deep"]["theory"][block]
    kind = get_type_hints(Theory)[block]
    kinds = [kind, *get_args(kind)]
    (block_of,) = [one for one in kinds if is_dataclass(one)]
    part |= {one.name: None for one in fields(block_of) if one.default is None}
    part["reason"] = "planted: too few texts"
    groups, figures, _ = drawn(whole, "deep")
    assert all(figures)
    if block == "markov":
        panels = [panel for group in groups for panel in group.panels]
        assert ("planted: too few texts",) in [panel.missing for panel in panels]


def test_panels_figures_and_table_show_what_was_measured(finished):
    _, results = finished
    theory = results["models"]["deep"]["theory"]
    groups, figures, table = drawn(results, "deep")
    panels = {panel.key: panel for group in groups for panel in group.panels}
    assert panels["information-topical"].lines[0].values == theory["information"]["topical"]["bits"]
    assert panels["fisher"].lines[-1].values == theory["fisher"]["fisher"]["value"]
    assert [len(panel.x) for panel in panels.values()] == [23, 23, 23, 23, 22, 22, 20]
    assert all(len(line.values) == len(panel.x) for panel in panels.values() for line in panel.lines)
    assert figures == figures_of(parse(results), "deep")  # the same bytes every time
    assert b"Topical" in figures[0]["svg"]
    rows = {(row[1], row[2], row[3]): row[4] for row in table.rows}
    assert rows["fisher", "fisher", "layer 3"] == theory["fisher"]["fisher"]["value"][2]
    assert rows["information", "lexical bits", "layer 0"] == theory["information"]["lexical"]["bits"][0]
    assert len(table.parquet()) > 0
    words = told(results, "deep")
    arm, slope = theory["fisher"]["arms"]["global"], theory["beta"]["activations"]["local"]["limit"]
    for value in (arm["kl"], slope["value"], theory["markov"]["mean"], theory["hvib"]["weights"][0][2]):
        assert f">{number(value)}" in words
    assert f"p = {number(theory['kink']['IG']['all']['p'])} at layer" in words
    assert 'class="missing"' not in words
    assert "longtable" in table.latex()


def test_topics_of_too_little_text_are_warned_about(finished):
    _, results = finished
    place = "models.deep.theory.information.topical"
    (warning,) = [warning for warning in results["warnings"] if warning["where"] == place]
    assert "which document" in warning["what"]
    assert "below 32" in warning["what"]
    assert "says nothing" in warning["consequence"]


def test_running_again_computes_nothing(finished, model):
    out, first = finished
    before = {p: p.stat().st_mtime_ns for p in out.glob("stages/*/*/*/manifest.json")}
    again = run_study(study(model, noise=NOISE, theory={"value_steps": 10}), out, quiet=True)
    assert {p: p.stat().st_mtime_ns for p in out.glob("stages/*/*/*/manifest.json")} == before
    assert again["models"]["deep"]["theory"] == first["models"]["deep"]["theory"]


def test_a_plan_tells_passes(model, tmp_path):
    lines = list(describe(study(model), tmp_path / "none"))
    told = [line for line in lines if "theory: " in line]
    assert len(told) == 5
    information, bottleneck, sensitivity, *_ = told
    assert re.search(r"\d+ forward passes of a sentence, \d+ MB above the model", information)
    assert "MB above the model" in bottleneck
    # 8 texts: labels and the empirical trace, two directions at both signs; one pass tries for a gradient.
    forward, backward = 2 + 2 * 2 + 2 * (22 * 1 + 3), 2 + 1 + 2 * 2
    assert f"{8 * forward + 1} forward and {8 * backward + 1} backward passes of a sentence" in sensitivity


def test_without_a_treebank_syntactic_information_is_null_with_its_reason(model, tmp_path):
    config = study(model, treebank=False, theory={"texts": 4, "betas": [0.1, 0.3]})
    results = run_study(config, tmp_path / "run", quiet=True)
    theory = results["models"]["deep"]["theory"]
    assert theory["information"]["syntactic"] == {"bits": None, "reason": "no treebank was given"}
    assert theory["information"]["topical"]["bits"]
    assert theory["kink"]["LI"]["p"] is None
    assert theory["kink"]["LI"]["lexical"]["p"] is not None
    assert theory["kink"]["LI"]["syntactic"] == {"p": None, "reason": "no treebank was given"}
    assert "no total" in theory["kink"]["LI"]["all"]["reason"]
    where = [w["where"] for w in results["warnings"]]
    assert "models.deep.theory.information.syntactic" in where
    assert theory["hvib"]["elbo"] is None
    (bound,) = [w for w in results["warnings"] if w["where"] == "models.deep.theory.hvib.elbo"]
    assert "β = 1" in bound["what"]


def test_a_model_in_bfloat16_reports_what_it_can(tmp_path):
    folder = tiny_model(
        tmp_path / "half", "qwen2", layers=4, dtype=torch.bfloat16, max_position_embeddings=128
    )
    results = run_study(study(folder, scales=(1, 2), treebank=False), tmp_path / "run", quiet=True)
    theory = results["models"]["half"]["theory"]
    assert theory["fisher"]["fisher"]["value"]
    assert "rounding" in theory["fisher"]["hessian"]["reason"]
    assert "from 20 layers on" in theory["kink"]["LI"]["lexical"]["reason"]
    groups, _, _ = drawn(results, "half")
    assert "rounding" in groups[1].panels[1].missing[0]


def test_sensitivity_is_kept_shard_by_shard(tmp_path):
    """What a stop leaves of it is not computed again, and the whole is what one go gives."""
    folder = tiny_model(tmp_path / "small", "llama", layers=4, max_position_embeddings=128)
    config, out = study(folder, scales=(1, 2), treebank=False, theory={"texts": 12}), tmp_path / "run"
    whole = run_study(config, out, quiet=True)["models"]["small"]["theory"]
    assert whole["fisher"]["texts"] == 12
    by_shard = {
        tuple(json.loads(path.read_text())["inputs"]["shard"]): path
        for path in out.glob("stages/*/*/theory-sensitivity-*/manifest.json")
    }
    assert sorted(by_shard) == [(0, 8), (8, 12)]
    kept = by_shard[0, 8].stat().st_mtime_ns
    shutil.rmtree(by_shard[8, 12].parent)
    assert run_study(config, out, quiet=True)["models"]["small"]["theory"] == whole
    # As tasks of two processes, which keep the model between them.
    spread = config.model_copy(update={"run": RunConfig(workers=2, spread=True)})
    assert run_study(spread, tmp_path / "spread", quiet=True)["models"]["small"]["theory"] == whole
    assert by_shard[0, 8].stat().st_mtime_ns == kept
    assert by_shard[8, 12].exists()


def test_one_layer_has_no_theory_and_says_why(tmp_path):
    folder = tiny_model(tmp_path / "flat", "llama", layers=1, max_position_embeddings=128)
    results = run_study(study(folder, scales=None, treebank=False), tmp_path / "run", quiet=True)
    assert results["models"]["flat"]["theory"] is None
    assert drawn(results, "flat") == ([], [None, None], None)
    assert any(w["where"] == "models.flat.theory" and "one layer" in w["what"] for w in results["warnings"])


def test_too_little_text_leaves_blocks_null_with_reasons(tmp_path):
    folder = tiny_model(tmp_path / "small", "llama", layers=4, max_position_embeddings=128)
    config = study(folder, scales=(1, 2), treebank=False, documents=3)
    results = run_study(config, tmp_path / "run", quiet=True)
    theory = results["models"]["small"]["theory"]
    assert "more" in theory["markov"]["reason"]
    assert theory["concentration"]["verdict"] == "not testable"
    assert "at least 8 documents" in theory["concentration"]["reason"]
    assert theory["hvib"]["curve"] is None
    groups, _, _ = drawn(results, "small")
    assert not groups[2].panels[0].drawn
    assert theory["fisher"]["fisher"]["value"]
    words = told(results, "small")
    assert theory["hvib"]["reason"] in words
    assert theory["markov"]["reason"] in words
    assert theory["concentration"]["reason"] in words


def long_documents(path, count):
    """A corpus of a few documents of forty planted ones each: enough text, but not enough documents."""
    documents = sample_corpus(TriScale(), 40 * count, 0).documents
    texts = [[s for d in documents[40 * i : 40 * (i + 1)] for s in d.sentences] for i in range(count)]
    path.write_text("\n".join(json.dumps({"sentences": sentences}) for sentences in texts), "utf-8")
    return {"source": str(path), "format": "jsonl", "min_words": 1}


@pytest.mark.parametrize("documents", [1, 2, 3, 5])
def test_too_few_documents_for_an_error_leave_values_without_one(tmp_path, documents):
    folder = tiny_model(tmp_path / "small", "llama", layers=4, max_position_embeddings=128)
    corpus = long_documents(tmp_path / "few.jsonl", documents)
    config = study(folder, scales=(1, 2), treebank=False, corpus=corpus)
    results = run_study(config, tmp_path / "run", quiet=True)
    theory = results["models"]["small"]["theory"]
    gaussian = theory["information"]["gaussian"]
    assert len(gaussian["nats"]) == 4
    assert gaussian["se"] is None
    told_of = {w["where"]: f"{w['what']}; {w['consequence']}" for w in results["warnings"]}
    found = theory["information"]["documents"]
    place = "models.small.theory"
    assert f"at least 3 documents, found {found}" in told_of[f"{place}.information.gaussian"]
    assert "no standard errors" in told_of[f"{place}.information.gaussian"]
    if found == 1:
        assert theory["fisher"]["fisher"]["ci"] is None
        assert all(one["ci"] is None for one in theory["beta"]["activations"].values())
        assert "no intervals" in told_of[f"{place}.fisher"]
    drawn(results, "small")
    assert theory_section(parse(results), "small", "small") is not None


def test_weights_of_a_scale_without_intervals_are_shown_as_they_are():
    one = {"value": [0.5, 0.75], "ci": None, "limit": {"value": 2.5, "ci": None}}
    beta = {"activations": {"local": one}, "sigmas": [0.1, 0.2], "units": "nats", "estimator": "any"}
    page = str(_weights(record(Theory, {"beta": beta})).html("m"))
    assert all(f">{number(value)}<" in page for value in (0.5, 0.75, 2.5))


def test_held_out_documents_are_those_that_choose_nothing():
    corpus = sample_corpus(TriScale(), 70, 0)
    half = held_out(corpus)
    groups = document_groups(corpus)
    assert {d.id for d in half.documents} == {
        d.id for d, g in zip(corpus.documents, groups, strict=True) if g % 2 == 1
    }
    assert half.sha256 != corpus.sha256
    one = Corpus("one", corpus.documents[:1], "x")
    assert held_out(one) is one
    treebank = sample_treebank(TriScale(), 0, train=8, dev=8, test=40)
    chosen = {sentence.document for sentence in held_out_sentences(Data(corpus, treebank))}
    assert chosen == {f"test-{i}" for i in range(1, 10, 2)}

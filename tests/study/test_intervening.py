"""Experiment 2 in a study: shards, resume, checkers that come and go, and arms that break."""

import json
import os

import numpy as np
import pyarrow.parquet as pq
import pytest

from mspgt.errors import InputError
from mspgt.results import dumped, read
from mspgt.study.describe import describe
from mspgt.study.loading import make_config
from mspgt.study.run import run_study
from tests.interventions.languagetool_server import install, serving
from tests.lm.tiny import tiny_model
from tests.results.test_results import unknown
from tests.study.small import write_corpus

QUICK = {
    "samples": 7,
    "prompt_tokens": 8,
    "new_tokens": 10,
    "random_sets": 1,
    "response": [0.05, 0.2],
    "response_samples": 3,
    "encoder": None,
    "harper": False,
    "draws": 100,
    "shard_samples": 3,
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("text") / "text.jsonl")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny-llama", "llama", layers=6)


def study(model, corpus, scales=(2, 4), **settings):
    return make_config(
        {
            "name": "test",
            "models": [{"id": str(model), "scales": scales}],
            "corpus": {"source": str(corpus)},
            "twins": {"seeds": 0},
            "boundaries": {"draws": 100, "permutations": 99},
            "measure": {"cka_tokens": 128},
            "run": {"workers": 1},
            "interventions": {**QUICK, **settings},
        }
    )


def stages(out, stage):
    return sorted(path.name for path in out.glob(f"stages/*/*/{stage}-*"))


@pytest.fixture(scope="module")
def finished(model, corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return out, run_study(study(model, corpus), out, quiet=True)


def test_the_contract_holds_every_key_and_is_written_as_it_was_read(finished):
    out, _ = finished
    results = read(out)
    assert dumped(results) == (out / "results.json").read_text("utf-8")
    assert unknown(results) == []


def test_results_hold_every_arm_and_say_what_was_not_measured(finished):
    out, results = finished
    found = results["models"]["tiny-llama"]
    arms = found["interventions"]
    about = found["interventions_about"]
    assert about["scales"] == {"LI": 2, "IG": 4, "source": "given"}
    assert set(about["arms"]) - set(arms) == {"baseline"}
    for metrics in arms.values():
        for metric in ("coherence", "grammar", "harper"):
            assert metrics[metric]["percent"] is None
            assert metrics[metric]["reason"]
        assert metrics["ttr"]["n"] > 0
    told = [w for w in results["warnings"] if w["where"].endswith("interventions.*.grammar")]
    assert "languagetool" in told[0]["what"]
    assert set(about["response"]) == {"local", "intermediate", "global"}
    table = pq.read_table(next((out / "texts").glob("*.parquet")))
    assert table.num_rows == 7 * len(about["arms"])
    assert len(stages(out, "texts")) == 3


def test_shards_and_batches_change_nothing(finished, model, corpus, tmp_path):
    _, results = finished
    again = run_study(study(model, corpus, shard_samples=7, batch_rows=3), tmp_path, quiet=True)
    ours, theirs = (r["models"]["tiny-llama"]["interventions"] for r in (results, again))
    for arm, metrics in ours.items():
        for metric, numbers in metrics.items():
            for key, value in numbers.items():
                other = theirs[arm][metric][key]
                assert other == (pytest.approx(value, rel=1e-4) if isinstance(value, float) else value)


def test_a_lost_shard_is_written_again_and_nothing_else_is(model, corpus, tmp_path):
    config = study(model, corpus, response_samples=0)
    before = run_study(config, tmp_path, quiet=True)
    shards = sorted(tmp_path.glob("stages/*/*/texts-*"))
    (shards[1] / "texts.parquet").write_bytes(b"half")
    times = {path: path.stat().st_mtime_ns for path in shards}
    after = run_study(config, tmp_path, quiet=True)
    changed = [path for path in shards if path.stat().st_mtime_ns != times[path]]
    assert changed == [shards[1]]
    assert after["models"]["tiny-llama"]["interventions"] == before["models"]["tiny-llama"]["interventions"]


def test_a_damaged_scale_of_activations_is_measured_again(model, corpus, tmp_path):
    config = study(model, corpus, response_samples=0)
    before = run_study(config, tmp_path, quiet=True)
    (scales,) = tmp_path.glob("stages/*/*/scales-*")
    arrays = scales / "arrays.safetensors"
    arrays.write_bytes(arrays.read_bytes()[:-8])
    after = run_study(config, tmp_path, quiet=True)
    assert after["models"]["tiny-llama"]["interventions"] == before["models"]["tiny-llama"]["interventions"]


def test_a_server_that_goes_away_costs_its_metric_until_it_is_back(model, corpus, tmp_path):
    with serving(fails_after=45) as server:
        config = study(model, corpus, response_samples=0, languagetool=server.url)
        results = run_study(config, tmp_path, quiet=True)
    found = results["models"]["tiny-llama"]["interventions"]["local"]
    assert found["grammar"]["value"] is None
    assert "503" in found["grammar"]["reason"]
    assert found["ttr"]["value"] is not None
    assert 0 < len(stages(tmp_path, "grammar")) < 3
    texts = {path: path.stat().st_mtime_ns for path in tmp_path.glob("stages/*/*/texts-*")}
    # The address is no setting of science: the same run goes on with a server elsewhere.
    with serving() as server:
        config = study(model, corpus, response_samples=0, languagetool=server.url)
        results = run_study(config, tmp_path, quiet=True)
        assert len(stages(tmp_path, "grammar")) == 3
        asked = len(server.asked)
        run_study(config, tmp_path, quiet=True)
        assert len(server.asked) == asked
    found = results["models"]["tiny-llama"]
    assert found["interventions"]["local"]["grammar"]["value"] is not None
    assert found["interventions_about"]["versions"]["grammar"] == "6.5"
    assert {path: path.stat().st_mtime_ns for path in texts} == texts


def test_one_local_languagetool_serves_every_model_and_is_stopped(model, corpus, tmp_path, monkeypatch):
    pytest.importorskip("language_tool_python", reason="the extra grammar is not installed")
    starts = install(tmp_path)
    monkeypatch.setenv("LTP_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    config = study(model, corpus, response_samples=0, languagetool="local")
    twice = [config.models[0].model_copy(update={"name": name}) for name in ("one", "two")]
    results = run_study(config.model_copy(update={"models": tuple(twice)}), tmp_path / "run", quiet=True)
    for name in ("one", "two"):
        found = results["models"][name]
        assert found["interventions"]["local"]["grammar"]["value"] is not None
        assert found["interventions_about"]["versions"]["grammar"] == "6.5"
    (server,) = starts.read_text().split()
    with pytest.raises(ProcessLookupError):
        os.kill(int(server), 0)


def test_shards_checked_by_another_version_are_checked_again(model, corpus, tmp_path):
    settings = {"response_samples": 0}
    with serving(version="6.4", fails_after=45) as server:
        run_study(study(model, corpus, languagetool=server.url, **settings), tmp_path, quiet=True)
    with serving(version="6.5") as server:
        results = run_study(study(model, corpus, languagetool=server.url, **settings), tmp_path, quiet=True)
    metas = [json.loads(path.read_text()) for path in tmp_path.glob("stages/*/*/grammar-*/meta.json")]
    assert [meta["version"] for meta in metas] == ["6.5"] * 3
    assert results["models"]["tiny-llama"]["interventions_about"]["versions"]["grammar"] == "6.5"


def test_an_encoder_that_is_not_there_costs_its_metric_alone(model, corpus, tmp_path):
    folder = tmp_path / "no-encoder"
    folder.mkdir()
    config = study(model, corpus, response_samples=0, encoder=str(folder))
    results = run_study(config, tmp_path / "run", quiet=True)
    found = results["models"]["tiny-llama"]["interventions"]["global"]
    assert "sentence encoder" in found["coherence"]["reason"]
    assert found["ttr"]["value"] is not None


def test_noise_that_breaks_the_model_costs_its_arms_alone(model, corpus, tmp_path):
    # Activations of about 1 and float32: noise near its end overflows where it is added.
    results = run_study(study(model, corpus, response_samples=0, sigma=3e38), tmp_path, quiet=True)
    found = results["models"]["tiny-llama"]
    arms = found["interventions_about"]["arms"]
    assert arms["baseline"]["failed"] is arms["aa"]["failed"] is None
    assert arms["local"]["failed"]["layer"] in (1, 2)
    assert "block" in found["interventions"]["local"]["ttr"]["reason"]
    assert found["interventions"]["aa"]["ttr"]["value"] is not None
    assert any("NaN or infinity began" in w["what"] for w in results["warnings"])


def test_thirds_are_said_and_short_prompts_counted(model, corpus, tmp_path):
    config = study(model, corpus, None, response_samples=0, prompt_tokens=40, samples=4)
    results = run_study(config, tmp_path, quiet=True)
    about = results["models"]["tiny-llama"]["interventions_about"]
    assert about["scales"]["source"] == "thirds"
    told = " ".join(w["what"] for w in results["warnings"])
    assert "thirds of the depth" in told


def test_the_plan_counts_the_texts(model, corpus, tmp_path):
    lines = "\n".join(describe(study(model, corpus), tmp_path / "run", quiet=False))
    assert "texts" in lines
    assert "response" in lines


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 1}, "interventions.samples"),
        ({"sigma": 0}, "interventions.sigma"),
        ({"response": [0.1, 0]}, "sizes of noise above 0"),
        ({"scope": "prompt"}, "interventions.scope"),
        ({"sampels": 5}, "did you mean 'samples'"),
    ],
)
def test_settings_that_cannot_be_are_refused(model, corpus, settings, message):
    with pytest.raises(InputError, match=message):
        study(model, corpus, **settings)


def test_a_prompt_and_text_beyond_the_context_are_refused(model, corpus, tmp_path):
    with pytest.raises(InputError, match="context"):
        run_study(study(model, corpus, new_tokens=60), tmp_path, quiet=True)


def test_numbers_are_numbers(finished):
    _, results = finished
    for metrics in results["models"]["tiny-llama"]["interventions"].values():
        for one in metrics.values():
            assert all(np.isfinite(v) for v in one.values() if isinstance(v, float))

"""Studies from end to end on tiny models with random weights: refusal, bad input, hostile names."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from mspgt.errors import InputError, ModelError, MspgtError, StoreError
from mspgt.results import dumped, read
from mspgt.study.describe import describe
from mspgt.study.kept import drop, unused
from mspgt.study.lock import run_lock
from mspgt.study.run import run_study
from tests.lm.tiny import tiny_model
from tests.results.test_results import unknown
from tests.study.small import SENTENCES, stage_files, study, without_times, write_corpus


def test_a_study_without_labels_has_s1_and_s3_and_says_why_s2_is_null(llama, corpus, tmp_path):
    results = run_study(study([llama], corpus), tmp_path / "run", quiet=True)
    model = results["models"]["tiny-llama"]
    assert model["signals"]["S2"] == {"paper": None, "calibrated": None}
    assert len(model["signals"]["S1"]["calibrated"]) == len(model["signals"]["S3"]["paper"]) == 6
    assert all(value > 0 for value in model["signals"]["S3"]["calibrated"])
    assert any("S2" in w["where"] for w in results["warnings"])
    assert results == json.loads((tmp_path / "run" / "results.json").read_text())


def test_the_contract_holds_every_key_and_is_written_as_it_was_read(finished):
    out, _ = finished
    results = read(out)
    assert dumped(results) == (out / "results.json").read_text("utf-8")
    assert unknown(results) == []


def test_running_again_computes_nothing_and_gives_the_same(finished, llama, corpus):
    out, first = finished
    before = stage_files(out)
    again = run_study(study([llama], corpus), out, quiet=True)
    assert stage_files(out) == before
    assert without_times(again) == without_times(first)


def test_batches_shards_and_workers_change_nothing_beyond_rounding(finished, llama, corpus, tmp_path):
    _, first = finished
    other = study(
        [llama],
        corpus,
        measure={"shard_documents": 5, "batch_tokens": 64, "cka_tokens": 128},
        run={"workers": 2},
    )
    second = run_study(other, tmp_path / "other", quiet=True)
    for signal_name in ("S1", "S3"):
        for mode in ("paper", "calibrated"):
            one, two = (r["models"]["tiny-llama"]["signals"][signal_name][mode] for r in (first, second))
            np.testing.assert_allclose(one, two, rtol=1e-5)


def test_a_truncated_stage_is_recomputed_and_nothing_else(finished, llama, corpus):
    out, first = finished
    geometry = sorted(out.glob("stages/*/*/geometry-*"))
    victim = geometry[0] / "arrays.safetensors"
    victim.write_bytes(victim.read_bytes()[:100])
    lines = list(describe(study([llama], corpus), out))
    assert any("damaged: arrays.safetensors" in line for line in lines)
    untouched = {
        p: t for p, t in stage_files(out).items() if p.parent != geometry[0] and "geometry" in str(p)
    }
    again = run_study(study([llama], corpus), out, quiet=True)
    assert without_times(again) == without_times(first)
    after = stage_files(out)
    assert all(after[p] == t for p, t in untouched.items())


def test_a_run_folder_grows(llama, corpus, tmp_path):
    """More draws, another model: what has the same key is used again, and the first plan keeps its results."""
    out = tmp_path / "run"
    first = run_study(study([llama], corpus, twins={"seeds": 0}), out, quiet=True)
    before = stage_files(out)
    more = study([llama], corpus, twins={"seeds": 0}, boundaries={"draws": 150, "permutations": 99})
    lines = list(describe(more, out))
    assert any("boundaries.draws: 100 there, 150 here" in line for line in lines)
    assert any("to run  0 of 2 stages" in line for line in lines)
    second = run_study(more, out, quiet=True)
    assert stage_files(out) == before
    assert second["study"]["hash"] != first["study"]["hash"]
    other = tiny_model(tmp_path / "other", "gpt2", layers=3)
    both = study([llama, other], corpus, twins={"seeds": 0})
    assert any("to run  2 of 4 stages" in line for line in describe(both, out))
    third = run_study(both, out, quiet=True)
    after = stage_files(out)
    assert before.items() < after.items()
    assert third["models"]["tiny-llama"]["signals"] == first["models"]["tiny-llama"]["signals"]
    assert json.loads((out / "results.json").read_text()) == third
    for results in (first, second, third):
        place = out / "plans" / results["study"]["hash"][:16]
        assert json.loads((place / "results.json").read_text()) == results
        assert json.loads((place / "plan.json").read_text())["hash"] == results["study"]["hash"]

    # Nothing is unused while all plans are kept; without the last, the other model's stages are.
    assert list(unused(out)) == []
    drop(out, third["study"]["hash"][:8])
    found = {path.relative_to(out / "stages").parts[0] for path, _ in unused(out)}
    assert found == {"other"}


def test_a_folder_from_before_plans_had_folders_keeps_its_results(llama, corpus, tmp_path):
    out = tmp_path / "run"
    first = run_study(study([llama], corpus, twins={"seeds": 0}), out, quiet=True)
    shutil.rmtree(out / "plans")
    run_study(study([llama], corpus, twins={"seeds": 0}, seed=5), out, quiet=True)
    place = out / "plans" / first["study"]["hash"][:16]
    assert json.loads((place / "results.json").read_text()) == first


def test_two_processes_in_one_folder_are_told_apart(llama, corpus, tmp_path):
    with (
        run_lock(tmp_path / "run"),
        pytest.raises(StoreError, match=f"process {os.getpid()} on .* is at work"),
    ):
        run_study(study([llama], corpus), tmp_path / "run", quiet=True)
    with run_lock(tmp_path / "run"):
        pass


@pytest.mark.parametrize("layers", [1, 2])
def test_a_model_too_shallow_for_a_boundary_is_measured(layers, corpus, tmp_path):
    model = tiny_model(tmp_path / "shallow", "llama", layers=layers)
    results = run_study(study([model], corpus), tmp_path / "run", quiet=True)
    found = results["models"]["shallow"]["boundaries"]
    assert found["paper"]["LI"] is None
    assert found["calibrated"]["chosen"] == {"LI": None, "IG": None}
    assert any("no boundary possible" in reason for reason in found["calibrated"]["reasons"])


def test_a_model_without_attention_has_no_s3_and_says_why(corpus, tmp_path):
    model = tiny_model(tmp_path / "mamba", "mamba", layers=3)
    results = run_study(study([model], corpus, twins={"seeds": 0}), tmp_path / "run", quiet=True)
    signals = results["models"]["mamba"]["signals"]
    assert signals["S3"] == {"paper": None, "calibrated": None}
    assert signals["S1"]["calibrated"] is not None
    assert any(
        w["where"].endswith("signals.S3") and "not measurable" in w["what"] for w in results["warnings"]
    )


def test_one_document_gives_an_estimate_without_an_interval(llama, tmp_path):
    text = write_corpus(tmp_path / "one.jsonl", documents=1)
    results = run_study(study([llama], text), tmp_path / "run", quiet=True)
    model = results["models"]["tiny-llama"]
    assert model["signals"]["S1"]["paper"] is not None
    assert model["signals"]["S1"]["calibrated"] is None
    told = {w["where"]: w["what"] for w in results["warnings"]}
    assert "needs 4" in told["models.tiny-llama.signals.S1.calibrated"]
    assert model["boundaries"]["paper"]["accepted"] is None
    assert any("one document" in w["what"] for w in results["warnings"])


def test_bad_models_stop_the_study_before_any_measuring(llama, corpus, tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(ModelError):
        run_study(study([llama, missing], corpus), tmp_path / "run", quiet=True)
    assert not list((tmp_path).glob("run/stages/**/manifest.json"))


def test_an_empty_corpus_stops_the_study(llama, tmp_path):
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    with pytest.raises(InputError):
        run_study(study([llama], empty), tmp_path / "run", quiet=True)


def test_a_sentence_longer_than_the_context_is_an_error_or_cut_and_counted(llama, tmp_path):
    text = write_corpus(tmp_path / "long.jsonl")
    text.write_text(text.read_text() + "\n" + json.dumps({"text": "word " * 300 + "end."}))
    with pytest.raises(MspgtError, match=r"too_long|context|tokens"):
        run_study(study([llama], text), tmp_path / "run", quiet=True)
    cut = study([llama], text, measure={"too_long": "cut", "cka_tokens": 128})
    results = run_study(cut, tmp_path / "cut", quiet=True)
    assert results["models"]["tiny-llama"]["tokens"]["cut_sentences"] == 1


def test_an_unwritable_folder_is_refused_before_measuring(llama, corpus, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StoreError, match="--out"):
        run_study(study([llama], corpus), blocked / "run", quiet=True)


def test_hostile_names_stay_names(llama, corpus, tmp_path):
    name = "../<script>alert(1)</script>"
    results = run_study(study([{"id": str(llama), "name": name}], corpus), tmp_path / "run", quiet=True)
    assert list(results["models"]) == [name]
    folders = [p.name for p in (tmp_path / "run" / "stages").iterdir()]
    assert len(folders) == 1
    assert "/" not in folders[0]
    assert "<" not in folders[0]
    assert not (tmp_path / "<script>alert(1)<").exists()


def test_the_plan_hash_needs_no_weights_in_memory(finished, llama, corpus):
    out, first = finished
    lines = list(describe(study([llama], corpus), out))
    assert first["study"]["hash"][:16] in lines[0]
    assert sum("  done  " in line for line in lines) == 4


def test_matched_heads_and_the_embedding_are_options_of_a_study(finished, llama, corpus, tmp_path):
    _, plain = finished
    config = study(
        [llama],
        corpus,
        measure={"shard_documents": 2, "cka_tokens": 128, "heads": "matched"},
        boundaries={"draws": 100, "permutations": 99, "include_embedding": True},
    )
    results = run_study(config, tmp_path / "run", quiet=True)
    model, before = results["models"]["tiny-llama"], plain["models"]["tiny-llama"]
    assert before["signals_from_embedding"] is None
    for mode in ("paper", "calibrated"):
        assert model["signals"]["S1"][mode] == pytest.approx(before["signals"]["S1"][mode], rel=1e-5)
    assert model["signals"]["S3"] != before["signals"]["S3"]
    lists = model["signals_from_embedding"]
    for name in ("S1", "S2", "S3"):
        for mode in ("paper", "calibrated"):
            if model["signals"][name][mode] is not None:
                assert lists[name][mode][1:] == model["signals"][name][mode]
    assert lists["S1"]["calibrated"][0] == model["embedding_step"]["S1"]["calibrated"]
    assert lists["S3"]["calibrated"][0] is None
    assert any("S3 has no value at the embedding" in w["what"] for w in results["warnings"])
    assert run_study(config, tmp_path / "run", quiet=True)["models"] == results["models"]


def test_a_treebank_with_every_task_off_leaves_s2_null_and_says_which(llama, corpus, tmp_path):
    files = []
    for split in ("train", "dev", "test"):
        word = "\t".join(["_"] * 8)
        rows = [f"# sent_id = {split}-1", f"1\tRain\t{word}", f"2\tfell\t{word}", ""]
        (tmp_path / f"{split}.conllu").write_text("\n".join(rows) + "\n")
        files.append(str(tmp_path / f"{split}.conllu"))
    config = study([llama], corpus, treebank={"conllu": files}, twins={"seeds": 0})
    results = run_study(config, tmp_path / "run", quiet=True)
    model = results["models"]["tiny-llama"]
    assert model["signals"]["S2"] == {"paper": None, "calibrated": None}
    assert model["probes"] == {}
    told = {w["where"]: w["what"] for w in results["warnings"]}
    for task in ("pos", "dep", "ner", "srl"):
        assert told[f"models.*.probes.{task}"].startswith("task is off")
    assert "every task is off" in told["models.tiny-llama.signals.S2"]


def write_treebank(folder: Path, test_documents: int) -> list[str]:
    """Trees of the sentences above in random order: train, dev and test, the last in so many documents."""
    rng = np.random.default_rng(1)
    tags = ("NOUN", "VERB", "DET", "ADP")
    files = []
    for split, documents in (("train", 1), ("dev", 1), ("test", test_documents)):
        rows = []
        for number in range(12):
            if documents > 1 and number * documents % 12 == 0:
                rows.append(f"# newdoc id = {split}-{number}")
            rows.append(f"# sent_id = {split}-{number}")
            words = rng.permutation(SENTENCES[number % 5].split())
            for at, word in enumerate(words, start=1):
                relation = "root" if at == 1 else ("obj", "det")[len(word) % 2]
                rows.append(f"{at}\t{word}\t_\t{tags[len(word) % 4]}\t_\t_\t{at - 1}\t{relation}\t_\t_")
            rows.append("")
        (folder / f"{split}.conllu").write_text("\n".join(rows) + "\n")
        files.append(str(folder / f"{split}.conllu"))
    return files


def test_a_test_split_of_one_document_holds_s2_without_an_interval(llama, corpus, tmp_path):
    config = study([llama], corpus, treebank={"conllu": write_treebank(tmp_path, 1)})
    results = run_study(config, tmp_path / "run", quiet=True)
    model = results["models"]["tiny-llama"]
    assert all(value is not None for value in model["signals"]["S2"]["paper"])
    for mode in ("paper", "calibrated"):
        assert model["signals_ci"]["S2"][mode] is None
        assert None not in model["signals_ci"]["S1"][mode] + model["signals_ci"]["S3"][mode]
    assert model["probes"]["pos"]["f1_ci"] is None
    assert model["boundaries"]["paper"]["accepted"] is not None
    noise = model["boundaries"]["calibrated"]["noise_ratio"]
    assert noise["S2"] is None
    assert noise["S1"] is not None
    told = {w["where"]: w["what"] for w in results["warnings"]}
    assert "one document" in told["models.tiny-llama.signals_ci.S2"]

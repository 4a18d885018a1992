import subprocess
import sys

import pytest


def mspgt(*arguments):
    code = "from mspgt.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere.yaml"], "no such study file"),
        (["plan", "nowhere.yaml"], "shipped study: demo"),
        (["report", "nowhere"], "results.json"),
        (["compare", "nowhere"], "expected a finished run"),
        (["worlds", "--worlds", "1", "--out", "no/such/folder/rates.json"], "no such folder"),
        (["check", "./nowhere\x1b[31m<b>"], "no such folder"),
        (["intervene", "m", "--corpus", "t.txt", "--boundaries", "8"], "two layers such as 8,16"),
        (["intervene", "m", "--corpus", "t.txt", "--sigma", "-1"], "greater than 0"),
        (["boundaries", "m", "--corpus", "t.txt", "--set", "boundaries.drows=5"], "did you mean 'draws'"),
    ],
)
def test_a_users_error_is_one_message_with_a_next_step_and_no_traceback(arguments, message):
    done = mspgt(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


def test_debug_shows_where_an_error_was_raised():
    done = mspgt("run", "nowhere.yaml", "--debug")
    assert "Traceback" in done.stderr


def test_doctor_says_what_is_there_and_what_an_extra_would_enable():
    done = mspgt("doctor")
    assert done.returncode == 0, done.stderr
    assert "torch" in done.stdout
    assert "datasets" in done.stdout


def test_the_plan_of_the_demo_runs_nothing_and_names_every_bundled_model(tmp_path):
    done = mspgt("plan", "demo", "--out", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    for name in ("triscale-llama-1", "triscale-qwen2-3"):
        assert name in done.stdout
    assert not (tmp_path / "run").exists()

"""Runs that are killed, stopped or ended: what is kept, what is told, and what does not live on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mspgt.study.kept import unused
from mspgt.study.run import run_study
from tests.study.small import stage_files, study, without_times


def test_kill_9_in_the_middle_loses_at_most_the_shard_in_flight(finished, llama, corpus, tmp_path):
    _, first = finished
    out = tmp_path / "killed"
    script = f"""
import os, signal
from mspgt.study import store
from tests.study.small import study
from mspgt.study.run import run_study
count = 0
save = store.Address.save
def save_then_die(self, result, seconds):
    global count
    save(self, result, seconds)
    count += self.stage == "observe"
    if count == 2:
        os.kill(os.getpid(), signal.SIGKILL)
store.Address.save = save_then_die
run_study(study([{str(llama)!r}], {str(corpus)!r}), __import__("pathlib").Path({str(out)!r}), quiet=True)
"""
    died = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=False)
    assert died.returncode == -signal.SIGKILL
    kept = [p for p in stage_files(out) if "observe-" in str(p)]
    assert len(kept) == 2
    assert list(unused(out)) == []  # what a resume goes on from is not refuse
    assert not (out / "results.json").exists()
    again = run_study(study([llama], corpus), out, quiet=True)
    assert without_times(again) == without_times(first)


def command(tmp_path, llama, corpus):
    """A run with two workers and more to do than a test waits for, in a process of its own."""
    file = tmp_path / "study.yaml"
    file.write_text(
        f"name: stop\nmodels: ['{llama}']\ncorpus: {{source: '{corpus}'}}\ntwins: {{seeds: 60}}\n"
        "measure: {cka_tokens: 128}\nboundaries: {draws: 100}\nrun: {workers: 2}\n"
    )
    call = [sys.executable, "-c", "from mspgt.cli import main; main()", "run", str(file)]
    process = subprocess.Popen(
        [*call, "--out", str(tmp_path / "o")],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A suite started in the background inherits an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 400
    while not list(tmp_path.glob("o/stages/*/*/geometry-*")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.2)
    return process


def workers_of(process):
    """Processes of its session, itself aside."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,stat=", "-s", str(process.pid)], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(pid) for pid, state in rows if int(pid) != process.pid and not state.startswith("Z")}


def all_end(process):
    """Processes of its session end, however long that takes on a busy machine."""
    deadline = time.monotonic() + 600
    while workers_of(process):
        assert time.monotonic() < deadline, "workers live on"
        time.sleep(0.2)


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_a_stopped_run_says_how_to_go_on(llama, corpus, tmp_path, sent, status):
    process = command(tmp_path, llama, corpus)
    if sent == signal.SIGINT:
        os.killpg(process.pid, sent)  # a terminal tells the whole group
    else:
        process.send_signal(sent)
    _, told = process.communicate(timeout=600)
    assert process.returncode == status
    assert "run the same command again" in told
    assert "stages are done and kept; " in told
    assert "to compute, not computed yet" in told
    assert "Traceback" not in told
    assert not list(tmp_path.glob("o/stages/*/*/.*"))


STARTING = """
import signal, time
from mspgt.study.engines import _Crew

class Ended(BaseException):
    pass

def end(*_):
    raise Ended

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    crew = _Crew(b"the text of a run" * 200_000)
    try:
        print("starting", flush=True)
        crew._hire(2)
        time.sleep(60)
    except (KeyboardInterrupt, Ended):
        print("stopped", flush=True)
    finally:
        crew.end(at_once=True)
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_workers_stopped_while_they_start_say_nothing(tmp_path, sent):
    """Whenever it comes: their text of three megabytes is on its way, or they still read their libraries."""
    script = tmp_path / "starting.py"
    script.write_text(STARTING)
    for moment in (0.05, 0.4, 0.8):
        process = subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert process.stdout.readline() == "starting\n"
        time.sleep(moment)
        if sent == signal.SIGINT:
            os.killpg(process.pid, sent)
        else:
            process.send_signal(sent)
        told, errors = process.communicate(timeout=120)
        assert (told, errors) == ("stopped\n", "")
        all_end(process)


def test_workers_do_not_outlive_a_killed_parent(llama, corpus, tmp_path):
    process = command(tmp_path, llama, corpus)
    assert len(workers_of(process)) >= 2
    process.kill()
    process.wait()
    all_end(process)
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()

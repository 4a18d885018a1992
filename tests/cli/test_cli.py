import subprocess
import sys

import pytest
import typer

from mspgt.cli import main
from mspgt.cli.app import app
from mspgt.cli.options import Commands, Labels, Loading, Running
from mspgt.cli.quick import quick_study
from mspgt.errors import InputError, StoppedError
from mspgt.study.loading import make_config


def mspgt(*arguments, env=None, first="pass"):
    code = f"{first}\nimport sys; sys.argv[0] = 'mspgt'; from mspgt.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, env=env
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere.yaml"], "no such study file"),
        (["plan", "nowhere.yaml"], "shipped study: demo"),
        (["report", "nowhere"], "results.json"),
        (["compare", "nowhere"], "Expected a finished run"),
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


FAULTY = """name: demo study
models: ["zoo:triscale-llama-1"]
corpus:
  source: triscale
  format: triscal
boundaries:
  drows: 500
  level: 2
"""


def test_every_fault_of_a_study_file_has_its_line_and_the_next_step(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(FAULTY)
    done = mspgt("plan", str(file), "--set", "twins.seeds=-1")
    assert done.returncode == 2
    told = done.stderr.removeprefix("mspgt: ").splitlines()
    assert len(told) == 5
    expected = {
        f"{file}:1: name: expected at most 64 letters",
        f"{file}:5: corpus.format: expected one of auto, wikitext, text, jsonl, json, parquet, hub, triscale, "
        "found 'triscal'; did you mean 'triscale'?",
        f"{file}:7: unknown key 'boundaries.drows'; did you mean 'draws'?",
        f"{file}:8: boundaries.level: expected less than 1, found 2",
        "--set twins.seeds: twins.seeds: expected greater than or equal to 0, found -1",
    }
    for start in expected:
        assert any(line.startswith(start) for line in told), (start, told)


def test_broken_yaml_is_told_by_its_line(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text("name: x\nmodels: [\n  - a\n")
    done = mspgt("run", str(file))
    assert done.stderr.startswith(f"mspgt: {file}:3: not valid YAML")


@pytest.mark.parametrize(("word", "meant"), [("dmo", "demo"), ("small2", "small"), ("qqqq", None)])
def test_a_word_is_offered_only_when_it_is_close(word, meant):
    told = mspgt("plan", word).stderr
    assert (f"Did you mean '{meant}'?" in told) if meant else ("Did you mean" not in told)


def test_a_bundled_model_can_be_checked_and_a_misspelt_one_is_guessed():
    told = mspgt("check", "zoo:triscale-lama-1").stderr
    assert "Did you mean 'triscale-llama-1'?" in told


def test_a_plan_refuses_scales_that_do_not_fit_the_model(tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text(
        "name: x\nmodels: [{id: 'zoo:triscale-llama-1', scales: [2, 50]}]\n"
        "corpus: {source: triscale, format: triscale, max_documents: 20}\n"
    )
    done = mspgt("plan", str(study))
    assert done.returncode == 2
    assert "scales: Three scales need boundaries 1 <= LI < IG < 24" in done.stderr


def test_the_planted_language_needs_no_file():
    loading, running = Loading(dtype="float32"), Running(seed=3, settings=["boundaries.draws=500"])
    quick = quick_study(["zoo:triscale-llama-1"], "triscale", Labels(["triscale"]), loading)
    config = make_config(quick, running.overrides, where="command line")
    assert (config.seed, config.models[0].dtype, config.models[0].device) == (3, "float32", None)
    assert config.name == "triscale-llama-1"
    assert config.corpus.format == config.treebank.planted == "triscale"
    assert config.boundaries.draws == 500
    with pytest.raises(InputError, match="give one of `conllu`"):
        make_config(
            quick_study(["c"], "text.txt", Labels(entities=["e"]), Loading()), (), where="command line"
        )
    labels = Labels(["x.conllu"], roles=["r.jsonl"])
    plain = quick_study(["a/b", "c"], "text.txt", labels, Loading())
    assert plain["corpus"] == {"source": "text.txt"}
    assert plain["treebank"] == {"conllu": ["x.conllu"], "roles": ["r.jsonl"]}
    assert plain["name"] == "b-and-1-more"


def test_a_quick_look_is_cut_everywhere_and_single_limits_can_be_taken_back():
    quick = quick_study(["zoo:triscale-llama-1"], "triscale", Labels(["triscale"]), Loading(), quick=True)
    config = make_config(quick, ("corpus.max_sentences=900",), where="command line")
    assert config.corpus.max_sentences == 900
    assert (config.treebank.max_train, config.treebank.max_eval, config.twins.seeds) == (600, 300, 1)
    assert config.scales is None
    bare = quick_study(["m"], "text.txt", Labels(), Loading(), quick=True)
    unlabelled = make_config(bare, (), where="command line")
    assert unlabelled.treebank is None
    assert unlabelled.twins.max_sentences == 200


def test_a_fault_of_our_own_is_one_message_too_and_debug_shows_it():
    faulty = "import mspgt.report; mspgt.report.build_report = None"
    done = mspgt("report", "nowhere", first=faulty)
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    assert "--debug" in done.stderr
    assert "Traceback" in mspgt("report", "nowhere", "--debug", first=faulty).stderr


def test_results_without_a_key_are_named_and_no_fault_of_our_own(tmp_path):
    (tmp_path / "results.json").write_text('{"schema": "1"}')
    done = mspgt("report", str(tmp_path))
    assert done.returncode == 2
    assert "results.json: study: expected a value, found no such key" in done.stderr


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "mspgt", "--version"], capture_output=True, text=True)
    assert done.stdout == mspgt("--version").stdout
    assert done.returncode == 0


COMMANDS = [*(command.callback.__name__ for command in app.registered_commands), "zoo list", "zoo train"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example_and_loads_nothing_heavy(command):
    """How long it takes is measured by `python -m bench waiting`."""
    told = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    done = mspgt(*command.split(), "--help", first=told)
    assert done.stdout.count(f"mspgt {command}") > 1, done.stdout  # its usage, and an example
    loaded = set(done.stderr.split())
    assert "mspgt.cli" in loaded
    assert not loaded & {"torch", "transformers", "numpy", "scipy", "pyarrow", "matplotlib", "yaml", "jinja2"}
    assert len(loaded) < 500


def test_a_plan_loads_no_weights_and_no_torch(tmp_path):
    code = (
        "import sys; from mspgt.cli import main\ntry: main()\nexcept SystemExit: pass\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    arguments = ["plan", "demo", "--out", str(tmp_path / "run"), "-q"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--no\x1b[31msuch"], "No such option"),
        (["ru\x1b]0;title\x07n"], "No such command"),
        (["gc", "a", "b\x9b31m"], "unexpected extra argument"),
        (["zoo", "train", "--workers", "\x1b[2J"], "--workers"),
        (["zoo", "\u202elist"], "No such command"),
        (["run"], "Missing argument"),
    ],
)
def test_what_was_typed_wrongly_cannot_steer_the_terminal(arguments, message):
    done = mspgt(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "--help" in done.stderr
    assert "Traceback" not in done.stderr
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stderr + done.stdout)


def test_nor_can_the_name_by_which_it_was_called(monkeypatch, capsys):
    """What its library does not make plain itself."""
    monkeypatch.setattr(sys, "argv", ["mspgt\x1b[31m", "run"])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "Missing argument" in told
    assert "\x1b" not in told


def test_ctrl_c_is_told_in_words_whatever_command_it_stops():
    stopped = typer.Typer(cls=Commands)

    @stopped.command()
    def one():
        raise KeyboardInterrupt

    @stopped.command()
    def other():
        pass

    with pytest.raises(StoppedError, match="stopped"):
        stopped(["one"], standalone_mode=False)
    assert isinstance(typer.main.get_command(app), Commands)


STOPPED_WHILE_READING = """
import sys
class Stop:
    @staticmethod
    def find_spec(name, *_):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Stop)
"""


def test_a_stop_while_its_libraries_are_read_is_told_in_words():
    done = mspgt("doctor", first=STOPPED_WHILE_READING)
    assert (done.returncode, done.stderr) == (
        130,
        "mspgt: stopped. Nothing was left half-written; run the same command again.\n",
    )


def test_news_of_other_libraries_are_not_told_and_their_warnings_are():
    told = "import atexit, logging; other = logging.getLogger('torch._subclasses.fake_tensor')\n"
    told += "atexit.register(lambda: (other.info('news'), other.warning('a warning')))\npass"
    done = mspgt("zoo", "list", first=told)
    assert done.returncode == 0
    assert "a warning" in done.stderr
    assert "news" not in done.stderr

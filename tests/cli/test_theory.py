"""`mspgt theory` from the command line: what it is told wrongly, it says before any work."""

from typer.testing import CliRunner

from mspgt.cli.app import app
from mspgt.errors import InputError


def run(*arguments):
    return CliRunner().invoke(app, ["theory", *arguments])


def test_help_names_scales_and_shows_an_example():
    told = run("--help").output
    assert "--scales" in told
    assert "mspgt theory" in told


def test_an_unknown_key_names_the_nearest():
    found = run("zoo:triscale-llama-1", "--corpus", "triscale", "--set", "theory.token=9")
    assert isinstance(found.exception, InputError)
    assert "did you mean 'tokens'" in str(found.exception)


def test_a_value_out_of_range_names_the_key():
    found = run("zoo:triscale-llama-1", "--corpus", "triscale", "--set", "theory.components=400")
    assert "theory.components" in str(found.exception)
    assert "128" in str(found.exception)


def test_boundaries_out_of_order_are_refused():
    found = run(
        "zoo:triscale-llama-1", "--corpus", "triscale", "--scales", "9", "4", "--out", "/nonexistent/x"
    )
    assert "LI" in str(found.exception)

"""Examples in docstrings: each runs and gives what it says, and everything at the public door has one."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import mspgt

SRC = Path(mspgt.__file__).parent
MODULES = sorted(
    ".".join(("mspgt", *path.relative_to(SRC).with_suffix("").parts)).removesuffix(".__init__")
    for path in SRC.rglob("*.py")
    if ">>>" in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name):
    found = doctest.testmod(import_module(name), optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert found.attempted
    assert not found.failed  # what was expected and what was found is in the captured output


@pytest.mark.parametrize("name", sorted({*mspgt.__all__} - {"MspgtError"}))
def test_whatever_is_public_has_an_example_that_runs(name):
    examples = doctest.DocTestParser().get_examples(getattr(mspgt, name).__doc__)
    assert any(not example.options.get(doctest.SKIP) for example in examples)

"""A corpus, a tiny model and a finished run that the tests of studies share."""

import pytest

from mspgt.study.run import run_study
from tests.lm.tiny import tiny_model
from tests.study.small import study, write_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("text") / "text.jsonl")


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny-llama", "llama", layers=7)


@pytest.fixture(scope="module")
def finished(llama, corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "run"
    return out, run_study(study([llama], corpus), out, quiet=True)

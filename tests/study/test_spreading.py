"""When one model's work is spread over workers, and over how many."""

import os
from collections import Counter

import pytest
import torch

from mspgt.study.jobs import Context, Job
from mspgt.study.looking import look
from mspgt.study.reading import read_data
from mspgt.study.run import worker_count
from mspgt.study.spreading import spreads, waves
from mspgt.study.store import Address
from tests.study.small import study, write_corpus


def of(models, twins=1, **run):
    return study([f"m{number}" for number in range(models)], "text.jsonl", twins={"seeds": twins}, run=run)


@pytest.mark.parametrize(
    ("models", "workers", "run", "expected"),
    [
        (1, 2, {}, True),
        (2, 2, {}, True),
        (3, 2, {}, False),  # with their twins six, and whole ones keep both busy
        (1, 1, {}, False),
        (3, 1, {"on": "ray"}, True),
        (1, 2, {"spread": False}, False),
        (3, 2, {"spread": True}, True),
        (1, 2, {"on": "ray", "spread": False}, False),
    ],
)
def test_few_models_are_spread(models, workers, run, expected):
    assert spreads(of(models, **run), workers) is expected


def test_memory_holds_no_more_copies_of_a_model_than_it_has_subjects(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert worker_count(of(1)) == 2
    assert worker_count(of(1, twins=0)) == 1
    assert worker_count(of(6, twins=3)) == 16
    assert worker_count(of(1, workers=5)) == 5
    assert worker_count(of(1, spread=True)) == 16
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert worker_count(of(6)) == 1


def test_every_address_of_a_job_is_looked_at_once_for_all_waves(tmp_path, monkeypatch):
    config = study(["zoo:triscale-llama-1"], write_corpus(tmp_path / "text.jsonl"), twins={"seeds": 0})
    data, twin_data = read_data(config)
    job = Job(config.models[0], look(config.models[0]).identity)
    asked, status = Counter(), Address.status
    monkeypatch.setattr(Address, "status", lambda self: (asked.update([self.folder]), status(self))[1])
    *pieces, last = waves([job], Context(tmp_path, config, data, twin_data), spread=True)
    named = [[str(one.piece) for one in wave] for wave in pieces]
    assert named == [["scales"], ["observe 1", "observe 2", "observe 3"]]
    assert last == [job]  # reduces them
    assert max(asked.values()) == 1

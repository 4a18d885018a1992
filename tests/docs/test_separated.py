"""The page of the models whose scales are known: written from its file, whose numbers the bundled weights give."""

import json
from pathlib import Path

import numpy as np
import pytest

from mspgt.lm.load import load
from mspgt.scales.find import find_scales
from mspgt.scales.tasks import TASKS
from mspgt.synthetic.corpora import sample_treebank
from mspgt.synthetic.triscale import TriScale
from mspgt.zoo.bundled import card, path
from mspgt.zoo.recipes import StagedRecipe, recipe
from tests.docs.tools import tool

DOCS = Path(__file__).parents[2] / "docs"
FOUND = json.loads((DOCS / "separated.json").read_text("utf-8"))["models"]


def test_the_page_is_written_from_its_file():
    separated = tool("separated")
    page = (DOCS / "separated.md").read_text("utf-8")
    assert separated.written(page, {"models": FOUND}) == page, "run python docs/tools/separated.py"


@pytest.mark.parametrize("name", sorted(FOUND))
def test_the_file_is_of_the_bundled_weights_and_the_truth_of_their_recipe(name):
    plan = recipe(name)
    assert FOUND[name]["weights"] == card(name)["sha256"]["model.safetensors"]
    planted = isinstance(plan, StagedRecipe)
    truth = {"LI": plan.local, "IG": plan.intermediate} if planted else {"LI": None, "IG": None}
    assert FOUND[name]["truth"] == truth


@pytest.mark.parametrize("name", ["triscale-separated", "triscale-unseparated"])
def test_few_documents_tell_them_apart_as_the_file_does(name):
    """Other documents than the file's, a quarter as many: Local–Intermediate where it was planted, or undefined."""
    asked = [
        task for task in TASKS if task.name in ("previous", "before_previous", "relation", "head", "depth")
    ]
    treebank = sample_treebank(TriScale(), 3, train=4, dev=120, test=120)
    found = find_scales(
        load(path(name), device="cpu"), treebank, documents=60, seeds=1, draws=200, twin=False, tasks=asked
    )
    there = FOUND[name]["functional"]
    for scale in ("L", "I"):
        ours = found.scales[scale].rise
        # Single layers of a steep rise scatter with so few documents.
        assert np.abs(np.array(ours) - there["rise"][scale]).mean() < 0.06
    if name == "triscale-separated":
        assert abs(found.LI.layer - recipe(name).local) <= 1
        assert found.LI.layer == there["LI"]["layer"]
    else:
        assert found.LI.layer is there["LI"]["layer"] is None

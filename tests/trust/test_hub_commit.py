"""A commit of the Hub is the identity of what it holds: keys change with it, be the weights and the name the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.lm.tiny import tiny_model

COMMITS = ("0123456789abcdef0123456789abcdef01234567", "fedcba9876543210fedcba9876543210fedcba98")
# In a process of its own: the client reads its cache's place once, when it is imported.
CODE = """
import json, sys
from pathlib import Path
from mspgt.study.config import MeasureConfig, ModelConfig
from mspgt.study.jobs import Loader
from mspgt.study.keys import stage_address

branch = Path(sys.argv[1])
for commit in sys.argv[2:]:
    branch.write_text(commit)
    identity, _, _ = Loader().inspect(ModelConfig(id="me/tiny"), MeasureConfig())
    folder = stage_address(Path("run"), identity, "stage", {"n": 1}).folder
    print(json.dumps([identity.revision, identity.weights_sha256, str(folder)]))
"""


def test_two_commits_of_one_model_lie_apart(tmp_path: Path) -> None:
    cache = tmp_path / "hub" / "models--me--tiny"
    tiny_model(cache / "snapshots" / COMMITS[0], "llama", layers=3)
    shutil.copytree(cache / "snapshots" / COMMITS[0], cache / "snapshots" / COMMITS[1])
    (cache / "refs").mkdir()
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    environment.pop("HF_HUB_CACHE", None)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(cache / "refs" / "main"), *COMMITS, COMMITS[0]],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    one, two, again = (json.loads(line) for line in done.stdout.splitlines())
    assert [found[:2] for found in (one, two)] == [[commit, commit] for commit in COMMITS]
    assert one[2] != two[2]
    assert again == one

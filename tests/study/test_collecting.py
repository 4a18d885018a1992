"""`mspgt gc` takes what no kept plan uses, and nothing else: no link is followed, no running study is disturbed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mspgt.cli.app import app
from mspgt.errors import InputError, StoreError
from mspgt.study.kept import claim_stages, drop, kept, kept_plans, put_aside, remove, unused, use_stages
from mspgt.study.lock import run_lock
from mspgt.study.store import Address, StageResult, write_json


def stage(root: Path, number: int, state: str = "main") -> Address:
    one = Address(root, "org__model", state, "stage", {"n": number})
    one.save(StageResult({"x": np.arange(3.0)}, {"n": number}), 0.0)
    return one


def plan(root: Path, mark: str, *uses: Address) -> None:
    place = kept(root, mark * 64)
    place.folder.mkdir(parents=True, exist_ok=True)
    write_json(place.folder / "plan.json", {"hash": mark * 64})
    use_stages(place, root, uses)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    plan(run, "a", stage(run, 1), stage(run, 2))
    plan(run, "b", stage(run, 2))
    return run


def gc(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["gc", *map(str, words)])
    return done.exit_code, done.output + (repr(done.exception) if done.exception else "")


def everything(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.name != ".lock"}


def test_nothing_goes_unless_asked_and_only_what_no_plan_uses(root: Path) -> None:
    old, other = stage(root, 3), stage(root, 4, state="step1")
    before = everything(root)
    code, said = gc(root)
    assert code == 0
    assert "2 stage results" in said
    assert "could go (--remove)" in said
    assert everything(root) == before
    size = sum(path.stat().st_size for path in old.folder.iterdir())
    assert dict(unused(root))[old.folder] == size
    assert gc(root, "--remove")[0] == 0
    assert not old.folder.exists()
    assert not other.folder.parent.exists()  # the state's folder is empty, and goes too
    assert all(
        stage.status().done
        for stage in (Address(root, "org__model", "main", "stage", {"n": n}) for n in (1, 2))
    )
    assert list(unused(root)) == []


def test_what_two_plans_share_stays_while_one_of_them_is_kept(root: Path) -> None:
    drop(root, "a")
    assert [path for path, _ in unused(root)] == [
        Address(root, "org__model", "main", "stage", {"n": 1}).folder
    ]
    assert [one.name for one in kept_plans(root)] == ["b" * 16]


def test_what_a_plan_is_about_to_compute_stays_when_it_is_cut_short(root: Path) -> None:
    """A study that is ended in the middle goes on from its shards, so they are not refuse."""
    place, shard = kept(root, "a" * 64), stage(root, 5)
    claim_stages(place, root, [shard])
    assert list(unused(root)) == []
    use_stages(place, root, [stage(root, 1), stage(root, 2)])  # it came to its end, and dropped its claim
    assert [path for path, _ in unused(root)] == [shard.folder]


@pytest.mark.parametrize("level", ["stages", "model", "state", "stage", "file"])
def test_no_link_leads_out_of_the_run_folder(root: Path, tmp_path: Path, level: str) -> None:
    outside = tmp_path / "outside"
    inside = stage(outside, 7).folder  # looks like a store, and belongs to nobody here
    (outside / "precious").write_text("data")
    before = everything(outside)
    if level == "stages":
        (root / "stages").rename(tmp_path / "moved")
        (root / "stages").symlink_to(outside / "stages")
    elif level == "model":
        (root / "stages" / "linked").symlink_to(outside / "stages" / "org__model")
    elif level == "state":
        (root / "stages" / "org__model" / "linked").symlink_to(inside.parent)
    elif level == "stage":
        (root / "stages" / "org__model" / "main" / inside.name).symlink_to(inside)
    else:
        (stage(root, 8).folder / "extra").symlink_to(outside / "precious")
    code, said = gc(root, "--remove")
    assert (code != 0) == (level == "stages"), said
    assert everything(outside) == before
    assert (outside / "precious").read_text() == "data"


def test_a_plan_that_is_a_link_is_not_given_up(root: Path, tmp_path: Path) -> None:
    (root / "plans" / ("b" * 16)).rename(tmp_path / "b")
    (root / "plans" / ("b" * 16)).symlink_to(tmp_path / "b")
    with pytest.raises(InputError, match="found a link"):
        drop(root, "b")
    assert (tmp_path / "b" / "plan.json").exists()


def test_a_running_study_is_left_alone(root: Path) -> None:
    old = stage(root, 3)
    with run_lock(root):
        code, said = gc(root, "--remove")
    assert code != 0
    assert "is at work in this folder" in said
    assert old.folder.exists()


@pytest.mark.parametrize("text", ["", "null", "[]", '{"folders": 3}', '{"folders"'])
def test_nothing_goes_while_it_is_not_known_what_a_plan_uses(root: Path, text: str) -> None:
    old = stage(root, 3)
    (root / "plans" / ("a" * 16) / "stages.json").write_text(text)
    code, said = gc(root, "--remove")
    assert code != 0
    assert "expected the stages of a kept plan" in said
    assert old.folder.exists()


def test_a_removal_cut_short_leaves_no_name_that_a_run_would_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = stage(root, 3)

    def cut(*_: object) -> None:
        raise OSError("input/output error")

    monkeypatch.setattr("mspgt.study.kept.shutil.rmtree", cut)
    with pytest.raises(StoreError, match="could not be removed"):
        remove(old.folder)
    assert not old.status().done
    assert "damaged" not in old.status().reason
    monkeypatch.undo()
    (left,) = unused(root)
    remove(left[0])
    assert list(unused(root)) == []


def test_what_a_plan_uses_is_in_its_file(root: Path) -> None:
    found = json.loads((root / "plans" / ("b" * 16) / "stages.json").read_text())
    assert found == {
        "folders": [
            Address(root, "org__model", "main", "stage", {"n": 2}).folder.relative_to(root).as_posix()
        ]
    }


def test_a_plan_that_does_not_name_one_is_refused(root: Path) -> None:
    plan(root, "c")
    (root / "plans" / ("c" * 16)).rename(root / "plans" / ("a" * 15 + "c"))
    for name, why in (("a", "two plans begin so"), ("d", "none does"), ("", "all do")):
        with pytest.raises(InputError, match="expected the start of one plan's hash"):
            drop(root, name)
        assert len(kept_plans(root)) == 3, why


def test_a_plan_that_has_computed_nothing_has_nothing_unused(tmp_path: Path) -> None:
    plan(tmp_path / "run", "a")
    assert list(unused(tmp_path / "run")) == []


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_is_removed_leaves_nothing_behind(root: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "elsewhere").write_text("data")
    place = root / "stages" / "org__model" / "main" / "torn"
    if kind == "file":
        place.write_text("half a result")
    elif kind == "link":
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.mkdir()
        (place / "half").write_text("of a result")
    before = everything(root)
    assert [path for path, _ in unused(root)] == [place]
    remove(place)
    assert everything(root) == before - {place, place / "half"}
    assert (tmp_path / "elsewhere").read_text() == "data"


def test_a_folder_from_before_plans_had_their_own_keeps_its_results(tmp_path: Path) -> None:
    root = tmp_path / "run"
    root.mkdir()
    for name, text in (("plan.json", json.dumps({"hash": "e" * 64})), ("results.json", "{}"), ("log", "")):
        (root / name).write_text(text)
    put_aside(root)
    put_aside(root)  # what was put aside before stays
    (one,) = kept_plans(root)
    assert one.name == "e" * 16
    assert {path.name for path in one.folder.iterdir()} == {"plan.json", "results.json"}
    (root / "plan.json").write_text("{}")
    with pytest.raises(StoreError, match="not a plan"):
        put_aside(root)

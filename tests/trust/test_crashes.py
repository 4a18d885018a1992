"""A result is whole or absent: killed, on a full or failing disk, after a loss of power. The control, which writes in
place and believes what it finds, fails every one of these tests."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mspgt.errors import StoreError
from mspgt.study.store import write_json
from tests.trust import faults
from tests.trust.faults import ERRORS, InPlace, Real, failing_at, in_child, killed_at, result, watched, writer

MOST = 200  # operations of one save; it takes some thirty


def operations(kind: type[Real] | type[InPlace], root: Path) -> int:
    with watched(root, lambda number, name: None) as count:
        writer(kind, root).save(result(), 0)
    return count()


def torn_by_kills(kind: type[Real] | type[InPlace], root: Path, value: float = 1.0) -> tuple[int, int]:
    """How many of the kills at every operation leave something that is accepted and wrong; of how many."""
    torn, at = 0, 0
    while at < MOST:
        one = writer(kind, root)

        def work(at: int = at, one: faults.Writer = one) -> None:
            with watched(root, killed_at(at)):
                one.save(result(value), 0)

        if in_child(work) != 9:
            return torn, at
        torn += one.accepted() and not one.right(value)
        shutil.rmtree(root / "stages", ignore_errors=True)
        at += 1
    raise AssertionError("a save has no end")


def test_killed_at_every_operation_nothing_torn_is_accepted(tmp_path: Path) -> None:
    torn, kills = torn_by_kills(Real, tmp_path)
    assert kills > 15
    assert torn == 0
    torn, _ = torn_by_kills(InPlace, tmp_path)
    assert torn > 0


def test_killed_while_a_damaged_result_is_replaced(tmp_path: Path) -> None:
    for at in range(operations(Real, tmp_path / "count")):
        one = writer(Real, tmp_path)
        one.save(result(), 0)
        arrays = one.folder / "arrays.safetensors"
        arrays.write_bytes(arrays.read_bytes()[:-1])

        def work(at: int = at, one: faults.Writer = one) -> None:
            with watched(tmp_path, killed_at(at)):
                one.save(result(), 0)

        in_child(work)
        assert not one.accepted() or one.right(1.0)
        one.save(result(), 0)  # what was left in the middle is in nobody's way
        assert one.right(1.0)
        shutil.rmtree(tmp_path / "stages")


def failure(work: Callable[[], None]) -> StoreError | None:
    try:
        work()
    except StoreError as error:
        return error
    return None


@pytest.mark.parametrize("kind", ERRORS)
def test_a_failing_disk_at_every_operation(tmp_path: Path, kind: str) -> None:
    for at in range(operations(Real, tmp_path / "count")):
        one = writer(Real, tmp_path)
        with watched(tmp_path, failing_at(at, ERRORS[kind])):
            error = failure(lambda one=one: one.save(result(), 0))
        if one.accepted():
            assert one.right(1.0)
        else:  # a save that returns has saved
            assert os.strerror(ERRORS[kind]) in str(error)
        one.save(result(), 0)
        assert one.right(1.0)
        shutil.rmtree(tmp_path / "stages")


@pytest.mark.parametrize("kind", ERRORS)
def test_results_are_the_old_or_the_new_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "results.json"
    write_json(path, {"old": 1})
    old = path.read_text()
    for at in range(MOST):
        with watched(tmp_path, failing_at(at, ERRORS[kind])) as count:
            if failure(lambda: write_json(path, {"new": 2})):
                assert path.read_text() == old
            if count() <= at:
                break
    assert at > 3
    assert "new" in path.read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def states_after_power_loss(
    kind: type[Real] | type[InPlace], root: Path, draw: random.Random
) -> list[dict[str, bytes]]:
    """What a disk may hold after power is lost at each operation: names as they stood, and of every file that was not
    synced since it was written, nothing, a part, or all."""
    states: list[dict[str, bytes]] = []
    synced: dict[int, bytes] = {}  # by inode: a renamed file takes its sync along

    def before(number: int, name: str) -> None:
        state = {}
        for path in root.rglob("*"):
            if path.is_file():
                whole = path.read_bytes()
                if synced.get(path.stat().st_ino) != whole:
                    whole = whole[: draw.choice([0, len(whole) // 2, len(whole)])]
                state[str(path.relative_to(root))] = whole
        states.append(state)

    plain = os.fsync

    def remember(handle: int) -> None:
        plain(handle)
        for path in root.rglob("*"):
            if path.is_file() and path.stat().st_ino == os.fstat(handle).st_ino:
                synced[path.stat().st_ino] = path.read_bytes()

    patch = pytest.MonkeyPatch()
    patch.setattr(os, "fsync", remember)
    with watched(root, before):
        writer(kind, root).save(result(), 0)
    patch.undo()
    before(0, "end")
    return states


def torn_by_power_loss(kind: type[Real] | type[InPlace], root: Path, draw: random.Random) -> tuple[int, int]:
    states = states_after_power_loss(kind, root / "recorded", draw)
    torn = 0
    for number, state in enumerate(states):
        there = root / f"replayed-{number}"
        for name, content in state.items():
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            (there / name).write_bytes(content)
        one = writer(kind, there)
        torn += one.accepted() and not one.right(1.0)
        shutil.rmtree(there, ignore_errors=True)
    shutil.rmtree(root / "recorded")
    return torn, len(states)


def test_after_a_loss_of_power_the_result_is_whole_or_absent(tmp_path: Path) -> None:
    draw = random.Random(0)
    states = control = 0
    for _ in range(4):
        torn, seen = torn_by_power_loss(Real, tmp_path, draw)
        assert torn == 0
        states += seen
        control += torn_by_power_loss(InPlace, tmp_path, draw)[0]
    assert states > 100
    assert control > 0


def test_the_manifest_comes_last_and_is_synced_before_the_name(tmp_path: Path) -> None:
    """In the real store alone a final name never stands over a file that is not yet on disk."""
    final = writer(Real, tmp_path).folder.name
    for state in states_after_power_loss(Real, tmp_path, random.Random(1)):
        named = {Path(name).name for name in state if Path(name).parent.name == final}
        assert named in (set(), {"arrays.safetensors", "meta.json", "manifest.json"})


def test_what_cannot_be_taken_away_is_a_typed_error_and_stays(tmp_path: Path) -> None:
    """A failing disk at every operation: gone, or there and right."""
    for at in range(6):
        one = Real(writer(Real, tmp_path).address)
        one.save(result(), 0)
        with watched(tmp_path, failing_at(at, ERRORS["bad disk"])) as count:
            error = failure(one.address.discard)
            ended = count() <= at
        if one.folder.exists():
            assert one.right(1.0)
            assert "could not be taken away" in str(error)
        if ended:
            break
    assert at > 1
    assert not one.folder.exists()
    one.address.discard()  # nothing is there: nothing to do


def test_of_two_writers_of_one_key_the_faster_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second comes while the first gives its folder the final name; both hold the same result."""
    one = writer(Real, tmp_path)
    plain, rivals = Path.rename, []

    def overtaken(path: Path, target: Path) -> Path:
        if target == one.folder and not rivals:
            rivals.append(shutil.copytree(path, target))
        return plain(path, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    one.save(result(), 0)
    assert rivals == [one.folder]
    assert one.right(1.0)
    assert [path.name for path in one.folder.parent.iterdir()] == [one.folder.name]
    (one.folder / "meta.json").unlink()
    rivals.clear()
    one.save(result(), 0)  # a damaged one is taken away, and the one put in its place stays
    assert one.right(1.0)


def test_a_result_that_goes_while_it_is_read_is_a_typed_error(tmp_path: Path) -> None:
    one = Real(writer(Real, tmp_path).address)
    one.save(result(), 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faults.store, "load_file", lambda path: shutil.rmtree(one.folder) or path.read_bytes())
        with pytest.raises(StoreError, match="had just been verified"):
            one.address.load()
    one.save(result(), 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faults.store, "_sha256", lambda path: shutil.rmtree(one.folder) or path.read_bytes())
        assert "cannot be read" in one.address.status().reason

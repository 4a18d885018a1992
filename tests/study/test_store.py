import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from mspgt.errors import StoreError
from mspgt.report.writing import write
from mspgt.study.store import Address, StageResult, digest, sweep, write_json, write_text


def address(root, **inputs):
    return Address(root, "org__model", "main", "stage", {"a": 1, **inputs})


def result():
    return StageResult({"x": np.arange(6.0).reshape(2, 3)}, {"note": "ü", "n": 3})


def test_what_is_saved_is_read_back(tmp_path):
    where = address(tmp_path)
    assert not where.status().done
    where.save(result(), 1.5)
    back = where.load()
    np.testing.assert_array_equal(back.arrays["x"], result().arrays["x"])
    assert back.meta == {"note": "ü", "n": 3}
    assert where.seconds() == 1.5
    assert where.status().done


def test_a_missing_result_tells_of_others_as_they_come_and_go(tmp_path):
    missing, other = address(tmp_path), address(tmp_path, b=2)
    assert missing.status().reason == "not computed yet"
    for age in (0.0, 60.0, 30.0):  # of the folder: an old one is looked at once
        other.save(result(), 1.0)
        before = time.time() - age
        os.utime(other.folder.parent, (before, before))
        assert {missing.status().reason for _ in range(2)} == {
            "not computed yet with these inputs, settings and code"
        }
        other.discard()
        before += 5.0 if age else 0.0
        os.utime(other.folder.parent, (before, before))
        assert {missing.status().reason for _ in range(2)} == {"not computed yet"}


def test_what_writers_left_in_the_middle_is_swept_and_nothing_else(tmp_path):
    where = address(tmp_path)
    where.save(result(), 0.0)
    left = where.folder.with_name(f".{where.folder.name}.host.1")
    left.mkdir()
    (left / "meta.json").write_text("{}")
    sweep(tmp_path)
    assert [path.name for path in where.folder.parent.iterdir()] == [where.folder.name]
    assert where.status().done


def test_the_key_depends_on_every_input_and_on_no_order(tmp_path):
    one = Address(tmp_path, "m", "r", "s", {"a": 1, "b": [1, 2]})
    assert one.key == Address(tmp_path, "m", "r", "s", {"b": [1, 2], "a": 1}).key
    assert one.key != Address(tmp_path, "m", "r", "s", {"a": 1, "b": [2, 1]}).key
    assert one.key != Address(tmp_path, "m", "r", "other", {"a": 1, "b": [1, 2]}).key
    assert digest({"x": 1.0}) != digest({"x": 1.5})


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete", "manifest"])
def test_a_damaged_result_is_seen_and_can_be_written_again(tmp_path, damage):
    where = address(tmp_path)
    where.save(result(), 0)
    file = where.folder / ("manifest.json" if damage == "manifest" else "arrays.safetensors")
    content = file.read_bytes()
    if damage == "delete":
        file.unlink()
    elif damage == "flip":
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        file.write_bytes(content[: len(content) // 2])
    status = where.status()
    assert not status.done
    assert "damaged" in status.reason
    with pytest.raises(StoreError, match="damaged"):
        where.load()
    where.save(result(), 0)
    assert where.status().done


def test_a_process_killed_while_writing_leaves_no_result_under_the_final_name(tmp_path):
    script = f"""
        import os, signal
        import numpy as np
        import mspgt.study.store as store
        from pathlib import Path
        where = store.Address(Path({str(tmp_path)!r}), "org__model", "main", "stage", {{"a": 1}})
        store._sync = lambda path: os.kill(os.getpid(), signal.SIGKILL)
        where.save(store.StageResult({{"x": np.zeros(3)}}, {{}}), 0)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -9
    where = address(tmp_path)
    assert not where.status().done
    assert not where.folder.exists()
    where.save(result(), 0)
    assert where.status().done


@pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/dev/full").exists(), reason="needs root to mount a small disk"
)
def test_a_full_disk_is_a_clear_error_that_keeps_what_was_there(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        small = address(disk)
        small.save(StageResult({}, {"n": 1}), 0)
        with pytest.raises(StoreError, match="could not write"):
            address(disk, b=2).save(StageResult({"x": np.zeros(100_000)}, {}), 0)
        assert small.status().done
        assert not [p for p in small.folder.parent.iterdir() if p.name.startswith(".")]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_json_is_written_whole_and_without_nan(tmp_path):
    path = tmp_path / "r.json"
    write_json(path, {"x": float("nan"), "y": np.float64(2.5), "z": np.array([1, 2])})
    assert path.read_text() == '{\n "x": null,\n "y": 2.5,\n "z": [\n  1,\n  2\n ]\n}\n'
    with pytest.raises(StoreError):
        write_json(tmp_path / "missing" / "r.json", {})


def manifest_of(where):
    return where.folder / "manifest.json"


@pytest.mark.parametrize("written", [write_text, lambda path, text: write(path, text.encode())])
def test_ctrl_c_while_a_file_is_written_leaves_the_old_one_and_nothing_beside(tmp_path, monkeypatch, written):
    path = tmp_path / "results.json"
    path.write_text("old")

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        written(path, "new")
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_swapped_folders_are_seen(tmp_path):
    """A model and its twin, whole folders exchanged: every file as it was written, but not for this address."""
    one, two = address(tmp_path, twin=None), address(tmp_path, twin=0)
    one.save(result(), 0)
    two.save(StageResult({"x": np.ones((2, 3))}, {"note": "other"}), 0)
    aside = one.folder.with_name("aside")
    one.folder.rename(aside)
    two.folder.rename(one.folder)
    aside.rename(two.folder)
    for where in (one, two):
        assert "of another stage, or of other inputs" in where.status().reason
        with pytest.raises(StoreError):
            where.load()


def test_a_file_removed_from_manifest_and_disk_alike_is_seen(tmp_path):
    where = address(tmp_path)
    where.save(StageResult({"x": np.zeros(2)}, {}, {"texts.parquet": b"1"}), 0)
    for name in ("arrays.safetensors", "texts.parquet", "meta.json"):
        manifest = json.loads(manifest_of(where).read_text())
        (where.folder / name).unlink()
        del manifest["files"][name]
        manifest_of(where).write_text(json.dumps(manifest))
        assert "not the one that was written" in where.status().reason
        where.save(StageResult({"x": np.zeros(2)}, {}, {"texts.parquet": b"1"}), 0)


def test_the_manifest_holds_inputs_and_seconds_against_edits(tmp_path):
    where = address(tmp_path)
    where.save(result(), 1.0)
    text = manifest_of(where).read_text()
    manifest_of(where).write_text(text.replace('"seconds": 1.0', '"seconds": 2.0'))
    assert not where.status().done
    with pytest.raises(StoreError):
        where.seconds()


ODD = ["null", "[]", "3", '"x"', "{}", '{"files": null}', '{"files": {"meta.json": 1}}', '{"files": []}', "", "{",
       "[" * 20000, '{"sha256": null}', "\x00", "NaN"]  # fmt: skip


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_oddly_shaped_manifests_are_damage(tmp_path, text):
    where = address(tmp_path)
    where.save(result(), 0)
    manifest_of(where).write_text(text)
    status = where.status()
    assert not status.done
    assert "damaged" in status.reason
    where.fill(result)
    assert where.status().done


def test_random_damage_anywhere_is_seen(tmp_path):
    """300 flips, truncations and swaps of bytes in any file of a result."""
    where = address(tmp_path)
    where.save(result(), 0)
    rng = np.random.default_rng(0)
    whole = {path.name: path.read_bytes() for path in where.folder.iterdir()}
    for _ in range(300):
        name = sorted(whole)[rng.integers(len(whole))]
        content = bytearray(whole[name])
        at, other = rng.integers(len(content), size=2)
        kind = rng.integers(3)
        if kind == 0:
            content[at] ^= 1 << rng.integers(8)
        elif kind == 1:
            del content[at:]
        else:
            content[at], content[other] = content[other], content[at]
        (where.folder / name).write_bytes(content)
        same = bytes(content) == whole[name]
        assert where.status().done == same, (name, kind, at)
        (where.folder / name).write_bytes(whole[name])


@pytest.mark.parametrize("call", range(6))
def test_a_failed_sync_stops_the_write(tmp_path, monkeypatch, call):
    """At each of the first calls in turn: nothing counts as written that the disk did not confirm."""
    calls = 0

    def fail(handle):
        nonlocal calls
        calls += 1
        if calls == call + 1:
            raise OSError(5, "Input/output error")

    where = address(tmp_path)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="Input/output error"):
        where.save(result(), 0)
    if call < 5:  # the last call confirms the name of a folder that is whole
        assert not where.folder.exists()
    monkeypatch.undo()
    where.fill(result)
    assert where.status().done


WRITER = """
import os, sys
import numpy as np
from pathlib import Path
from mspgt.study.store import Address, StageResult
root = Path(sys.argv[1])
number = 0
print("ready", flush=True)
while True:
    where = Address(root, "m", "r", "stage", {"n": number % 3})
    where.save(StageResult({"x": np.full(200_000, float(number % 3))}, {"n": number % 3}), 0)
    number += 1
"""


def killed(root, rng):
    """A writer that is killed at a random time."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE)
    process.stdout.readline()
    time.sleep(float(rng.uniform(0.0, 0.15)))
    process.kill()
    process.wait()
    process.stdout.close()


def test_killed_at_random_times_nothing_torn_is_accepted(tmp_path):
    """Six kills; a result that another takes the place of loses its name before its files."""
    rng = np.random.default_rng(0)
    for _ in range(6):
        killed(tmp_path, rng)
        for n in range(3):
            where = Address(tmp_path, "m", "r", "stage", {"n": n})
            assert where.status().done or not where.folder.exists()
            if where.folder.exists():
                assert (where.load().arrays["x"] == n).all()

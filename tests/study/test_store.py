import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from mspgt.errors import StoreError
from mspgt.study.store import Address, StageResult, digest, write_json


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

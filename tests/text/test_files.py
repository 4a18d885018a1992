import gzip
import tracemalloc

import pytest

from mspgt.errors import InputError
from mspgt.text import files
from mspgt.text.files import read_bytes, read_text


def test_only_the_mark_and_windows_line_ends_are_changed(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes("\ufeffone\r\ntwo\x00\x07\u2028\x85\rthree <b>\ufeff\n".encode())
    assert read_text(file) == "one\ntwo\x00\x07\u2028\x85\rthree <b>\ufeff\n"


def test_wrong_encoding_names_the_byte(tmp_path):
    file = tmp_path / "latin.txt"
    file.write_bytes(b"caf\xe9 au lait")
    with pytest.raises(InputError, match=r"0xe9 at byte offset 3 of .*latin\.txt.*iconv"):
        read_text(file)


@pytest.mark.parametrize("content", ["plain words".encode("utf-16-le"), b"GGUF" + bytes(100)])
def test_binary_content_is_told_apart(tmp_path, content):
    file = tmp_path / "weights"
    file.write_bytes(content)
    with pytest.raises(InputError, match=f"byte offset {content.index(0)}"):
        read_text(file)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="found nothing at"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(InputError, match="found a folder"):
        read_text(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_text(tmp_path / ("x" * 5_000))


def test_a_small_gzip_file_takes_little_memory_and_a_bomb_is_refused(tmp_path, monkeypatch):
    """Read in one call, it asked for the most that there may be: four gigabytes for a line of text."""
    small, bomb = tmp_path / "small.gz", tmp_path / "bomb.gz"
    small.write_bytes(gzip.compress(b"one line\n" * 1_000))
    bomb.write_bytes(gzip.compress(bytes(5_000_000)))
    tracemalloc.start()
    try:
        assert read_bytes(small) == b"one line\n" * 1_000
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert len(read_bytes(bomb)) == 5_000_000
    monkeypatch.setattr(files, "_LARGEST", 2**22)
    with pytest.raises(InputError, match="larger than"):
        read_bytes(bomb)

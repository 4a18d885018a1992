"""Reading text files strictly: UTF-8 or an error that says where it is not; gzip by its magic number."""

import gzip
import zlib
from pathlib import Path

from mspgt.errors import InputError
from mspgt.text.words import composed

# Text may hold a stray NUL; in UTF-16 without a mark half of the bytes are.
_MOST_NULS = 0.25
_GZIP = b"\x1f\x8b"
_LARGEST = 4 * 2**30  # bytes of one unpacked file: more than any corpus here, less than a bomb
_AT_ONCE = 2**20  # bytes
# What a file is, by how it begins, where its bytes are no text.
_BINARY = {
    b"PK\x03\x04": "a zip archive (or an office document): unpack it",
    b"%PDF": "a PDF: extract its text",
    b"PAR1": "a Parquet file: name it with the ending .parquet",
    b"BZh": "a bzip2 file: unpack it",
    b"\xfd7zXZ": "an xz file: unpack it",
    b"\x28\xb5\x2f\xfd": "a zstd file: unpack it",
    b"\x89PNG": "a picture",
    b"SQLite format 3": "a database",
}


def read_bytes(path: Path) -> bytes:
    """Content of a file, unpacked if it is gzip.

    Raises InputError for a missing or unreadable file, a folder, and a gzip file that is damaged, cut off or larger
    than 4 GiB unpacked.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            f"expected a text file, found nothing at {path.absolute()}; check the path"
        ) from error
    except IsADirectoryError as error:
        raise InputError(f"expected a text file, found a folder at {path}; name a file in it") from error
    except OSError as error:
        raise InputError(
            f"expected a text file, but it cannot be read ({error.strerror}); check its name and permissions"
        ) from error
    if not content.startswith(_GZIP):
        return content
    try:
        return _unpacked(path)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(
            f"expected a gzip file, but {path} cannot be unpacked ({error}); fetch it again"
        ) from error


def _unpacked(path: Path) -> bytes:
    """Content of a gzip file, part by part: to read all at once would set aside the most that there may be."""
    parts, size = [], 0
    with gzip.open(path) as packed:
        while part := packed.read(_AT_ONCE):
            size += len(part)
            if size > _LARGEST:
                raise InputError(
                    f"{path} is larger than {_LARGEST >> 30} GiB when unpacked; give a part of it"
                )
            parts.append(part)
    return b"".join(parts)


def read_text(path: Path) -> str:
    """Content of a UTF-8 file (plain or gzip) without byte-order mark, line ends as `\\n`, characters composed (NFC).

    Raises InputError for a missing or unreadable file, a folder, binary content, or bytes that are not UTF-8.
    """
    content = read_bytes(path)
    for magic, what in _BINARY.items():
        if content.startswith(magic):
            raise InputError(f"expected UTF-8 text, found that {path} is {what}")
    if content.count(0) > _MOST_NULS * len(content):
        raise InputError(
            f"expected UTF-8 text, found binary content in {path} (first NUL at byte offset "
            f"{content.index(0)}); name a text file, or convert a UTF-16 one to UTF-8"
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected UTF-8 text, found byte 0x{content[error.start]:02x} at byte offset {error.start} of "
            f"{path}; convert the file to UTF-8 (for example `iconv -f latin1 -t utf-8`), or name a text file"
        ) from error
    return composed(text.removeprefix("\ufeff").replace("\r\n", "\n"))

"""Reading text files strictly: UTF-8 or an error that says where it is not."""

from pathlib import Path

from mspgt.errors import InputError

# Text may hold a stray NUL; in UTF-16 without a mark half of the bytes are.
_MOST_NULS = 0.25


def read_text(path: Path) -> str:
    """Content of a UTF-8 file, without byte-order mark, line ends as `\\n`; nothing else is changed.

    Raises InputError for a missing or unreadable file, a folder, binary content, or bytes that are not UTF-8.
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
    return text.removeprefix("\ufeff").replace("\r\n", "\n")

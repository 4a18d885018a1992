"""Column formats (CoNLL-U, IOB2): sentences as blocks of lines, each closed by a blank line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mspgt.errors import InputError
from mspgt.text.files import read_text

Span = tuple[int, int]


@dataclass(frozen=True)
class Block:
    """The lines of one sentence, comments included, with their numbers from 1; `closed` by a blank line."""

    path: Path
    lines: list[tuple[int, str]]
    closed: bool

    @property
    def where(self) -> str:
        return f"{self.path}:{self.lines[0][0]}"

    @property
    def rows(self) -> list[tuple[int, str]]:
        return [(number, line) for number, line in self.lines if not line.startswith("#")]

    def comment(self, key: str) -> str | None:
        """Value of the line `# key = value`, if there is one."""
        prefix = f"# {key} ="
        return next((line[len(prefix) :].strip() for _, line in self.lines if line.startswith(prefix)), None)

    def check_whole(self, text: str | None, forms: Sequence[str]) -> None:
        """Raises InputError if the file ends in this block, unless its words spell the whole given text."""
        if not self.closed and (not text or spell(text, forms) is None):
            raise InputError(
                f"{self.path}:{self.lines[-1][0]}: expected a blank line after every sentence, found the "
                f"end of the file inside the one that starts at {self.where}; it was cut off: fetch it again"
            )


def read_blocks(path: Path) -> Iterator[Block]:
    """Blocks of a file, those of nothing but comments left out.

    Raises InputError where the file cannot be read or holds no sentence.
    """
    lines: list[tuple[int, str]] = []
    empty = True
    for number, line in enumerate([*read_text(path).removesuffix("\n").split("\n"), None], start=1):
        if line is not None and line.strip():
            lines.append((number, line))
        elif lines:
            block = Block(path, lines, closed=line is not None)
            lines = []
            if block.rows or not block.closed:
                empty = False
                yield block
    if empty:
        raise InputError(f"expected sentences in {path}, found none; name another file")


def spell(text: str, forms: Sequence[str]) -> list[Span] | None:
    """Spans of the forms in the text, nothing but space between them; None if the text reads otherwise."""
    spans = []
    end = 0
    for form in forms:
        start = end
        while text[start : start + 1].isspace():
            start += 1
        end = start + len(form)
        if text[start:end] != form:
            return None
        spans.append((start, end))
    return None if text[end:].strip() else spans

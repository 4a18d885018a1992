"""Text of a documentation page that a command writes, between two marks of its own."""

from pathlib import Path


def write_between(page: Path, marks: tuple[str, str], text: str) -> None:
    """Put `text` between the marks in place of what stands there; both must be in the page."""
    before, rest = page.read_text("utf-8").split(marks[0])
    _, after = rest.split(marks[1])
    page.write_text(f"{before}{marks[0]}\n{text}{marks[1]}{after}", "utf-8")

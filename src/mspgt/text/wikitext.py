"""WikiText's raw form: articles by level-1 heading, tokenised lines restored to plain readable text."""

import re
from itertools import takewhile

_MARKER = re.compile(r" ?(?<!\S)@([-,.])@(?!\S) ?")
# A heading as the raw files have it, with a space on either side (editors and exports take the last one away).
_RAW_HEADING = re.compile(r" ?(= )+(?!=).*[^= ]( =)+ ?")
_RAW_TITLE = re.compile(r"^ = (?!=).*[^= ] = ?$", re.MULTILINE)
_TOKENISED = re.compile(r" @[-,.]@ | <unk> | [.,] ")
# What tokenised or generated files leave behind in text, and no writer wrote.
LEFTOVER = re.compile(r"<unk>|<\|[a-z_]+\|>|</?s>|(?<!\S)@[-,.]@(?!\S)")
_CONTRACTIONS = ("s", "t", "d", "m", "re", "ve", "ll")
_DECADE = re.compile(r"\d0s")
_ATTACH_LEFT = frozenset([*",.;:!?)]}%”’°′″", "...", ".."])
_ATTACH_RIGHT = frozenset("([{$£€¥₱#“‘−")
_ATTACH_BOTH = frozenset("/⁄‑")
_BETWEEN_FIGURES = frozenset(":–")
# Words in -s after which a lone apostrophe opens a quotation; after any other it marks a possessive.
_NOT_POSSESSIVE = frozenset(
    ["as", "is", "was", "his", "this", "its", "has", "does", "us", "thus", "plus", "vs"]
)


def heading(line: str) -> tuple[int, str] | None:
    """Level and restored title of a heading line ` = = Title = = `, or None; a title may itself hold `=`."""
    tokens = line.split()
    opening = sum(1 for _ in takewhile("=".__eq__, tokens))
    closing = sum(1 for _ in takewhile("=".__eq__, reversed(tokens)))
    level = min(opening, closing)
    if level == 0 or opening == len(tokens):
        return None
    return level, restore(" ".join(tokens[level:-level]))


def is_wikitext(text: str) -> bool:
    """Whether a text is WikiText's raw form: it begins with a level-1 heading, or has one and tokenised lines.

    A file may begin in the middle of an article, and may have lost its blank lines.
    """
    first = text.lstrip("\n \t").split("\n", 1)[0]
    head = heading(first)
    if head is not None and head[0] == 1:
        return True
    return _RAW_TITLE.search(text) is not None and _TOKENISED.search(text) is not None


def articles(text: str) -> list[tuple[str, list[str]]]:
    """(title, restored paragraphs) of every article; text before the first heading is an untitled article.

    A heading stands between blank lines, because formulas and table keys can look like one; in a file that has lost
    its blank lines, a heading is a line ` = Title = ` with its own spaces. Section headings are left out.
    """
    found: list[tuple[str, list[str]]] = []
    lines = ["", *text.split("\n"), ""]
    spaced = any(
        (head := heading(line)) is not None and head[0] == 1 and not before.strip() and not after.strip()
        for before, line, after in zip(lines, lines[1:], lines[2:], strict=False)
        if "=" in line
    )
    for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
        if not line.strip():
            continue
        apart = not before.strip() and not after.strip() if spaced else _RAW_HEADING.fullmatch(line)
        head = heading(line) if apart else None
        if head is not None and head[0] == 1:
            found.append((head[1], []))
        elif head is None:
            if not found:
                found.append(("", []))
            found[-1][1].append(restore(line))
    return found


def restore(line: str) -> str:
    """Plain text of one tokenised line: only spaces and the `@` of ` @-@ `, ` @,@ `, ` @.@ ` are taken away.

    Straight quotation marks pair up within the line; a lone `'` after a word in -s is a possessive.
    """
    words = [word for word in _MARKER.sub(r"\1", line.strip()).split(" ") if word]
    last_quote = max((i for i, word in enumerate(words) if word == "'"), default=-1)
    is_open = {'"': False, "'": False}
    pieces: list[str] = []
    glued = True
    for i, word in enumerate(words):
        before = words[i - 1] if i else ""
        after = words[i + 1] if i + 1 < len(words) else ""
        left, right = _attaches(before, word, after)
        if word in is_open and not (left or right):
            if is_open[word]:
                left, is_open[word] = True, False
            elif word == "'" and (i == last_quote or _is_plural(before)):
                left = True
            else:
                right, is_open[word] = True, True
        pieces += [word] if glued or left else [" ", word]
        glued = right
    return "".join(pieces)


def _attaches(before: str, word: str, after: str) -> tuple[bool, bool]:
    """Whether a word joins the one before it and the one after it, straight quotation marks aside."""
    if word in ("'", "’") and after in _CONTRACTIONS:
        return True, True
    if word in ("'", "’") and _DECADE.match(after):
        return False, True
    if word in _ATTACH_BOTH:
        return True, True
    if word in _BETWEEN_FIGURES and before[-1:].isdigit() and after[:1].isdigit():
        return True, True
    if word == "°" and after in ("C", "F", "K"):
        return False, True
    contraction = word[0] == "'" and word[1:2].isalpha()
    return word in _ATTACH_LEFT or contraction, word in _ATTACH_RIGHT


def _is_plural(word: str) -> bool:
    return word[-1:] == "s" and word.lower() not in _NOT_POSSESSIVE

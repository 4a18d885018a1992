"""YAML 1.2 for study files: one meaning a text, one value a key, and every refusal with its line.

Plain YAML libraries read version 1.1, in which `on` and `no` are truth values, `010` is eight and `12:30:00` a
number. Here `true` and `false` alone are truth values, decimal numbers alone are numbers, and all else is text.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from mspgt.errors import InputError

LARGEST = 1_000_000  # characters of a study file
MOST = 20_000  # values after aliases are written out
DEEPEST = 50
_NULL = re.compile(r"~|null|Null|NULL|")
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# What looks like a number and is none, or means something else in another version of YAML.
_UNCLEAR = re.compile(
    r"[-+]?(0[0-9_]+|0[xob][0-9a-fA-F_]+|[0-9][0-9_]*_[0-9_]*|\.(inf|Inf|INF)|\.(nan|NaN|NAN))"
)
_DIGITS = 400  # of a number; the largest float has 309


def read_yaml(text: str, where: str) -> Any:
    """The value that a YAML text holds.

    Args:
        where: what to call it in a message.

    Raises:
        InputError: it is no YAML, or has a value with more than one reading, a key twice, a tag, or too much.
    """
    if len(text) > LARGEST:
        raise InputError(f"{where}: expected a study file, found {len(text):,} characters of text.")
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise InputError(
            f"{where}{line}: not valid YAML: {error.problem or error}. Mend that line."
        ) from error
    except yaml.YAMLError as error:
        raise InputError(f"{where}: not valid YAML: {error}. Save it as UTF-8 text.") from error
    except RecursionError as error:
        raise InputError(f"{where}: not a study file: brackets within brackets without end.") from error
    return None if node is None else _Reader(where).value(node, 0)


class _Reader:
    def __init__(self, where: str) -> None:
        self.where, self.count = where, 0

    def refuse(self, node: yaml.Node, what: str) -> InputError:
        return InputError(f"{self.where}:{node.start_mark.line + 1}: {what}")

    def value(self, node: yaml.Node, depth: int) -> Any:
        self.count += 1
        if self.count > MOST or depth > DEEPEST:
            raise self.refuse(node, f"more than {MOST:,} values, or {DEEPEST} within one another: aliases?")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        assert isinstance(node, yaml.ScalarNode)
        if node.tag != "tag:yaml.org,2002:str":
            raise self.refuse(node, f"tags such as {node.tag!r} are not read; write the value alone")
        text = str(node.value)
        return text if node.style else self._plain(node, text)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.refuse(key, "expected a word as key, found a list or a mapping")
            if key.value in found:
                raise self.refuse(key, f"key {key.value!r} stands here twice; keep one of them")
            found[key.value] = self.value(value, depth + 1)
        return found

    def _plain(self, node: yaml.Node, text: str) -> Any:
        if _NULL.fullmatch(text):
            return None
        if text in _TRUTH:
            return _TRUTH[text]
        if _UNCLEAR.fullmatch(text):
            raise self.refuse(
                node,
                f"{text} has more than one reading, or none that is finite; write a decimal number, or quotes",
            )
        if _NUMBER.fullmatch(text):
            if len(text) > _DIGITS:
                raise self.refuse(node, f"a number of {len(text)} digits")
            if _INTEGER.fullmatch(text):
                return int(text)
            if not math.isfinite(float(text)):
                raise self.refuse(node, f"{text} is beyond the largest number")
            return float(text)
        return text

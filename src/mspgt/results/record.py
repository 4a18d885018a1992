"""Records: what a mapping of `results.json` holds, checked key by key where it is read, and written as it was.

A key without a default must be there. Keys that a record does not know are kept and written again: a later version
added them.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import numpy as np

from mspgt.errors import ResultsError
from mspgt.vocabulary import BOUNDARIES, KINDS, MODES, SCALES, SIGNALS

T = TypeVar("T")
Reader = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True)
class Keys:
    """A mapping has these keys, and may have more."""

    names: tuple[str, ...]


Numbers = list[float | None]
Interval = tuple[float, float]  # low, high
HalfOpen = tuple[float | None, float | None]  # an end that the data set no limit to is null
Rows = list[Interval | None]  # an interval a place
BySignal = Annotated[dict[str, T], Keys(SIGNALS)]
ByMode = Annotated[dict[str, T], Keys(MODES)]
ByKind = Annotated[dict[str, T], Keys(KINDS)]
ByBoundary = Annotated[dict[str, T], Keys(BOUNDARIES)]
ByScale = Annotated[dict[str, T], Keys(SCALES)]


class Record:
    """The base of every mapping with keys of its own. A key that is a word of Python has a field that ends in _."""

    sparse: typing.ClassVar[tuple[str, ...]] = ()  # keys that are written only where they are not null

    always: typing.ClassVar[
        tuple[str, ...]
    ] = ()  # keys of every file, which code may leave at their defaults

    def faults(self) -> typing.Iterator[tuple[str, str]]:
        """(key, what is wrong with it), of what no type can say."""
        yield from ()


R = TypeVar("R", bound=Record)


class _Fault(Exception):
    def __init__(self, expected: str, found: Any) -> None:
        super().__init__(f"expected {expected}, found {_short(found)}")
        self.path: list[str] = []  # from within


ABSENT = object()
_KEYS, _MORE = (
    "_keys",
    "_more",
)  # of a record that was read: all keys as they stood, and those it does not know


def from_json(kind: type[R], value: Any, where: str = "") -> R:
    """The typed form of what `json.load` gave; `to_jsonable` gives it back.

    Args:
        kind: which record.
        where: what a message begins with.

    Raises:
        ResultsError: names the first key that is not what it should be, what was expected there and what was found.
    """
    try:
        made: R = _reader(typing.cast(typing.Hashable, kind))(value)
        return made
    except _Fault as fault:
        place = ".".join(reversed(fault.path)).replace(".[", "[")
        raise ResultsError(": ".join(part for part in (where, place, str(fault)) if part)) from None


def to_jsonable(value: Any, *, whole: bool = False) -> Any:
    """Turn records, arrays and paths into plain JSON values; non-finite numbers become null.

    Args:
        whole: also write the keys that a record has by default where the file that it was read from lacks them, so
            that whoever goes by keys finds all of them.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: to_jsonable(item, whole=whole) for key, item in _items(value, whole)}
    if isinstance(value, dict):
        return {str(key): to_jsonable(item, whole=whole) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_jsonable(item, whole=whole) for item in value]
    if isinstance(value, np.ndarray):
        return to_jsonable(value.tolist())
    if isinstance(value, np.generic):
        return to_jsonable(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value


def numbers(values: Iterable[float]) -> Numbers:
    """Values as a list of the results; one that is not finite is null."""
    return [float(value) if math.isfinite(value) else None for value in values]


def _items(record: Any, whole: bool) -> typing.Iterator[tuple[str, Any]]:
    held = {_key(field.name): getattr(record, field.name) for field in dataclasses.fields(record)}
    read, more = vars(record).get(_KEYS), vars(record).get(_MORE, {})
    sparse = getattr(record, "sparse", ())
    if read is not None:
        yield from ((key, (held | more)[key]) for key in read)
    if read is None or whole:
        yield from (
            (key, value)
            for key, value in held.items()
            if key not in (read or ()) and (value is not None or key not in sparse)
        )


def _key(name: str) -> str:
    return name.removesuffix("_")


@cache
def _reader(kind: Any) -> Reader:
    origin, inside = get_origin(kind), get_args(kind)
    if kind is Any:
        return _anything
    if kind in _PLAIN:
        return _plain(kind)
    if isinstance(kind, type) and issubclass(kind, Record):
        return _record(kind)
    if origin is Annotated:
        return _with_keys(_reader(inside[0]), inside[1].names)
    if origin is typing.Literal:
        return _word(inside)
    if origin is dict:
        return _mapping(_reader(inside[1]))
    if origin is list:
        return _list(_reader(inside[0]))
    if origin is tuple:
        return _tuple([_reader(one) for one in inside])
    if origin in (typing.Union, types.UnionType):
        return _either(inside)
    raise TypeError(f"{kind} cannot be read from JSON")


def _anything(value: Any) -> Any:
    return value


_PLAIN: dict[Any, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((float, int), "a number"),
    str: ((str,), "text"),
}


def _plain(kind: type) -> Reader:
    allowed, words = _PLAIN[kind]

    def read(value: Any) -> Any:
        if type(value) in allowed:
            return value
        raise _Fault(words, value)

    return read


def _word(words: tuple[Any, ...]) -> Reader:
    def read(value: Any) -> Any:
        if isinstance(value, str) and value in words:
            return value
        raise _Fault(f"one of {', '.join(map(repr, words))}", value)

    return read


def _either(kinds: tuple[Any, ...]) -> Reader:
    """The first of several types that fits; the fault of the last where none does."""
    *others, last = (_reader(kind) for kind in kinds if kind is not types.NoneType)
    optional = types.NoneType in kinds

    def read(value: Any) -> Any:
        if value is None and optional:
            return None
        for reader in others:
            try:
                return reader(value)
            except _Fault:
                continue
        return last(value)

    return read


def _list(item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise _Fault("a list", value)
        made = []
        try:
            for one in value:
                made.append(item(one))
        except _Fault as fault:
            fault.path.append(f"[{len(made)}]")
            raise
        return made

    return read


def _tuple(items: list[Reader]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not list or len(value) != len(items):
            raise _Fault(f"a list of {len(items)}", value)
        return tuple(
            _under(f"[{at}]", item, one) for at, (item, one) in enumerate(zip(items, value, strict=True))
        )

    return read


def _mapping(item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _Fault("a mapping", value)
        return {key: _under(key, item, one) for key, one in value.items()}

    return read


def _with_keys(mapping: Reader, names: tuple[str, ...]) -> Reader:
    def read(value: Any) -> Any:
        found = mapping(value)
        for name in names:
            if name not in found:
                _under(name, _lacking, ABSENT)
        return found

    return read


def _record(kind: type[Record]) -> Reader:
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    readers = {_key(field.name): _reader(hints[field.name]) for field in fields}
    names = {_key(field.name): field.name for field in fields}
    needed = [
        _key(field.name)
        for field in fields
        if (field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING)
        or field.name in kind.always
    ]

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _Fault("a mapping", value)
        known = {key: _under(key, readers[key], one) for key, one in value.items() if key in readers}
        for name in needed:
            if name not in known:
                _under(name, _lacking, ABSENT)
        made = kind(**{names[key]: one for key, one in known.items()})
        vars(made)[_KEYS] = tuple(value)
        vars(made)[_MORE] = {key: one for key, one in value.items() if key not in readers}
        for key, why in made.faults():
            _under(key, _wrong, why)
        return made

    return read


def _under(key: str, reader: Reader, value: Any) -> Any:
    try:
        return reader(value)
    except _Fault as fault:
        fault.path.append(key)
        raise


def _lacking(value: Any) -> Any:
    raise _Fault("a value", value)


def _wrong(why: str) -> Any:
    fault = _Fault("", None)
    fault.args = (why,)
    raise fault


def _short(value: Any) -> str:
    if value is ABSENT:
        return "no such key"
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"

"""Between the API's JSON and Python, led by the annotations of the dataclasses."""

from __future__ import annotations

import re
from collections.abc import Mapping as AnyMapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Dict, Type, TypeVar, Union, get_args, get_origin, get_type_hints

from .entities import EPOCH

T = TypeVar("T")

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def from_json(kind: Type[T], value: object) -> T:
    """Read a value of the given type. Fields that the type does not know are ignored,
    and those that are missing get their zero value, as in protobuf.

    Raises ValueError for a value of another type.
    """
    result: T = _read(kind, value)
    return result


def _read(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin is Union:  # of one type and None: the only ones here
        return None if value is None else _read(get_args(kind)[0], value)
    if is_dataclass(kind):
        given = _expect(dict, value, {})
        return kind(**{name: _read(type_, given.get(name)) for name, type_ in _annotations(kind).items()})
    if origin is tuple:
        return tuple(_read(get_args(kind)[0], row) for row in _expect(list, value, []))
    if origin is AnyMapping:
        return {key: _read(get_args(kind)[1], entry) for key, entry in _expect(dict, value, {}).items()}
    if kind is datetime:
        return EPOCH if value is None else _timestamp(_expect(str, value, ""))
    return _expect(kind, value, kind())


def _expect(kind: type, value: Any, zero: Any) -> Any:
    if value is None:
        return zero
    if type(value) is not kind:  # not isinstance: True is no number
        raise ValueError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value


@lru_cache(maxsize=None)
def _annotations(kind: type) -> Dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


def _timestamp(text: str) -> datetime:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError("expected a time such as 2026-06-01T12:05:00Z")
    seconds, fraction, zone = match.groups()
    microseconds = (fraction or "").ljust(6, "0")[:6]
    offset = "+00:00" if zone == "Z" else zone
    try:
        return datetime.fromisoformat(f"{seconds}.{microseconds}{offset}").astimezone(timezone.utc)
    except OverflowError as e:
        raise ValueError("expected a time of the years 1 to 9999") from e


def to_json(value: object) -> Any:
    """Write a value of a request. None is left out of objects."""
    if is_dataclass(value):
        value = {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, AnyMapping):
        return {key: to_json(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, (list, tuple)):
        return [to_json(entry) for entry in value]
    return value


def _duration(value: timedelta) -> str:
    microseconds = value // timedelta(microseconds=1)
    sign = "-" if microseconds < 0 else ""
    return "{}{}.{:06d}s".format(sign, *divmod(abs(microseconds), 1_000_000))

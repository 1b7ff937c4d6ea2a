"""JSON to Python and back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from coinslot import Event, Item, Session, SessionMetadata, SessionPage
from coinslot.convert import from_json, to_json
from coinslot.entities import EPOCH


def test_what_is_left_out_or_null_is_zero_or_none() -> None:
    assert from_json(Session, {}) == from_json(Session, {"id": None, "item": None, "paid_at": None}) == Session()
    assert (Session().created_at, Session().paid_at) == (EPOCH, None)
    assert from_json(SessionPage, {"sessions": None}).sessions == ()


def test_what_is_not_known_is_ignored() -> None:
    assert from_json(Event, {"id": "1", "colour": "red", "data": {"size": 1}}) == Event(id="1")


@pytest.mark.parametrize(
    "text, microsecond",
    [
        ("2026-06-01T12:05:00Z", 0),
        ("2026-06-01T12:05:00.25Z", 250000),
        ("2026-06-01T12:05:00.123456789Z", 123456),
        ("2026-06-01T14:05:00+02:00", 0),
    ],
)
def test_times_are_in_utc(text: str, microsecond: int) -> None:
    read = from_json(Event, {"timestamp": text}).timestamp
    assert read == datetime(2026, 6, 1, 12, 5, 0, microsecond, timezone.utc)
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"id": 1},
        {"sequence": True},
        {"sequence": "1"},
        {"sequence": 1.0},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-06-01T12:05:00"},
        {"timestamp": "9999-12-31T23:59:59-01:00"},
        {"timestamp": 1},
        {"data": []},
        {"data": {"session": {"metadata": {"values": {"a": 1}}}}},
        {"data": {"session": {"item": "coins"}}},
    ],
)
def test_what_has_another_type_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        from_json(Event, value)


@pytest.mark.parametrize(
    "duration, text",
    [
        (timedelta(minutes=15), "900.000000s"),
        (timedelta(days=30, microseconds=1), "2592000.000001s"),
        (timedelta(seconds=-1.5), "-1.500000s"),
        (timedelta(0), "0.000000s"),
    ],
)
def test_durations_are_seconds(duration: timedelta, text: str) -> None:
    assert to_json(duration) == text


def test_none_is_left_out_of_what_is_sent() -> None:
    metadata = SessionMetadata(values={"level": "12"})
    assert to_json({"item": Item(title="a", price=1, currency="USD"), "metadata": metadata, "locale": None}) == {
        "item": {"title": "a", "price": 1, "currency": "USD", "exponent": 0},
        "metadata": {"values": {"level": "12"}},
    }

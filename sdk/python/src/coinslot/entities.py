"""What the API answers with: the messages of pay.v1, field by field.

Amounts are integers in the currency's minor unit: 499 USD is $4.99. Times are aware
datetimes in UTC. What an answer leaves out is None where the field is Optional, else
the field's zero value. Statuses are strings, since more of them may come: treat one
that you do not know as not final.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Generic, Iterator, Mapping, Optional, Tuple, TypeVar

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Failure:
    """Why a payment or a refund failed: compare `code`; `message` is for developers."""

    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class Item:
    """The thing that is sold. `exponent`, the currency's minor digits, is in answers only."""

    title: str
    price: int
    currency: str
    image: Optional[str] = None
    country: Optional[str] = None
    exponent: int = 0


@dataclass(frozen=True)
class Tax:
    """The part of a session's price that is tax."""

    amount: int = 0


@dataclass(frozen=True)
class SessionMetadata:
    """What the caller attached to a session: at most 50 values of up to 500 characters."""

    offer_id: Optional[str] = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Session:
    """One thing that one player may buy once. Send the player to `url`.

    `status` is pending, or one of these, which are final: paid, failed, cancelled, expired.
    """

    id: str = ""
    url: str = ""
    status: str = ""
    payment_id: Optional[str] = None
    user_id: str = ""
    game_id: str = ""
    item: Item = Item(title="", price=0, currency="")
    created_at: datetime = EPOCH
    paid_at: Optional[datetime] = None
    failed_at: Optional[datetime] = None
    cancelled_at: Optional[datetime] = None
    expired_at: Optional[datetime] = None
    tax: Optional[Tax] = None
    metadata: Optional[SessionMetadata] = None
    return_url: str = ""
    cancel_url: Optional[str] = None
    expires_at: datetime = EPOCH
    order_id: Optional[str] = None
    environment: str = ""


@dataclass(frozen=True)
class SessionStatus:
    """Where a session stands."""

    id: str = ""
    status: str = ""


@dataclass(frozen=True)
class PaymentExtraData:
    """How a payment splits into real and bonus money."""

    real_amount: int = 0
    bonus_amount: int = 0


@dataclass(frozen=True)
class Payment:
    """One attempt to pay for a session.

    `status` is processing, authorized, cancelled, succeeded, failed or refunded.
    """

    id: str = ""
    session_id: str = ""
    status: str = ""
    amount: int = 0
    currency: str = ""
    method: str = ""
    details: str = ""
    created_at: datetime = EPOCH
    authorized_at: Optional[datetime] = None
    cancelled_at: Optional[datetime] = None
    succeeded_at: Optional[datetime] = None
    failed_at: Optional[datetime] = None
    refunded_at: Optional[datetime] = None
    error: Optional[Failure] = None
    extra_data: Optional[PaymentExtraData] = None
    refunded_amount: int = 0
    exponent: int = 0
    game_id: str = ""
    user_id: str = ""
    environment: str = ""


@dataclass(frozen=True)
class Refund:
    """Money returned from a payment. `status` is pending, succeeded, failed or cancelled."""

    id: str = ""
    payment_id: str = ""
    status: str = ""
    reason: Optional[str] = None
    created_at: datetime = EPOCH
    succeeded_at: Optional[datetime] = None
    failed_at: Optional[datetime] = None
    cancelled_at: Optional[datetime] = None
    error: Optional[Failure] = None
    amount: int = 0
    currency: str = ""
    exponent: int = 0


@dataclass(frozen=True)
class EventData:
    """The ids of all that an event touches, and the entities as they were right then."""

    payment_id: Optional[str] = None
    session_id: Optional[str] = None
    game_id: Optional[str] = None
    user_id: Optional[str] = None
    refund_id: Optional[str] = None
    session: Optional[Session] = None
    payment: Optional[Payment] = None
    refund: Optional[Refund] = None


@dataclass(frozen=True)
class Event:
    """One thing that happened, such as `payment.succeeded`; `event` repeats `type`.

    The id is the same on every delivery: ignore one that was seen before. `sequence`
    counts the events of one session from 1.
    """

    id: str = ""
    event: str = ""
    type: str = ""
    timestamp: datetime = EPOCH
    environment: str = ""
    sequence: int = 0
    data: EventData = EventData()


@dataclass(frozen=True)
class WatchedEvent:
    """An event that was watched. Keep `next_cursor` once it is worked off, and go on after
    it next time."""

    event: Event
    next_cursor: str


class Page(Generic[T]):
    """One page of a list; iterating gives its rows."""

    has_more: bool
    next_cursor: Optional[str]

    @property
    def rows(self) -> Tuple[T, ...]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[T]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class SessionPage(Page[Session]):
    """Sessions, newest first; `total` is how many match in all."""

    sessions: Tuple[Session, ...] = ()
    total: int = 0
    has_more: bool = False
    next_cursor: Optional[str] = None

    @property
    def rows(self) -> Tuple[Session, ...]:
        return self.sessions


@dataclass(frozen=True)
class PaymentPage(Page[Payment]):
    """Payments, newest first; `total` is how many match in all."""

    payments: Tuple[Payment, ...] = ()
    total: int = 0
    has_more: bool = False
    next_cursor: Optional[str] = None

    @property
    def rows(self) -> Tuple[Payment, ...]:
        return self.payments


@dataclass(frozen=True)
class RefundPage(Page[Refund]):
    """Refunds, newest first; `total` is how many match in all."""

    refunds: Tuple[Refund, ...] = ()
    total: int = 0
    has_more: bool = False
    next_cursor: Optional[str] = None

    @property
    def rows(self) -> Tuple[Refund, ...]:
        return self.refunds


@dataclass(frozen=True)
class EventPage(Page[Event]):
    """Events, oldest first. Keep `next_cursor`, on the last page too: what happens from
    now on comes after it."""

    events: Tuple[Event, ...] = ()
    has_more: bool = False
    next_cursor: str = ""

    @property
    def rows(self) -> Tuple[Event, ...]:
        return self.events

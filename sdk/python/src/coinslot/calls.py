"""Every call that a client can make, once for both clients.

The functions are named as the methods of pay.v1 are, and take the fields of their
requests; proto/pay/v1 has the prose on each. All of them raise CoinslotError. Those
that change something take an `idempotency_key` too, 1 to 255 printable ASCII
characters, by default a new one for each call. `timeout` is in seconds, by default
the client's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Optional, Sequence

from .call import Call, change, nothing, part, read, whole
from .entities import (
    Event,
    EventPage,
    Item,
    Payment,
    PaymentPage,
    Refund,
    RefundPage,
    Session,
    SessionMetadata,
    SessionPage,
    SessionStatus,
)
from .watch import EventsWatch, SessionWatch


def create_session(
    *,
    game_id: str,
    user_id: str,
    item: Item,
    return_url: str,
    wallet_enabled: Optional[bool] = None,
    metadata: Optional[SessionMetadata] = None,
    cancel_url: Optional[str] = None,
    expires_in: Optional[timedelta] = None,
    order_id: Optional[str] = None,
    locale: Optional[str] = None,
    idempotency_key: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Call[Session]:
    """Offer one item to one player. Send the player to the session's `url`.

    return_url: where the player goes after paying: any absolute URI, such as
        `mygame://paid`. `{SESSION_ID}` in it is replaced by the session's id.
    cancel_url: where the player goes after cancelling; by default return_url.
    expires_in: how long the session can be paid, 1 minute to 30 days; by default the
        game's setting, a day unless changed.
    order_id: your own reference, to find the session by.
    locale: the page's language, such as `pt-BR`; by default the browser's.
    """
    message = {
        "game_id": game_id,
        "user_id": user_id,
        "item": item,
        "return_url": return_url,
        "wallet_enabled": wallet_enabled,
        "metadata": metadata,
        "cancel_url": cancel_url,
        "expires_in": expires_in,
        "order_id": order_id,
        "locale": locale,
    }
    return change("PaymentService/CreateSession", message, part("session", Session), idempotency_key, timeout)


def get_session(id: str, *, timeout: Optional[float] = None) -> Call[Session]:
    """A session as it is now, expiry included."""
    return read("PaymentService/GetSession", {"id": id}, part("session", Session), timeout)


def get_session_status(id: str, *, timeout: Optional[float] = None) -> Call[SessionStatus]:
    """Where a session stands, for callers that poll."""
    return read("PaymentService/GetSessionStatus", {"id": id}, whole(SessionStatus), timeout)


def list_sessions(
    *,
    game_id: str,
    user_id: Optional[str] = None,
    status: Optional[str] = None,
    limit: Optional[int] = None,
    offset: Optional[int] = None,
    cursor: Optional[str] = None,
    order_id: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Call[SessionPage]:
    """The sessions of one game, newest first. limit is how many are asked for at once,
    1 to 250, by default 100."""
    message = {
        "game_id": game_id,
        "user_id": user_id,
        "status": status,
        "limit": limit,
        "offset": offset,
        "cursor": cursor,
        "order_id": order_id,
    }
    return read("PaymentService/ListSessions", message, whole(SessionPage), timeout)


def cancel_session(
    id: str, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None
) -> Call[None]:
    """Withdraw an offer that nobody has paid for. A cancelled one can be cancelled again."""
    return change("PaymentService/CancelSession", {"id": id}, nothing, idempotency_key, timeout)


def get_payment(
    id: str, *, with_extra_data: Optional[bool] = None, timeout: Optional[float] = None
) -> Call[Payment]:
    """A payment, whatever its status."""
    message = {"id": id, "with_extra_data": with_extra_data}
    return read("PaymentService/GetPayment", message, part("payment", Payment), timeout)


def list_payments(
    *,
    game_id: str,
    user_id: Optional[str] = None,
    limit: Optional[int] = None,
    offset: Optional[int] = None,
    with_extra_data: Optional[bool] = None,
    cursor: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Call[PaymentPage]:
    """The payments of one game that brought money, newest first. limit is how many are
    asked for at once, 1 to 250, by default 100."""
    message = {
        "game_id": game_id,
        "user_id": user_id,
        "limit": limit,
        "offset": offset,
        "with_extra_data": with_extra_data,
        "cursor": cursor,
    }
    return read("PaymentService/ListPayments", message, whole(PaymentPage), timeout)


def complete_payment(
    id: str, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None
) -> Call[None]:
    """Capture an authorized payment: the money moves. A succeeded one can be completed again."""
    return change("PaymentService/CompletePayment", {"id": id}, nothing, idempotency_key, timeout)


def cancel_payment(
    id: str, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None
) -> Call[None]:
    """Release the money of an authorized payment without taking it."""
    return change("PaymentService/CancelPayment", {"id": id}, nothing, idempotency_key, timeout)


def create_refund(
    payment_id: str,
    *,
    reason: Optional[str] = None,
    amount: Optional[int] = None,
    idempotency_key: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Call[Refund]:
    """Give money back. amount is in the currency's minor unit, by default all that is left.

    The refund may stay `pending` for as long as the provider takes.
    """
    message = {"payment_id": payment_id, "reason": reason, "amount": amount}
    return change("RefundService/CreateRefund", message, part("refund", Refund), idempotency_key, timeout)


def get_refund(id: str, *, timeout: Optional[float] = None) -> Call[Refund]:
    """A refund, whatever its status."""
    return read("RefundService/GetRefund", {"id": id}, part("refund", Refund), timeout)


def list_refunds(
    *,
    payment_id: Optional[str] = None,
    status: Optional[str] = None,
    limit: Optional[int] = None,
    offset: Optional[int] = None,
    game_id: Optional[str] = None,
    cursor: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Call[RefundPage]:
    """The refunds that the access token may see, newest first. limit is how many are
    asked for at once, 1 to 250, by default 100."""
    message = {
        "payment_id": payment_id,
        "status": status,
        "limit": limit,
        "offset": offset,
        "game_id": game_id,
        "cursor": cursor,
    }
    return read("RefundService/ListRefunds", message, whole(RefundPage), timeout)


def get_event(id: str, *, timeout: Optional[float] = None) -> Call[Event]:
    """An event. It never changes."""
    return read("EventService/GetEvent", {"id": id}, part("event", Event), timeout)


def list_events(
    *,
    game_id: Optional[str] = None,
    session_id: Optional[str] = None,
    types: Sequence[str] = (),
    limit: Optional[int] = None,
    cursor: Optional[str] = None,
    consumer: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Call[EventPage]:
    """The events after a cursor, oldest first; by default from the first one.

    types: only these, such as `payment.succeeded`; by default all.
    limit: how many are asked for at once, 1 to 250, by default 100.
    consumer: whose cursor to go on from where there is none here, as acknowledge moved it.
    """
    message = {
        "game_id": game_id,
        "session_id": session_id,
        "types": list(types),
        "limit": limit,
        "cursor": cursor,
        "consumer": consumer,
    }
    return read("EventService/ListEvents", message, whole(EventPage), timeout)


def acknowledge_events(
    *, consumer: str, cursor: str, idempotency_key: Optional[str] = None, timeout: Optional[float] = None
) -> Call[str]:
    """Have the server keep how far a named consumer has come: the `next_cursor` after the
    last event that it worked off. Returns the consumer's cursor, which only moves forward."""
    message = {"consumer": consumer, "cursor": cursor}
    return change("EventService/AcknowledgeEvents", message, part("cursor", str), idempotency_key, timeout)


def watch_session(id: str) -> SessionWatch:
    """A session as it is now, and then after each change until its status is final: it need
    not be asked for again and again. Changes that follow each other closely can come as one.

    A connection that breaks is made anew.
    """
    return SessionWatch({"id": id})


def watch_events(
    *,
    game_id: Optional[str] = None,
    session_id: Optional[str] = None,
    types: Sequence[str] = (),
    cursor: Optional[str] = None,
    consumer: Optional[str] = None,
    from_now: bool = False,
) -> EventsWatch:
    """The events that a list would give, and then each one as it happens.

    A connection that breaks is made anew and goes on after what was told last: nothing is
    missed, and nothing comes twice.

    consumer: whose cursor to go on from where there is none here, as acknowledge moved it.
    from_now: begin with what happens from now on, where no cursor says otherwise.
    """
    message = {
        "game_id": game_id,
        "session_id": session_id,
        "types": list(types),
        "cursor": cursor,
        "consumer": consumer,
        "from_now": from_now,
    }
    return EventsWatch(message)

"""Refunds and the event feed, by both clients, on a real server."""

from __future__ import annotations

import pytest
from conftest import Connect
from shop import Server
from test_calls import new_game, sell

from coinslot import Coinslot, CoinslotError


def payment_of(client: Coinslot, session: str) -> str:
    payment = client.sessions.get(session).payment_id
    assert payment is not None
    return payment


def test_a_payment_is_refunded_in_parts(client: Coinslot, paid: str) -> None:
    payment = payment_of(client, paid)
    part = client.refund(payment, amount=100, reason="lag")
    assert (part.payment_id, part.status, part.reason) == (payment, "succeeded", "lag")
    assert (part.amount, part.currency, part.exponent) == (100, "USD", 2)
    assert part.succeeded_at is not None and part.error is None
    assert client.payments.get(payment).refunded_amount == 100
    rest = client.refunds.create(payment_id=payment)
    assert rest.amount == 399
    after = client.payments.get(payment)
    assert (after.status, after.refunded_amount) == ("refunded", 499) and after.refunded_at is not None
    assert client.refunds.get(part.id) == part == client.refunds.get(id=part.id)
    page = client.refunds.list(payment_id=payment)
    assert (page.refunds, page.total, page.has_more) == ((rest, part), 2, False)
    assert list(client.refunds.all(payment_id=payment, status="succeeded", limit=1)) == [rest, part]
    with pytest.raises(CoinslotError) as refusal:
        client.refund(payment)
    assert refusal.value.code == "already_refunded"


def test_a_refund_cannot_be_more_than_is_left(client: Coinslot, paid: str) -> None:
    for amount in (0, 500):
        with pytest.raises(CoinslotError) as refusal:
            client.refund(payment_of(client, paid), amount=amount)
        assert (refusal.value.code, refusal.value.http_status) == ("invalid_amount", 400)


def test_the_same_key_is_the_same_refund(client: Coinslot, paid: str) -> None:
    payment = payment_of(client, paid)
    refunds = {client.refund(payment, amount=1, idempotency_key="lag-" + paid).id for _ in range(2)}
    assert len(refunds) == 1 and client.payments.get(payment).refunded_amount == 1


def test_events_tell_what_happened_in_turn(connect: Connect, server: Server) -> None:
    game = new_game()
    client = connect(server.new_game(game))
    session = sell(client, game)
    server.pay(session.id)
    refund = client.refund(payment_of(client, session.id), amount=100)
    events = list(client.events.all(game_id=game, limit=2))
    assert [e.type for e in events] == [
        "session.created",
        "payment.created",
        "payment.succeeded",
        "session.paid",
        "refund.created",
        "refund.succeeded",
    ]
    assert [e.sequence for e in events] == [1, 2, 3, 4, 5, 6]
    assert all(e.event == e.type and e.environment == "sandbox" for e in events)
    assert events[0].data.session == session and events[0].data.payment is None
    last = events[-1]
    assert (last.data.session_id, last.data.refund_id) == (session.id, refund.id)
    assert last.data.refund == refund and last.timestamp == refund.succeeded_at
    assert client.events.get(last.id) == last == client.events.get(id=last.id)
    with pytest.raises(CoinslotError) as refusal:
        client.events.get("01978c2e-0000-7000-8000-000000000000")
    assert refusal.value.code == "event_not_found"


def test_a_cursor_that_was_kept_goes_on_where_it_ended(connect: Connect, server: Server) -> None:
    game = new_game()
    client = connect(server.new_game(game))
    first = sell(client, game)
    page = client.events.list(game_id=game, types=["session.created", "session.cancelled"])
    assert [e.data.session_id for e in page] == [first.id] and not page.has_more
    assert client.events.list(game_id=game, session_id=first.id).events == page.events
    client.sessions.cancel(first.id)
    more = client.events.list(game_id=game, types=["session.created", "session.cancelled"], cursor=page.next_cursor)
    assert [e.type for e in more] == ["session.cancelled"]


def test_the_server_keeps_how_far_a_consumer_has_come(connect: Connect, server: Server) -> None:
    game = new_game()
    client = connect(server.new_game(game))
    for _ in range(3):
        sell(client, game)
    first = client.events.list(game_id=game, limit=1, consumer=game)
    assert client.events.acknowledge(consumer=game, cursor=first.next_cursor) == first.next_cursor
    rest = list(client.events.all(game_id=game, limit=1, consumer=game))
    assert len(rest) == 2 and first.events[0] not in rest

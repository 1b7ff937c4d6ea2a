"""Every call, by both clients, on a real server."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Callable
from uuid import uuid4

import pytest
from conftest import COINS, Connect
from shop import Server

from coinslot import CoinslotError, Coinslot, Item, Session, SessionMetadata, SessionStatus


def sell(client: Coinslot, game: str = "space_shooter", user: str = "player_42") -> Session:
    return client.checkout(game_id=game, user_id=user, item=COINS, return_url="mygame://paid")


def new_game() -> str:
    return "game_" + uuid4().hex[:12]


def test_the_documented_calls(client: Coinslot, server: Server) -> None:
    session = client.checkout(
        game_id="space_shooter",
        user_id="player_42",
        item=Item(title="50 Gold Coins", price=499, currency="USD"),
        return_url="mygame://payment-complete",
    )
    assert session.url.startswith(server.url + "/pay/sess_")
    assert client.sessions.status(session.id).status == "pending"
    server.pay(session.id)
    assert client.sessions.status(session.id).status == "paid"
    assert client.sessions.status(id=session.id) == SessionStatus(session.id, "paid")


def test_all_that_a_session_is_created_with_is_read_again(client: Coinslot) -> None:
    asked_at = datetime.now(timezone.utc) - timedelta(seconds=1)
    made = client.sessions.create(
        game_id="space_shooter",
        user_id="player_42",
        item=Item(title="金貨", price=1200, currency="JPY", image="https://example.com/coins.png", country="JP"),
        return_url="mygame://paid?s={SESSION_ID}",
        wallet_enabled=True,
        metadata=SessionMetadata(offer_id="summer", values={"level": "12"}),
        cancel_url="mygame://shop",
        expires_in=timedelta(minutes=15),
        order_id="1001",
        locale="ja",
    )
    assert made.status == "pending"
    assert made.item == Item("金貨", 1200, "JPY", "https://example.com/coins.png", "JP", exponent=0)
    assert made.metadata == SessionMetadata("summer", {"level": "12"})
    assert (made.return_url, made.cancel_url) == ("mygame://paid?s={SESSION_ID}", "mygame://shop")
    assert (made.order_id, made.environment) == ("1001", "sandbox")
    assert made.created_at.tzinfo is timezone.utc and made.created_at >= asked_at
    assert made.expires_at - made.created_at == timedelta(minutes=15)
    assert made.paid_at is None and made.payment_id is None and made.tax is None
    assert client.sessions.get(made.id) == made


def test_a_session_can_be_cancelled_again_but_not_a_paid_one(client: Coinslot, paid: str) -> None:
    session = sell(client)
    client.sessions.cancel(session.id)
    client.sessions.cancel(id=session.id)
    after = client.sessions.get(session.id)
    assert after.status == "cancelled" and after.cancelled_at is not None
    with pytest.raises(CoinslotError) as refusal:
        client.sessions.cancel(paid)
    assert refusal.value.code == "session_not_pending"


def test_sessions_are_listed_by_filters(connect: Connect, server: Server) -> None:
    game = new_game()
    client = connect(server.new_game(game))
    first, second, third = sell(client, game, "a"), sell(client, game, "b"), sell(client, game, "a")
    client.sessions.cancel(third.id)
    page = client.sessions.list(game_id=game)
    assert [s.id for s in page] == [third.id, second.id, first.id]
    assert (page.total, page.has_more, page.next_cursor, len(page)) == (3, False, None, 3)
    assert client.sessions.list(game_id=game, user_id="b").sessions == (second,)
    assert [s.id for s in client.sessions.list(game_id=game, user_id="a", status="pending")] == [first.id]
    assert [s.id for s in client.sessions.list(game_id=game, offset=2)] == [first.id]
    with pytest.raises(CoinslotError) as refusal:
        client.sessions.list(game_id=game, limit=251)
    assert refusal.value.code == "invalid_limit"


def test_all_goes_through_every_page(connect: Connect, server: Server) -> None:
    game = new_game()
    key = server.new_game(game)
    client, sent = connect.unreliably(access_token=key)
    made = [sell(client, game).id for _ in range(5)]
    del sent.requests[:]
    assert [s.id for s in client.sessions.all(game_id=game, limit=2)] == made[::-1]
    assert len(sent.requests) == 3
    assert [s.id for s in client.sessions.all(game_id=game, limit=2, offset=1)] == made[3::-1]
    assert list(client.sessions.all(game_id=game, user_id="nobody")) == []


def test_all_asks_for_a_page_when_it_gets_there(connect: Connect, server: Server) -> None:
    game = new_game()
    client, sent = connect.unreliably(access_token=server.new_game(game))
    for _ in range(3):
        sell(client, game)
    del sent.requests[:]
    rows = iter(client.sessions.all(game_id=game, limit=2))
    next(rows), next(rows)
    assert len(sent.requests) == 1


def test_all_is_told_of_wrong_arguments_at_once(client: Coinslot) -> None:
    with pytest.raises(TypeError):
        client.sessions.all(colour="red")  # type: ignore[call-arg]


def test_payments_are_read_and_listed(client: Coinslot, paid: str) -> None:
    session = client.sessions.get(paid)
    assert session.paid_at is not None and session.payment_id is not None
    payment = client.payments.get(session.payment_id)
    assert (payment.session_id, payment.status, payment.amount) == (paid, "succeeded", 499)
    assert (payment.currency, payment.method, payment.exponent) == ("USD", "card", 2)
    assert (payment.game_id, payment.user_id, payment.environment) == ("space_shooter", "player_42", "sandbox")
    assert payment.succeeded_at is not None and payment.refunded_amount == 0
    assert payment.error is None and payment.extra_data is None
    split = client.payments.get(id=session.payment_id, with_extra_data=True).extra_data
    assert split is not None and (split.real_amount, split.bonus_amount) == (499, 0)
    page = client.payments.list(game_id="space_shooter", limit=1)
    assert page.payments == (payment,) and page.total >= 1
    assert payment in list(client.payments.all(game_id="space_shooter", user_id="player_42"))


def test_a_payment_that_failed_says_why(client: Coinslot, server: Server) -> None:
    session = sell(client)
    server.pay(session.id, "--card", "4000000000000002")
    failed = client.sessions.get(session.id)
    assert failed.status == "failed" and failed.failed_at is not None and failed.payment_id is not None
    payment = client.payments.get(failed.payment_id)
    assert payment.error is not None and payment.error.code == "card_declined" and payment.error.message


def test_payments_are_completed_and_cancelled_by_hand(connect: Connect, server: Server) -> None:
    game = new_game()
    client = connect(server.new_game(game, "--capture", "manual"))
    ids = []
    for _ in range(2):
        session = sell(client, game)
        server.pay(session.id)
        payment = client.sessions.get(session.id).payment_id
        assert payment is not None and client.payments.get(payment).status == "authorized"
        ids.append((session.id, payment))
    client.payments.complete(ids[0][1])
    client.payments.complete(id=ids[0][1])
    client.payments.cancel(ids[1][1])
    assert client.sessions.get(ids[0][0]).status == "paid"
    assert client.sessions.get(ids[1][0]).status == "cancelled"
    assert [client.payments.get(p).status for _, p in ids] == ["succeeded", "cancelled"]
    with pytest.raises(CoinslotError) as refusal:
        client.payments.complete(ids[1][1])
    assert refusal.value.code == "payment_not_authorized"


@pytest.mark.parametrize(
    "change, code",
    [
        ({"item": Item(title="", price=499, currency="USD")}, "invalid_title"),
        ({"item": Item(title="Coins", price=-5, currency="USD")}, "invalid_price"),
        ({"item": Item(title="Coins", price=5, currency="usd")}, "invalid_currency"),
        ({"game_id": "chess"}, "invalid_game_id"),
        ({"user_id": ""}, "invalid_user_id"),
        ({"return_url": "javascript:alert(1)"}, "invalid_return_url"),
        ({"expires_in": timedelta(seconds=-1.5)}, "invalid_expires_in"),
    ],
)
def test_refusals_have_the_documented_code(client: Coinslot, change: "dict[str, object]", code: str) -> None:
    order: "dict[str, object]" = {
        "game_id": "space_shooter",
        "user_id": "player_42",
        "item": COINS,
        "return_url": "mygame://paid",
        **change,
    }
    with pytest.raises(CoinslotError) as refusal:
        client.sessions.create(**order)  # type: ignore[arg-type]
    e = refusal.value
    assert (e.code, e.rpc_code, e.http_status, e.retryable) == (code, "invalid_argument", 400, False)
    assert e.message and str(e) == f"{code}: {e.message}"


def test_refusals_of_other_kinds(connect: Connect, server: Server) -> None:
    client = connect()
    stranger = connect("sk_sandbox_nonsense")
    reader = connect(server.new_key("space_shooter", "--read-only"))
    refusals: "list[tuple[Callable[[], object], str, str, int]]" = [
        (lambda: client.sessions.get("sess_" + "0" * 26), "session_not_found", "not_found", 404),
        (lambda: client.payments.get("pay_" + "0" * 26), "payment_not_found", "not_found", 404),
        (lambda: client.sessions.get("nonsense"), "invalid_id", "invalid_argument", 400),
        (lambda: stranger.sessions.get("sess_1"), "unauthorized", "unauthenticated", 401),
        (lambda: sell(reader), "forbidden", "permission_denied", 403),
    ]
    for call, code, rpc_code, status in refusals:
        with pytest.raises(CoinslotError) as refusal:
            call()
        e = refusal.value
        assert (e.code, e.rpc_code, e.http_status, e.retryable) == (code, rpc_code, status, False)
    assert connect.slept == []

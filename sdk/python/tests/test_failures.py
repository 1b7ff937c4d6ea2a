"""What a client does when calls fail: what it tries again, and what never happens twice."""

from __future__ import annotations

import asyncio
import pickle
import socket
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Optional
from uuid import uuid4

import httpx
import pytest
from conftest import COINS, Connect
from shop import Fault, Server, answer, hang_up, refuse
from test_calls import new_game, sell

import coinslot
from coinslot import AsyncCoinslot, Coinslot, CoinslotError

TOO_LARGE = """{"code": "resource_exhausted", "message": "the request must be at most 8 MiB", "details": [
    {"type": "other.v1.Error", "value": "", "debug": {"code": "rate_limited"}},
    {"type": "pay.v1.Error", "value": "", "debug": {"code": "invalid_request", "message": "at most 8 MiB"}}]}"""
INTERNAL = '{"code":"internal","message":"internal error (ref 1)"}'


@pytest.mark.parametrize(
    "fault",
    [
        refuse,
        hang_up,
        answer(502),
        answer(503),
        answer(504, "<html>"),
        answer(429),
        answer(500, INTERNAL),
        answer(500, "<html>"),
    ],
)
def test_what_may_pass_is_tried_again(connect: Connect, fault: Fault) -> None:
    client, sent = connect.unreliably(on_the_way=[fault, fault])
    assert sell(client).status == "pending"
    keys = {request.headers["Idempotency-Key"] for request in sent.requests}
    assert len(sent.requests) == 3 and len(keys) == 1
    assert 0.25 <= connect.slept[0] <= 0.5 <= connect.slept[1] <= 1


def test_an_answer_that_is_lost_sells_nothing_twice(connect: Connect, server: Server) -> None:
    game = new_game()
    client, sent = connect.unreliably(on_the_way_back=[hang_up, hang_up], access_token=server.new_game(game))
    session = sell(client, game)
    assert len(sent.requests) == 3
    assert client.sessions.list(game_id=game).sessions == (session,)


def test_reads_are_tried_again_without_a_key(connect: Connect, paid: str) -> None:
    client, sent = connect.unreliably(on_the_way=[refuse], on_the_way_back=[None, hang_up])
    assert client.sessions.status(paid).status == "paid"
    assert len(sent.requests) == 3
    assert not any("Idempotency-Key" in request.headers for request in sent.requests)


def test_a_request_says_what_it_is(connect: Connect, paid: str) -> None:
    client, sent = connect.unreliably(timeout=7)
    client.sessions.status(paid)
    client.sessions.status(paid, timeout=2.5)
    headers = sent.requests[1].headers
    assert headers["User-Agent"] == "coinslot-python/" + coinslot.__version__
    assert (headers["Content-Type"], headers["Connect-Protocol-Version"]) == ("application/json", "1")
    assert [request.headers["Connect-Timeout-Ms"] for request in sent.requests] == ["7000", "2500"]


def test_after_the_last_retry_the_error_is_told(connect: Connect) -> None:
    client, sent = connect.unreliably(on_the_way=[refuse] * 9, retries=5)
    with pytest.raises(CoinslotError) as error:
        sell(client)
    e = error.value
    assert (e.code, e.rpc_code, e.http_status, e.retryable) == ("unavailable", "unavailable", None, True)
    assert isinstance(e.__cause__, httpx.ConnectError)
    assert len(sent.requests) == 6
    most = [0.5, 1, 2, 4, 8]
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(connect.slept, most))


def test_waits_grow_to_eight_seconds_and_differ(connect: Connect) -> None:
    client, _ = connect.unreliably(on_the_way=[refuse] * 50, retries=40)
    with pytest.raises(CoinslotError):
        sell(client)
    late = connect.slept[5:]
    assert all(4 <= wait <= 8 for wait in late) and len(set(late)) > 1


@pytest.mark.parametrize("retries, attempts", [(0, 1), (1, 2)])
def test_retries_are_as_many_as_asked_for(connect: Connect, retries: int, attempts: int) -> None:
    client, sent = connect.unreliably(on_the_way=[refuse] * 9, retries=retries)
    with pytest.raises(CoinslotError):
        sell(client)
    assert len(sent.requests) == attempts


def test_a_refusal_is_final(connect: Connect) -> None:
    client, sent = connect.unreliably()
    with pytest.raises(CoinslotError):
        client.checkout(game_id="space_shooter", user_id="", item=COINS, return_url="mygame://paid")
    assert len(sent.requests) == 1 and connect.slept == []


def test_a_message_that_is_too_large_is_not_sent_again(connect: Connect) -> None:
    client, sent = connect.unreliably(on_the_way=[answer(429, TOO_LARGE)])
    with pytest.raises(CoinslotError) as error:
        sell(client)
    e = error.value
    assert (e.code, e.rpc_code, e.http_status, e.retryable) == ("invalid_request", "resource_exhausted", 429, False)
    assert len(sent.requests) == 1


@pytest.mark.parametrize(
    "header, least, most",
    [
        ("7", 7, 7),
        ("0", 0.25, 0.5),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0.25, 0.5),
        ("soon", 0.25, 0.5),
    ],
)
def test_the_server_is_given_the_time_it_asks_for(connect: Connect, header: str, least: float, most: float) -> None:
    client, _ = connect.unreliably(on_the_way=[answer(503, Retry_After=header)])
    sell(client)
    assert len(connect.slept) == 1 and least <= connect.slept[0] <= most


def test_the_server_may_ask_for_a_time_of_day(connect: Connect) -> None:
    def soon(request: httpx.Request) -> Optional[httpx.Response]:
        date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=50), usegmt=True)
        return answer(503, Retry_After=date)(request)

    client, _ = connect.unreliably(on_the_way=[soon])
    sell(client)
    assert len(connect.slept) == 1 and 1 < connect.slept[0] <= 50


def test_the_caller_decides_on_a_wait_of_minutes(connect: Connect) -> None:
    client, sent = connect.unreliably(on_the_way=[answer(503, Retry_After="61")])
    with pytest.raises(CoinslotError) as error:
        sell(client)
    assert error.value.retry_after == 61 and len(sent.requests) == 1


def test_a_server_that_limits_its_callers_says_for_how_long(
    binary: Path, tmp_path: Path
) -> None:
    limited = Server(binary, tmp_path / "data", "--rate-limit", "1")
    try:
        waits: "list[float]" = []
        with Coinslot(access_token=limited.key, base_url=limited.url, sleep=waits.append, retries=1) as client:
            with pytest.raises(CoinslotError) as error:
                for _ in range(100):
                    client.sessions.list(game_id="space_shooter")
    finally:
        limited.stop()
    e = error.value
    assert (e.code, e.http_status, e.retry_after, e.retryable) == ("rate_limited", 429, 1, True)
    assert waits and waits[0] >= 1


def test_the_same_key_is_the_same_session(client: Coinslot) -> None:
    key = "order-" + uuid4().hex
    made = [
        client.checkout(
            game_id="space_shooter", user_id="player_42", item=COINS, return_url="mygame://paid", idempotency_key=key
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    with pytest.raises(CoinslotError) as error:
        client.checkout(
            game_id="space_shooter", user_id="player_43", item=COINS, return_url="mygame://paid", idempotency_key=key
        )
    assert (error.value.code, error.value.http_status) == ("idempotency_conflict", 409)


def test_without_a_key_every_call_is_another_session(client: Coinslot) -> None:
    assert sell(client).id != sell(client).id


@pytest.mark.parametrize("key", ["", " ", "a" * 256, "a\nb", "schlüssel", "order 1 "])
def test_a_key_that_cannot_be_one_is_refused_before_it_is_sent(connect: Connect, key: str) -> None:
    client, sent = connect.unreliably()
    with pytest.raises(CoinslotError) as error:
        client.sessions.cancel("sess_1", idempotency_key=key)
    assert error.value.code == "invalid_idempotency_key" and sent.requests == []


def test_a_server_that_never_answers_is_given_up(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and reads nothing
        url = "http://127.0.0.1:{}".format(silent.getsockname()[1])
        for client, per_call in ((connect(base_url=url, timeout=0.05), None), (connect(base_url=url), 0.05)):
            with pytest.raises(CoinslotError) as error:
                client.sessions.status("sess_1", timeout=per_call)
            e = error.value
            assert (e.code, e.rpc_code, e.http_status) == ("unavailable", "deadline_exceeded", None)
    assert len(connect.slept) == 4


def test_an_address_that_is_no_coinslot_says_so(connect: Connect) -> None:
    client, sent = connect.unreliably(on_the_way=[answer(404, "<html>"), answer(418, "[1]"), answer(200, "<html>")])
    for code, status, word in (("not_found", 404, "base_url"), ("unknown", 418, "base_url"), ("unknown", 200, "read")):
        with pytest.raises(CoinslotError, match=word) as error:
            sell(client)
        e = error.value
        assert (e.code, e.http_status, e.retryable) == (code, status, False)
    assert len(sent.requests) == 3


def test_an_error_survives_another_process() -> None:
    e = CoinslotError("invalid_price", "item.price must be positive", "invalid_argument", 400)
    copy = pickle.loads(pickle.dumps(e))
    assert (str(copy), vars(copy)) == (str(e), vars(e))


def test_calls_of_one_client_run_at_the_same_time(server: Server) -> None:
    async def sell_many() -> "set[str]":
        async with AsyncCoinslot(access_token=server.key, base_url=server.url) as client:
            sales = [
                client.checkout(game_id="space_shooter", user_id="a", item=COINS, return_url="mygame://paid")
                for _ in range(20)
            ]
            sessions = await asyncio.gather(*sales)
            return {session.id for session in sessions}

    assert len(asyncio.run(sell_many())) == 20


def test_cancelling_a_task_ends_its_call() -> None:
    async def cancel() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = "http://127.0.0.1:{}".format(silent.getsockname()[1])
            async with AsyncCoinslot(access_token="sk_sandbox_1", base_url=url) as client:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(client.sessions.status("sess_1"), 0.05)

    asyncio.run(cancel())


def test_a_client_is_closed_with_its_block(server: Server) -> None:
    with Coinslot(access_token=server.key, base_url=server.url) as client:
        client.sessions.list(game_id="space_shooter")
    with pytest.raises(RuntimeError):
        client.sessions.list(game_id="space_shooter")


def test_a_client_of_the_callers_is_left_open(server: Server) -> None:
    with httpx.Client() as http:
        with Coinslot(access_token=server.key, base_url=server.url, http_client=http):
            pass
        assert not http.is_closed

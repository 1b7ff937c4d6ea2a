"""Watches, over connections that break and a server that starts anew."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Iterator, List

import httpx
import pytest
from conftest import COINS, Connect
from shop import Server, answer, hang_up, refuse
from test_calls import sell

from coinslot import AsyncCoinslot, Coinslot, CoinslotError, Session, WatchedEvent
from coinslot.watch import Frames


def watched(told: Any) -> Iterator[Any]:
    """What a client of either kind watches."""
    return iter(told)


def test_a_session_is_told_as_it_is_and_once_it_is_paid_and_then_no_more(client: Coinslot, server: Server) -> None:
    session = sell(client)
    told: List[Session] = []
    for now in client.sessions.watch(session.id):
        told.append(now)
        if len(told) == 1:
            assert now == session
            server.pay(session.id)
    assert told[-1].status == "paid" and len(set(told[-1:] + told)) == len(told)
    assert told[-1] == client.sessions.get(session.id)


def test_events_are_those_that_were_and_then_each_as_it_happens(connect: Connect, server: Server) -> None:
    client = connect(server.new_game("feed_" + connect.kind))
    session = sell(client, "feed_" + connect.kind)
    types: List[str] = []
    for told in client.events.watch(types=["session.created", "session.paid"]):
        assert isinstance(told, WatchedEvent) and told.next_cursor and told.event.data.session_id == session.id
        types.append(told.event.type)
        if told.event.type == "session.paid":
            break
        server.pay(session.id)
    assert types == ["session.created", "session.paid"]


def test_a_watch_begins_where_a_consumer_has_come_to(connect: Connect, server: Server) -> None:
    game = "consumed_" + connect.kind
    client = connect(server.new_game(game))
    sold = [sell(client, game).id, sell(client, game).id]
    first = next(watched(client.events.watch(consumer="granter")))
    assert first.event.data.session_id == sold[0]
    assert client.events.acknowledge(consumer="granter", cursor=first.next_cursor) == first.next_cursor
    assert next(watched(client.events.watch(consumer="granter"))).event.data.session_id == sold[1]


class Moving(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Leads to a server wherever it is, and breaks what is watched when a test says so."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.blocking, self.awaited = httpx.HTTPTransport(), httpx.AsyncHTTPTransport()
        self.broken = False

    def _moved(self, request: httpx.Request) -> httpx.Request:
        request.url = request.url.copy_with(port=httpx.URL(self.server.url).port)
        return request

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.blocking.handle_request(self._moved(request))
        if "/Watch" in request.url.path:
            response.stream = Breaking(self, response.stream)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.awaited.handle_async_request(self._moved(request))
        if "/Watch" in request.url.path:
            response.stream = Breaking(self, response.stream)
        return response

    def close(self) -> None:
        self.blocking.close()

    async def aclose(self) -> None:
        await self.awaited.aclose()
        self.blocking.close()


class Breaking(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Breaks in the middle of a message once the connection is broken."""

    def __init__(self, line: Moving, stream: Any) -> None:
        self.line, self.stream = line, stream

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.stream:
            yield chunk
            if self.line.broken:
                self.line.broken = False
                yield b"\0\0\0"
                raise httpx.ReadError("connection reset")

    async def __aiter__(self) -> Any:
        async for chunk in self.stream:
            yield chunk
            if self.line.broken:
                self.line.broken = False
                yield b"\0\0\0"
                raise httpx.ReadError("connection reset")

    def close(self) -> None:
        self.stream.close()

    async def aclose(self) -> None:
        await self.stream.aclose()


@pytest.mark.parametrize("kind", ["blocking", "awaited"])
def test_events_are_neither_missed_nor_told_twice(kind: str, binary: Path, tmp_path: Path) -> None:
    own = Server(binary, tmp_path / "data")
    connect = Connect(kind, own)
    line = Moving(own)
    http: Any = httpx.Client(transport=line) if kind == "blocking" else httpx.AsyncClient(transport=line)
    client = connect(http_client=http)
    want, got = [sell(client).id, sell(client).id], []
    for told in client.events.watch(types=["session.created"]):
        got.append(told.event.data.session_id)
        if len(got) == 2:
            own.stop()
            own = line.server = connect.server = Server(binary, tmp_path / "data")
            want.append(sell(client).id)
        elif len(got) == 3:
            line.broken = True
            want.append(sell(client).id)
        elif len(got) == 4:
            want.append(sell(client).id)
        elif len(got) == 5:
            break
    assert got == want and not line.broken
    assert len(connect.slept) >= 2 and all(0.25 <= wait <= 0.5 for wait in connect.slept)
    if kind == "blocking":
        http.close()
    else:
        connect.loop.run_until_complete(http.aclose())
    connect.close()
    own.stop()


def test_a_watch_is_given_up_like_any_call_while_nobody_was_reached(connect: Connect) -> None:
    client, sent = connect.unreliably(on_the_way=[refuse, hang_up, answer(503), answer(403), answer(200, "<html>")])
    for code, requests in (("unavailable", 3), ("forbidden", 4), ("unknown", 5)):
        with pytest.raises(CoinslotError) as error:
            next(watched(client.events.watch()))
        assert (error.value.code, len(sent.requests)) == (code, requests)
    assert sent.requests[0].headers["User-Agent"].startswith("coinslot-python/")


def test_what_cannot_be_watched_says_why_at_once(connect: Connect) -> None:
    client = connect()
    for told, code in (
        (client.sessions.watch("sess_nobody"), "session_not_found"),
        (client.events.watch(cursor="nonsense"), "invalid_cursor"),
        (client.events.watch(consumer="no way"), "invalid_consumer"),
    ):
        with pytest.raises(CoinslotError) as error:
            next(watched(told))
        assert (error.value.code, error.value.retryable) == (code, False)
    assert connect.slept == []


def test_cancelling_a_task_ends_its_watch(server: Server) -> None:
    async def watch(client: AsyncCoinslot) -> None:
        async for _ in client.events.watch(from_now=True):
            raise AssertionError("nothing happens")

    async def main() -> None:
        async with AsyncCoinslot(access_token=server.new_game("quiet"), base_url=server.url) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(watch(client), 0.2)

    asyncio.run(main())


def test_frames_are_whole_however_they_arrive() -> None:
    text = b"\0\0\0\0\x02{}" + b"\x02\0\0\0\x09{\"a\": 1 }"
    for size in range(1, len(text) + 1):
        frames = Frames()
        told = [t for at in range(0, len(text), size) for t in frames.feed(text[at : at + size])]
        assert told == [(False, {}), (True, {"a": 1})]
    for bad in (b"\x01\0\0\0\x02{}", b"\0\xff\0\0\0", b"\0\0\0\0\x01{"):
        with pytest.raises(ValueError):
            list(Frames().feed(bad))

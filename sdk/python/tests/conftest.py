from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, cast

import httpx
import pytest
from shop import Blocking, Fault, Server, Unreliable, build

from coinslot import AsyncCoinslot, Coinslot, Item

COINS = Item(title="50 Gold Coins", price=499, currency="USD")


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("binary"))


@pytest.fixture(scope="session")
def server(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    s = Server(binary, tmp_path_factory.mktemp("server") / "data")
    yield s
    s.stop()


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have these set."""
    for name in ("COINSLOT_ACCESS_TOKEN", "COINSLOT_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


class Connect:
    """Makes clients of the kind that a test is run for, and closes them after it."""

    def __init__(self, kind: str, server: Server) -> None:
        self.kind, self.server = kind, server
        self.loop = asyncio.new_event_loop()
        self.slept: List[float] = []
        self._last: List[Callable[[], object]] = []

    def __call__(self, access_token: Optional[str] = None, **options: Any) -> Coinslot:
        options = {"base_url": self.server.url, "access_token": access_token or self.server.key, **options}
        if self.kind == "blocking":
            client = Coinslot(sleep=self.slept.append, **options)
            self._last.append(client.close)
            return client
        awaited = AsyncCoinslot(sleep=self._sleep, **options)
        self._last.append(lambda: self.loop.run_until_complete(awaited.close()))
        return cast(Coinslot, Blocking(awaited, self.loop))

    def unreliably(
        self,
        on_the_way: Optional[List[Optional[Fault]]] = None,
        on_the_way_back: Optional[List[Optional[Fault]]] = None,
        **options: Any,
    ) -> "tuple[Coinslot, Unreliable]":
        """A client whose requests break where faults say so, and what it sent."""
        transport = Unreliable(on_the_way or [], on_the_way_back or [])
        http: Any
        if self.kind == "blocking":
            http = httpx.Client(transport=transport)
            self._last.append(http.close)
        else:
            http = httpx.AsyncClient(transport=transport)
            self._last.append(lambda: self.loop.run_until_complete(http.aclose()))
        return self(http_client=http, **options), transport

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def close(self) -> None:
        for close in reversed(self._last):
            close()
        self.loop.close()


@pytest.fixture(params=["blocking", "awaited"])
def connect(request: pytest.FixtureRequest, server: Server) -> Iterator[Connect]:
    c = Connect(request.param, server)
    yield c
    c.close()


@pytest.fixture
def client(connect: Connect) -> Coinslot:
    return connect()


@pytest.fixture
def paid(client: Coinslot, server: Server) -> str:
    """The id of a session that a player has paid."""
    session = client.checkout(game_id="space_shooter", user_id="player_42", item=COINS, return_url="mygame://paid")
    assert server.pay(session.id) == "paid"
    return session.id

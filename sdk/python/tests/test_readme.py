"""The README's examples, run as they are written against a real server."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

import pytest
from conftest import COINS
from readme import blocks
from shop import Server

from coinslot import Coinslot

Request = Tuple[bytes, Dict[str, str]]


def played(server: Server, monkeypatch: pytest.MonkeyPatch) -> Dict[str, Any]:
    """What the README's names stand for after all its blocks have run in turn."""
    monkeypatch.setenv("COINSLOT_ACCESS_TOKEN", server.key)
    monkeypatch.setenv("COINSLOT_BASE_URL", server.url)
    names: Dict[str, Any] = {}
    for heading, text, paid in blocks():
        if paid:
            server.pay(names["session"].id)
        exec(compile(text, f"README.md: {heading}", "exec"), names)
    names["client"].close()
    return names


def test_the_examples_say_what_they_promise(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = played(server, monkeypatch)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == names["session"].url
    assert printed[1] == "50 coins for player_42"
    assert "invalid_price" in printed and "invalid_argument 400 False" in printed
    assert printed.count(names["again"].id) == 2
    assert "player_42 bought 50 Gold Coins" in printed
    sold = names["session"].id
    assert f"{sold} is paid" in printed and printed[-1] == f"grant what was sold in {sold}"


class Receiver(HTTPServer):
    """Hands what is posted to it to a function, and keeps it with its answer."""

    def __init__(self, handle: Callable[[bytes, Mapping[str, str]], int]) -> None:
        super().__init__(("127.0.0.1", 0), Post)
        self.handle = handle
        self.got: List[Tuple[Request, int]] = []
        self.full = threading.Event()


class Post(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["Content-Length"])), dict(self.headers.items())
        status = self.server.handle(*request)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.got.append((request, status))
        self.server.full.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def handler() -> Dict[str, Any]:
    """The names of the README's webhook example."""
    names: Dict[str, Any] = {}
    exec(next(text for heading, text, _ in blocks() if heading == "Webhooks"), names)
    return names


@pytest.fixture
def receiver(handler: Dict[str, Any]) -> Iterator[Receiver]:
    with Receiver(handler["webhook"]) as r:
        serving = threading.Thread(target=r.serve_forever)
        serving.start()
        yield r
        r.shutdown()
        serving.join()


def test_the_webhook_example_takes_what_a_server_sends(
    server: Server, handler: Dict[str, Any], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = server.new_game("webhook_game")
    url = "http://127.0.0.1:{}/".format(receiver.server_port)
    flags = ["--game", "webhook_game", "--environment", "sandbox", "--events", "session.paid"]
    secret = server.run("webhooks", "create", "--url", url, *flags)
    monkeypatch.setenv("COINSLOT_WEBHOOK_SECRET", secret)
    with Coinslot(access_token=key, base_url=server.url) as client:
        session = client.checkout(
            game_id="webhook_game", user_id="player_42", item=COINS, return_url="mygame://paid"
        )
        server.pay(session.id)
        assert receiver.full.wait(30)
    ((body, headers), status), = receiver.got
    assert status == 204 and handler["granted"] == {session.id}

    webhook = handler["webhook"]
    handler["granted"].clear()
    toffee = {name: value for name, value in headers.items() if not name.lower().startswith("webhook-")}
    assert "X-Toffeepay-Signature" in toffee and len(toffee) < len(headers)
    assert webhook(body, toffee) == 204 and handler["granted"] == {session.id}
    assert webhook(body.replace(b"player_42", b"player_43"), headers) == 400
    assert webhook(body.replace(b"player_42", b"player_43"), toffee) == 400

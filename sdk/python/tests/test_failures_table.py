"""What becomes of calls that fail, by the table that all clients share."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, Iterator, List

import pytest
from conftest import Connect
from shop import ROOT

from coinslot import CoinslotError

Failure = Dict[str, Any]

TABLE: Dict[str, Any] = json.loads((ROOT / "sdk" / "failures.json").read_text())
FAILURES: List[Failure] = TABLE["failures"]

SHORT_TIMEOUT = 0.3


class Faulty(ThreadingHTTPServer):
    """Does to every request what a failure says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.failure: Failure = {}
        self.agents: List[str] = []
        self.over = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class Answer(BaseHTTPRequestHandler):
    server: Faulty
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        failure = self.server.failure
        self.server.agents.append(self.headers["User-Agent"])
        self.rfile.read(int(self.headers["Content-Length"]))
        happens = failure.get("happens")
        self.close_connection = True
        if happens == "silence":
            self.server.over.wait()
        elif happens in ("cut", "drip"):
            self.begin(200, {"Content-Type": self.headers["Content-Type"], "Content-Length": "1000"}, b"{")
            while happens == "drip" and not self.server.over.wait(SHORT_TIMEOUT / 3):
                self.wfile.write(b" ")
        elif happens is None:
            body = TABLE["bodies"][failure["body"]]
            text = body["text"].encode()
            kind = {"Content-Type": body["type"]} if "type" in body else {}
            length = {"Content-Length": str(len(text))}
            self.begin(failure["status"], {**kind, **length, **failure.get("headers", {})}, text)

    def begin(self, status: int, headers: Dict[str, str], text: bytes) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    with Faulty() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server
        server.over.set()
        server.shutdown()
        serving.join()


def test_there_is_a_table() -> None:
    assert len(FAILURES) > 50


@pytest.mark.parametrize("failure", FAILURES, ids=lambda f: str(f["name"]))
def test_the_shared_failures(connect: Connect, faulty: Faulty, failure: Failure) -> None:
    faulty.failure = failure
    url = "http://127.0.0.1:{}".format(faulty.server_port)
    happens = failure.get("happens")
    if happens == "nobody":
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))  # and does not listen
            url = "http://127.0.0.1:{}".format(unused.getsockname()[1])
    client = connect(base_url=url, retries=1, timeout=SHORT_TIMEOUT if happens in ("silence", "drip") else 30)
    with pytest.raises(CoinslotError) as error:
        client.sessions.get("sess_1")
    e = error.value
    assert (e.code, e.retry_after, e.http_status) == (
        failure["code"],
        failure.get("retry_after"),
        failure.get("status"),
    )
    assert e.retryable == (failure["retried"] or failure.get("retry_after", 0) > 60)
    assert len(connect.slept) == failure["retried"]
    if happens != "nobody":
        assert len(faulty.agents) == 1 + failure["retried"]
        assert all(agent.startswith("coinslot-python/") for agent in faulty.agents)

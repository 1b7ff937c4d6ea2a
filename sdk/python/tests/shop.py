"""What the tests need besides the package: a real server, and connections that break."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import httpx

ROOT = Path(__file__).resolve().parents[3]  # of the repository


def build(directory: Path) -> Path:
    """The server's binary: the one that COINSLOT_BINARY names, or a new one."""
    given = os.environ.get("COINSLOT_BINARY")
    if given:
        return Path(given)
    binary = directory / "coinslot"
    subprocess.run(["go", "build", "-o", str(binary), "./cmd/coinslot"], cwd=ROOT, check=True)
    return binary


def plain() -> Dict[str, str]:
    """The environment without the variables that could lead a command to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COINSLOT_")}


class Server:
    """A server in the sandbox, with data of its own, on a port that was free."""

    def __init__(self, binary: Path, data: Path, *flags: str) -> None:
        self.binary, self.data = binary, data
        command = [str(binary), "serve", "--quiet-start", "--addr", "127.0.0.1:0", "--data", str(data), *flags]
        self.log = data.with_suffix(".log").open("w")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, env=plain())
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, data.with_suffix(".log").read_text()
        self.url: str = json.loads(line)["url"]
        self.key: str = json.loads(line).get("sandbox_key", "")  # of new data alone

    def run(self, *command: str) -> str:
        """What a command of the binary prints on standard output."""
        done = subprocess.run(
            [self.binary, *command, "--data", self.data],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=plain(),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def pay(self, session: str, *flags: str) -> str:
        """What becomes of a session that a player pays."""
        return self.run("sandbox", "pay", session, *flags)

    def new_game(self, game: str, *flags: str) -> str:
        """A key of a new game, so that a test has its sales to itself."""
        self.run("games", "create", game, *flags)
        return self.new_key(game)

    def new_key(self, game: str, *flags: str) -> str:
        return self.run("keys", "create", "--game", game, "--environment", "sandbox", *flags)

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.wait()
        self.log.close()


class Blocking:
    """An AsyncCoinslot that is called as if it were a Coinslot, so that one test is for both."""

    def __init__(self, part: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._part, self._loop = part, loop

    def __getattr__(self, name: str) -> Any:
        part = getattr(self._part, name)
        if not callable(part):
            return Blocking(part, self._loop)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = part(*args, **kwargs)
            if inspect.isasyncgen(result):
                return self._rows(result)
            return self._loop.run_until_complete(result)

        return call

    def _rows(self, generator: Any) -> Iterator[Any]:
        try:
            while True:
                try:
                    yield self._loop.run_until_complete(generator.__anext__())
                except StopAsyncIteration:
                    return
        finally:  # as a loop that is left in the middle does with a generator that blocks
            self._loop.run_until_complete(generator.aclose())


Fault = Callable[[httpx.Request], Optional[httpx.Response]]


class Unreliable(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A connection to the real server that counts requests, and breaks at those for which
    there is a fault: before the request arrives, or on the answer's way back."""

    def __init__(self, on_the_way: List[Optional[Fault]], on_the_way_back: List[Optional[Fault]]) -> None:
        self.there, self.back = on_the_way, on_the_way_back
        self.requests: List[httpx.Request] = []
        self.blocking, self.awaited = httpx.HTTPTransport(), httpx.AsyncHTTPTransport()

    def _fault(self, faults: List[Optional[Fault]], request: httpx.Request) -> Optional[httpx.Response]:
        at = len(self.requests) - 1
        fault = faults[at] if at < len(faults) else None
        return fault(request) if fault else None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._fault(self.there, request)
        if answer is None:
            answer = self.blocking.handle_request(request)
            answer.read()
            self._fault(self.back, request)
        return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._fault(self.there, request)
        if answer is None:
            answer = await self.awaited.handle_async_request(request)
            await answer.aread()
            self._fault(self.back, request)
        return answer

    def close(self) -> None:
        self.blocking.close()

    async def aclose(self) -> None:
        await self.awaited.aclose()
        self.blocking.close()


def refuse(request: httpx.Request) -> Optional[httpx.Response]:
    raise httpx.ConnectError("connection refused", request=request)


def hang_up(request: httpx.Request) -> Optional[httpx.Response]:
    raise httpx.ReadError("connection reset", request=request)


def answer(status: int, text: str = "", **headers: str) -> Fault:
    """What a proxy answers instead of the server."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx.Response(status, text=text, headers=named, request=request)
